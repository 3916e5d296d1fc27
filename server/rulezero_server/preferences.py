"""What the person wants, in their own policy.toml: outside every project, closed to other users."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulezero_policies.errors import PolicyLoosened, UnreadableConfig
from rulezero_policies.policy import Policy
from rulezero_server import places
from rulezero_server.shadows.wishes import Wishes
from rulezero_server.shadows.wishes import said as wished

if TYPE_CHECKING:
    from rulezero_server.launch import Allow, Limits
    from rulezero_server.settings import Settings
    from rulezero_server.tomlfile import Reader

FILE = "policy.toml"

LONGEST_WAIT = 25.0
"""Seconds; clients give up on a tool call soon after."""


LONGEST_LIMIT = 86_400
"""Seconds; a day."""

MOST_RETRIES = 20

BACKUP_MEGABYTES = 1000.0


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """Everything that policy.toml says.

    `wait_seconds` is how long one `confirm` waits for the person; `store` the URL of a store that
    several servers share, None for the file in the state folder. `programs` and `hosts` are what
    project code may start and connect to while it is only read; `write_hooks`, whether Alembic's
    own hooks run when a revision is written; `settings_folders`, where settings files may be read
    that stand outside the project. `rehearsal` is what a rehearsal may do. A migration
    waits `lock_timeout` seconds for a lock, lets a statement take `statement_timeout` (None:
    whatever the session gives it), and tries again `retries` times where a lock was not to be had.
    Backups are made in `backup_folder` (None: in the state folder), of the tables alone that a
    migration touches where the database is larger than `backup_megabytes`.
    """

    policy: Policy = field(default_factory=Policy)
    wait_seconds: float = LONGEST_WAIT
    open_browser: bool = True
    store: str | None = None
    programs: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    write_hooks: bool = False
    settings_folders: tuple[Path, ...] = ()
    rehearsal: Wishes = field(default_factory=Wishes)
    backup_folder: Path | None = None
    backup_megabytes: float = BACKUP_MEGABYTES
    lock_timeout: float = 5.0
    statement_timeout: float | None = None
    retries: int = 3

    @property
    def allow(self) -> "Allow":
        """What project code may do while it is read."""
        from rulezero_server.launch import Allow  # noqa: PLC0415 - start-up time

        return Allow(programs=self.programs, hosts=self.hosts, write_hooks=self.write_hooks)

    @property
    def limits(self) -> "Limits":
        """How long a run waits, and how often it tries again."""
        from rulezero_server.launch import Limits  # noqa: PLC0415 - start-up time

        return Limits(
            lock_timeout=self.lock_timeout,
            statement_timeout=self.statement_timeout,
            retries=self.retries,
        )


def read() -> Preferences:
    """The user's preferences; the defaults where nothing is said.

    `RULEZERO_STORE` in the server's environment wins over [store].

    Raises:
        UnreadableConfig: The file is broken, says what is not known, or others may write it.
    """
    path = places.config_dir() / FILE
    # A link to nothing is no missing file: somebody meant a policy to be there.
    found = _read(path) if os.path.lexists(path) else Preferences()
    return replace(found, store=os.environ.get("RULEZERO_STORE") or found.store)


def effective(preferences: Preferences, settings: "Settings") -> Policy:
    """The user's policy, tightened by what the project says.

    Raises:
        PolicyLoosened: A line of the project asks for less than the user's policy; with the line.
    """
    mine = policy = preferences.policy
    for line in settings.approval:
        looser = line.loosens(mine)
        if looser is not None:
            raise PolicyLoosened(path=settings.origin, what=looser)
        policy = policy.tightened(line.changed(mine))
    for name, environment in settings.environments.items():
        if environment.says_unprotected and name in policy.protected_environments:
            what = f"environments.{name}.protected = false (the policy protects {name!r})"
            raise PolicyLoosened(path=settings.origin, what=what)
    return policy


def _read(path: Path) -> Preferences:
    from rulezero_server.tomlfile import load  # noqa: PLC0415 - only who has a file pays

    try:
        places.check_closed(path)
    except OSError as error:
        raise UnreadableConfig(path=str(path), reason=str(error)) from error
    table = load(path, called=str(path))
    return _said(table) if table else Preferences()


def _said(table: "Reader") -> Preferences:
    table.only("approval", "page", "store", "reading", "rehearsal", "apply")
    page, store, reading = table.inner("page"), table.inner("store"), table.inner("reading")
    page.only("open_browser", "wait_seconds")
    store.only("url")
    reading.only("programs", "hosts", "write_hooks", "settings")
    called = f"a number of seconds above 0, at most {LONGEST_WAIT:g}"
    limits = _limits(table.inner("apply"))
    return Preferences(
        **limits,
        **_backups(table.inner("apply")),
        policy=_policy(table),
        wait_seconds=page.number("wait_seconds", called, most=LONGEST_WAIT) or LONGEST_WAIT,
        open_browser=page.truth("open_browser") is not False,
        store=store.text("url") or None,
        programs=reading.texts("programs") or (),
        hosts=reading.texts("hosts") or (),
        write_hooks=reading.truth("write_hooks") or False,
        settings_folders=_folders(reading),
        rehearsal=wished(table.inner("rehearsal")),
    )


_LIMITS = ("lock_timeout", "statement_timeout", "retries")
_BACKUPS = ("backup", "backup_folder", "backup_megabytes")


def _backups(table: "Reader") -> dict[str, Any]:
    megabytes = table.number("backup_megabytes", "a number of megabytes above 0")
    folder = table.path("backup_folder")
    return {"backup_folder": folder, "backup_megabytes": megabytes or BACKUP_MEGABYTES}


def _limits(table: "Reader") -> dict[str, Any]:
    table.only(*_LIMITS, *_BACKUPS)
    called = f"a number of seconds above 0, at most {LONGEST_LIMIT}"
    seconds = {
        key: table.number(key, called, most=LONGEST_LIMIT)
        for key in ("lock_timeout", "statement_timeout")
    }
    retries = table.table.get("retries")
    whole = isinstance(retries, int) and not isinstance(retries, bool)
    if retries is not None and not (whole and 0 <= retries <= MOST_RETRIES):
        raise table.wrong("retries", f"a whole number from 0 to {MOST_RETRIES}")
    said = {**seconds, "retries": retries}
    return {key: value for key, value in said.items() if value is not None}


def _policy(table: "Reader") -> Policy:
    from rulezero_server.policyfile import lines, of_apply  # noqa: PLC0415 - only who has a file pays

    policy = Policy()
    for line in (*lines(table.inner("approval")), *of_apply(table.inner("apply"))):
        policy = line.changed(policy)
    return policy


def _folders(table: "Reader") -> tuple[Path, ...]:
    """Folders that the person names, each from the root of the file system or from home."""
    found = tuple(Path(one).expanduser() for one in table.texts("settings") or ())
    if not all(one.is_absolute() for one in found):
        raise table.wrong("settings", "a list of absolute paths")
    return found
