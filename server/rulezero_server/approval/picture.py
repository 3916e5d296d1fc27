"""The touched tables before and after, as SVG that stands in the page itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from rulezero_policies.picture import ColumnPicture, Mark, TablePicture
from rulezero_policies.text import visible

_WIDTH, _ROW, _HEAD, _FIT = 340, 22, 30, 40
"""Units of the drawing, and the characters that fit in a row."""

_CONTEXT = 12
"""Columns of a table up to which those that stay are drawn as well."""

_MOST = 40
"""Rows of one drawing; more are counted."""

_SIGNS: dict[Mark, str] = {"same": "", "added": "+", "dropped": "\N{MINUS SIGN}", "changed": "~"}

_SVG = Markup(
    '<svg class="table" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'role="img" aria-label="{label}">{inside}</svg>'
)
_BOX = Markup('<rect class="box" x=".5" y=".5" width="{width}" height="{height}" rx="6"/>')
_TITLE = Markup('<text class="name" x="12" y="20">{name}</text>')
_LINE = Markup('<line class="rule" x1="0" y1="{y}" x2="{width}" y2="{y}"/>')
_BAND = Markup('<rect class="band {mark}" x="1" y="{y}" width="{width}" height="{row}"/>')
_SIGN = Markup('<text class="sign {mark}" x="12" y="{y}">{sign}</text>')
_TEXT = Markup('<text class="column {mark}" x="28" y="{y}">{text}</text>')


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One table: what it is called and what happens to it, and both sides as SVG."""

    caption: str
    before: Markup
    after: Markup


@dataclass(frozen=True, kw_only=True)
class _Row:
    mark: Mark
    text: str


def drawing(picture: TablePicture) -> Drawing:
    """A table as it is and as it would be, side by side in the same rows."""
    columns, left_out = _chosen(picture.columns)
    return Drawing(
        caption=_caption(picture),
        before=_side(
            "Before",
            picture.before,
            [_row(c.before, c) for c in columns],
            left_out if picture.before else "",
        ),
        after=_side(
            "After",
            picture.after,
            [_row(c.after, c) for c in columns],
            left_out if picture.after else "",
        ),
    )


def _chosen(columns: tuple[ColumnPicture, ...]) -> tuple[tuple[ColumnPicture, ...], str]:
    """What is drawn, and words for what is not."""
    if len(columns) <= _CONTEXT:
        return columns, ""
    hit = tuple(c for c in columns if c.mark != "same")
    same, more = len(columns) - len(hit), len(hit) - _MOST
    words = (
        *([f"{more} more that change"] if more > 0 else []),
        *([f"{same} that stay"] if same else []),
    )
    return hit[:_MOST], f"… and {', '.join(words)}" if words else ""


def _row(text: str | None, column: ColumnPicture) -> _Row | None:
    return None if text is None else _Row(mark=column.mark, text=visible(text, limit=200))


def _side(side: str, name: str | None, rows: list[_Row | None], left_out: str) -> Markup:
    height = _HEAD + _ROW * (len(rows) + bool(left_out)) + 6
    absent = "not there yet" if side == "Before" else "no longer there"
    label = f"{side}: {visible(name) if name else absent}"
    if name:
        label += f". {'; '.join(_spoken(r) for r in rows if r)}{left_out}"
    inside = [
        _BOX.format(width=_WIDTH - 1, height=height - 1),
        _TITLE.format(name=_cut(visible(name)) if name else f"({absent})"),
        *([_LINE.format(y=_HEAD, width=_WIDTH)] if rows and name else []),
        *(_drawn(number, row) for number, row in enumerate(rows) if row and name),
        *([_TEXT.format(mark="same", y=_base(len(rows)), text=left_out)] if left_out else []),
    ]
    return _SVG.format(width=_WIDTH, height=height, label=label, inside=Markup().join(inside))


def _drawn(number: int, row: _Row) -> Markup:
    y = _base(number)
    parts = (
        _BAND.format(mark=row.mark, y=y - 15, width=_WIDTH - 2, row=_ROW),
        _SIGN.format(mark=row.mark, y=y, sign=_SIGNS[row.mark]),
        _TEXT.format(mark=row.mark, y=y, text=_cut(row.text)),
    )
    return Markup().join(parts if row.mark != "same" else parts[2:])


def _base(number: int) -> int:
    return _HEAD + _ROW * number + 18


def _cut(text: str) -> str:
    return text if len(text) <= _FIT else f"{text[: _FIT - 1]}…"


def _spoken(row: _Row) -> str:
    return row.text if row.mark == "same" else f"{row.text} ({row.mark})"


def _caption(picture: TablePicture) -> str:
    if picture.before is None:
        return f"{picture.after} is created"
    if picture.after is None:
        return f"{picture.before} is dropped"
    name = picture.before
    if picture.before != picture.after:
        name = f"{picture.before} becomes {picture.after}"
    counted = ", ".join(_counts(picture.columns))
    note = "" if picture.whole else " (only the columns that the plan names)"
    return f"{name}{f': {counted}' if counted else ''}{note}"


def _counts(columns: tuple[ColumnPicture, ...]) -> Iterable[str]:
    for mark in ("added", "dropped", "changed"):
        number = sum(1 for c in columns if c.mark == mark)
        if number:
            yield f"{number} column{'s' if number > 1 else ''} {mark}"
