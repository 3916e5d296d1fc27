"""One place in Python that reads a key: what it asks, and whether it can do without."""

import ast
import re
from dataclasses import dataclass
from typing import Literal

from rulezero_policies.parity.program import Program, Text
from rulezero_policies.parity.pyfile import Function, PyFile
from rulezero_policies.parity.values import State

_CAUGHT = re.compile(
    r"KeyError|LookupError|Exception|EnvError|EnvValidationError|UndefinedValueError"
    r"|ImproperlyConfigured"
)

_WANTS_A_VALUE = frozenset({"int", "float", "len", "Path", "pathlib.Path", "json.loads", "Decimal"})
"""Calls that fail when they are given None."""

_LEAVES = frozenset({"sys.exit", "exit", "quit", "os._exit"})

_ON = frozenset({"1", "true", "yes", "on", "t", "y", "enable", "enabled"})
_OFF = frozenset({"0", "false", "no", "off", "f", "n", "disable", "disabled", "", "none", "null"})

_SAME = frozenset({"lower", "upper", "strip", "casefold", "title"})

Unset = Literal["unset"]


@dataclass(frozen=True, kw_only=True)
class Read:
    """A place that asks for a key.

    `strict` is whether it fails by itself where the key is absent. `default` is what is given
    then, None where nothing is.
    """

    file: PyFile
    node: ast.expr
    texts: tuple[Text, ...]
    how: str
    strict: bool = False
    default: ast.expr | None = None
    any_case: bool = False


def meaning(value: object) -> State:
    """What a value would mean to a flag."""
    if value is None or isinstance(value, bool | int):
        return "off" if not value else ("on" if value == 1 else "other")
    word = str(value).strip().lower()
    return "on" if word in _ON else "off" if word in _OFF else "other"


def required(program: Program, read: Read, key: str) -> bool:
    """Whether the code fails where `key` is absent."""
    file, node = read.file, read.node
    if asked(file, node, frozenset({key, *_written(node)})):
        return False
    if read.strict:
        return not _caught(program, file, node)
    return read.default is None and (_used_at_once(program, file, node) or _demanded(program, read))


def key_of(node: ast.expr) -> ast.expr | None:
    """The expression that says which key is read."""
    match node:
        case ast.Subscript(slice=key) | ast.Compare(left=key):
            return key
        case ast.Call(args=[key, *_]):
            return key
        case _:
            keywords: list[ast.keyword] = getattr(node, "keywords", [])
            names = {"option", "name", "var", "key"}
            return next((k.value for k in keywords if k.arg in names), None)


def _written(node: ast.expr) -> set[str]:
    key = key_of(node)
    return {key.id} if isinstance(key, ast.Name) else set()


def asked(file: PyFile, node: ast.AST, words: frozenset[str]) -> bool:
    """Whether what stands around `node` asks first if there is such a key.

    `words` are the key, and the names that the code has for it.
    """
    inner = node
    for outer in file.above(node):
        match outer:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
                if inner is not test and _names(test, words):
                    return True
            case ast.BoolOp(op=ast.And(), values=values):
                if any(v is not inner and _names(v, words) for v in values):
                    return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return _left_before(outer, inner, words)
            case _:
                pass
        inner = outer
    return False


def _names(test: ast.AST, words: frozenset[str]) -> bool:
    return any(
        (isinstance(n, ast.Constant) and n.value in words)
        or (isinstance(n, ast.Name) and n.id in words)
        for n in ast.walk(test)
    )


def _left_before(function: ast.AST, statement: ast.AST, words: frozenset[str]) -> bool:
    """Whether the function returns early where the key is absent."""
    for one in getattr(function, "body", ()) if isinstance(function, Function) else ():
        if one is statement:
            return False
        if isinstance(one, ast.If) and _names(one.test, words):
            return isinstance(one.body[-1], ast.Return | ast.Continue)
    return False


def _caught(program: Program, file: PyFile, node: ast.AST) -> bool:
    inner = node
    for outer in file.above(node):
        if isinstance(outer, Function):
            return False
        if isinstance(outer, ast.Try) and inner in outer.body:
            for handler in outer.handlers:
                kinds = ast.unparse(handler.type) if handler.type else "Exception"
                if _CAUGHT.search(kinds):
                    return not _fails(program, file, handler.body)
        inner = outer
    return False


def _fails(program: Program, file: PyFile, body: list[ast.stmt]) -> bool:
    """Whether statements end in an error, or in the end of the program."""
    match body[-1]:
        case ast.Raise():
            return True
        case ast.Expr(value=ast.Call(func=func)):
            return program.origin(file, func) in _LEAVES
        case _:
            return False


def _used_at_once(program: Program, file: PyFile, node: ast.expr) -> bool:
    """Whether the value is used as only a value that is there can be."""
    match file.parent(node):
        case ast.Attribute():
            return True
        case ast.Subscript(value=value):
            return value is node
        case ast.BinOp(op=ast.Add()):
            return True
        case ast.Call(func=func):
            return func is not node and program.origin(file, func) in _WANTS_A_VALUE
        case _:
            return False


