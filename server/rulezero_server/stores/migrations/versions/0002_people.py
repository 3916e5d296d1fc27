"""Who may answer and what it was worth; PINs and passkeys; the head of the audit trail."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
GENESIS = "0" * 64

CHALLENGES = sa.table(
    "rulezero_challenges",
    sa.column("number"),
    sa.column("nonce"),
    sa.column("plan_digest"),
    sa.column("principal"),
    sa.column("person"),
    sa.column("channel"),
    sa.column("needs"),
    sa.column("expires", MOMENT),
    sa.column("answer"),
    sa.column("claimed", sa.Boolean),
    sa.column("value"),
)
AUDIT = sa.table("rulezero_audit", sa.column("sequence"), sa.column("value"))
HEAD = sa.table(
    "rulezero_audit_head", sa.column("number"), sa.column("sequence"), sa.column("hash")
)
OLD = ("nonce", "plan_digest", "principal", "expires", "answer", "value")


def upgrade() -> None:
    """Make the new tables; questions that nobody answered yet are to be asked again."""
    kept = [_known(row) for row in _answered()]
    op.drop_table("rulezero_challenges")
    _create_challenges()
    if kept:
        op.bulk_insert(CHALLENGES, kept)
    _create_people()
    _create_head()


def downgrade() -> None:
    """Drop what was enrolled and the head; answered questions stay."""
    kept = [{name: row[name] for name in OLD} for row in _answered()]
    for name in ("audit_head", "passkeys", "pins", "challenges"):
        op.drop_table(f"rulezero_{name}")
    _create_challenges_as_they_were()
    if kept:
        op.bulk_insert(CHALLENGES, kept)


def _answered() -> list[dict[str, Any]]:
    columns = [CHALLENGES.c[name] for name in OLD]
    query = sa.select(*columns).where(CHALLENGES.c.answer.is_not(None))
    return [dict(row) for row in op.get_bind().execute(query).mappings()]


def _known(row: dict[str, Any]) -> dict[str, Any]:
    """An old question: nobody but a client's form could be asked, and its answer was told."""
    value = {**json.loads(row["value"]), "person": "", "needs": "client", "answer": None}
    later = {name: value[name] for name in ("person", "channel", "needs")}
    return {**row, **later, "claimed": True, "value": json.dumps(value, ensure_ascii=False)}


def _create_challenges() -> None:
    op.create_table(
        "rulezero_challenges",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("nonce", sa.Text, nullable=False, unique=True),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("needs", sa.String(32), nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("shown", MOMENT),
        sa.Column("answer", sa.String(32)),
        sa.Column("level", sa.String(32)),
        sa.Column("approver", sa.Text),
        sa.Column("through", sa.String(32)),
        sa.Column("claimed", sa.Boolean, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    _index_challenges()
    op.create_index("ix_rulezero_challenges_person", "rulezero_challenges", ["person"])


def _create_challenges_as_they_were() -> None:
    op.create_table(
        "rulezero_challenges",
        sa.Column("nonce", sa.Text, primary_key=True),
        sa.Column("plan_digest", sa.String(64), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("expires", MOMENT, nullable=False),
        sa.Column("answer", sa.String(32)),
        sa.Column("value", sa.Text, nullable=False),
    )
    _index_challenges()


def _index_challenges() -> None:
    op.create_index(
        "ix_rulezero_challenges_plan", "rulezero_challenges", ["plan_digest", "principal"]
    )


def _create_people() -> None:
    op.create_table(
        "rulezero_pins",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_failure", MOMENT),
    )
    op.create_table(
        "rulezero_passkeys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("created", MOMENT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_index("ix_rulezero_passkeys_person", "rulezero_passkeys", ["person"])


def _create_head() -> None:
    op.create_table(
        "rulezero_audit_head",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    query = sa.select(AUDIT.c.value).order_by(AUDIT.c.sequence.desc()).limit(1)
    last = op.get_bind().execute(query).scalar()
    entry = json.loads(last) if last else {"sequence": 0, "hash": GENESIS}
    head = {"number": 1, "sequence": entry["sequence"], "hash": entry["hash"]}
    op.bulk_insert(HEAD, [head])
