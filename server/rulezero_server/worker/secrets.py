"""Passwords that were seen, so that no reply carries one; and which database was asked last."""

from __future__ import annotations

import os
import re
from typing import Any

_URL = re.compile(r"(?P<head>[a-z][a-z0-9+.\-]*://[^\s:/@'\"]*:)(?P<password>[^\s'\"]*)@", re.I)
_PAIR = re.compile(
    r"(?P<head>\b(?:password|passwd|pwd|secret|token|api_key)\s*[=:]\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s,;&)]+)",
    re.I,
)
_INPUT = re.compile(r"(?P<head>\binput_value=).*?(?=, input_type=|$)", re.S)
"""What pydantic quotes of a settings value that does not fit, or of all that were given."""

_NAMES = re.compile(
    r"(?:^|_)(?:SECRET(?:_KEY)?|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_?KEY)$", re.I
)
"""Variables that hold a secret, by how their names end."""

_SHORT = 8
"""Characters below which a variable's value is no secret: it may be a word of any text."""

_KEYS = ("password", "passwd", "pwd", "passphrase")

_seen: set[str] = set()
_last = ["the project's database"]


def watch() -> None:
    """Remember the passwords of every engine, and the secrets in the environment."""
    from sqlalchemy import event  # noqa: PLC0415
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    for name, value in os.environ.items():
        if _NAMES.search(name) and len(value) >= _SHORT:
            _seen.add(value)
        _seen.update(found.group("password") for found in _URL.finditer(value))
    event.listen(Engine, "do_connect", _note)


def _note(dialect: Any, _record: Any, args: Any, options: Any) -> None:
    _seen.update(str(options[key]) for key in _KEYS if options.get(key))
    name = options.get("dbname") or options.get("database") or options.get("db")
    host = options.get("host") or options.get("unix_socket")
    where = f" on {host}:{options['port']}" if options.get("port") and host else f" on {host}"
    name = name or (args[0] if args and dialect.name == "sqlite" else "")
    _last[0] = scrub(f"{dialect.name} {name}{where if host else ''}".strip())


def last_database() -> str:
    """Which database was asked for last, without user and password."""
    return _last[0]


def scrub(text: str) -> str:
    """`text` without any password."""
    text = _URL.sub(r"\g<head>***@", _INPUT.sub(r"\g<head>***", text))
    text = _PAIR.sub(r"\g<head>***", text)
    for password in sorted(_seen - {""}, key=len, reverse=True):
        text = re.sub(rf"(?<![\w]){re.escape(password)}(?![\w])", "***", text)
    return text
