"""CONCURRENTLY where a transaction is open."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import AS_WRITTEN, POSTGRESQL, Hit, Rule, revision
from rulezero_policies.scene import Scene


def _check(scene: Scene) -> Iterator[Hit]:
    if scene.dialect != "postgresql":
        return
    down = scene.downgrade if scene.stage == "revision" else ()
    for function, operations in (("upgrade", scene.upgrade), ("downgrade", down)):
        for operation in operations:
            index = operation.index
            if index and index.concurrently and not operation.autocommit:
                verb = operation.kind.partition("_")[0].upper()
                yield Hit(
                    subject=operation.qualified or index.name or "index",
                    evidence=f"{verb} INDEX CONCURRENTLY {index.name or ''} stands in a "
                    f"transaction, in {function}()",
                    line=operation.line,
                )


RULE = Rule(
    id="concurrently-in-transaction",
    severity="CRITICAL",
    outcome="will_fail",
    title="CONCURRENTLY inside a transaction",
    why="PostgreSQL refuses to build or drop an index concurrently inside a transaction block, and "
    "alembic runs a revision in one.",
    fix="Put the index of {subject} in a block of its own: with "
    "op.get_context().autocommit_block(): op.create_index(..., postgresql_concurrently=True).",
    bad=revision(
        "op.create_index('ix_users_email', 'users', ['email'], postgresql_concurrently=True)",
        "op.drop_index('ix_users_email', table_name='users')",
    ),
    good=revision(
        "with op.get_context().autocommit_block():\n"
        "    op.create_index('ix_users_email', 'users', ['email'], postgresql_concurrently=True)",
        "with op.get_context().autocommit_block():\n"
        "    op.drop_index('ix_users_email', table_name='users', postgresql_concurrently=True)",
    ),
    check=_check,
    stages=AS_WRITTEN,
    databases=POSTGRESQL,
    source="https://www.postgresql.org/docs/current/sql-createindex.html; run on PostgreSQL 18",
)
