"""What a service offers: functions, classes, routes and commands, and where they are registered."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import Function, PyFile

Kind = Literal["function", "class", "route", "command"]

_VERBS = frozenset(
    {"route", "get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route"}
)

_ADDED = re.compile(r"add_(?:\w+_)?(?:rule|route|resource|view)$")

_REGISTERS = frozenset(
    {
        *("register_blueprint", "include_router", "register_blueprints", "add_command"),
        *("add_typer", "mount", "add_namespace", "blueprint"),
    }
)

_PARTS = re.compile(r"(?:Api|Blueprint|Router|Namespace|Typer|APIView)\(\)$|\.(?:group|Group)\(\)$")
_APPS = re.compile(r"(?:Flask|FastAPI|Quart|Starlette|Sanic|Litestar|App)\(\)$")


@dataclass(frozen=True, kw_only=True, eq=False)
class Thing:
    """Something that can be asked for by name; `label` is the route or the command."""

    kind: Kind
    name: str
    file: PyFile
    node: Function | ast.ClassDef
    home: PyFile
    site: ast.AST
    """Where it is registered, in the file `home`; or itself."""
    label: str = ""
    endpoint: str = ""
    owner: str | None = None
    """The variable of the application, blueprint, router or group that it is registered with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Registration:
    """A call that makes a blueprint, router or group part of another, or of the application."""

    part: str
    whole: str | None
    prefix: str
    file: PyFile
    call: ast.Call


@dataclass(frozen=True, kw_only=True, eq=False)
class Holder:
    """A variable that routes or commands are registered with."""

    variable: str
    name: str
    prefix: str
    part: bool
    """Whether it is of use only where it is itself registered with something."""
    file: PyFile
    call: ast.Call


