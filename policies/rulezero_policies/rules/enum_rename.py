"""A value of an enum that running code knows by its old name."""

import re
from collections.abc import Iterator

from rulezero_policies import sql
from rulezero_policies.rules.rule import POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene

_RENAME = re.compile(
    r"ALTER\s+TYPE\s+(?P<type>[\w.\"]+)\s+RENAME\s+VALUE\s+'(?P<old>(?:[^']|'')*)'\s+TO\s+"
    r"'(?P<new>(?:[^']|'')*)'",
    re.IGNORECASE,
)


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    for operation in scene.upgrade:
        for statement in sql.statements(operation.sql or ""):
            if found := _RENAME.fullmatch(statement):
                evidence = f"the value '{found['old']}' is called '{found['new']}' from now on"
                subject = found["type"].replace('"', "")
                yield Hit(subject=subject, evidence=evidence, line=operation.line)


RULE = Rule(
    id="enum-rename",
    severity="WARNING",
    outcome="design",
    title="A value of an enum is renamed",
    why="At once every row has the new name: code that still runs fails when it writes the old one "
    "(invalid input value for enum) and does not recognise the new one when it reads.",
    fix="With running code: add the new value to {subject} beside the old one, deploy code that "
    "knows both, move the rows, and let the old value be. Otherwise stop the application for it.",
    bad=revision(
        "op.execute(\"ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'\")",
        "op.execute(\"ALTER TYPE mood RENAME VALUE 'blue' TO 'sad'\")",
    ),
    good=revision(
        "op.add_column('people', sa.Column('feeling', sa.String(20), nullable=True))",
        "op.drop_column('people', 'feeling')",
    ),
    check=_check,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/sql-altertype.html",
)
