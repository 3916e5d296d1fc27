"""What must hold for a place in the code to be reached, as far as settings decide it."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rulezero_policies.parity.carriers import Carriers, Depends
from rulezero_policies.parity.program import Program
from rulezero_policies.parity.pyfile import Function, PyFile
from rulezero_policies.parity.reads import meaning
from rulezero_policies.parity.things import last

When = Literal["on", "off", "unknown"]

Through = Literal[
    "definition", "guard", "decorator", "registration", "import", "call", "before request"
]

_REFUSES = re.compile(
    r"\b(?:4\d\d|50\d)\b|abort|NotFound|Forbidden|HTTPException|redirect|disabled|not_found"
)
"""What an answer says that keeps the caller out."""

_FLAGGED = re.compile(r"feature|flag|toggle|enabled|switch|experiment", re.IGNORECASE)

_OPPOSITE: dict[When, When] = {"on": "off", "off": "on", "unknown": "unknown"}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition on the way: it holds where what it depends on is `when`."""

    depends: Depends
    when: When
    path: str
    line: int
    through: Through
    bare: bool = False
    """Whether the test is of the value as it is, which "false" is true to."""


class Conditions:
    """Reads the conditions of one program."""

    def __init__(self, program: Program, carriers: Carriers) -> None:
        """Say with `carriers` what a test depends on."""
        self._program = program
        self._carriers = carriers

    def around(self, file: PyFile, node: ast.AST, through: Through) -> list[Condition]:
        """What must hold for `node` to be run, from its file's top to it."""
        found: list[Condition] = []
        inner = node
        for outer in file.above(node):
            match outer:
                case ast.If(test=test, body=body) if inner is not test:
                    found += self.tested(file, test, through, wanted=inner in body)
                case ast.IfExp(test=test, body=body) if inner is not test:
                    found += self.tested(file, test, through, wanted=inner is body)
                case ast.BoolOp(op=ast.And(), values=[first, *_]) if inner is not first:
                    found += self.tested(file, first, through, wanted=True)
                case _:
                    pass
            if isinstance(inner, ast.stmt):
                found += self._left_before(file, outer, inner, through)
            inner = outer
        return list(reversed(found))

    def _left_before(
        self, file: PyFile, outer: ast.AST, statement: ast.stmt, through: Through
    ) -> Iterator[Condition]:
        """What an earlier statement of the same block sends away."""
        body: list[ast.stmt] = getattr(outer, "body", [])
        if isinstance(outer, ast.ClassDef) or statement not in body:
            return
        for one in body[: body.index(statement)]:
            if isinstance(one, ast.If) and _leaves(one.body):
                yield from self.tested(file, one.test, through, wanted=False)

    def guards(
        self, file: PyFile, function: ast.AST, through: Through = "guard"
    ) -> list[Condition]:
        """The conditions under which a function refuses what it was called for."""
        found: list[Condition] = []
        body: list[ast.stmt] = getattr(function, "body", [])
        statements = body if isinstance(function, Function) else []
        for at, one in enumerate(statements):
            if not isinstance(one, ast.If):
                continue
            rest = one.orelse or statements[at + 1 :]
            if refuses(one.body):
                found += self.tested(file, one.test, through, wanted=False)
            elif not rest or refuses(one.orelse) or (_leaves(one.body) and refuses(rest)):
                found += self.tested(file, one.test, through, wanted=True)
        return found

    def tested(
        self, file: PyFile, test: ast.expr, through: Through, *, wanted: bool
    ) -> Iterator[Condition]:
        """What a test asks for, where it has to come out as `wanted`."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                yield from self.tested(file, inner, through, wanted=not wanted)
            case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And) is wanted:
                for value in values:
                    yield from self.tested(file, value, through, wanted=wanted)
            case _:
                depends = self._carriers.told(file, test)
                if depends:
                    when = _when(test) if wanted else _OPPOSITE[_when(test)]
                    yield Condition(
                        depends=depends,
                        when=when,
                        path=file.path,
                        line=test.lineno,
                        through=through,
                        bare=isinstance(test, ast.Name | ast.Attribute | ast.Subscript | ast.Call),
                    )

    def decorated(self, file: PyFile, function: ast.AST) -> Iterator[Condition]:
        """What a function's decorators, and what FastAPI's `Depends`, ask before it runs."""
        for decorator in getattr(function, "decorator_list", ()):
            yield from self._decorator(file, decorator)
        arguments = getattr(function, "args", None)
        yield from self.depended(file, arguments) if arguments is not None else ()

    def _decorator(self, file: PyFile, decorator: ast.expr) -> Iterator[Condition]:
        call = decorator if isinstance(decorator, ast.Call) else None
        func = call.func if call is not None else decorator
        yield from self.depended(file, decorator)
        if call is not None:
            depends = self._named(file, call)
            if depends:
                yield self._at(file, decorator, depends)
                return
        known = self._program.called(file, func)
        if known is not None and isinstance(known[1], Function):
            inner = [n for n in ast.walk(known[1]) if isinstance(n, Function)]
            for one in inner:
                for found in self.guards(known[0], one):
                    yield replace(found, through="decorator")

    def _named(self, file: PyFile, call: ast.Call) -> Depends:
        """The flag that a decorator is given by its name."""
        found = Depends()
        if last(call.func) in {"route", "get", "post"}:
            return found
        for given in [*call.args, *(k.value for k in call.keywords)]:
            found |= self._carriers.of(file, given)
            if not found and _FLAGGED.search(ast.unparse(call.func)):
                texts = self._program.texts(file, given)
                named = frozenset(t.value for t in texts if t.whole)
                found |= self._carriers.setting(next(iter(named))) if named else Depends()
        return found

    def _at(self, file: PyFile, node: ast.expr, depends: Depends) -> Condition:
        line = node.lineno
        return Condition(depends=depends, when="on", path=file.path, line=line, through="decorator")

    def depended(self, file: PyFile, node: ast.AST) -> Iterator[Condition]:
        """What the functions refuse that FastAPI's `Depends(…)` names below `node`."""
        for one in ast.walk(node):
            match one:
                case ast.Call(func=func, args=[target, *_]) if last(func) in {
                    "Depends",
                    "Security",
                }:
                    known = self._program.called(file, target)
                    if known is not None:
                        yield from self.guards(*known, through="decorator")
                case _:
                    pass


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and (
        isinstance(body[-1], ast.Return | ast.Raise | ast.Continue) or refuses(body)
    )


