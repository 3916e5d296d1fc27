"""Keys that shell scripts, Dockerfiles and Procfiles ask for, and keys that texts mention."""

import re
from collections.abc import Iterator

from rulezero_policies.parity.values import Need
from rulezero_server.parity import marks
from rulezero_server.parity.interpolation import Asked, asked

_SET = re.compile(
    r"^[ \t]*(?:export|local|declare|readonly|typeset|ARG|ENV)?[ \t]*([A-Za-z_]\w*)[:?+]?="
    r"|^[ \t]*(?:ARG|ENV|read(?:[ \t]+-\w+)*|for)[ \t]+([A-Za-z_]\w*)",
    re.MULTILINE,
)

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")

_COMMENT_LINE = re.compile(r"^[ \t]*(?:#|//).*$", re.MULTILINE)

_KEY = re.compile(r"[A-Z_][A-Z0-9_]+")
"""Lower case is a script's own, or a word of awk, SQL or sed."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


def needs(text: str, path: str, service: str) -> Iterator[Need]:
    """The keys that a script asks for and does not set itself."""
    own = {name for pair in _SET.findall(text) for name in pair if name}
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        for one in asked(_COMMENT.sub("", line)):
            if _KEY.fullmatch(one.key) and one.key not in own | seen:
                seen.add(one.key)
                yield need(one, service=service, path=path, line=number, how="shell")


def built(text: str) -> Iterator[str]:
    """The keys that a Dockerfile's `ENV` sets: `ENV A=1 B="2 3"`, `ENV A 1`."""
    for line in _CONTINUED.sub(" ", text).splitlines():
        said = _ENV.match(line)
        if said:
            pairs = _PAIR.findall(said[1])
            yield from pairs or said[1].split(None, 1)[:1]


_CONTINUED = re.compile(r"\\[ \t]*\r?\n(?:[ \t]*#.*\n)*")
_ENV = re.compile(r"[ \t]*ENV[ \t]+(\S.*)", re.IGNORECASE)
_PAIR = re.compile(r"(?:^|(?<=\s))([A-Za-z_]\w*)=(?:\"[^\"]*\"|'[^']*'|\S*)")


def need(one: Asked, *, service: str, path: str, line: int, how: str) -> Need:
    """A key that is asked for, as a need."""
    return Need(
        key=one.key,
        service=service,
        path=path,
        line=line,
        required=one.required,
        how=how,
        default=None if one.default is None else marks.state(one.default),
    )


def mentions(text: str, keys: frozenset[str]) -> frozenset[str]:
    """Keys whose name stands in a text, wherever but in a comment line: something may use them."""
    return keys & set(_WORD.findall(_COMMENT_LINE.sub("", text)))
