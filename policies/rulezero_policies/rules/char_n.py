"""A padded character column."""

import re
from collections.abc import Iterator

from rulezero_policies.rules.new_columns import new_columns
from rulezero_policies.rules.rule import FORWARD, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene

_CHAR = re.compile(r"(?:CHAR|CHARACTER)\s*\(\s*(?P<size>\d+)\s*\)", re.IGNORECASE)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for operation, column in new_columns(scene):
        found = _CHAR.fullmatch(column.type.strip())
        if found and int(found["size"]) > 1:
            yield Hit(
                subject=f"{operation.qualified}.{column.name}",
                evidence=f"{column.type} fills shorter values up with spaces",
                line=operation.line,
                names={"size": found["size"]},
            )


RULE = Rule(
    id="char-n",
    severity="WARNING",
    outcome="design",
    title="CHAR(n) in place of VARCHAR(n)",
    why="PostgreSQL fills shorter values up with spaces and ignores them in some comparisons only "
    "(not in LIKE and regular expressions); it is never faster than VARCHAR(n).",
    fix="sa.String({size}) for {subject}; add a CHECK on the length where every value must have "
    "exactly that many characters.",
    bad=revision(
        "op.add_column('orders', sa.Column('code', sa.CHAR(8), nullable=True))",
        "op.drop_column('orders', 'code')",
    ),
    good=revision(
        "op.add_column('orders', sa.Column('code', sa.String(8), nullable=True))",
        "op.drop_column('orders', 'code')",
    ),
    check=_check,
    stages=FORWARD,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/datatype-character.html",
)
