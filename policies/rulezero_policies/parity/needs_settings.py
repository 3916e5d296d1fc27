"""The keys that pydantic's settings classes read: a field is a key."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import PyFile
from rulezero_policies.parity.reads import meaning
from rulezero_policies.parity.values import Need, State

HOW = "pydantic-settings"

_BASES = frozenset(
    {"pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic.v1.BaseSettings"}
)

_DEPTH = 4
"""Models within models that are followed."""

_Class = tuple[PyFile, ast.ClassDef]


@dataclass(frozen=True, kw_only=True)
class _Settings:
    """How a class reads its keys."""

    prefix: str = ""
    delimiter: str = ""
    any_case: bool = True
    old: bool = False
    """pydantic 1: what may be None needs no value."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a settings class, and the needs that it makes."""

    owner: str
    name: str
    needs: tuple[Need, ...]


def fields(program: Program, service: str) -> tuple[Field, ...]:
    """Every field of every settings class that the code makes one of."""
    found = _Finder(program, service)
    return tuple(f for one in found.classes() for f in found.fields(one))


@dataclass(frozen=True, kw_only=True)
class _Line:
    """A field as it is written: what it holds, and its value or `Field(…)`."""

    name: str
    line: int
    held: ast.expr
    value: ast.expr | None


class _Finder:
    def __init__(self, program: Program, service: str) -> None:
        self._program = program
        self._service = service
        pairs = ((f, n) for f in program.files for n in f.nodes)
        every = [(f, n) for f, n in pairs if isinstance(n, ast.ClassDef) and n.bases]
        self._every = every

    def classes(self) -> list[_Class]:
        """The settings classes, but those that only others are made from."""
        mine = [c for c in self._every if self._is_settings(c)]
        parents = {id(b[1]) for c in mine for b in self._parents(c)}
        made = self._made() if parents else set[int]()
        return [c for c in mine if id(c[1]) not in parents or id(c[1]) in made]

    def _made(self) -> set[int]:
        calls = ((f, n) for f in self._program.files for n in f.nodes if isinstance(n, ast.Call))
        names = {c.name for _, c in self._every}
        found = (
            self._program.definition(self._program.origin(f, n.func))
            for f, n in calls
            if ast.unparse(n.func).rpartition(".")[2] in names
        )
        return {id(d[1]) for d in found if d is not None}

    def _parents(self, one: _Class) -> Iterator[_Class]:
        file, node = one
        for base in node.bases:
            found = self._program.definition(self._program.origin(file, base))
            if found is not None and isinstance(found[1], ast.ClassDef):
                yield found[0], found[1]

    def _line(self, one: _Class, depth: int = _DEPTH) -> list[_Class]:
        """A class and what it inherits from, the furthest first."""
        above = self._parents(one) if depth else ()
        return [*(c for p in above for c in self._line(p, depth - 1)), one]

    def _roots(self, one: _Class) -> set[str]:
        return {self._program.origin(f, b) for f, c in self._line(one) for b in c.bases}

    def _is_settings(self, one: _Class) -> bool:
        return bool(self._roots(one) & _BASES)

    def fields(self, one: _Class) -> Iterator[Field]:
        """The fields of a class, its parents' too, as it reads them."""
        line = self._line(one)
        settings = _Settings(old="pydantic_settings.BaseSettings" not in self._roots(one))
        for file, node in line:
            settings = self._configured(file, node, settings)
        given = self._given(one)
        named: dict[str, Field] = {}
        for file, node in line:
            for field in _annotated(node):
                needs = tuple(self._needs(file, one[1].name, field, settings))
                if field.name in given:
                    needs = tuple(replace(n, required=False) for n in needs)
                made = Field(owner=one[1].name, name=field.name, needs=needs)
                named[made.name] = made
        yield from named.values()

    def _given(self, one: _Class) -> set[str]:
        """Fields that the code gives a value itself when it makes one."""
        found: set[str] = set()
        for file in self._program.files:
            for node in file.nodes:
                if isinstance(node, ast.Call) and ast.unparse(node.func) == one[1].name:
                    found |= {k.arg for k in node.keywords if k.arg}
        return found

    def _configured(self, file: PyFile, node: ast.ClassDef, so_far: _Settings) -> _Settings:
        for statement in node.body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id="model_config")], value=value)
                    | ast.AnnAssign(target=ast.Name(id="model_config"), value=value)
                ):
                    so_far = self._with(file, so_far, _pairs(value))
                case ast.ClassDef(name="Config", body=body):
                    so_far = self._with(file, so_far, _assigned(body))
                case _:
                    pass
        return self._with(file, so_far, {k.arg: k.value for k in node.keywords if k.arg})

    def _with(self, file: PyFile, old: _Settings, said: dict[str, ast.expr]) -> _Settings:
        def text(name: str, otherwise: str) -> str:
            value = said.get(name)
            return self._program.texts(file, value)[0].value if value else otherwise

        exact = said.get("case_sensitive")
        return replace(
            old,
            prefix=text("env_prefix", old.prefix),
            delimiter=text("env_nested_delimiter", old.delimiter),
            any_case=not _is_true(exact) if exact else old.any_case,
        )

    def _needs(self, file: PyFile, owner: str, field: _Line, settings: _Settings) -> Iterator[Need]:
        names = self._names(file, field, settings)
        whole = self._need(file, owner, field, settings, names)
        model = self._model(file, field.held)
        if model is None or not settings.delimiter:
            yield whole
            return
        yield replace(whole, required=False)
        for inner in _annotated(model[1]):
            start = f"{names[0]}{settings.delimiter}"
            for need in self._needs(model[0], owner, inner, replace(settings, prefix=start)):
                yield replace(
                    need,
                    required=need.required and whole.required,
                    instead=(*need.instead, whole.key),
                )

    def _need(
        self,
        file: PyFile,
        owner: str,
        field: _Line,
        settings: _Settings,
        names: list[str],
    ) -> Need:
        default = _default(field.value)
        keys = [n.upper() if settings.any_case else n for n in names]
        empty = settings.old and _may_be_none(field.held)
        return Need(
            key=keys[0],
            service=self._service,
            path=file.path,
            line=field.line,
            required=default is None and not empty,
            how=HOW,
            default=_state(default) if default is not None else None,
            scope=owner,
            any_case=settings.any_case,
            instead=tuple(keys[1:]),
        )

    def _names(self, file: PyFile, field: _Line, settings: _Settings) -> list[str]:
        """The keys of a field; an alias stands for itself, without the prefix."""
        said = {k.arg: k.value for k in _keywords(field)}
        given = next((said[n] for n in ("validation_alias", "alias", "env") if n in said), None)
        match given:
            case None:
                return [f"{settings.prefix}{field.name}"]
            case ast.Call(args=names) | ast.List(elts=names) | ast.Tuple(elts=names) if names:
                return [t.value for n in names for t in self._program.texts(file, n)]
            case _:
                return [t.value for t in self._program.texts(file, given)]

    def _model(self, file: PyFile, annotation: ast.expr) -> _Class | None:
        """The class of the service's own that a field holds."""
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name | ast.Attribute):
                found = self._program.definition(self._program.origin(file, node))
                if found is not None and isinstance(found[1], ast.ClassDef):
                    model = (found[0], found[1])
                    roots = self._roots(model)
                    if roots & _BASES or any(r.endswith("BaseModel") for r in roots):
                        return model
        return None


