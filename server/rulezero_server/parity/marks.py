"""What may be told of a value: a keyed mark, a shape, what it means to a flag."""

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from rulezero_policies.parity.values import Entry, Shape, State
from rulezero_server.parity.assigned import Assigned

_KEY = secrets.token_bytes(32)
"""Lives as long as this process: marks of two runs cannot be held against each other."""

_ON = frozenset({"1", "true", "t", "yes", "y", "on"})
_OFF = frozenset({"", "0", "false", "f", "no", "n", "off"})
"""As `distutils.util.strtobool` and the settings libraries after it have them."""

_NUMBER = re.compile(r"[+-]?(\d[\d_]*(\.\d*)?|\.\d+)")

_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*://", re.IGNORECASE)

_THINGS = (
    r"(?:api|app|access|auth|aws|client|company|database|db|domain|email|google|host|key|name"
    r"|openai|org|password|private|project|public|secret|smtp|stripe|token|user|username|value)"
)

_PLACEHOLDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![a-z])(?:please[-_ ]?)?change[-_ ]?(?:me|this|it)(?![a-z])",
        r"(?<![a-z])(?:replace|fill|set)[-_ ]?(?:me|this)(?:[-_ ]?in)?(?![a-z])",
        r"^(?:replace|change|fill|set|insert|enter|put|add|paste)[-_ ](?:with[-_ ])?your[-_ ].*",
        r"^(?:replace|fill|insert|enter|paste)[-_](?:with[-_])?(?:a|an|the)[-_].*",
        r"^(?:todo|tbd|fixme)(?![a-z]).*",
        r"^(?:to[-_ ]be[-_ ](?:set|filled|defined|changed|replaced)|not[-_ ]?set)$",
        r"^(?:placeholder|(?:.*[-_ ])placeholder|placeholder[-_ ].*)$",
        r"^<[^<>@]*>$",
        r"^\[(?:your|insert|enter|change|replace)[^\[\]]*\]$",
        r"^\{\{[^{}]*\}\}$",
        r"^\.{3,}$|^\u2026$|^\*{3,}$|^-{3,}$|^_{3,}$|^\?{2,}$",
        r"^[x\-_. ]*x{3}[x\-_. ]*$",
        r"^(?:[a-z0-9]{1,12}[-_])+x{4,}$",
        rf"^(?:my[-_ ])?your[-_ ]?(?:own[-_ ]?|super[-_ ]?)*{_THINGS}(?![a-z]).*",
        r"^\S*(?<![a-z])your[-_](?:[a-z]+)(?:[-_.]\S*)?$",
        r"^(?:.*[-_ ])?(?:your|key|secret|token|password|id|url|value)[-_ ](?:goes[-_ ])?here$",
    )
)
"""What an example holds in place of a value. `example.com` and `localhost` are none: they work."""

_HOLE = re.compile(r"<[a-z][a-z0-9_ \-]*>", re.IGNORECASE)


def entry(found: Assigned, path: str) -> Entry:
    """What may be told of a key that a place sets."""
    if found.value is None or found.open:
        # What the missing keys would make of it is not known: what it says is all there is.
        return Entry(
            key=found.key,
            path=path,
            line=found.line,
            shape="empty" if found.value is None else "text",
            mark=mark(f"\0{found.raw}"),
            refers=found.refers,
            given=found.value is not None,
        )
    return Entry(
        key=found.key,
        path=path,
        line=found.line,
        shape=shape(found.value),
        mark=mark(found.value),
        state=state(found.value),
        credentials=_has_password(found.value),
        refers=found.refers,
    )


def mark(value: str) -> str:
    """A keyed hash: equal marks are equal values, and nothing else can be learned from one."""
    return hmac.new(_KEY, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def state(value: str) -> State:
    """What a value would mean to a flag."""
    said = value.strip().lower()
    if said in _ON:
        return "on"
    return "off" if said in _OFF else "other"


def shape(value: str) -> Shape:
    """What kind of value it is, and no more."""
    said = value.strip()
    if not said:
        return "empty"
    if is_placeholder(said):
        return "placeholder"
    if "\n" in said or "\r" in said:
        return "lines"
    return _of_one_line(said)


def _of_one_line(said: str) -> Shape:
    if _NUMBER.fullmatch(said):
        return "number"
    if said.lower() in _ON | _OFF:
        return "boolean"
    return "url" if _ADDRESS.match(said) else "text"


def is_placeholder(value: str) -> bool:
    """Whether a value only holds the place of one."""
    said = value.strip()
    if len(said) > _LONGEST_PLACEHOLDER or "\n" in said:
        return False
    if any(pattern.search(said) for pattern in _PLACEHOLDERS):
        return True
    return bool(_ADDRESS.match(said) and _HOLE.search(said))


_LONGEST_PLACEHOLDER = 200
"""Characters: the patterns look back and forth, and nobody holds a place with more."""


def _has_password(value: str) -> bool:
    try:
        return bool(_ADDRESS.match(value.strip()) and urlsplit(value.strip()).password)
    except ValueError:
        # An address that urllib does not read may well hold one.
        return "@" in value
