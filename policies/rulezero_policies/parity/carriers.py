"""By which names code reaches the keys of its environment: what an expression depends on."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rulezero_policies.parity.needs import Code, keys
from rulezero_policies.parity.needs_flask import configured, is_config
from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import PyFile
from rulezero_policies.parity.reads import Read, meaning
from rulezero_policies.parity.values import State

_DEPTH = 3
"""Functions and names that are followed from one to the next."""

_SETTINGS = ("settings", "config", "conf", "cfg", "env", "options", "flags")
"""What an object is called that holds settings."""

_AS_IT_IS = (
    *(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.keyword, ast.Return),
    *(ast.If, ast.IfExp, ast.BoolOp, ast.UnaryOp),
)
"""What a reading stands in where its text is not made anything else."""

_SERVICES = {
    "variation": "LaunchDarkly",
    "bool_variation": "LaunchDarkly",
    "get_boolean_value": "OpenFeature",
    "get_boolean_details": "OpenFeature",
    "feature_is_enabled": "Unleash",
    "feature_enabled": "PostHog",
    "flag_is_active": "django-waffle",
    "switch_is_active": "django-waffle",
    "waffle_flag": "django-waffle",
    "waffle_switch": "django-waffle",
    "is_active": "Flask-FeatureFlags",
}
"""Calls of clients whose flags are kept in a service or a database, not in a setting."""

_KNOWN = {
    "LaunchDarkly": "ldclient",
    "OpenFeature": "openfeature",
    "Unleash": "UnleashClient",
    "PostHog": "posthog",
    "django-waffle": "waffle",
    "Flask-FeatureFlags": "flask_featureflags",
}


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """A setting that the code itself gives its value: no environment can change it."""

    name: str
    state: State
    path: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Depends:
    """What an expression depends on: keys, names of settings, and flags that a service keeps."""

    keys: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()
    remote: frozenset[tuple[str, str]] = frozenset()
    """Pairs of a flag's name and the service's."""

    @property
    def names(self) -> frozenset[str]:
        """What it all is called."""
        return self.keys | self.settings | {name for name, _ in self.remote}

    def __bool__(self) -> bool:
        """Whether it depends on anything."""
        return bool(self.keys or self.settings or self.remote)

    def __or__(self, other: "Depends") -> "Depends":
        """Both."""
        return Depends(
            keys=self.keys | other.keys,
            settings=self.settings | other.settings,
            remote=self.remote | other.remote,
        )


class Carriers:
    """Which keys stand behind the names of one service's code."""

    def __init__(self, code: Code) -> None:
        """Collect what `code` gives the values that it reads to."""
        self._program: Program = code.program
        self._reads = {id(r.node): frozenset(keys([r])) for r in code.reads}
        self._known = frozenset(k for held in self._reads.values() for k in held)
        self._fields: dict[str, set[str]] = defaultdict(set)
        for field in code.fields:
            self._fields[field.name] |= {n.key for n in field.needs}
            self._known |= {n.key for n in field.needs}
        self._named: dict[str, set[str]] = defaultdict(set)
        self._open: dict[ast.AST, Depends] = {}
        self.fixed: dict[str, Fixed] = {}
        given: dict[str, list[Fixed | None]] = defaultdict(list)
        for file in code.program.files:
            for name, value in _settings(file):
                held = self.of(file, value).keys
                self._named[name] |= held
                given[name].append(None if held else _fixed(file, name, value))
        for name, values in given.items():
            first = values[0]
            if first is not None and all(v is not None and v.state == first.state for v in values):
                self.fixed[name] = first
        self.raw = _raw(code.reads)

    def of(self, file: PyFile, node: ast.AST) -> Depends:
        """What is used anywhere in an expression, a statement or a function."""
        return self._of(file, node, _DEPTH)

    def told(self, file: PyFile, node: ast.AST, depth: int = _DEPTH) -> Depends:
        """What the value of a test is: what is only handed on to a call is not."""
        match node:
            case ast.Call() if id(node) not in self._reads:
                return self._answered(file, node, depth)
            case ast.BoolOp() | ast.UnaryOp() | ast.Compare() | ast.IfExp():
                found = self._part(file, node, depth)
                for part in ast.iter_child_nodes(node):
                    found |= self.told(file, part, depth)
                return found
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self.told(file, value, depth)
            case ast.Name() | ast.Attribute():
                return self._attributed(node) or self._meant(file, node, depth)
            case _:
                return self._part(file, node, depth)

    def _answered(self, file: PyFile, node: ast.Call, depth: int) -> Depends:
        """What a call's answer is: of a reading, a conversion, or a function that asks a flag."""
        found = self._configured(node) | self._remote(file, node)
        known = self._program.called(file, node.func)
        if found or (known is None and not _converts(node.func)):
            return found
        if known is None:
            held = node.func.value if isinstance(node.func, ast.Attribute) else None
            asked = [held] if held is not None and not node.args else node.args
            return self._all(self.told(file, a, depth) for a in asked)
        if node.args or node.keywords or not depth:
            given = [*node.args, *(k.value for k in node.keywords)]
            names = (a for a in given if isinstance(a, ast.Constant))
            return self._all(self._part(file, a, depth) for a in names)
        returns = (n for n in ast.walk(known[1]) if isinstance(n, ast.Return) and n.value)
        answers = (n.value for n in returns if n.value is not None)
        return self._all(self.told(known[0], a, depth - 1) for a in answers)

    def _all(self, found: Iterable[Depends]) -> Depends:
        every = tuple(found)
        return Depends(
            keys=frozenset(k for d in every for k in d.keys),
            settings=frozenset(s for d in every for s in d.settings),
            remote=frozenset(r for d in every for r in d.remote),
        )

    def _meant(self, file: PyFile, node: ast.Name | ast.Attribute, depth: int) -> Depends:
        """What a name stands for."""
        values = self._program.values(file, node) if depth else []
        given = [(f, v) for f, v in values if isinstance(v, ast.expr)]
        found = self._all(self.told(f, v, depth - 1) for f, v in given)
        if not found and isinstance(node, ast.Name) and node.id in self.fixed:
            return Depends(settings=frozenset({node.id}))
        return found

    def _of(self, file: PyFile, node: ast.AST, depth: int) -> Depends:
        found = Depends()
        for part in ast.walk(node):
            found |= self._part(file, part, depth)
        return found

    def _part(self, file: PyFile, node: ast.AST, depth: int) -> Depends:  # noqa: PLR0911  (one line a kind)
        if held := self._reads.get(id(node)):
            return Depends(keys=held)
        match node:
            case ast.Constant(value=str(text)) if text in self._known:
                return Depends(keys=frozenset({text}))
            case ast.Name(ctx=ast.Load()):
                return self._behind(file, node, depth)
            case ast.Attribute(ctx=ast.Load()):
                return self._attributed(node) or self._behind(file, node, depth)
            case ast.Call():
                return self._call(file, node, depth) | self._configured(node)
            case ast.Subscript():
                return self._configured(node)
            case _:
                return Depends()

    def _configured(self, node: ast.AST) -> Depends:
        found = configured(node)
        return self.setting(found[0]) if found else Depends()

    def setting(self, name: str) -> Depends:
        """What stands behind a setting that is asked for by its name."""
        fills = self._named.get(name) or self._fields.get(name) or ({name} & self._known)
        return Depends(keys=frozenset(fills)) if fills else Depends(settings=frozenset({name}))

    def _attributed(self, node: ast.Name | ast.Attribute) -> Depends:
        """`settings.feature_notes`, `app.config.FEATURE_NOTES`."""
        if isinstance(node, ast.Name):
            return Depends()
        attr = node.attr
        holder = node.value.func if isinstance(node.value, ast.Call) else node.value
        called = ast.unparse(holder).rpartition(".")[2].lower()
        if not (is_config(node.value) or called.endswith(_SETTINGS) or "settings" in called):
            return Depends()
        held = self._fields.get(attr) or self._named.get(attr)
        if held:
            return Depends(keys=frozenset(held))
        return Depends(settings=frozenset({attr})) if attr in self.fixed else Depends()

    def _behind(self, file: PyFile, node: ast.Name | ast.Attribute, depth: int) -> Depends:
        found = Depends()
        for home, value in self._program.values(file, node) if depth else ():
            if isinstance(value, ast.expr):
                found |= self._once(home, value, depth - 1)
        return found

    def _once(self, file: PyFile, node: ast.AST, depth: int) -> Depends:
        if node not in self._open:
            # What comes back to itself on the way adds nothing.
            self._open[node] = Depends()
            self._open[node] = self._of(file, node, depth)
        return self._open[node]

    def _call(self, file: PyFile, node: ast.Call, depth: int) -> Depends:
        known = self._program.called(file, node.func)
        if known is None or isinstance(known[1], ast.ClassDef):
            return self._remote(file, node)
        found = Depends()
        for one in ast.walk(known[1]) if depth else ():
            if isinstance(one, ast.Return) and one.value:
                found |= self._once(known[0], one.value, depth - 1)
        return found

    def _remote(self, file: PyFile, node: ast.Call) -> Depends:
        """A flag that a client is asked for."""
        name = ast.unparse(node.func).rpartition(".")[2]
        service = _SERVICES.get(name)
        if service is None or not node.args or _KNOWN[service] not in file.imports:
            return Depends()
        # Waffle is given the request first.
        asked = node.args[-1 if service == "django-waffle" else 0]
        texts = self._program.texts(file, asked)
        return Depends(remote=frozenset((t.value, service) for t in texts if t.whole))


