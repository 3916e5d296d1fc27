"""Text that people decide on: nothing hidden in it, nothing secret in it."""

import re
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.\-]*://[^\s:/@'\"]*:)[^\s'\"]*@", re.IGNORECASE)
_KEY_PASSWORD = re.compile(
    r"(?P<head>\b(?:password|passwd|pwd|secret|token|api_key)\s*[=:]\s*)(?:'[^']*'|\"[^\"]*\"|[^\s,;&)]+)",
    re.IGNORECASE,
)


def visible(text: str, *, limit: int = 400, lines: bool = False) -> str:
    """`text` with every control, bidirectional and unassigned character written out.

    Args:
        text: Anything a model, a file or a database said.
        limit: Characters kept; what is cut is counted.
        lines: Whether line breaks may stand.
    """
    shown = "".join(
        c
        if (c == "\n" and lines) or unicodedata.category(c) not in _INVISIBLE
        else f"<U+{ord(c):04X}>"
        for c in text
    )
    return (
        shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown) - limit} more characters)"
    )


def scrub(text: str) -> str:
    """`text` without the passwords of URLs and of key=value pairs."""
    return _KEY_PASSWORD.sub(r"\g<head>***", _URL_PASSWORD.sub(r"\g<head>***@", text))
