"""notes can be pinned

Revision ID: 8e02d4c7f1a9
Revises: 3c51ab90d7e2
Create Date: 2024-03-01 09:00:00

"""
from alembic import op
import sqlalchemy as sa


revision = "8e02d4c7f1a9"
down_revision = "3c51ab90d7e2"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade():
    with op.batch_alter_table("notes", schema=None) as batch_op:
        batch_op.drop_column("pinned")