def _demanded(program: Program, read: Read) -> bool:
    """Whether the next thing that is done is to fail where there is no value."""
    holder = read.file.parent(read.node)
    name = None
    if isinstance(holder, ast.NamedExpr):
        name, holder = holder.target.id, read.file.parent(holder)
    match holder:
        case ast.Assert():
            return True
        case ast.UnaryOp(op=ast.Not()) | ast.Compare(ops=[ast.Is()]):
            test = read.file.parent(holder)
            return isinstance(test, ast.If) and _fails(program, read.file, test.body)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return _next_demands(program, read.file, holder, name)
        case _:
            return False


def _next_demands(program: Program, file: PyFile, statement: ast.stmt, name: str) -> bool:
    around = file.parent(statement)
    body: list[ast.stmt] = getattr(around, "body", [])
    if statement not in body:
        return False
    for following in body[body.index(statement) + 1 :]:
        match following:
            case ast.If(test=test) if _is_absent(test, name):
                return _fails(program, file, following.body)
            case ast.Assert(test=ast.Name(id=asserted)) if asserted == name:
                return True
            case ast.Assert(test=ast.Compare(left=ast.Name(id=asserted))) if asserted == name:
                return True
            case _:
                pass
    return False


def _is_absent(test: ast.expr, name: str) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked_for)):
            return asked_for == name
        case ast.Compare(left=ast.Name(id=asked_for), ops=[ast.Is()]):
            return asked_for == name
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_is_absent(v, name) for v in values)
        case _:
            return False


def default_state(read: Read) -> State | None:
    """What the place makes of an absent key, where that can be told from the code."""
    if read.strict:
        return None
    value = _literal(read.default) if read.default is not None else None
    node: ast.expr = read.node
    while value is not ...:
        step = _step(read.file, node, value)
        if step is None:
            return meaning(value)
        node, value = step
    return None


def is_boolean(read: Read) -> bool:
    """Whether the place takes the value as one that is on or off."""
    default = ... if read.default is None else _literal(read.default)
    said = isinstance(default, bool) and not read.how.startswith("in ")
    return said or _taken_as_boolean(read.file, read.node)


def _taken_as_boolean(file: PyFile, node: ast.AST) -> bool:
    match file.parent(node):
        case ast.Compare(comparators=[other]):
            held = _held(other)
            told = all(v is not None and v != "" for v in held)
            return bool(held) and told and meaning(held[0]) != "other"
        case ast.Call(func=func) if func is not node:
            return _parses(func)
        case (ast.Attribute() | ast.Call() | ast.BoolOp()) as outer:
            return _taken_as_boolean(file, outer)
        case _:
            return False


def _literal(node: ast.expr) -> object:
    try:
        value: object = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return ...
    return value if isinstance(value, str | int | float | bool | None) else ...


def _step(file: PyFile, node: ast.expr, value: object) -> tuple[ast.expr, object] | None:
    """The next expression outwards, and what it makes of `value`; None: nothing is made of it."""
    match file.parent(node):
        case ast.Attribute(attr=attr) as method if attr in _SAME and isinstance(value, str):
            call = file.parent(method)
            return (call, getattr(value, attr)()) if isinstance(call, ast.Call) else None
        case ast.BoolOp(op=ast.Or(), values=[first, *_, last]) as either if first is node:
            return either, value or _literal(last)
        case ast.Compare(left=left, ops=[op], comparators=[other]) as test if left is node:
            return test, _compared(value, op, other)
        case ast.Call(func=ast.Name(id="bool" | "int" as kind), args=[first]) as call:
            return (call, _cast(kind, value)) if first is node else None
        case ast.Call(args=[first, *_], func=func) as call if first is node and _parses(func):
            return call, meaning(value) == "on"
        case _:
            return None


def _parses(func: ast.expr) -> bool:
    """Whether a function is called like one that makes a boolean of a word."""
    name = ast.unparse(func).rpartition(".")[2].lower()
    return "bool" in name or name in {"truthy", "is_true", "as_flag"}


def _cast(kind: str, value: object) -> object:
    if kind == "bool":
        return bool(value)
    try:
        return int(str(value))
    except ValueError:
        return ...


def _compared(value: object, op: ast.cmpop, other: ast.expr) -> object:
    """Whether a flag is on of which the code compares the value."""
    held = _held(other)
    if not held:
        return ...
    off = meaning(held[0]) == "off"
    match op:
        # What is compared with "0" or None is on where it is something else.
        case ast.Eq() | ast.Is() | ast.In():
            return (value in held) != off
        case ast.NotEq() | ast.IsNot() | ast.NotIn():
            return (value not in held) == off
        case _:
            return ...


def _held(node: ast.expr) -> list[object]:
    """The literals that a value is compared with."""
    match node:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return [v for i in items for v in _held(i)]
        case _:
            value = _literal(node)
            return [] if value is ... else [value]
