import os
from pathlib import Path

from alembic import context
from sqlalchemy import create_engine, pool

from shop.models import Base

config = context.config

HERE = Path(__file__).resolve().parent.parent
URL = os.environ.get("DATABASE_URL", f"sqlite:///{(HERE / 'shop.db').as_posix()}")

target_metadata = Base.metadata


def run_migrations_offline() -> None:
    context.configure(
        url=URL,
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online() -> None:
    connectable = create_engine(URL, poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(
            connection=connection, target_metadata=target_metadata, render_as_batch=True
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
