"""Classes as their source tells them: what callers see of them, with what they inherit."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from rulezero_policies.parity.storeshape import ClassShape, Colour, Form, Kind, Method, Parameter
from rulezero_policies.references import Sources

_EMPTY = frozenset({"ABC", "Protocol", "Generic", "object", "ABCMeta"})
"""Bases that bring nothing that callers see."""

_ABSTRACT = frozenset({"abstractmethod", "abstractproperty"})
_PROPERTIES = frozenset({"property", "cached_property", "abstractproperty"})
_KNOWN = frozenset({"staticmethod", "classmethod", "override", "overload", "final", "wraps"})

_DEEPEST = 20
"""Steps that an import is followed; more are a circle."""

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the service: its classes, and what its other names stand for elsewhere."""

    name: str
    path: str
    classes: Mapping[str, ast.ClassDef] = field(default_factory=dict[str, ast.ClassDef])
    imported: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Found:
    """A class where it is defined."""

    module: Module
    node: ast.ClassDef

    @property
    def name(self) -> str:
        """As "module:Class"."""
        return f"{self.module.name}:{self.node.name}"

    @property
    def bases(self) -> tuple[str, ...]:
        """The bases as they are written, without what stands in brackets."""
        bare = (b.value if isinstance(b, ast.Subscript) else b for b in self.node.bases)
        return tuple(ast.unparse(base) for base in bare)

    @property
    def is_interface(self) -> bool:
        """Whether it says what others do: a Protocol, or something of it is abstract."""
        return self.is_protocol or any(m.abstract for m in members_of(self))

    @property
    def is_protocol(self) -> bool:
        """Whether it is a Protocol itself, not only the child of one."""
        return any(_last(base) == "Protocol" for base in self.bases)


class Code:
    """The classes of one service."""

    def __init__(self, sources: Sources, folder: str = ".") -> None:
        """Read them.

        Args:
            sources: The service's own files.
            folder: Where its imports begin, under the project.
        """
        read = (_module(f.path, f.text, folder) for f in sources.files if f.path.endswith(".py"))
        self.modules = {m.name: m for m in read if m is not None}

    def classes(self) -> Iterator[Found]:
        """Every class at the top of a module."""
        for module in self.modules.values():
            for node in module.classes.values():
                yield Found(module=module, node=node)

    def named(self, place: str) -> Found | None:
        """The class "module:Class", also where the module only imports it."""
        module, _, name = place.partition(":")
        return self._at(f"{module}.{name}", _DEEPEST)

    def _at(self, dotted: str, steps: int) -> Found | None:
        module_name, _, name = dotted.rpartition(".")
        module = self.modules.get(module_name) or self.modules.get(f"{module_name}.__init__")
        if module is None or not steps:
            return None
        if name in module.classes:
            return Found(module=module, node=module.classes[name])
        return self._at(module.imported[name], steps - 1) if name in module.imported else None

    def base(self, of: Found, written: str) -> Found | None:
        """The class that a base's name stands for; None: it is none of the service's."""
        first, _, rest = written.partition(".")
        if not rest and first in of.module.classes:
            return Found(module=of.module, node=of.module.classes[first])
        full = of.module.imported.get(first)
        return self._at(f"{full}.{rest}" if rest else full, _DEEPEST) if full else None

    def lineage(self, found: Found, above: frozenset[str] = _NOTHING) -> Iterator[Found | None]:
        """The class and what it inherits from, nearest first; None for what cannot be read."""
        yield found
        for written in found.bases:
            if _last(written) in _EMPTY:
                continue
            base = self.base(found, written)
            if base is None or base.name in above | {found.name}:
                yield None
            else:
                yield from self.lineage(base, above | {found.name})

    def shape(self, found: Found) -> ClassShape:
        """The class as its callers see it."""
        line = list(self.lineage(found))
        members: dict[str, Method] = {}
        for one in line:
            for method in members_of(one) if one else ():
                members.setdefault(method.name, method)
        made = members.pop("__init__", None)
        return ClassShape(
            name=found.name,
            methods=tuple(m for m in members.values() if is_public(m.name)),
            whole=None not in line and not _is_dynamic(line),
            made=made is None or _needs_nothing(made),
        )


def _is_dynamic(line: list[Found | None]) -> bool:
    """Whether members come from elsewhere than the bodies of the classes."""
    every = [one.node for one in line if one is not None]
    return any(
        isinstance(node, ast.FunctionDef) and node.name in {"__getattr__", "__getattribute__"}
        for one in every
        for node in one.body
    ) or any(one.decorator_list and not _is_plain(one) for one in every)


def _is_plain(node: ast.ClassDef) -> bool:
    harmless = {"dataclass", "define", "frozen", "final", "runtime_checkable", "total_ordering"}
    return {_decorator(d) for d in node.decorator_list} <= harmless


def _needs_nothing(init: Method) -> bool:
    return all(p.default or p.kind in {"args", "kwargs"} for p in init.parameters)


def is_public(name: str) -> bool:
    """Whether callers use it: no name that begins with `_`, but those of Python's protocols."""
    if name.startswith("__") and name.endswith("__"):
        return name in _PROTOCOLS
    return not name.startswith("_")


_PROTOCOLS = frozenset(
    {
        "__aenter__", "__aexit__", "__aiter__", "__anext__", "__call__", "__contains__",
        "__delitem__", "__enter__", "__exit__", "__getitem__", "__iter__", "__len__", "__next__",
        "__setitem__",
    }
)  # fmt: skip


