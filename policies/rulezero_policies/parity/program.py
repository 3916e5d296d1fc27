"""A service's Python files together: what a name stands for, also across files."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rulezero_policies.parity.pyfile import (
    Binding,
    Each,
    Function,
    Imported,
    Parameter,
    PyFile,
)
from rulezero_policies.references import SourceFile, Sources, is_test

PARSED = 4_000_000
"""Characters of Python that are parsed for one service; the files beyond are named as unread."""

_DEPTH = 8
"""Names that are followed from one to the next: code that goes in a circle ends."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """What a string is, as far as the code tells; `*` stands for what it does not."""

    value: str
    whole: bool = True


ANY = Text(value="*", whole=False)


class Program:
    """The Python files of a service that are not tests."""

    def __init__(self, sources: Sources) -> None:
        """Parse what `sources` hold, as far as it is Python that can be read."""
        self.files: list[PyFile] = []
        self.unread: list[SourceFile] = []
        budget = PARSED
        for source in sources.files:
            if not source.path.endswith(".py") or is_test(source.path):
                continue
            budget -= len(source.text)
            tree = _parsed(source) if budget >= 0 else None
            if tree is None:
                self.unread.append(source)
            else:
                self.files.append(PyFile(source.path, tree))
        self._origins: dict[ast.AST, str] = {}
        self._texts: dict[ast.AST, tuple[Text, ...]] = {}
        self._by_last: dict[str, list[PyFile]] = {}
        for file in self.files:
            self._by_last.setdefault(file.module.rpartition(".")[2], []).append(file)

    def module(self, dotted: str) -> PyFile | None:
        """The file that `dotted` names when it is imported."""
        found = self._by_last.get(dotted.rpartition(".")[2], [])
        fits = (f for f in found if f".{f.module}".endswith(f".{dotted}"))
        return min(fits, key=lambda f: len(f.module), default=None)

    def origin(self, file: PyFile, node: ast.AST, depth: int = _DEPTH) -> str:
        """The dotted name of what an expression is: "os.environ.get", "environs.Env()".

        A call's result has the name of what is called, and "()". "": not known.
        """
        if node not in self._origins:
            # What comes back to itself on the way is not known.
            self._origins[node] = ""
            self._origins[node] = self._origin(file, node, depth)
        return self._origins[node]

    def _origin(self, file: PyFile, node: ast.AST, depth: int) -> str:
        match node:
            case ast.Name(id=name):
                return self._named(file, name, node, depth)
            case ast.Attribute(value=value, attr=attr):
                whole = self.origin(file, value, depth)
                return self._across(f"{whole}.{attr}", depth) if whole else ""
            case ast.Call(func=func):
                called = self.origin(file, func, depth)
                return f"{called}()" if called else ""
            case _:
                return ""

    def _named(self, file: PyFile, name: str, at: ast.AST, depth: int) -> str:
        bindings = file.lookup(name, at)
        if not bindings:
            return name
        if not depth:
            return ""
        found = (self._meaning(file, name, b, depth - 1) for b in bindings)
        return next(filter(None, found), "")

    def _meaning(self, file: PyFile, name: str, binding: Binding, depth: int) -> str:
        match binding:
            case Imported(dotted=dotted):
                return self._across(dotted, depth)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope = file.scope_name(binding)
                return ".".join(filter(None, (file.module, scope, name)))
            case ast.expr():
                value = self.origin(file, binding, depth)
                own = isinstance(file.parent(file.parent(binding) or binding), ast.Module)
                return value or (f"{file.module}.{name}" if own else "")
            case _:
                return ""

    def _across(self, dotted: str, depth: int) -> str:
        """`dotted` as the module says that it is imported from."""
        home, _, name = dotted.rpartition(".")
        file = self.module(home) if home and depth else None
        bindings = file.top(name) if file is not None else ()
        if file is None and (holder := self.definition(home) if home and depth else None):
            file, bindings = holder[0], holder[0].inside(holder[1]).get(name, ())
        found = (self._meaning(file, name, b, depth - 1) for b in bindings if file is not None)
        return next(filter(None, found), dotted)

    def definition(self, dotted: str) -> tuple[PyFile, Function | ast.ClassDef] | None:
        """The function or class that a dotted name of the service's own stands for."""
        home, _, name = dotted.rpartition(".")
        file = self.module(home) if home else None
        if file is not None:
            found = (b for b in file.top(name) if isinstance(b, Function | ast.ClassDef))
            return next(((file, b) for b in found), None)
        return self._method(home, name) if home else None

    def _method(self, home: str, name: str) -> tuple[PyFile, Function | ast.ClassDef] | None:
        holder = self.definition(home.removesuffix("()"))
        if holder is None:
            return None
        file, owner = holder
        found = (b for b in file.inside(owner).get(name, ()) if isinstance(b, Function))
        return next(((file, b) for b in found), None)

    def called(self, file: PyFile, func: ast.expr) -> tuple[PyFile, Function | ast.ClassDef] | None:
        """The function or class of the service's own that is called."""
        match func:
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attr):
                owner = next((n for n in file.above(func) if isinstance(n, ast.ClassDef)), None)
                found = file.inside(owner).get(attr, []) if owner else []
                return next(((file, b) for b in found if isinstance(b, Function)), None)
            case _:
                return self.definition(self.origin(file, func))

    def variables(self, file: PyFile, node: ast.AST, depth: int = _DEPTH) -> tuple[str, ...]:
        """Where the variables that an expression names are given their value, as dotted names.

        Unlike `origin`, which tells what they are: two blueprints are two variables.
        """
        match node:
            case ast.Name(id=name):
                found = (
                    v for b in file.lookup(name, node) for v in self._variable(file, name, b, depth)
                )
                return tuple(dict.fromkeys(found))
            case ast.Attribute(value=value, attr=attr):
                whole = self.origin(file, value)
                return self._imported(f"{whole}.{attr}", depth) if whole else ()
            case _:
                return ()

    def _variable(self, file: PyFile, name: str, binding: Binding, depth: int) -> tuple[str, ...]:
        match binding:
            case Imported(dotted=dotted):
                return self._imported(dotted, depth)
            case Each(of=ast.Tuple(elts=items) | ast.List(elts=items)):
                return tuple(v for i in items for v in self.variables(file, i, depth - 1))
            case Each(of=ast.Name() as held) if depth:
                pairs = [(f, b) for f, b in self.values(file, held) if isinstance(b, ast.expr)]
                return tuple(
                    v for f, b in pairs for v in self._variable(f, name, Each(of=b), depth - 1)
                )
            case ast.Name() | ast.Attribute() if depth:
                return self.variables(file, binding, depth - 1)
            case ast.expr():
                scope = file.scope_name(binding)
                return (".".join(filter(None, (file.module, scope, name))),)
            case _:
                return ()

    def _imported(self, dotted: str, depth: int) -> tuple[str, ...]:
        home, _, name = dotted.rpartition(".")
        file = self.module(home) if home else None
        bindings = file.top(name) if file is not None and depth else ()
        found = (
            v
            for b in bindings
            if file is not None
            for v in self._variable(file, name, b, depth - 1)
        )
        return tuple(dict.fromkeys(found)) or (dotted,)

    def texts(self, file: PyFile, node: ast.AST | None, depth: int = _DEPTH) -> tuple[Text, ...]:
        """The strings that an expression may be; `ANY` where nothing of it is known."""
        if node is None:
            return (ANY,)
        if node not in self._texts:
            self._texts[node] = (ANY,)
            self._texts[node] = self._text(file, node, depth)
        return self._texts[node]

    def _text(self, file: PyFile, node: ast.AST, depth: int) -> tuple[Text, ...]:  # noqa: PLR0911  (one line a kind)
        match node:
            case ast.Constant(value=str(value)):
                return (Text(value=value),)
            case ast.JoinedStr(values=parts):
                return self._joined(file, parts, depth)
            case ast.FormattedValue(value=value):
                return self.texts(file, value, depth)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self._joined(file, [left, right], depth)
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(value))):
                return (Text(value=re.sub(r"%\w", "*", value), whole=False),)
            case ast.IfExp(body=one, orelse=other):
                return (*self.texts(file, one, depth), *self.texts(file, other, depth))
            case ast.Name() | ast.Attribute() if depth:
                found = [t for f, v in self.values(file, node) for t in self._held(f, v, depth - 1)]
                return tuple(dict.fromkeys(found)) or (ANY,)
            case _:
                return (ANY,)

    def _held(self, file: PyFile, binding: Binding, depth: int) -> Iterator[Text]:
        match binding:
            case Each(of=ast.Name() as held):
                for home, value in self.values(file, held):
                    if isinstance(value, ast.expr) and not isinstance(value, ast.Name):
                        yield from self._held(home, Each(of=value), depth)
            case Each(of=ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items)):
                for item in items:
                    yield from self.texts(file, item, depth)
            case ast.expr():
                yield from self.texts(file, binding, depth)
            case _:
                yield ANY

    def _joined(self, file: PyFile, parts: list[ast.expr], depth: int) -> tuple[Text, ...]:
        found: list[Text] = [Text(value="")]
        for part in parts:
            ends = self.texts(file, part, depth)
            found = [
                Text(value=a.value + b.value, whole=a.whole and b.whole)
                for a in found
                for b in ends
            ]
        return tuple(found[:100])

    def values(self, file: PyFile, node: ast.Name | ast.Attribute) -> list[tuple[PyFile, Binding]]:
        """What a name, or a module's or a class's attribute, is bound to; and in which file."""
        if isinstance(node, ast.Name):
            bindings = file.lookup(node.id, node)
            names = [b.dotted for b in bindings if isinstance(b, Imported)]
            own: list[tuple[PyFile, Binding]] = [
                (file, b) for b in bindings if not isinstance(b, Imported)
            ]
        else:
            own, names = [], [f"{self.origin(file, node.value)}.{node.attr}"]
        return [*own, *(pair for name in names for pair in self._values_of(name, _DEPTH))]

    def _values_of(self, dotted: str, depth: int) -> Iterator[tuple[PyFile, Binding]]:
        home, _, name = dotted.rpartition(".")
        file = self.module(home) if home else None
        if file is not None:
            yield from ((file, b) for b in file.top(name) if not isinstance(b, Imported))
            further = (b.dotted for b in file.top(name) if isinstance(b, Imported))
            for other in further if depth else ():
                yield from self._values_of(other, depth - 1)
            return
        holder = self.definition(home.removesuffix("()")) if home else None
        if holder is not None and isinstance(holder[1], ast.ClassDef):
            yield from ((holder[0], b) for b in holder[0].inside(holder[1]).get(name, ()))

    def parameter(self, file: PyFile, node: ast.AST | None) -> Parameter | None:
        """The parameter that an expression is, whole."""
        if not isinstance(node, ast.Name):
            return None
        found = (b for b in file.lookup(node.id, node) if isinstance(b, Parameter))
        return next(found, None)


def _parsed(source: SourceFile) -> ast.Module | None:
    try:
        return ast.parse(source.text.lstrip("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
