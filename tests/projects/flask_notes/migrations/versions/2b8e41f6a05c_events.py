"""events

Revision ID: 2b8e41f6a05c
Revises: 1a0c7d2e9f31
Create Date: 2024-03-01 09:00:00

"""
from alembic import op
import sqlalchemy as sa


revision = "2b8e41f6a05c"
down_revision = "1a0c7d2e9f31"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade():
    op.drop_table("events")
