"""The first store: analyses, plans with their files, questions, grants, runs and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "rulezero_blobs",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    _create_analyses_and_plans()
    _create_questions_and_grants()
    _create_runs_and_audit()


def downgrade() -> None:
    """Drop every table."""
    for name in ("audit", "runs", "grants", "challenges", "plans", "analyses", "blobs"):
        op.drop_table(f"rulezero_{name}")


def _create_analyses_and_plans() -> None:
    op.create_table(
        "rulezero_analyses",
        sa.Column("analysis_id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "rulezero_plans",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("ix_rulezero_plans_project", "rulezero_plans", ["project"])


def _create_questions_and_grants() -> None:
    op.create_table(
        "rulezero_challenges",
        sa.Column("nonce", sa.Text, primary_key=True),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("answer", sa.String(32)),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_rulezero_challenges_plan", "rulezero_challenges", ["plan_digest", "principal"]
    )
    op.create_table(
        "rulezero_grants",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("spent", MOMENT),
        sa.Column("value", sa.Text, nullable=False),
    )


def _create_runs_and_audit() -> None:
    op.create_table(
        "rulezero_runs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("ix_rulezero_runs_plan_id", "rulezero_runs", ["plan_id"])
    op.create_table(
        "rulezero_audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("ix_rulezero_audit_project", "rulezero_audit", ["project"])
