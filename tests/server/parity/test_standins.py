"""Values like production's: what decides stays, and of everything else only the shape."""

import base64

import pytest

from rulezero_server.parity.standins import Database, dialect_of, stand_ins

CANARY = "canary-5c1e77d0"

SQLITE = Database(dialect="sqlite", path="shadow.sqlite")
POSTGRESQL = Database(dialect="postgresql")

pytestmark = pytest.mark.proves("B10", "B15")


def one(key: str, value: str, database: Database = POSTGRESQL, **public: str) -> str:
    return stand_ins({key: value}, database, public).variables[key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("FEATURE_SEARCH", "true"),
        ("FEATURE_SEARCH", "0"),
        ("WORKERS", "12"),
        ("RATE", "0.25"),
        ("LOG_LEVEL", "INFO"),
        ("ENVIRONMENT", "production"),
        ("FLASK_APP", "notes:create_app"),
        ("PYTHONPATH", "src"),
        ("EMPTY", ""),
        ("API_KEY", "true"),
    ],
)
def test_what_decides_and_is_no_secret_stays(key: str, value: str) -> None:
    assert one(key, value) == value


def test_what_the_example_says_too_is_public_unless_its_key_says_that_it_is_secret() -> None:
    assert one("REGION", "eu-central-1", REGION="eu-central-1") == "eu-central-1"
    assert one("REGION", "eu-central-1", REGION="eu-west-9") != "eu-central-1"
    assert one("SECRET_KEY", "changeme-now", SECRET_KEY="changeme-now") != "changeme-now"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SECRET_KEY", CANARY),
        ("ADMIN_PIN", "493021"),
        ("PASSWORD", "production"),
        ("ANYTHING", CANARY),
        ("ADMIN", f"{CANARY}@corp.example"),
        ("ID", "8d0c2a34-52f1-4a0e-9a51-5f1e8b6f2c11"),
        ("SIGNING", "9f86d081884c7d659a2feaa0c55ad015"),
        ("FERNET", base64.urlsafe_b64encode(bytes(range(32))).decode()),
        ("DATABASE_URL", f"postgresql+psycopg://app:{CANARY}@db.corp/app?sslmode=require"),
        ("REDIS_URL", f"redis://:{CANARY}@cache.corp:6379/3"),
        ("HOOK", f"https://hooks.corp/{CANARY}"),
        ("BROKEN", f"amqp://[{CANARY}"),
        ("POSTGRES_PASSWORD", CANARY),
        ("DB_HOST", "db.corp"),
    ],
)
def test_nothing_of_a_secret_is_left(key: str, value: str) -> None:
    made = stand_ins({key: value}, POSTGRESQL)
    shown = made.variables[key]
    assert shown != value
    assert CANARY not in shown
    assert "corp" not in shown
    assert made.replaced == {key}
    assert CANARY not in repr(made)


def test_a_stand_in_has_the_shape_that_code_may_insist_on() -> None:
    key = base64.urlsafe_b64encode(bytes(range(32))).decode()
    assert len(base64.urlsafe_b64decode(one("FERNET", key))) == 32
    assert len(bytes.fromhex(one("SIGNING", "9f86d081884c7d659a2feaa0c55ad015"))) == 16
    assert one("ID", "8d0c2a34-52f1-4a0e-9a51-5f1e8b6f2c11").count("-") == 4
    assert one("ADMIN_PIN", "493021").isdigit()
    assert "@" in one("ADMIN", "somebody@corp.example")
    assert len(one("SECRET_KEY", "x" * 50)) == 50
    assert one("HOOKS", "https://a.corp/,https://b.corp/").count("127.0.0.1:9") == 2
    assert one("REDIS_URL", "redis://cache:6379/3") == "redis://127.0.0.1:9/3"


@pytest.mark.parametrize(
    ("value", "database", "leads"),
    [
        ("postgresql+psycopg://a:b@c/d", POSTGRESQL, "postgresql+psycopg://stand-in"),
        ("postgres://a:b@c/d", POSTGRESQL, "postgres://stand-in"),
        ("mysql+pymysql://a:b@c/d", POSTGRESQL, "postgresql://stand-in"),
        ("sqlite+aiosqlite:////data/app.db", SQLITE, "sqlite+aiosqlite:///shadow.sqlite"),
        ("postgresql://a:b@c/d", SQLITE, "sqlite:///shadow.sqlite"),
        ("mariadb+pymysql://a:b@c/d", Database(dialect="mysql"), "mariadb+pymysql://stand-in"),
        ("postgresql://a:b@c/d", Database(dialect="mysql"), "mysql+pymysql://stand-in"),
    ],
)
def test_a_database_is_the_shadow(value: str, database: Database, leads: str) -> None:
    assert one("DATABASE_URL", value, database).startswith(leads)


def test_the_parts_of_a_database_address_lead_to_the_shadow_too() -> None:
    said = {
        "POSTGRES_SERVER": "db.corp",
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": "app",
        "POSTGRES_PASSWORD": "x",
        "POSTGRES_DB": "app",
    }
    assert dict(stand_ins(said, POSTGRESQL).variables) == {
        "POSTGRES_SERVER": "127.0.0.1",
        "POSTGRES_PORT": "9",
        "POSTGRES_USER": "stand-in",
        "POSTGRES_PASSWORD": "stand-in",
        "POSTGRES_DB": "stand_in",
    }
    (also,) = POSTGRESQL.also
    assert also == {
        "dialect": "postgresql",
        "hosts": ["localhost"],
        "port": "9",
        "name": "stand_in",
    }
    assert SQLITE.also == []
    assert one("DB_FILE", "data/app.sqlite3", SQLITE) == "shadow.sqlite"


def test_what_the_process_itself_starts_with_is_not_productions() -> None:
    given = {"PATH": "/opt", "HOME": "/srv", "PYTHONSTARTUP": "x.py", "LD_PRELOAD": "x.so"}
    assert dict(stand_ins(given, SQLITE).variables) == {}


def test_dialects_have_several_names() -> None:
    assert [dialect_of(s) for s in ("postgres", "MariaDB+pymysql", "sqlite")] == [
        "postgresql",
        "mysql",
        "sqlite",
    ]
