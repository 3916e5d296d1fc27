"""Text that people decide on: nothing hidden in it, nothing secret in it."""

import re
import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

_URL_PASSWORD = re.compile(r"(?P<head>[a-z][a-z0-9+.\-]*://[^\s:/]*:)\S*@", re.IGNORECASE)
_VALUE = r"(?:'[^']*'|\"[^\"]*\"|[^\s,;&)]+)"
_KEY_PASSWORD = re.compile(
    rf"(?P<head>(?:password|passwd|pwd|secret|token|api_?key)\w*['\"]?\s*[=:]\s*){_VALUE}",
    re.IGNORECASE,
)
_SQL_PASSWORD = re.compile(
    r"(?P<head>\b(?:PASSWORD|IDENTIFIED\s+BY)\s+)(?:'[^']*'|\"[^\"]*\")", re.IGNORECASE
)


def visible(text: str, *, limit: int = 400, lines: bool = False) -> str:
    """`text` with every control, bidirectional and unassigned character written out.

    Args:
        text: Anything a model, a file or a database said.
        limit: Characters kept; what is cut is counted.
        lines: Whether line breaks may stand.
    """
    plain = text.isascii() and text.isprintable()
    shown = text if plain else "".join(_shown(c, lines=lines) for c in text)
    return (
        shown if len(shown) <= limit else f"{shown[:limit]}… ({len(shown) - limit} more characters)"
    )


def _shown(character: str, *, lines: bool) -> str:
    kept = (character == "\n" and lines) or not _is_hidden(character)
    return character if kept else f"<U+{ord(character):04X}>"


def _is_hidden(character: str) -> bool:
    """Whether a reader would not see it, or would see other characters moved by it."""
    return (
        unicodedata.category(character) in _INVISIBLE
        or character in _BLANKS
        or any(ord(character) in selectors for selectors in _SELECTORS)
    )


def scrub(text: str) -> str:
    """`text` without the passwords of URLs, of key=value pairs and of SQL."""
    text = _URL_PASSWORD.sub(r"\g<head>***@", text)
    return _KEY_PASSWORD.sub(r"\g<head>***", _SQL_PASSWORD.sub(r"\g<head>***", text))
