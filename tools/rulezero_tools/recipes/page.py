"""A revision file as recipes see and change it: what is not touched stays as it was written."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement

AUTOCOMMIT = "with op.get_context().autocommit_block():\n    pass\n"


class CannotBeFixedError(Exception):
    """Why a recipe leaves a finding as it is, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A statement and the blocks that it stands in, the function first."""

    statement: Statement
    blocks: tuple[cst.BaseCompoundStatement, ...]
    function: str

    @property
    def batch(self) -> "cst.With | None":
        """The batch block that it stands in, if it does."""
        return next((b for b in reversed(self.blocks) if is_batch(b)), None)  # type: ignore[return-value]

    @property
    def autocommit(self) -> bool:
        """Whether it stands in an autocommit block."""
        return any(is_autocommit(block) for block in self.blocks)

    @property
    def plain(self) -> bool:
        """Whether it runs once, whatever is there: in no loop, branch or block of another kind."""
        return all(is_batch(b) or is_autocommit(b) for b in self.blocks[1:])

    @property
    def outer(self) -> Statement:
        """What stands in the function itself: the statement, or the block around it."""
        return self.blocks[1] if len(self.blocks) > 1 else self.statement


class Page:
    """A revision file, parsed."""

    def __init__(self, text: str) -> None:
        """Parse `text`.

        Raises:
            CannotBeFixedError: It is not Python.
        """
        try:
            module = cst.parse_module(text)
        except cst.ParserSyntaxError as error:
            raise CannotBeFixedError("the file is not Python that can be read") from error
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        self.module = wrapper.module
        self._positions: Mapping[Any, Any] = wrapper.resolve(PositionProvider)

    @cached_property
    def functions(self) -> Mapping[str, cst.FunctionDef]:
        """The functions of the module itself."""
        return {s.name.value: s for s in self.module.body if isinstance(s, cst.FunctionDef)}

    def body(self, function: str) -> tuple[Statement, ...]:
        """The statements of a function, its docstring left out; none where there is none.

        Raises:
            CannotBeFixedError: It stands on one line.
        """
        found = self.functions.get(function)
        if found is None:
            return ()
        if not isinstance(found.body, cst.IndentedBlock):
            raise CannotBeFixedError(f"{function}() is written on one line")
        body: tuple[Any, ...] = tuple(found.body.body)
        return tuple(s for n, s in enumerate(body) if n or not _is_docstring(s))

    def lines(self, node: cst.CSTNode) -> tuple[int, int]:
        """The first and last line of a statement, comments above it left out."""
        place = self._positions[node]
        return place.start.line, place.end.line

    def at(self, line: int | None) -> Spot:
        """The innermost statement of upgrade() or downgrade() at a line.

        Raises:
            CannotBeFixedError: There is none.
        """
        for name in ("upgrade", "downgrade"):
            function = self.functions.get(name)
            if function is not None and line is not None:
                found = self._within(function, line, ())
                if found is not None and found[0] is not function:
                    return Spot(statement=found[0], blocks=found[1], function=name)
        raise CannotBeFixedError("the step does not stand in upgrade() or downgrade() itself")

    def _within(
        self, node: Any, line: int, blocks: tuple[cst.BaseCompoundStatement, ...]
    ) -> tuple[Any, tuple[cst.BaseCompoundStatement, ...]] | None:
        first, last = self.lines(node)
        if not first <= line <= last:
            return None
        for child in _children(node):
            if found := self._within(child, line, (*blocks, node)):
                return found
        return node, blocks

    def code(self, node: cst.CSTNode) -> str:
        """A node's own text."""
        return self.module.code_for_node(node)

    def statement(self, code: str) -> Any:
        """A new statement."""
        return cst.parse_statement(code, config=self.module.config_for_parsing)

    def autocommit(self, *body: Any) -> cst.With:
        """An autocommit block around statements; comments above the first stand above it."""
        block = self.statement(AUTOCOMMIT)
        leading = body[0].leading_lines
        inside = (body[0].with_changes(leading_lines=()), *body[1:])
        return block.with_changes(leading_lines=leading, body=cst.IndentedBlock(body=inside))

    def swapped(self, *changes: tuple[cst.CSTNode, Sequence[Any] | Any]) -> str:
        """The text with nodes replaced: statements by any number of them, others by one."""
        swap = _Swap({id(old): new for old, new in changes})
        return self.module.visit(swap).code

    def around(self, spot: Spot, new: Sequence[Any], *, split: bool) -> str:
        """The text with a statement replaced; `split` moves it out of the batch block around it."""
        block = spot.blocks[-1] if spot.blocks[1:] else None
        if block is None or not split:
            return self.swapped((spot.statement, new))
        if not (is_batch(block) and len(spot.blocks) == 2):
            raise CannotBeFixedError("the step stands in a block of another kind")
        body: Sequence[Any] = block.body.body
        number = next(n for n, s in enumerate(body) if s is spot.statement)
        return self.swapped((block, _split(block, body[:number], new, body[number + 1 :])))

    def before(self, spot: Spot, new: Any) -> str:
        """The text with a statement in front of another; a batch block around it is split there."""
        block: Any = spot.batch
        if block is None or spot.blocks[-1] is not block:
            stays = spot.statement.with_changes(leading_lines=())
            first = new.with_changes(leading_lines=spot.statement.leading_lines)
            return self.swapped((spot.statement, (first, stays)))
        body: Sequence[Any] = block.body.body
        number = next(n for n, s in enumerate(body) if s is spot.statement)
        return self.swapped((block, _split(block, body[:number], [new], body[number:])))


