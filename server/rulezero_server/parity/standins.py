"""Values like production's that are none of production's: what decides stays, secrets do not.

Real values come in and must not go out: nothing here raises with one in its words.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

NOWHERE = "http://127.0.0.1:9/"
"""An address at which nothing listens: the port is the one of "discard"."""

_SECRET = re.compile(
    r"SECRET|PASSW|PWD|TOKEN|CREDENTIAL|PRIVATE|SALT|PIN$|_PIN_|(?:^|_)KEYS?$", re.I
)
_TRUTHS = frozenset({"true", "false", "yes", "no", "on", "off", "0", "1", "t", "f", "y", "n"})
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_WORDS = frozenset(
    {
        "production", "prod", "staging", "development", "dev", "local", "test", "testing", "live",
        "debug", "info", "warning", "warn", "error", "critical", "none", "null", "utc", "json",
        "text", "lax", "strict", "simple", "memory", "redis", "filesystem", "en", "de", "fr",
        "sandbox", "default", "enabled", "disabled", "auto", "always", "never", "utf-8", "asyncio",
    }
)  # fmt: skip
"""Words that choose among a few known things: no secret is one of them."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_HEX = re.compile(r"(?:[0-9a-f]{2}){8,}", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FILE = re.compile(r"[^\s:]+\.(?:db|sqlite3?)", re.I)

_DIALECTS = {"postgres": "postgresql", "mariadb": "mysql"}

_PART = re.compile(
    r"(?:^|_)(?:POSTGRES(?:QL)?|PG|MYSQL|MARIADB|DB|DATABASE|SQL)_?"
    r"(?P<part>HOST|HOSTNAME|SERVER|ADDR|ADDRESS|PORT|USER|USERNAME|PASSWORD|PASS|PWD|DB|NAME"
    r"|DATABASE|DBNAME)$"
)

_PARTS = {
    **dict.fromkeys(("HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS"), "127.0.0.1"),
    **dict.fromkeys(("DB", "NAME", "DATABASE", "DBNAME"), "stand_in"),
    **dict.fromkeys(("USER", "USERNAME", "PASSWORD", "PASS", "PWD"), "stand-in"),
    "PORT": "9",
}

_OURS = re.compile(r"(?:PATH|HOME|SHELL|TMPDIR|LD_.*|DYLD_.*|PYTHON(?!PATH).*)$")
"""What the process itself starts with is not production's."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where stand-ins for the database lead: `dialect`, and the `path` of an SQLite shadow."""

    dialect: str
    path: str | None = None

    def url(self, scheme: str) -> str:
        """A URL that leads to the shadow; by the driver that `scheme` names, where it can."""
        mine = dialect_of(scheme) == self.dialect
        chosen = scheme if mine else {"mysql": "mysql+pymysql"}.get(self.dialect, self.dialect)
        if self.dialect == "sqlite":
            return f"{chosen}:///{self.path}"
        return f"{chosen}://stand-in:stand-in@127.0.0.1:9/stand_in"

    @property
    def also(self) -> list[dict[str, object]]:
        """The address that stand-ins name, as a detour takes it."""
        if self.dialect == "sqlite":
            return []
        return [{"dialect": self.dialect, "hosts": ["localhost"], "port": "9", "name": "stand_in"}]


@dataclass(frozen=True, kw_only=True)
class StandIns:
    """The environment for a test, and the keys in it whose values are not production's."""

    variables: Mapping[str, str] = field(repr=False)
    replaced: frozenset[str]


def stand_ins(
    values: Mapping[str, str], database: Database, known: Mapping[str, str] | None = None
) -> StandIns:
    """What a service is given in place of production's values.

    Flags, numbers and words that choose stay as they are, and so does what the example says, too,
    since that is in the repository; of everything else only the shape is kept.

    Args:
        values: Production's own, by key.
        database: Where the shadow is.
        known: What is public: the values of the example.
    """
    public = known or {}
    made = {
        key: _one(key, value, database, public=public.get(key) == value)
        for key, value in values.items()
        if not _OURS.match(key)
    }
    changed = frozenset(key for key, value in made.items() if value != values[key])
    return StandIns(variables=made, replaced=changed)


def _one(key: str, value: str, database: Database, *, public: bool) -> str:
    text = value.strip()
    part = _PART.search(key)
    if "://" in text:
        return _url(text, database)
    if part and database.dialect != "sqlite":
        return _PARTS[part["part"]]
    if _FILE.fullmatch(text) and database.path is not None:
        return database.path
    return value if _stays(key, text, public=public) else _shaped(text)


_CODE = frozenset({"FLASK_APP", "PYTHONPATH"})
"""Keys that say where code is."""


def _stays(key: str, text: str, *, public: bool) -> bool:
    """Whether a value is no secret: it decides, and is one of a few or a number."""
    if not text or text.lower() in _TRUTHS or key in _CODE:
        return True
    known = public or text.lower() in _WORDS or _NUMBER.fullmatch(text) is not None
    return known and not _SECRET.search(key)


def dialect_of(scheme: str) -> str:
    """The dialect that a URL's scheme names, whatever the driver."""
    name = scheme.partition("+")[0].lower()
    return _DIALECTS.get(name, name)


def _url(text: str, database: Database) -> str:
    scheme = text.partition("://")[0]
    if dialect_of(scheme) in {"postgresql", "mysql", "sqlite"}:
        return database.url(scheme)
    if scheme in {"http", "https"}:
        return ",".join([NOWHERE] * (text.count("://")))
    return f"{scheme}://127.0.0.1:9{_place(text)}"


def _place(text: str) -> str:
    """The path where it is a mere number, as in Redis's."""
    try:
        path = urlsplit(text).path
    except ValueError:
        return ""
    return path if re.fullmatch(r"/\d*", path) else ""


def _shaped(text: str) -> str:
    """A stand-in of the same length and alphabet."""
    if _NUMBER.fullmatch(text):
        return "1" * len(text)
    if _UUID.fullmatch(text):
        return "00000000-0000-4000-8000-000000000000"
    if _HEX.fullmatch(text):
        return "5a" * (len(text) // 2)
    if _MAIL.fullmatch(text):
        return "stand-in@example.com"
    return _encoded(text) or _worded(text)


def _encoded(text: str) -> str | None:
    if not _BASE64.fullmatch(text) or len(text) % 4 or not re.search(r"\d|[=+/_-]", text):
        return None
    try:
        size = len(base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_")))
    except (binascii.Error, ValueError):
        return None
    return base64.urlsafe_b64encode((b"stand-in" * (size // 8 + 1))[:size]).decode()


def _worded(text: str) -> str:
    length = max(len(text), 8)
    return ("stand-in-" * (length // 9 + 1))[:length].rstrip("-").ljust(length, "x")
