"""One made-up row, so that what a revision does with rows is seen; and which lines were seen.

A data migration asks for rows and goes on with them. Recorded without any, the body of its loop is
never run. It is recorded once more with one row in each answer; what no run came to stays unknown.
"""

from __future__ import annotations

import datetime
import decimal
import dis
import linecache
import re
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

_LIST = re.compile(r"\s*select\s+(?:distinct\s+)?(?P<list>.*?)\s+from\s", re.I | re.S)
_LABEL = re.compile(r"(?:.*[\s.])?[\"`\[]?(?P<name>\w+)[\"`\]]?\s*", re.S)
_DOES_NOTHING = re.compile(
    r"\s*(?:raise\b|pass\b|continue\b|break\b|return\s*$|except\b|finally\b|else\b|def\b|class\b"
    r"|import\b|from\b|print\(|log(?:ger|ging)?\.|global\b|nonlocal\b|[\"'#)\]}])"
)
_VALUES: dict[type, Any] = {
    bool: True,
    int: 1,
    float: 1.0,
    decimal.Decimal: decimal.Decimal(1),
    bytes: b"1",
    uuid.UUID: uuid.UUID(int=1),
    dict: {},
    list: [],
}
_MOMENT = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - as a driver gives it
_TIMES: dict[type, Any] = {
    datetime.datetime: _MOMENT,
    datetime.date: _MOMENT.date(),
    datetime.time: _MOMENT.time(),
}


def columns(context: Any, statement: str) -> list[tuple[str, Any]]:
    """The labels of a query's answer, each with its SQLAlchemy type, if that is known."""
    described = getattr(getattr(context, "compiled", None), "_result_columns", None) or ()
    if described:
        return [(str(c[0]), c[3]) for c in described]
    found = _LIST.match(statement)
    if found is None or "(" in found["list"] or "*" in found["list"]:
        return [("value", None)]
    names = (_LABEL.fullmatch(part) for part in found["list"].split(","))
    return [(n["name"] if n else "value", None) for n in names]


def value(type_: Any, dialect: str) -> Any:
    """What a driver might give for a column of this type."""
    try:
        kind = type_.python_type
    except (AttributeError, NotImplementedError):
        return "1"
    if kind in _TIMES:
        return str(_TIMES[kind]) if dialect == "sqlite" else _TIMES[kind]
    if kind is str and getattr(type_, "enums", None):
        return type_.enums[0]
    return _VALUES.get(kind, "1")


class Lines:
    """The lines of a file that were run, and those that could have been."""

    def __init__(self, files: set[str]) -> None:
        """Watch the functions of these files."""
        self._files = files
        self._codes: set[CodeType] = set()
        self._run: set[int] = set()
        self._file = ""

    @contextmanager
    def watched(self) -> Generator[None, None, None]:
        """While it lasts, note every line that is run."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        if frame.f_code.co_filename not in self._files:
            return None
        self._codes.add(frame.f_code)
        self._file = frame.f_code.co_filename
        return self._line

    def _line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            self._run.add(frame.f_lineno)
        return self._line

    def missed(self) -> list[int]:
        """The lines of the functions that were run which were not, and which do something."""
        # A line may be None from 3.13 on: an instruction that stands for none.
        could: set[Any] = {
            line
            for code in self._codes
            for _, line in dis.findlinestarts(code)
            if line != code.co_firstlineno
        }
        return sorted(line for line in could - self._run - {None} if self._does_something(line))

    def _does_something(self, line: int) -> bool:
        text = linecache.getline(self._file, line)
        return bool(text.strip()) and not _DOES_NOTHING.match(text)