def _split(
    block: Any, before: Sequence[Any], new: Sequence[Any], after: Sequence[Any]
) -> tuple[Any, ...]:
    """A block in two, with something between them; comments above it stay first."""
    first = [_with_body(block, before)] if before else []
    last = [_with_body(block, after).with_changes(leading_lines=())] if after else []
    parts = [*first, *new, *last]
    if not first and block.leading_lines:
        lines = (*block.leading_lines, *parts[0].leading_lines)
        parts[0] = parts[0].with_changes(leading_lines=lines)
    return tuple(parts)


def _with_body(block: Any, body: Sequence[Any]) -> Any:
    return block.with_changes(body=block.body.with_changes(body=tuple(body)))


class _Swap(cst.CSTTransformer):
    def __init__(self, new: Mapping[int, Any]) -> None:
        super().__init__()
        self._new = new

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - of libcst
        if id(original_node) not in self._new:
            return super().on_leave(original_node, updated_node)
        new = self._new[id(original_node)]
        if isinstance(new, cst.CSTNode):
            return new
        return cst.FlattenSentinel(new) if new else cst.RemoveFromParent()


def _children(node: Any) -> tuple[Any, ...]:
    """The statements inside a compound statement, its other branches included."""
    found: list[Any] = []
    body = getattr(node, "body", None)
    if isinstance(body, cst.IndentedBlock):
        found += body.body
    for name in ("orelse", "finalbody", "handlers"):
        more = getattr(node, name, None)
        found += more if isinstance(more, (list, tuple)) else [more] if more is not None else []
    return tuple(found)


def _is_docstring(statement: Any) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    first = statement.body[0]
    return isinstance(first, cst.Expr) and literal(first.value) is not None


def _manager(block: Any) -> Any:
    """The call whose result a `with` enters, if it is one."""
    if not isinstance(block, cst.With) or len(block.items) != 1:
        return None
    item = block.items[0].item
    return item if isinstance(item, cst.Call) else None


def named(call: Any) -> str:
    """The last name of what is called."""
    function = call.func if isinstance(call, cst.Call) else None
    if isinstance(function, cst.Attribute):
        return function.attr.value
    return function.value if isinstance(function, cst.Name) else ""


def is_batch(block: Any) -> bool:
    """Whether it is `with op.batch_alter_table(...)`."""
    return named(_manager(block)) == "batch_alter_table"


def is_autocommit(block: Any) -> bool:
    """Whether it is an autocommit block."""
    return named(_manager(block)) == "autocommit_block"


def manager(block: cst.With) -> cst.Call:
    """The call of a batch or autocommit block."""
    return _manager(block)


def literal(node: Any) -> Any:
    """The value of a literal, of `op.f("...")` and of `sa.text("...")`; None for all else."""
    if isinstance(node, cst.Call) and named(node) in {"f", "text"} and len(node.args) == 1:
        return literal(node.args[0].value)
    try:
        return ast.literal_eval(cst.Module(body=()).code_for_node(node))
    except (ValueError, SyntaxError, TypeError):
        return None
