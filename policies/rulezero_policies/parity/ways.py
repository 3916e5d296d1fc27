"""The way from the application to a thing that it offers: what is on it, and where it ends."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from rulezero_policies.parity.carriers import Carriers
from rulezero_policies.parity.conditions import Condition, Conditions
from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import Function, PyFile
from rulezero_policies.parity.things import Holder, Registration, Thing, Things, last

_DEPTH = 4

_BEFORE = frozenset({"before_request", "before_app_request"})

STARTS = frozenset(
    {
        *("create_app", "make_app", "get_app", "build_app", "application", "app", "main"),
        *("init_app", "init", "includeme", "create_application", "get_application", "run", "ready"),
    }
)
"""Functions that what runs the service calls, not its own code."""

_ENTRIES = frozenset(
    {"wsgi", "asgi", "main", "app", "manage", "run", "server", "cli", "__main__", "application"}
)
"""Files that what runs the service imports, not its own code."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a thing is reached: what must hold, why it never is, and what was not understood."""

    conditions: tuple[Condition, ...] = ()
    never: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __add__(self, other: "Way") -> "Way":
        """Both ways, one after the other."""
        return Way(
            conditions=tuple(dict.fromkeys((*self.conditions, *other.conditions))),
            never=tuple(dict.fromkeys((*self.never, *other.never))),
            unknown=tuple(dict.fromkeys((*self.unknown, *other.unknown))),
        )


