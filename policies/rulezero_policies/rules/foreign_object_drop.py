"""A table is dropped that belongs to something else."""

import re
from collections.abc import Iterator

from rulezero_policies.rules.rule import FORWARD, Hit, Rule, revision
from rulezero_policies.scene import Scene

_OWNERS = {
    "PostGIS": r"spatial_ref_sys|geometry_columns|geography_columns|raster_(?:columns|overviews)"
    r"|topology|layer|tiger\w*",
    "SpatiaLite": r"spatialite_history|sql_statements_log|views_geometry_columns\w*"
    r"|idx_\w+_geom\w*",
    "pg_stat_statements": r"pg_stat_statements(?:_info)?",
    "APScheduler": r"apscheduler_jobs",
    "Celery": r"celery_(?:taskmeta|tasksetmeta|periodictask\w*)|kombu_(?:message|queue)",
    "Procrastinate": r"procrastinate_\w+",
    "Django": r"django_(?:migrations|session|content_type|admin_log)"
    r"|auth_(?:user|group|permission)",
    "Flyway": r"flyway_schema_history",
    "Liquibase": r"databasechangelog(?:lock)?",
    "Rails": r"schema_migrations|ar_internal_metadata",
    "alembic": r"alembic_version",
}


def _owner(table: str) -> str | None:
    return next((o for o, p in _OWNERS.items() if re.fullmatch(p, table, re.IGNORECASE)), None)


def _check(scene: Scene) -> Iterator[Hit]:
    for step in scene.of("drop_table"):
        if owner := _owner(step.operation.table or ""):
            yield Hit(
                subject=step.operation.qualified,
                evidence=f"the table looks like one of {owner}",
                line=step.operation.line,
                names={"table": step.operation.table or ""},
            )


RULE = Rule(
    id="foreign-object-drop",
    severity="CRITICAL",
    outcome="loses_data",
    title="A table of something else is dropped",
    why="Autogenerate drops what no model describes, also the tables of extensions, schedulers and "
    "other applications that live in the same database.",
    fix="Leave {subject} out in env.py: def include_object(object, name, type_, reflected, "
    "compare_to): return not (type_ == 'table' and name == {table!r}).",
    bad=revision("op.drop_table('spatial_ref_sys')", "pass"),
    good=revision(
        "op.create_table('places', sa.Column('id', sa.BigInteger(), nullable=False), "
        "sa.PrimaryKeyConstraint('id'))",
        "op.drop_table('places')",
    ),
    check=_check,
    stages=FORWARD,
    source="https://alembic.sqlalchemy.org/en/latest/autogenerate.html#omitting-table-names",
)
