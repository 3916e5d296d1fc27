"""The part of the .env format that people use: KEY=VALUE, quotes, comments, `export`."""

import re
from collections.abc import Mapping
from pathlib import Path

from rulezero_policies.errors import UnreadableConfig

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.\-]*)[ \t]*=[ \t]*
        (?:'(?P<plain>[^']*)'|"(?P<escaped>(?:[^"\\]|\\.)*)"|(?P<bare>[^\r\n]*?))
        [ \t]*(?:(?<=[\s'"=])\#[^\r\n]*)?$""",
    re.VERBOSE | re.MULTILINE,
)

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def read(path: Path) -> Mapping[str, str]:
    """The variables of a .env file, later ones winning. References to others are not expanded.

    Raises:
        UnreadableConfig: The file is missing or is no UTF-8 text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as exc:
        raise UnreadableConfig(path=path.name, reason="it does not exist") from exc
    except (OSError, ValueError) as exc:
        raise UnreadableConfig(path=path.name, reason=type(exc).__name__) from exc
    return {found["key"]: _value(found) for found in _LINE.finditer(text)}


def _value(found: re.Match[str]) -> str:
    if found["escaped"] is not None:
        return re.sub(
            r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), found["escaped"], flags=re.DOTALL
        )
    return found["plain"] if found["plain"] is not None else found["bare"]
