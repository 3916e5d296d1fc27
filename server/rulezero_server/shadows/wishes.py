"""What the person allows a rehearsal: where it runs, with which rows, and how much of them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from rulezero_server.tomlfile import Reader

Where = Literal["private", "server", "url"]
RealRows = Literal["local", "always", "never"]

SECONDS, MEGABYTES, ROWS = 30.0, 200.0, 100_000


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The table `[rehearsal]` of the person's policy.toml.

    `where` is where a shadow of a PostgreSQL or MariaDB database stands: on a private server that
    is started for it, on the target's own server, or on the one that `postgresql` or `mysql` name;
    None is that one where it is named, a private one elsewhere. `real_rows` says whether rows of
    the target are copied: "local" copies none off the server of a protected database. `seconds`
    bound the whole rehearsal with the making of its shadow, `megabytes` what is copied, and `rows`
    how many of one table are copied whole and compared one by one.
    """

    on: bool = True
    where: Where | None = None
    postgresql: str | None = field(default=None, repr=False)
    mysql: str | None = field(default=None, repr=False)
    real_rows: RealRows = "local"
    seconds: float = SECONDS
    megabytes: float = MEGABYTES
    rows: int = ROWS

    def place(self, dialect: str) -> Where:
        """Where the shadow of a database of this dialect stands."""
        return self.where or ("url" if self.url(dialect) else "private")

    def url(self, dialect: str) -> str | None:
        """The rehearsal server for databases of this dialect."""
        return self.postgresql if dialect == "postgresql" else self.mysql

    def copies_rows(self, *, protected: bool, stays: bool) -> bool:
        """Whether rows of the target may stand on the shadow; `stays`: it is on the same server."""
        if self.real_rows == "local":
            return stays or not protected
        return self.real_rows == "always"


def said(table: "Reader") -> Wishes:
    """What a table `[rehearsal]` says.

    Raises:
        UnreadableConfig: It says what is not known, or in the wrong type.
    """
    table.only("on", "where", "postgresql", "mysql", "real_rows", "seconds", "megabytes", "rows")
    rows = table.number("rows", "a number of rows above 0")
    return Wishes(
        on=table.truth("on") is not False,
        where=_one_of(table, "where", get_args(Where)),
        postgresql=table.text("postgresql") or None,
        mysql=table.text("mysql") or None,
        real_rows=_one_of(table, "real_rows", get_args(RealRows)) or "local",
        seconds=table.number("seconds", "a number of seconds above 0") or SECONDS,
        megabytes=table.number("megabytes", "a number of megabytes above 0") or MEGABYTES,
        rows=ROWS if rows is None else max(int(rows), 1),
    )


def _one_of(table: "Reader", key: str, known: tuple[str, ...]) -> Any:
    value = table.text(key)
    if value is not None and value not in known:
        raise table.wrong(key, f"one of {', '.join(known)}")
    return value