def refuses(body: list[ast.stmt]) -> bool:
    """Whether statements keep the caller out: an error, an answer that says so, or nothing."""
    match body:
        case [*_, ast.Raise()]:
            return True
        case [*_, ast.Expr(value=ast.Call() as call)]:
            return "abort" in last(call.func) or "exit" in last(call.func)
        case [*_, ast.Return(value=None)]:
            return True
        case [*_, ast.Return(value=ast.Constant(value=None | False))]:
            return True
        case [*_, ast.Return(value=ast.expr() as value)]:
            return _REFUSES.search(ast.unparse(value)) is not None
        case _:
            return False


def _when(test: ast.expr) -> When:
    """Whether a test holds where its flag is on, or where it is off."""
    match test:
        case ast.Compare(left=ast.UnaryOp(op=ast.Not())):
            return "unknown"
        case ast.Compare(ops=[op], comparators=[other]):
            return _compared(op, other)
        case ast.BoolOp(values=values):
            first = _when(values[0])
            return first if all(_when(v) == first for v in values) else "unknown"
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _OPPOSITE[_when(inner)]
        case _:
            return "on"


def _compared(op: ast.cmpop, other: ast.expr) -> When:
    if isinstance(other, ast.Name | ast.Attribute) and isinstance(op, ast.In | ast.NotIn):
        return "on" if isinstance(op, ast.In) else "off"
    match other:
        case (
            ast.Tuple(elts=[literal, *_])
            | ast.List(elts=[literal, *_])
            | ast.Set(elts=[literal, *_])
        ):
            pass
        case literal:
            pass
    state = meaning(literal.value) if isinstance(literal, ast.Constant) else "other"
    when: When = "unknown" if state == "other" else state
    match op:
        case ast.Eq() | ast.Is() | ast.In():
            return when
        case ast.NotEq() | ast.IsNot() | ast.NotIn():
            return _OPPOSITE[when]
        case _:
            return "unknown"