def members_of(found: Found) -> Iterator[Method]:
    """What the class itself defines; of an overloaded method what it comes to in the end."""
    seen: dict[str, Method] = {}
    for node in found.node.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if "overload" not in _marks(node):
                one = method(node)
                left = one.abstract or (found.is_protocol and _is_stub(node))
                seen[node.name] = replace(one, abstract=left)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            seen[node.target.id] = Method(name=node.target.id, form="value")
        elif isinstance(node, ast.Assign):
            for name in (t.id for t in node.targets if isinstance(t, ast.Name)):
                seen[name] = _assigned(name, node.value, seen)
    yield from seen.values()
    yield from (m for m in _set_on_self(found.node) if m.name not in seen)


def _assigned(name: str, value: ast.expr, seen: Mapping[str, Method]) -> Method:
    """A second name of a method is that method; of what something else made, nothing is known."""
    if isinstance(value, ast.Name) and value.id in seen:
        return replace(seen[value.id], name=name)
    callable_ = isinstance(value, ast.Call | ast.Lambda)
    return Method(name=name, form="method" if callable_ else "value", opaque=callable_)


def _set_on_self(node: ast.ClassDef) -> Iterator[Method]:
    names = {
        target.attr
        for inner in ast.walk(node)
        if isinstance(inner, ast.Assign | ast.AnnAssign)
        for target in (inner.targets if isinstance(inner, ast.Assign) else [inner.target])
        if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self"
    }
    yield from (Method(name=name, form="value") for name in sorted(names))


def method(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Method:
    """A method as its `def` says."""
    marks = _marks(node)
    form: Form = "method"
    if marks & _PROPERTIES or any(m in {"setter", "deleter", "getter"} for m in marks):
        form = "property"
    elif marks & {"staticmethod", "classmethod"}:
        form = "static" if "staticmethod" in marks else "class"
    return Method(
        name=node.name,
        form=form,
        colour=_colour(node),
        parameters=tuple(_parameters(node.args, own=form == "static")),
        returns=None if node.returns is None else _text(node.returns),
        abstract=bool(marks & _ABSTRACT) or _only_raises(node),
        opaque=bool(marks - _KNOWN - _ABSTRACT - _PROPERTIES - {"setter", "deleter", "getter"}),
    )


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """What it does, its docstring left out."""
    said = [n for n in node.body if not (isinstance(n, ast.Expr) and _is_text(n.value))]
    return [n for n in said if not isinstance(n, ast.Pass)]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return not _body(node)


def _only_raises(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = _body(node)
    raised = body[0].exc if len(body) == 1 and isinstance(body[0], ast.Raise) else None
    return raised is not None and ast.unparse(raised).startswith("NotImplementedError")


def _colour(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Colour:
    if isinstance(node, ast.FunctionDef):
        return "plain"
    return "stream" if any(map(_yields, node.body)) else "async"


def _yields(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    return isinstance(node, ast.Yield) or any(map(_yields, ast.iter_child_nodes(node)))


def _parameters(given: ast.arguments, *, own: bool) -> Iterator[Parameter]:
    """Those that callers give: the first is the object, or the class, unless there is none."""
    placed = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(placed) - len(given.defaults)) + list(given.defaults)
    pairs = list(zip(placed, defaults, strict=True))
    for number, (arg, default) in enumerate(pairs):
        if number or own:
            yield _parameter(arg, default, _placed(arg.arg, number < len(given.posonlyargs)))
    if given.vararg:
        yield Parameter(name=given.vararg.arg, kind="args")
    for arg, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _parameter(arg, default, "keyword")
    if given.kwarg:
        yield Parameter(name=given.kwarg.arg, kind="kwargs")


def _placed(name: str, before_slash: bool) -> Kind:  # noqa: FBT001
    # `__x` is how parameters that go by place alone were written before `/`.
    old = name.startswith("__") and not name.endswith("__")
    return "positional" if before_slash or old else "either"


def _parameter(arg: ast.arg, default: ast.expr | None, kind: Kind) -> Parameter:
    return Parameter(name=arg.arg, kind=kind, default=default is not None, value=_literal(default))


def _literal(default: ast.expr | None) -> str | None:
    """A default that is no mere placeholder, where it says its value."""
    if isinstance(default, ast.Constant) and default.value is not ...:
        return repr(default.value)
    return None


def _text(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    return frozenset(_decorator(d) for d in node.decorator_list)


def _decorator(node: ast.expr) -> str:
    return _last(ast.unparse(node.func if isinstance(node, ast.Call) else node))


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _module(path: str, text: str, folder: str) -> Module | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    name = dotted(path, folder)
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    return Module(
        name=name,
        path=path,
        classes={n.name: n for n in tree.body if isinstance(n, ast.ClassDef)},
        imported=dict(_imported(tree, package)),
    )


def dotted(path: str, folder: str = ".") -> str:
    """The name by which a file is imported, from the service's folder (or its `src`) on."""
    inside = path if folder in {".", ""} else path.removeprefix(f"{folder.rstrip('/')}/")
    inside = inside.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
    return inside.replace("/", ".")


def _imported(tree: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """Names that stand for something of another module, with its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = [*(above if node.level else []), *([node.module] if node.module else [])]
            for alias in node.names:
                yield alias.asname or alias.name, ".".join([*start, alias.name])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield alias.asname or first, alias.name if alias.asname else first
