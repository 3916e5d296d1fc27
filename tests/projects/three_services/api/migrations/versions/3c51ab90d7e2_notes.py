"""notes

Revision ID: 3c51ab90d7e2
Revises:
Create Date: 2024-02-01 09:00:00

"""
from alembic import op
import sqlalchemy as sa


revision = "3c51ab90d7e2"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade():
    op.drop_table("notes")
