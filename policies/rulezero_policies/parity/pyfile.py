"""One Python file, read: what its names stand for, and what stands inside what."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Nested = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A name that a caller gives a meaning; `default` is what it is where none does."""

    name: str
    position: int
    owner: Nested
    default: ast.expr | None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A name from elsewhere: the dotted path that it stands for."""

    dotted: str


@dataclass(frozen=True, kw_only=True)
class Each:
    """A name that goes through what an expression holds."""

    of: ast.expr


Binding = ast.expr | Parameter | Imported | Each | Function | ast.ClassDef


class PyFile:
    """A parsed file; `module` is its dotted path as its own folders give it."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        """Read `tree`, which is the file at `path`."""
        self.path = path
        self.tree = tree
        words = path.removesuffix(".py").split("/")
        self.package = words[:-1]
        self.module = ".".join(words[:-1] if words[-1] == "__init__" else words)
        self._parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node, from the outside in."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> frozenset[str]:
        """The packages that it imports from, by their first names."""
        pairs = (n for n in self.nodes if isinstance(n, ast.Import | ast.ImportFrom))
        found = (dotted for node in pairs for _, dotted in self._names(node))
        return frozenset(d.partition(".")[0] for d in found)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """What `node` stands directly in."""
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Everything that `node` stands in, from the inside out."""
        held = self.parent(node)
        while held is not None:
            yield held
            held = self.parent(held)

    def function(self, node: ast.AST) -> Function | None:
        """The function that `node` stands in."""
        return next((n for n in self.above(node) if isinstance(n, Function)), None)

    def scope_name(self, node: ast.AST) -> str | None:
        """The function or class that `node` stands in, as Python qualifies it."""
        names = [n.name for n in self.above(node) if isinstance(n, Function | ast.ClassDef)]
        return ".".join(reversed(names)) or None

    def lookup(self, name: str, at: ast.AST) -> tuple[Binding, ...]:
        """What `name` may stand for where `at` stands; nothing: it is not the file's own."""
        inside = False
        for scope in self.above(at):
            if not isinstance(scope, Scope):
                continue
            found = self._bound.get(scope, {}).get(name)
            # A class's names are not seen from inside its functions.
            if found and not (inside and isinstance(scope, ast.ClassDef)):
                return tuple(found)
            inside = inside or isinstance(scope, Nested)
        return ()

    def top(self, name: str) -> tuple[Binding, ...]:
        """What `name` stands for to those who import it."""
        return tuple(self._bound.get(self.tree, {}).get(name, ()))

    def inside(self, scope: Scope) -> dict[str, list[Binding]]:
        """The names that a function, class or module gives a meaning itself."""
        return self._bound.get(scope, {})

    @cached_property
    def _bound(self) -> dict[ast.AST, dict[str, list[Binding]]]:
        bound: dict[ast.AST, dict[str, list[Binding]]] = {}
        for node in self.nodes:
            for scope, name, meaning in self._bindings(node):
                bound.setdefault(scope, {}).setdefault(name, []).append(meaning)
        return bound

    def _bindings(self, node: ast.AST) -> Iterator[tuple[ast.AST, str, Binding]]:  # noqa: C901  (one case a statement)
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from ((self._home(node), n, Imported(dotted=d)) for n, d in self._names(node))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from self._assigned(target, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield self._home(node), name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield self._home(node), name, value
            case ast.For(target=ast.Name(id=name), iter=held):
                yield self._home(node), name, Each(of=held)
            case ast.comprehension(target=ast.Name(id=name), iter=held):
                yield self._home(node), name, Each(of=held)
            case ast.withitem(optional_vars=ast.Name(id=name), context_expr=value):
                yield self._home(node), name, value
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield self._home(node), name, node
                yield from _parameters(node)
            case ast.Lambda():
                yield from _parameters(node)
            case ast.ClassDef(name=name):
                yield self._home(node), name, node
            case _:
                return

    def _assigned(
        self, target: ast.expr, value: ast.expr
    ) -> Iterator[tuple[ast.AST, str, Binding]]:
        match target, value:
            case ast.Name(id=name), _:
                yield self._home(target), name, value
            case (ast.Tuple(elts=names), ast.Tuple(elts=values)) if len(names) == len(values):
                for name, one in zip(names, values, strict=True):
                    yield from self._assigned(name, one)
            case _:
                return

    def _home(self, node: ast.AST) -> ast.AST:
        return next((n for n in self.above(node) if isinstance(n, Scope)), self.tree)

    def _names(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                yield alias.asname or alias.name, f"{self.source(node)}.{alias.name}"
            else:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or whole, whole

    def source(self, node: ast.ImportFrom) -> str:
        """The module that a `from … import` reads, its dots resolved."""
        if not node.level:
            return node.module or ""
        words = self.package[: len(self.package) - node.level + 1]
        return ".".join([*words, *filter(None, [node.module])])


def _parameters(node: Nested) -> Iterator[tuple[ast.AST, str, Binding]]:
    plain = [*node.args.posonlyargs, *node.args.args]
    given: list[ast.expr | None] = [None] * (len(plain) - len(node.args.defaults))
    pairs = zip(
        [*plain, *node.args.kwonlyargs],
        [*given, *node.args.defaults, *node.args.kw_defaults],
        strict=True,
    )
    for position, (argument, default) in enumerate(pairs):
        name = argument.arg
        yield node, name, Parameter(name=name, position=position, owner=node, default=default)
