"""What a person chose with their yes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Until now there was nothing to choose."""
    chosen = sa.Column("chosen", sa.Text, nullable=False, server_default="[]")
    op.add_column("rulezero_challenges", chosen)


def downgrade() -> None:
    """Answered questions stay, without what was chosen."""
    op.drop_column("rulezero_challenges", "chosen")
