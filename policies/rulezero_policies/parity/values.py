"""What parity compares: keys, where they stand and who needs them; never what they hold."""

from dataclasses import dataclass, field
from typing import Literal

Shape = Literal["empty", "placeholder", "boolean", "number", "url", "text", "lines"]
"""What may be told of a value: nothing that helps to guess it.

A placeholder is a value that an example holds in place of a real one ("changeme", "<your key>").
"""

State = Literal["on", "off", "other"]

SourceKind = Literal["file", "compose", "process"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One key as one place sets it.

    `mark` is a keyed hash of the value, under a key that this process threw dice for and keeps to
    itself: equal marks are equal values, and nothing else can be learned from one. `state` is what
    the value would mean to a flag. `credentials` is whether a URL holds a password. `refers` are
    the keys that it interpolates. `given` is whether it has a value at all (`KEY` alone has none).
    """

    key: str
    path: str
    line: int
    shape: Shape
    mark: str
    state: State = "other"
    credentials: bool = False
    refers: tuple[str, ...] = ()
    given: bool = True


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place that sets keys for a service in an environment, in the order that it is read.

    `service` is None for what every service reads: a file in the root. Later sources of the same
    service and environment win over earlier ones. `error` says why it could not be read: then
    nothing that rests on it is known.
    """

    service: str | None
    environment: str
    path: str
    kind: SourceKind
    entries: tuple[Entry, ...] = ()
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: its name, and its folder under the project ("." is the project itself)."""

    name: str
    folder: str


@dataclass(frozen=True, kw_only=True)
class Need:
    """A place in the code that reads a key.

    `required` is whether the code fails without it: it has no default and is not asked for in
    passing. `how` is the call as the field names it ("os.environ[]", "pydantic-settings").
    `default` is what the key would mean to a flag where it is not set. `scope` is the function or
    class that it stands in, None at the top of a module.
    """

    key: str
    service: str
    path: str
    line: int
    required: bool
    how: str
    default: State | None = None
    scope: str | None = None
    any_case: bool = False
    """Whether the code finds it in whatever case it is set; `key` is its usual one then."""
    instead: tuple[str, ...] = ()
    """Other keys, any of which does as well."""
    under: tuple[str, ...] = ()
    """Keys on whose values it depends whether the place is reached."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is compared: which services, which environments, and which of those is production.

    `baseline` are the environments that production is held against, in order ("example" is what
    `.env.example` says). `problems` are declarations and files that could not be read, each in one
    sentence; nothing is written while there are any. `needs` are what compose files and scripts
    ask for. `foreign` are files that programs read whose code is not here (a database's image):
    whether something uses what they set is not known. `mentions` are pairs of a service ("" outside
    all) and a key whose name stands somewhere in its files: too little to say that it is read, and
    enough not to say that nothing uses it. `built` are pairs of a service ("" for all) and a key
    that its image sets.
    """

    production: str
    baseline: tuple[str, ...]
    services: tuple[Service, ...]
    sources: tuple[Source, ...]
    problems: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    foreign: tuple[str, ...] = ()
    mentions: tuple[tuple[str, str], ...] = ()
    built: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class FlagRule:
    """How flags are known: patterns of names (`*` and `?`), and those named one by one."""

    patterns: tuple[str, ...] = ("FEATURE_*", "ENABLE_*", "*_ENABLED", "FF_*", "FLAG_*")
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StoreRule:
    """A store and its fallback, as "module:Class" each; `interface` is the base or Protocol.

    `records` are pairs of a record class ("module:Class") and the table that it mirrors.
    `exercise` names a function "module:function" that is given a store and returns what it saw.
    """

    name: str
    service: str
    interface: str | None
    store: str | None
    fallback: str
    records: tuple[tuple[str, str], ...] = ()
    exercise: str | None = None


SmokeKind = Literal["route", "http", "command", "callable"]


@dataclass(frozen=True, kw_only=True)
class SmokeRule:
    """A smoke test: what is called, and what it has to answer.

    `target` is a path ("/notes") for a route, an address for http, "module:function" for a
    callable, the words of a command joined by blanks. `seconds` is how long it may take.
    """

    name: str
    service: str
    kind: SmokeKind
    target: str
    method: str = "GET"
    status: int = 200
    contains: str | None = None
    seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class ParityConfig:
    """What `[parity]` says; empty where everything has to be found.

    `files` are (service, environment, path) for settings files at places of their own; service ""
    is the root.
    """

    production: str = "production"
    baseline: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    files: tuple[tuple[str, str, str], ...] = ()
    flags: FlagRule = field(default_factory=FlagRule)
    stores: tuple[StoreRule, ...] = ()
    smoke: tuple[SmokeRule, ...] = ()
