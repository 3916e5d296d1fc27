"""One schema a tenant: env.py migrates each, and gives none of them a name."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

ENV = """
import os

from alembic import context
from sqlalchemy import create_engine, pool, text

engine = create_engine(os.environ["DATABASE_URL"], poolclass=pool.NullPool)
for tenant in ("acme", "globex"):
    with engine.connect() as connection:
        connection.execute(text(f"SET search_path TO {tenant}"))
        connection.commit()
        connection.dialect.default_schema_name = tenant
        context.configure(connection=connection, version_table_schema=tenant)
        with context.begin_transaction():
            context.run_migrations()
"""

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("orders", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade():
    op.drop_table("orders")
"""


@pytest.fixture
def tenants(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch, eyes: Any) -> Any:
    """The project, and eyes on its database."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    folder = tmp_path / "shop"
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (folder / "migrations" / "env.py").write_text(ENV, encoding="utf-8")
    (versions / "a1.py").write_text(REVISION, encoding="utf-8")
    seen = eyes(postgres_url)
    seen.write("CREATE SCHEMA acme")
    seen.write("CREATE SCHEMA globex")
    return folder, seen


@pytest.mark.proves("A16")
async def test_one_tenant_is_migrated_and_the_other_stays(tenants: Any, near: Any) -> None:
    folder, seen = tenants
    tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname <> 'public'"
    ours = (
        tables + " AND schemaname NOT LIKE 'pg%' AND schemaname <> 'information_schema' ORDER BY 1"
    )
    async with near(folder) as host:
        names = [d["name"] for d in (await host.call("status"))["databases"]]
        assert [name.rpartition(".")[2] for name in names] == ["acme", "globex"]
        review = await host.call("review", database=names[1])
        assert review["rehearsal"]["upgrade"] == "ok", review["rehearsal"]
        done = await host.applied(review["plan_id"])
        assert done["verified"], done
        assert [row[0] for row in seen.rows(ours)] == ["globex.alembic_version", "globex.orders"]
        lacks = [d["lacks"] for d in (await host.call("status"))["databases"]]
        assert lacks == [["a1"], []]