class Ways:
    """Finds the ways of one program."""

    def __init__(self, program: Program, carriers: Carriers, things: Things) -> None:
        """Walk through `program`."""
        self._program = program
        self._things = things
        self.conditions = Conditions(program, carriers)
        self._importers = self._imported()
        self._paths = {f.path for f in program.files}
        self._imports: dict[str, set[str]] = {}
        for path, sites in self._importers.items():
            for file, _ in sites:
                self._imports.setdefault(file.path, set()).add(path)
        nodes = (n for f in program.files for n in f.nodes)
        self._mentioned = {last(n) for n in nodes if isinstance(n, ast.Name | ast.Attribute)}
        self._asked_before = self._hooks()
        self._owners: dict[tuple[str, int], Way] = {}

    def to(self, thing: Thing) -> Way:
        """The way to `thing`."""
        found = Way(
            conditions=(
                *self.conditions.around(thing.file, thing.node, "definition"),
                *self.conditions.decorated(thing.file, thing.node),
                *self.conditions.guards(thing.file, thing.node),
            )
        )
        if thing.kind in {"function", "class"}:
            return found
        site = thing.node if thing.site in thing.node.decorator_list else thing.site
        if site is thing.site:
            around = self.conditions.around(thing.home, site, "registration")
            found += Way(conditions=tuple(around))
        found += self._called(thing.home, site, _DEPTH)
        return found + self._owned(thing.owner, _DEPTH) + self._loaded(thing)

    def loaded(self, paths: Iterable[str]) -> frozenset[str]:
        """The files that are imported, one by the other, where these are."""
        seen: set[str] = set()
        edge = set(paths)
        while edge:
            seen |= edge
            edge = {p for path in edge for p in self._imports.get(path, ())} - seen
            edge |= {p for path in seen for p in _packages(path) if p in self._paths} - seen
        return frozenset(seen)

    # What a route is registered with.

    def _owned(self, variable: str | None, depth: int) -> Way:
        holder = self._things.holders.get(variable or "")
        if holder is None or not depth:
            return Way()
        asked = (holder.variable, depth)
        if asked not in self._owners:
            self._owners[asked] = Way()
            self._owners[asked] = self._held(holder, depth)
        return self._owners[asked]

    def _held(self, holder: Holder, depth: int) -> Way:
        before = Way(conditions=tuple(self._before(holder.variable)))
        made = tuple(self.conditions.depended(holder.file, holder.call))
        every = [r for r in self._things.registrations if r.part == holder.variable]
        if not every and not holder.part:
            return before
        if not every:
            place = f"{holder.file.path}:{holder.call.lineno}"
            never = f"{holder.name} ({place}) is never registered with an application"
            return before + Way(never=(never,))
        ways = [self._registered(r, depth) for r in every]
        return before + Way(conditions=made) + _easiest(ways)

    def _registered(self, one: Registration, depth: int) -> Way:
        around = self.conditions.around(one.file, one.call, "registration")
        inside = self.conditions.depended(one.file, one.call)
        way = Way(conditions=(*around, *inside)) + self._called(one.file, one.call, depth - 1)
        return way + self._owned(one.whole, depth - 1)

    def _before(self, variable: str) -> list[Condition]:
        """What a blueprint's `before_request` asks."""
        return self._asked_before.get(variable, [])

    def _hooks(self) -> dict[str, list[Condition]]:
        """For every blueprint and application: what is asked before each of its requests."""
        found: dict[str, list[Condition]] = {}
        for thing in self._things.every:
            for decorator in thing.node.decorator_list if thing.kind == "function" else ():
                func = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(func, ast.Attribute) and func.attr in _BEFORE:
                    asked = self.conditions.guards(thing.file, thing.node, "before request")
                    for variable in self._program.variables(thing.file, func.value):
                        found.setdefault(variable, []).extend(asked)
        return found

    # Whether somebody calls what registers, and imports what defines.

    def _called(self, file: PyFile, node: ast.AST, depth: int) -> Way:
        """The way to the function that `node` stands in: through those who call it."""
        function = file.function(node)
        if function is None or not depth or function.name in STARTS or function.decorator_list:
            return Way()
        if isinstance(file.parent(function), ast.ClassDef):
            return Way()
        sites = [
            (f, c)
            for f, c in self._things.calls.get(function.name, ())
            if (known := self._program.called(f, c.func)) and known[1] is function
        ]
        if sites:
            return _easiest(
                [
                    Way(conditions=tuple(self.conditions.around(f, c, "call")))
                    + self._called(f, c, depth - 1)
                    for f, c in sites
                ]
            )
        return self._uncalled(file, function)

    def _uncalled(self, file: PyFile, function: Function) -> Way:
        place = f"{function.name} ({file.path}:{function.lineno})"
        if function.name in self._mentioned or "app" in function.name:
            return Way(unknown=(f"who calls {place} was not found out",))
        return Way(never=(f"{place}, which registers it, is never called",))

    def _imported(self) -> dict[str, list[tuple[PyFile, ast.AST]]]:
        """For every file's path: where it is imported."""
        found: dict[str, list[tuple[PyFile, ast.AST]]] = {}
        for file in self._program.files:
            for node in file.nodes:
                for dotted in _modules(file, node):
                    named = self._program.module(dotted)
                    if named is not None and named is not file:
                        found.setdefault(named.path, []).append((file, node))
        return found

    def _loaded(self, thing: Thing) -> Way:
        """Whether the file is imported that registers the thing as it is loaded."""
        home = thing.home
        name = home.module.rpartition(".")[2]
        holder = self._things.holders.get(thing.owner or "")
        if (
            name in _ENTRIES
            or home.path.endswith("__init__.py")
            or home.function(thing.site) not in {None, thing.node}
        ):
            return Way()
        if holder is not None and not holder.part and holder.file is home:
            return Way()
        sites = self._importers.get(home.path, [])
        if not sites:
            return Way(
                never=(f"{home.path} is never imported, so that nothing in it is registered",)
            )
        return _easiest(
            [Way(conditions=tuple(self.conditions.around(f, n, "import"))) for f, n in sites]
        )


def _packages(path: str) -> list[str]:
    """The files that are loaded before a module is: those of the packages that it is in."""
    folders = path.split("/")[:-1]
    return ["/".join([*folders[:n], "__init__.py"]) for n in range(1, len(folders) + 1)]


def _easiest(ways: list[Way]) -> Way:
    """Of several ways the one that asks least: any of them is enough."""
    return min(ways, key=lambda w: (len(w.never), len(w.conditions), len(w.unknown)))


def _modules(file: PyFile, node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Import(names=names):
            return [a.name for a in names]
        case ast.ImportFrom(names=names):
            source = file.source(node)
            return [source, *(f"{source}.{a.name}" for a in names)]
        case ast.Constant(value=str(text)) if (
            text.count(".") and text.replace(".", "").isidentifier()
        ):
            return [text]
        case _:
            return []
