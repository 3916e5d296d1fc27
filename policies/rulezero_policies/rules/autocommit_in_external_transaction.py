"""An autocommit block inside a transaction that env.py began."""

from collections.abc import Iterator

from rulezero_policies.rules.rule import AS_WRITTEN, Hit, Rule, revision
from rulezero_policies.scene import Scene

_VERB = "autocommit inside the transaction of env.py"
"""How the recording marks where alembic gives up."""


def _check(scene: Scene) -> Iterator[Hit]:
    down = scene.downgrade if scene.stage == "revision" else ()
    for function, operations in (("upgrade", scene.upgrade), ("downgrade", down)):
        for operation in operations:
            if operation.verb == _VERB:
                yield Hit(
                    subject=f"{function}()",
                    evidence="env.py has begun a transaction before context.configure(), which "
                    "alembic does not end: the autocommit_block() raises an AssertionError",
                    line=operation.line,
                    severity="CRITICAL" if function == "upgrade" else "WARNING",
                )


_IN_A_BLOCK = revision(
    "with op.get_context().autocommit_block():\n"
    "    op.create_index('ix_users_email', 'users', ['email'], postgresql_concurrently=True)",
    "op.drop_index('ix_users_email', table_name='users')",
)

RULE = Rule(
    id="autocommit-in-external-transaction",
    severity="CRITICAL",
    outcome="will_fail",
    title="An autocommit block inside env.py's own transaction",
    why="Alembic commits what it began itself. Where env.py has executed something (SET ..., "
    "SELECT ...) on the connection before context.configure(), SQLAlchemy 2 has begun a "
    "transaction that alembic leaves alone: autocommit_block() then fails, and what the revision "
    "did is rolled back unless env.py commits.",
    fix="In env.py, commit before context.configure(connection=connection) (connection.commit()), "
    "or execute such settings in an event of the engine; then {subject} can leave its transaction.",
    bad=_IN_A_BLOCK,
    good=revision(
        "op.add_column('users', sa.Column('nickname', sa.String(50), nullable=True))",
        "op.drop_column('users', 'nickname')",
    ),
    check=_check,
    stages=AS_WRITTEN,
    env="external transaction",
    source="alembic/runtime/migration.py, MigrationContext.autocommit_block; run with Alembic 1.20",
)