def _fixed(file: PyFile, name: str, value: ast.expr) -> Fixed | None:
    match value:
        case ast.Constant(value=bool(held)):
            return Fixed(name=name, state=meaning(held), path=file.path, line=value.lineno)
        case _:
            return None


def _raw(reads: Iterable[Read]) -> frozenset[str]:
    """Keys whose values are used as they are written, wherever they are read."""
    plain: dict[str, bool] = {}
    for read in reads:
        used = isinstance(read.file.parent(read.node), _AS_IT_IS)
        for key in keys([read]):
            kept = used and read.how in {"os.environ.get", "os.getenv", "os.environ[]"}
            plain[key] = plain.get(key, True) and kept
    return frozenset(k for k, kept in plain.items() if kept)


def _converts(func: ast.expr) -> bool:
    """Whether a call gives back what it was given, as another kind of value."""
    name = ast.unparse(func).rpartition(".")[2].lower()
    return "bool" in name or name in {"int", "str", "lower", "upper", "strip", "casefold", "any"}


def _settings(file: PyFile) -> Iterator[tuple[str, ast.expr]]:
    """What the code gives names that are settings: constants, classes of them, `app.config[…]`."""
    for node in file.nodes:
        match node:
            case ast.Assign(targets=[target], value=value):
                yield from _setting(file, node, target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _setting(file, node, target, value)
            case ast.Call(func=ast.Attribute(attr="from_mapping" | "update"), keywords=said):
                yield from ((k.arg, k.value) for k in said if k.arg and k.arg.isupper())
            case ast.Dict(keys=names, values=values):
                yield from _pairs(names, values)
            case _:
                pass


def _setting(
    file: PyFile, node: ast.stmt, target: ast.expr, value: ast.expr
) -> Iterator[tuple[str, ast.expr]]:
    match target:
        case ast.Name(id=name) if name.isupper() and not file.function(node):
            yield name, value
        case ast.Subscript(value=held, slice=ast.Constant(value=str(name))) if is_config(held):
            yield name, value
        case _:
            return


def _pairs(
    names: Iterable[ast.expr | None], values: Iterable[ast.expr]
) -> Iterator[tuple[str, ast.expr]]:
    for name, value in zip(names, values, strict=True):
        match name:
            case ast.Constant(value=str(text)) if text.isupper():
                yield text, value
            case _:
                pass
