"""A revision whose SQL reaches out of the shadow's database, on the target's own server"""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.attack(
        stopped_by="the shadow's role owns the shadow and nothing else: no other database, no "
        "program, no file, no session of others",
        level="client",
    ),
    pytest.mark.proves("D01", "D02", "D11"),
]

POSTGRESQL = """
name = os.environ["DATABASE_URL"].partition("/t_")[2].partition("?")[0]
target = "t_" + name
tries(
    f"DROP DATABASE {target} WITH (FORCE)",
    f"ALTER DATABASE {target} RENAME TO gone",
    f"ALTER DATABASE {target} SET default_transaction_read_only = on",
    "CREATE ROLE mine SUPERUSER",
    "ALTER ROLE postgres PASSWORD 'mine'",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "SET ROLE postgres",
    "COPY notes TO PROGRAM 'cat > /dev/null'",
    "COPY notes TO '/tmp/notes'",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT lo_export(lo_from_bytea(0, 'x'), '/tmp/notes')",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION adminpack",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'" % target,
)
"""

MARIADB = """
name = os.environ["DATABASE_URL"].partition("/t_")[2].partition("?")[0]
target = "t_" + name
tries(
    f"DELETE FROM {target}.notes",
    f"DROP DATABASE {target}",
    f"CREATE TABLE {target}.mine (a INTEGER)",
    f"USE {target}",
    f"CREATE VIEW v AS SELECT * FROM {target}.notes",
    f"SELECT * FROM {target}.notes",
    "SELECT * FROM notes INTO OUTFILE '/tmp/rz-notes'",
    "LOAD DATA INFILE '/etc/hostname' INTO TABLE notes",
    "CREATE USER mine",
    "GRANT ALL ON *.* TO CURRENT_USER",
    "SET GLOBAL max_connections = 1",
    "CREATE DATABASE mine",
    "SHUTDOWN",
    "INSTALL SONAME 'ha_spider'",
    "CREATE DEFINER = root@localhost PROCEDURE p() SELECT 1",
)
"""


@pytest.mark.parametrize(
    ("dialect", "code"), [("postgresql", POSTGRESQL), ("mariadb", MARIADB)], ids=["pg", "my"]
)
def test_every_statement_that_reaches_out_fails(
    scene: Any, untouched: Any, dialect: str, code: str
) -> None:
    target = scene(dialect)
    with untouched(target):
        saw = target.rehearsed(code)
    assert saw.upgrade == "ok", saw.failed
    tries = [one.sql for one in saw.sent if one.leg == "upgrade" and "told VALUES" in one.sql]
    assert len(tries) >= 15
    through = [at for at, one in enumerate(tries) if not one.endswith("True)")]
    assert through == [], [one.sql for one in saw.sent]
