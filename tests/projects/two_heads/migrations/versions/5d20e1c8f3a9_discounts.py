"""discounts

Revision ID: 5d20e1c8f3a9
Revises: 4c11a0b7d2e8
Create Date: 2024-05-01 09:00:00

"""
import sqlalchemy as sa
from alembic import op

revision = "5d20e1c8f3a9"
down_revision = "4c11a0b7d2e8"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("products", sa.Column("discounts", sa.String(length=40), nullable=True))


def downgrade():
    op.drop_column("products", "discounts")
