"""Whether a store keeps to its interface: each call that this allows can be made on it."""

import ast
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Literal

Kind = Literal["positional", "either", "keyword", "args", "kwargs"]

Colour = Literal["plain", "async", "stream"]
"""How an answer comes: at once, awaited, or one by one from an async generator."""

Form = Literal["method", "class", "static", "property", "value"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter; `value` is its default as it is written where that is a literal."""

    name: str
    kind: Kind = "either"
    default: bool = False
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """A member of a class that others call, or read; its parameters are those that callers give."""

    name: str
    form: Form = "method"
    colour: Colour = "plain"
    parameters: tuple[Parameter, ...] = ()
    returns: str | None = None
    abstract: bool = False
    opaque: bool = False
    """Whether its parameters cannot be known: something that was put around it hides them."""


@dataclass(frozen=True, kw_only=True)
class ClassShape:
    """A class as its callers see it, with what it inherits.

    `name` is "module:Class". `whole` is whether every base could be read: where one could not,
    nothing is known to be missing. `made` is whether `X()` works as far as its signature says.
    """

    name: str
    methods: tuple[Method, ...] = ()
    whole: bool = True
    made: bool = True

    @property
    def by_name(self) -> dict[str, Method]:
        """The methods, by name."""
        return {method.name: method for method in self.methods}


@dataclass(frozen=True, kw_only=True)
class Break:
    """A place where a class does not do what its interface says.

    It is not `sure` where it may be meant so: then it is told, and fails nothing.
    """

    member: str
    says: str
    sure: bool = True


def compared(interface: ClassShape, store: ClassShape) -> tuple[Break, ...]:
    """What of the interface the store does not keep to, in the interface's order."""
    theirs = store.by_name
    return tuple(
        found for method in interface.methods for found in _of_one(method, theirs, store.whole)
    )


def _of_one(wanted: Method, theirs: dict[str, Method], whole: bool) -> Iterator[Break]:  # noqa: FBT001 - what the class says of itself
    found = theirs.get(wanted.name)
    if found is None:
        says = "is missing" if whole else "was not found, and a base class could not be read"
        yield Break(member=wanted.name, says=says, sure=whole and wanted.form != "value")
    elif found.abstract:
        yield Break(member=wanted.name, says="is left as the interface has it: not implemented")
    elif (wanted.form in _READ) != (found.form in _READ):
        says = f"is a {_form(found)}, the interface has a {_form(wanted)}"
        yield Break(member=wanted.name, says=says)
    elif wanted.form not in _READ:
        yield from _called(wanted, found)
        yield from _returned(wanted, found)


_READ = frozenset({"property", "value"})


def _form(method: Method) -> str:
    return {"class": "class method", "static": "static method"}.get(method.form, method.form)


def _called(wanted: Method, found: Method) -> Iterator[Break]:
    if found.opaque or wanted.opaque:
        return
    if wanted.colour != found.colour and not _awaited_all_the_same(wanted, found):
        words = {"plain": "not async", "async": "async", "stream": "an async generator"}
        says = f"is {words[found.colour]}, in the interface it is {words[wanted.colour]}"
        yield Break(member=wanted.name, says=says, sure="stream" not in {found.colour})
    for says in _parameters(wanted.parameters, found.parameters):
        yield Break(member=wanted.name, says=says)


_AWAITABLE = ("Awaitable", "Coroutine", "Future", "Task")
_STREAMED = ("AsyncIterator", "AsyncIterable", "AsyncGenerator")


def _awaited_all_the_same(wanted: Method, found: Method) -> bool:
    """A plain function may say that it returns what an async one does."""
    plain, other = (wanted, found) if wanted.colour == "plain" else (found, wanted)
    names = _AWAITABLE if other.colour == "async" else _STREAMED
    return plain.colour == "plain" and any(name in (plain.returns or "") for name in names)


def _parameters(wanted: tuple[Parameter, ...], found: tuple[Parameter, ...]) -> Iterator[str]:
    places = [p for p in wanted if p.kind in _PLACED]
    mine = [p for p in found if p.kind in _PLACED]
    kinds = {p.kind for p in found}
    for number, parameter in enumerate(places):
        other = mine[number] if number < len(mine) else None
        yield from _at_place(number, parameter, other, kinds, found)
    named = {p.name: p for p in found if p.kind in {"either", "keyword"}}
    for parameter in wanted:
        if parameter.kind == "keyword":
            yield from _by_name(parameter, named.get(parameter.name), kinds)
        elif parameter.kind in {"args", "kwargs"} and parameter.kind not in kinds:
            yield f"takes no {_STARS[parameter.kind]}{parameter.name}, the interface does"
    yield from _asked_for(wanted, found, mine[len(places) :])


_PLACED = frozenset({"positional", "either"})
_STARS = {"args": "*", "kwargs": "**"}


def _at_place(
    number: int,
    wanted: Parameter,
    found: Parameter | None,
    kinds: Set[str],
    every: tuple[Parameter, ...],
) -> Iterator[str]:
    if found is None:
        if "args" in kinds and (wanted.kind == "positional" or "kwargs" in kinds):
            return
        late = any(p.name == wanted.name and p.kind == "keyword" for p in every)
        how = "takes `{}` by name alone" if late else "takes no `{}`"
        yield f"{how.format(wanted.name)}, the interface has it as parameter {number + 1}"
    elif wanted.kind == "either" and found.kind == "positional":
        yield f"takes `{found.name}` by place alone, the interface also by name"
    elif wanted.kind == "either" and wanted.name != found.name:
        yield f"calls parameter {number + 1} `{found.name}`, the interface `{wanted.name}`"
    else:
        yield from _default(wanted, found)


def _by_name(wanted: Parameter, found: Parameter | None, kinds: Set[str]) -> Iterator[str]:
    if found is not None:
        yield from _default(wanted, found)
    elif "kwargs" not in kinds:
        yield f"takes no `{wanted.name}`, the interface has it by name"


def _default(wanted: Parameter, found: Parameter) -> Iterator[str]:
    if wanted.default and not found.default:
        yield f"needs `{found.name}`, which has a default in the interface"
    elif wanted.value is not None and found.value is not None and wanted.value != found.value:
        yield f"has another default for `{found.name}` than the interface"


def _asked_for(
    wanted: tuple[Parameter, ...], found: tuple[Parameter, ...], more: list[Parameter]
) -> Iterator[str]:
    """What a caller who knows the interface alone would not give."""
    known = {p.name for p in wanted}
    starred = any(p.kind == "args" for p in wanted)
    keywords = [p for p in found if p.kind == "keyword" and p.name not in known]
    for parameter in [*(() if starred else more), *keywords]:
        if not parameter.default and parameter.name not in known:
            yield f"needs `{parameter.name}`, which the interface does not have"


def _returned(wanted: Method, found: Method) -> Iterator[Break]:
    if wanted.returns is None or found.returns is None or wanted.colour != found.colour:
        return
    want, have = _members(wanted.returns), _members(found.returns)
    if want == have or any(map(_is_open, want | have)):
        return
    if "None" in have and "None" not in want:
        yield Break(
            member=wanted.name, says=f"may return None, the interface says {wanted.returns}"
        )
    elif _plainly_other(want - {"None"}, have - {"None"}):
        says = f"returns {found.returns}, the interface says {wanted.returns}"
        yield Break(member=wanted.name, says=says)
    elif have - want:
        says = f"returns {found.returns}, the interface says {wanted.returns}: it may be the same"
        yield Break(member=wanted.name, says=says, sure=False)


def admits_none(annotation: str | None) -> bool:
    """Whether None fits an annotation; what is not annotated may be anything."""
    members = {"Any"} if annotation is None else _members(annotation)
    return "None" in members or any(map(_is_open, members))


def _is_open(member: str) -> bool:
    """Whether it may stand for anything; type variables have names of one letter, as a rule."""
    return member in {"Any", "object", "Self"} or len(member) == 1


_PLAIN = frozenset(
    {"int", "str", "bytes", "bool", "float", "list", "dict", "set", "tuple", "frozenset"}
)
_FITS = {("bool", "int"), ("int", "float"), ("bool", "float")}


def _plainly_other(want: set[str], have: set[str]) -> bool:
    """Whether both are built-in types, and one is not what the other is."""
    wanted, given = ({m.partition("[")[0] for m in members} for members in (want, have))
    if not wanted or not given or not (wanted | given) <= _PLAIN:
        return False
    return any(g not in wanted and not any((g, w) in _FITS for w in wanted) for g in given)


def _members(annotation: str) -> set[str]:
    """The types that an annotation joins, each by its last name."""
    try:
        return set(_joined(ast.parse(annotation.strip(), mode="eval").body))
    except (SyntaxError, ValueError, RecursionError):
        return {annotation}


def _joined(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(op=ast.BitOr()):
            yield from _joined(node.left)
            yield from _joined(node.right)
        case ast.Subscript() if _last(node.value) == "Optional":
            yield from _joined(node.slice)
            yield "None"
        case ast.Subscript() if _last(node.value) == "Union":
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            for part in parts:
                yield from _joined(part)
        case ast.Constant(value=str() as text):
            yield from _members(text)
        case _:
            yield _plain_name(node)


def _plain_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return f"{_builtin(_last(node.value))}[{', '.join('|'.join(_joined(i)) for i in inner)}]"
    return _builtin(_last(node))


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def _builtin(name: str) -> str:
    return name.lower() if name in {"List", "Dict", "Set", "Tuple", "FrozenSet"} else name
