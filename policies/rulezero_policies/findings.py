"""What a review says: findings with their evidence, and facts counted on the live database."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["CRITICAL", "WARNING"]
Risk = Literal["SAFE", "WARNING", "CRITICAL"]
Verdict = Literal["SAFE", "NEEDS_CHANGES", "UNSAFE"]
Outcome = Literal["will_fail", "may_fail", "loses_data", "blocks", "design", "unknown"]
Probe = Literal[
    "rows",
    "values",
    "nulls",
    "duplicates",
    "orphans",
    "violations",
    "misfits",
    "rounded",
    "uncastable",
    "outside",
    "size",
    "highest",
    "oldest_transaction",
    "dependents",
    "incoming",
    "triggers",
    "foreign_keys_on",
    "lost_on_recreate",
    "sql_mode",
    "invalid_indexes",
    "time_zone",
    "tables",
    "attributes",
    "exists",
    "type_exists",
    "needed_by_key",
    "emptied_too",
]
"""What can be asked. A count of zero is what one hopes for, except for the settings:

- of rows: `duplicates` (groups of rows with the same `columns`), `orphans` (rows of `columns`
  without a row in `referred_*`), `violations` (rows for which `expression` is false), `misfits` and
  `rounded` (values of `column` too long or too large, or too precise, for `type`), `uncastable`
  (values of `column` that are none of `type`), `outside` (values of `column` not among `values`);
- of the catalogue: `size` (rows as the server estimates them, and bytes), `dependents` (views on
  the table or its `column`), `incoming` (foreign keys to the table, with their actions),
  `triggers`, `lost_on_recreate` (what SQLite's batch mode does not carry over),
  `invalid_indexes`, `attributes` (what the column has beside its type), `exists` (the table),
  `type_exists` (the type `name`), `needed_by_key` (foreign keys that rest on the index `name`
  alone), `tables` (how many there are), `emptied_too` (tables that TRUNCATE ... CASCADE takes with
  it, through foreign keys of any length, with their rows);
- of the server and the session: `highest` (largest value of an integer `column`),
  `oldest_transaction` (age in seconds), `foreign_keys_on` (1 or 0), `sql_mode` (1 where it is
  strict), `time_zone` (0 for UTC).
"""

GROWS: frozenset[Probe] = frozenset({"rows", "values"})
"""What a table in use gains all the time: only that there is any at all changes a verdict."""

SETTINGS: frozenset[Probe] = frozenset({"foreign_keys_on", "sql_mode", "time_zone", "triggers"})
"""What is not better or worse, but has to be as it was."""

VOLATILE: frozenset[Probe] = frozenset({"size", "highest", "oldest_transaction"})
"""What moves by itself: another answer at apply is no reason to ask a person again."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One hazard, with what was seen and what to do instead."""

    rule: str
    severity: Severity
    subject: str
    evidence: str
    outcome: Outcome
    fix: str
    line: int | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to ask of the target; `table` is "" for what is asked of the server."""

    probe: Probe
    table: str = ""
    schema: str | None = None
    column: str | None = None
    columns: tuple[str, ...] = ()
    referred_schema: str | None = None
    referred_table: str | None = None
    referred_columns: tuple[str, ...] = ()
    type: str | None = None
    expression: str | None = None
    values: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """An answer from the live database.

    `count` is None where it could not be asked; it is then unknown, never zero. `at_least` says
    that counting stopped at the bound. `sample` holds keys, never values of other columns; `names`
    are names of the catalogue and settings, never values of rows. `looked` is the number of rows
    that were looked at where that were not all of them. `bytes` is a table's size with its indexes.
    """

    question: str
    count: int | None
    sample: tuple[str, ...] = ()
    asked: Question
    at_least: bool = False
    names: tuple[str, ...] = ()
    looked: int | None = None
    bytes: int | None = None

    @property
    def amount(self) -> str:
        """The count in words."""
        if self.count is None:
            return "an unknown number"
        return f"at least {self.count}" if self.at_least else str(self.count)
