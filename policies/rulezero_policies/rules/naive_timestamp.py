"""A time without a zone that the database fills by the session's clock."""

import re
from collections.abc import Iterator

from rulezero_policies.operations import Column
from rulezero_policies.rules.new_columns import new_columns
from rulezero_policies.rules.rule import FORWARD, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene

_NAIVE = re.compile(r"(?:TIMESTAMP|DATETIME)(?:\s*\(\d\))?(?:\s+WITHOUT TIME ZONE)?", re.IGNORECASE)
_LOCAL = re.compile(
    r"\W*(?:(?:now|transaction_timestamp|statement_timestamp|clock_timestamp)\s*\(\s*\)"
    r"|CURRENT_TIMESTAMP|LOCALTIMESTAMP)\W*",
    re.IGNORECASE,
)


def _depends(column: Column) -> bool:
    naive = _NAIVE.fullmatch(" ".join(column.type.split())) is not None
    return naive and _LOCAL.fullmatch(column.server_default or "") is not None


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for operation, column in new_columns(scene):
        if _depends(column):
            yield Hit(
                subject=f"{operation.qualified}.{column.name}",
                evidence=f"{column.type} filled by {column.server_default}: the local time of "
                "whatever session inserts the row",
                line=operation.line,
                names={"name": column.name},
            )


RULE = Rule(
    id="naive-timestamp",
    severity="WARNING",
    outcome="design",
    title="A timestamp without time zone filled by the session's clock",
    why="The default writes local time in the session's own time zone and keeps no zone: two "
    "clients with different settings write different times for the same moment, and nothing tells "
    "them apart later.",
    fix="sa.Column({name!r}, sa.DateTime(timezone=True), server_default=sa.func.now()), or the "
    "default sa.text(\"timezone('utc', now())\") for {subject}.",
    bad=revision(
        "op.add_column('events', sa.Column('created_at', sa.DateTime(), "
        "server_default=sa.func.now(), nullable=True))",
        "op.drop_column('events', 'created_at')",
    ),
    good=revision(
        "op.add_column('events', sa.Column('deleted_at', sa.DateTime(timezone=True), "
        "nullable=True))",
        "op.drop_column('events', 'deleted_at')",
    ),
    check=_check,
    stages=FORWARD,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/datatype-datetime.html",
)