class Things:
    """Everything that a program offers."""

    def __init__(self, program: Program) -> None:
        """Find it."""
        self._program = program
        self.holders: dict[str, Holder] = {}
        self.registrations: list[Registration] = []
        self.calls: dict[str, list[tuple[PyFile, ast.Call]]] = {}
        for file in program.files:
            for node in file.nodes:
                if isinstance(node, ast.Call):
                    self.calls.setdefault(last(node.func), []).append((file, node))
                    self.registrations.extend(self._registration(file, node))
                elif isinstance(node, ast.Assign | ast.AnnAssign | ast.FunctionDef):
                    self._hold(file, node)
        self.every = [t for file in program.files for t in self._of(file)]

    def _hold(self, file: PyFile, node: ast.Assign | ast.AnnAssign | ast.FunctionDef) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call):
                pass
            case ast.FunctionDef(name=name, decorator_list=[*_, ast.Call() as call]):
                pass
            case _:
                return
        made = self._program.origin(file, call)
        if not (_PARTS.search(made) or _APPS.search(made)):
            return
        variable = ".".join(filter(None, (file.module, file.scope_name(node), name)))
        if made.endswith("Api()") and call.args:
            # Flask-RESTX and Flask-RESTful: an Api stands on the blueprint that it is given.
            self._joined(file, variable, call)
        self.holders[variable] = Holder(
            variable=variable,
            name=self._text(file, call, 0, "name") or name,
            prefix=self._prefix(file, call, -1),
            part=re.search(r"(?:Blueprint|Router|Namespace)\(\)$", made) is not None,
            file=file,
            call=call,
        )

    def _text(self, file: PyFile, call: ast.Call, position: int, name: str) -> str:
        value = argument(call, position, name)
        texts = self._program.texts(file, value) if value is not None else ()
        return next((t.value for t in texts if t.whole), "")

    def _joined(self, file: PyFile, variable: str, call: ast.Call) -> None:
        whole = next(iter(self._program.variables(file, call.args[0])), None)
        self.registrations.append(
            Registration(part=variable, whole=whole, prefix="", file=file, call=call)
        )

    def _prefix(self, file: PyFile, call: ast.Call, position: int) -> str:
        names = ("url_prefix", "prefix", "path")
        return next((p for n in names if (p := self._text(file, call, position, n))), "")

    def _registration(self, file: PyFile, call: ast.Call) -> Iterator[Registration]:
        match call:
            case ast.Call(func=ast.Attribute(attr=attr, value=whole)) if attr in _REGISTERS:
                given = [*call.args, *(k.value for k in call.keywords)]
            case _:
                return
        prefix = self._prefix(file, call, 1 if last(call.func) == "add_namespace" else -1)
        wholes = self._program.variables(file, whole)
        for part in dict.fromkeys(v for g in given for v in self._program.variables(file, g)):
            yield Registration(
                part=part, whole=next(iter(wholes), None), prefix=prefix, file=file, call=call
            )

    def _of(self, file: PyFile) -> Iterator[Thing]:
        for node in file.nodes:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield self._plain(file, node, "function")
                    for decorator in node.decorator_list:
                        yield from self._decorated(file, node, decorator)
                case ast.ClassDef():
                    yield self._plain(file, node, "class")
                    for decorator in node.decorator_list:
                        yield from self._decorated(file, node, decorator)
                case ast.Call(func=ast.Attribute(attr=attr)) if _ADDED.match(attr):
                    yield from self._added(file, node)
                case ast.Call(func=ast.Name(id="path" | "re_path" | "Route" | "url")):
                    yield from self._listed(file, node)
                case _:
                    pass

    def _plain(self, file: PyFile, node: Function | ast.ClassDef, kind: Kind) -> Thing:
        name = ".".join(filter(None, (file.scope_name(node), node.name)))
        return Thing(kind=kind, name=name, file=file, node=node, home=file, site=node)

    def _decorated(
        self, file: PyFile, node: Function | ast.ClassDef, decorator: ast.expr
    ) -> Iterator[Thing]:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        call = decorator if isinstance(decorator, ast.Call) else None
        match func:
            case ast.Attribute(attr=verb, value=owner) if verb in _VERBS and call is not None:
                path = self._path(file, call)
                if path is not None:
                    yield self._route(file, file, node, decorator, owner, path)
            case ast.Attribute(attr="command", value=owner) | (ast.Name(id="command") as owner):
                named = self._text(file, call, 0, "name") if call is not None else ""
                label = named or node.name.replace("_", "-")
                at = (
                    owner.value
                    if isinstance(owner, ast.Attribute) and owner.attr == "cli"
                    else owner
                )
                yield Thing(
                    kind="command",
                    name=node.name,
                    file=file,
                    node=node,
                    home=file,
                    site=decorator,
                    label=label,
                    owner=self._variable(file, at),
                )
            case _:
                return

    def _path(self, file: PyFile, call: ast.Call) -> str | None:
        """The path of a route, also where a function of the project's is handed it."""
        given = argument(call, 0, "rule") or argument(call, -1, "path")
        return self._rule(file, given) if given is not None else None

    def _rule(self, file: PyFile, given: ast.expr) -> str | None:
        texts = [t.value for t in self._program.texts(file, given) if t.whole]
        inside = [c.value for c in ast.walk(given) if isinstance(c, ast.Constant)]
        every = [*texts, *(v for v in inside if isinstance(v, str))]
        return next((t for t in every if t.startswith("/") or not t), None)

    def _variable(self, file: PyFile, node: ast.expr) -> str | None:
        found = self._program.variables(file, node)
        return next((v for v in found if v in self.holders), next(iter(found), None))

    def _routed(self, holder: Holder) -> bool:
        return self._program.origin(holder.file, holder.call).endswith("Router()")

    def _route(
        self,
        home: PyFile,
        file: PyFile,
        node: Function | ast.ClassDef,
        site: ast.AST,
        owner: ast.expr,
        path: str,
        endpoint: str = "",
    ) -> Thing:
        variable = self._variable(home, owner)
        holder = self.holders.get(variable or "")
        routed = holder is not None and self._routed(holder)
        part = f"{holder.name}." if holder and holder.part and not routed else ""
        return Thing(
            kind="route",
            name=node.name,
            file=file,
            node=node,
            home=home,
            site=site,
            label=f"{self.prefix(variable)}{path}" or "/",
            endpoint=f"{part}{endpoint or node.name}",
            owner=variable,
        )

    def prefix(self, variable: str | None, depth: int = 4) -> str:
        """What stands before the paths that are registered with a blueprint or router."""
        holder = self.holders.get(variable or "")
        if holder is None or not depth:
            return ""
        given = next((r for r in self.registrations if r.part == variable), None)
        if given is None:
            return holder.prefix
        # FastAPI puts both before a path; with Flask the later one takes the other's place.
        own = (
            given.prefix + holder.prefix if self._routed(holder) else given.prefix or holder.prefix
        )
        return self.prefix(given.whole, depth - 1) + own

    def _added(self, file: PyFile, call: ast.Call) -> Iterator[Thing]:
        """`app.add_url_rule("/notes", view_func=notes)`, `api.add_resource(Notes, "/notes")`."""
        given = [*call.args, *(k.value for k in call.keywords)]
        path = next((p for g in given if (p := self._rule(file, g))), None)
        view = next((v for g in given if (v := self._view(file, g))), None)
        if path is not None and view is not None and isinstance(call.func, ast.Attribute):
            endpoint = self._text(file, call, 1, "endpoint")
            yield self._route(file, *view, call, call.func.value, path, endpoint)

    def _view(self, file: PyFile, node: ast.expr) -> tuple[PyFile, Function | ast.ClassDef] | None:
        match node:
            case ast.Call(func=ast.Attribute(attr="as_view", value=held)):
                return self._view(file, held)
            case ast.Name() | ast.Attribute():
                return self._program.called(file, node)
            case _:
                return None

    def _listed(self, file: PyFile, call: ast.Call) -> Iterator[Thing]:
        """Django's `path("notes/", views.notes)`, Starlette's `Route("/notes", notes)`."""
        path = self._text(file, call, 0, "route")
        target = argument(call, 1, "view") or argument(call, 1, "endpoint")
        view = self._view(file, target) if target is not None else None
        if view is not None:
            name = self._text(file, call, -1, "name")
            yield Thing(
                kind="route",
                name=view[1].name,
                file=view[0],
                node=view[1],
                home=file,
                site=call,
                label="/" + path.strip("^$").lstrip("/"),
                endpoint=name or view[1].name,
            )


def last(func: ast.expr) -> str:
    """The last name of what is called."""
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def argument(call: ast.Call, position: int, name: str) -> ast.expr | None:
    """An argument by its place or its name."""
    if 0 <= position < len(call.args):
        return call.args[position]
    return next((k.value for k in call.keywords if k.arg == name), None)