def _annotated(node: ast.ClassDef) -> Iterator[_Line]:
    """The lines of a class's body that declare a field."""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=held, value=value):
                own = name.startswith("_") or name == "model_config"
                if not own and "ClassVar" not in ast.unparse(held):
                    yield _Line(name=name, line=statement.lineno, held=held, value=value)
            case _:
                pass


def _pairs(value: ast.expr | None) -> dict[str, ast.expr]:
    match value:
        case ast.Call(keywords=keywords):
            return {k.arg: k.value for k in keywords if k.arg}
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {str(k.value): v for k, v in pairs if isinstance(k, ast.Constant)}
        case _:
            return {}


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    return {
        s.targets[0].id: s.value
        for s in body
        if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)
    }


def _keywords(field: _Line) -> Iterator[ast.keyword]:
    """What `Field(…)` says, as the value or in `Annotated[…]`."""
    for node in ast.walk(field.held):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Field"):
            yield from node.keywords
    if isinstance(field.value, ast.Call):
        yield from field.value.keywords


def _default(value: ast.expr | None) -> ast.expr | None:
    """A field's default; None: it has none."""
    match value:
        case ast.Call(func=func, args=args, keywords=keywords) if "Field" in ast.unparse(func):
            said = {k.arg: k.value for k in keywords}
            given = said.get("default") or said.get("default_factory") or next(iter(args), None)
            return None if _is_dots(given) else given
        case _:
            return None if _is_dots(value) else value


def _is_dots(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _may_be_none(annotation: ast.expr) -> bool:
    text = ast.unparse(annotation)
    return "Optional" in text or "None" in text


def _state(default: ast.expr) -> State | None:
    try:
        value: object = ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError):
        return None
    return meaning(value) if isinstance(value, str | int | float | None) else "other"
