"""Statements by which a session that reads would do more than that, told by their text.

They are looked for with their comments and without: what looks like a comment may be in a string,
and a comment may stand where the database sees a space.
"""

from __future__ import annotations

import re
from typing import Any

from . import errors, statements

_ASKS = re.compile(r"\s*(?:select|show|with|explain\s+select)\b", re.I)

_LIFTS = re.compile(
    r"\bread\s+write\b|(?:transaction|tx)_read_only\b(?!\s*['\"]?\s*(?:$|;))|\btx_read_only\b", re.I
)
"""What makes a session writable again, said in a statement that is no question."""

_AROUND = re.compile(
    r"\bset_config\s*\((?!\s*'(?![^']*read_only)[\w.]+'\s*,)"
    r"|\bcopy\b[\s\S]*\bto\s+program\b|\bdblink\w*\s*\(|\blo_export\s*\(|\bpg_file_write\s*\("
    r"|\binto\s+(?:out|dump)file\b|\bexecute\s+immediate\b|\bprepare\s+\S+\s+from\b"
    r"|(?:^|;)\s*do\b[\s\S]*\bexecute\b|/\*M?!",
    re.I,
)
"""What does more than reading in a session that only reads, or hides what it says."""


def check(statement: object) -> None:
    """Hold a statement that is about to be sent against what a reading session may say.

    Raises:
        ReadOnlyError: It asks for more.
    """
    text = _text(statement)
    for form in (text, statements.bare(text)):
        asks = _ASKS.match(form) and ";" not in form.strip().rstrip(";")
        if (not asks and _LIFTS.search(form)) or _AROUND.search(form):
            raise errors.ReadOnlyError("a statement asks for a session that may write")


def check_status(status: object) -> None:
    """Hold what the server says of the session (PostgreSQL 14 and later do) against what is set.

    Raises:
        ReadOnlyError: The session was made writable in a way that was not seen.
    """
    said = status.decode() if isinstance(status, bytes) else status
    if said == "off":
        raise errors.ReadOnlyError("the session was made writable")


def _text(statement: object) -> str:
    if isinstance(statement, str):
        return statement
    raw: Any = statement
    return str(raw) if hasattr(raw, "as_string") else bytes(raw).decode("utf-8", "replace")
