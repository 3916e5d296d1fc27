"""A page with a question on it, a browser to look at it, and a key that can lie."""

import hashlib
import json
import os
import shutil
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page, sync_playwright
from webauthn.helpers import encode_cbor

from rulezero_policies.findings import Fact, Finding, Question
from rulezero_policies.grant import Challenge, Level
from rulezero_policies.operations import Column, Operation
from rulezero_policies.picture import LiveTable, draw
from rulezero_policies.plan import DatabaseIdentity, FileHash, Plan, PlannedChange
from rulezero_policies.policy import Policy
from rulezero_policies.rehearsal import Difference, Estimate, Failed, Judged, Lock, Sent
from rulezero_server.approval import ApprovalPage
from rulezero_server.stores import open_store
from rulezero_tools import enrolment
from rulezero_tools.ports import Desk, Store
from rulezero_tools.records import Passkey

ANN = "ann@box"
PIN = "open sesame"


@dataclass
class StoppedClock:
    """Moves only when told to; starts now, so that a browser's own clock fits."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return self.time

    def forward(self, **amount: float) -> None:
        self.time += timedelta(**amount)


class PlainHasher:
    """Implements the port without taking its time."""

    def hash(self, pin: str) -> str:
        return f"plain:{pin}"

    def matches(self, hashed: str, pin: str) -> bool:
        return hashed == f"plain:{pin}"


@dataclass(kw_only=True)
class Counter:
    """A desk with a page, and everything a test asks of both."""

    desk: Desk
    clock: StoppedClock
    page: ApprovalPage
    asked: int = 0

    def ask(self, plan: Plan, *, needs: Level = "secret", **more: Any) -> Challenge:
        """Open a question about `plan`, kept in the store."""
        self.asked += 1
        now = self.clock.now()
        plan = replace(plan, created=now, expires=now + timedelta(hours=1))
        self.desk.store.save_plan(plan, SOURCES)
        given: dict[str, Any] = {
            "nonce": f"nonce-{self.asked}",
            "plan_digest": plan.digest,
            "principal": "ann@box via claude-code (2.1)",
            "person": ANN,
            "channel": "approval page",
            "needs": needs,
            "created": now,
            "expires": now + timedelta(minutes=10),
        }
        return self.desk.store.open_challenge(Challenge(**{**given, **more}))

    def url(self, plan: Plan, **more: Any) -> str:
        """The address of a fresh question about `plan`."""
        return self.page.url(self.ask(plan, **more))

    def answer(self) -> Challenge:
        """The last question as it stands now."""
        found = self.desk.store.challenge(f"nonce-{self.asked}")
        assert found is not None
        return found

    def events(self) -> list[str]:
        """What the audit trail says, event by event."""
        return [entry.event for entry in self.desk.store.entries()]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store(tmp_path: Path, empty_store: bytes) -> Store:
    (tmp_path / "state.db").write_bytes(empty_store)
    return open_store(tmp_path / "state.db")


@pytest.fixture
def desk(store: Store, clock: StoppedClock) -> Desk:
    """Ann's desk; nothing is enrolled."""
    return Desk(store=store, clock=clock, policy=Policy(), person=ANN)


@pytest.fixture
def hasher() -> PlainHasher:
    return PlainHasher()


@pytest.fixture
def bare(desk: Desk, clock: StoppedClock, hasher: PlainHasher) -> Iterator[Counter]:
    """A page where nothing is enrolled."""
    page = ApprovalPage(lambda: desk, hasher)
    yield Counter(desk=desk, clock=clock, page=page)
    page.stop()


@pytest.fixture
def counter(bare: Counter, hasher: PlainHasher) -> Counter:
    """A page where Ann has a PIN."""
    enrolment.enroll_pin(bare.desk, hasher, PIN)
    return bare


@pytest.fixture
def pin() -> str:
    return PIN


SOURCES = {
    "env": b"from alembic import context",
    "notes": b"def upgrade():\r\n\top.drop_column('tasks', 'code')  # \xe2\x80\xae\r\n",
}

SQL = """\
ALTER TABLE tasks DROP COLUMN code;

CREATE TABLE labels (
\tid SERIAL NOT NULL,
\tname VARCHAR(80) NOT NULL,
\tPRIMARY KEY (id)
);

UPDATE alembic_version SET version_num='b2f0c1d4e5a6' WHERE alembic_version.version_num = 'a1c9';
"""

OPERATIONS = (
    Operation(kind="drop_column", table="tasks", column=Column(name="code", type="VARCHAR(20)")),
    Operation(
        kind="add_column",
        table="tasks",
        column=Column(name="notes", type="TEXT", nullable=False, server_default="''"),
    ),
    Operation(
        kind="create_table",
        table="labels",
        columns=(
            Column(name="id", type="SERIAL", nullable=False),
            Column(name="name", type="VARCHAR(80)", nullable=False),
        ),
    ),
)

TASKS = LiveTable(
    table="tasks",
    columns=(
        Column(name="id", type="INTEGER", nullable=False),
        Column(name="title", type="VARCHAR(200)", nullable=False),
        Column(name="code", type="VARCHAR(20)"),
    ),
)

LOST = Finding(
    rule="drop-column",
    severity="CRITICAL",
    subject="tasks.code",
    evidence="1204 values in tasks.code are deleted.",
    outcome="loses_data",
    fix="Stop using the column, deploy, back it up, and drop it in a later revision.",
    line=21,
)


@pytest.fixture
def safe() -> Plan:
    """An upgrade that adds a column."""
    now = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
    return Plan(
        kind="upgrade",
        project="/srv/shop",
        environment="development",
        protected=False,
        database=DatabaseIdentity(
            dialect="postgresql", host="localhost", port=5432, name="shop", server_id="7/16384"
        ),
        from_revisions=("a1c9",),
        to_revision="b2f0c1d4e5a6",
        revisions=("b2f0c1d4e5a6",),
        files=(
            FileHash(path="migrations/env.py", sha256=hashlib.sha256(SOURCES["env"]).hexdigest()),
            FileHash(
                path="migrations/versions/b2f0c1d4e5a6_notes.py",
                sha256=hashlib.sha256(SOURCES["notes"]).hexdigest(),
            ),
        ),
        sql=SQL,
        fingerprint="f" * 64,
        description="add notes and labels",
        path="migrations/versions/b2f0c1d4e5a6_notes.py",
        changes=(
            PlannedChange(subject="tasks.notes", description="add column notes TEXT, NOT NULL"),
            PlannedChange(subject="labels", description="create table with id, name"),
        ),
        findings=(),
        facts=(),
        verdict="SAFE",
        risk="SAFE",
        warnings=(),
        phrases=(),
        rollback_command="flask db downgrade a1c9",
        policy=Policy().digest,
        created=now,
        expires=now + timedelta(hours=1),
        pictures=draw(OPERATIONS[1:], (TASKS,)),
    )


@pytest.fixture
def critical(safe: Plan) -> Plan:
    """An upgrade that drops a column with 1,204 values in it, in production."""
    asked = Question(probe="values", table="tasks", column="code")
    return replace(
        safe,
        environment="production",
        protected=True,
        description="drop the code of tasks; add notes and labels",
        changes=(
            PlannedChange(
                subject="tasks.code", description="drop column code, with any data in it"
            ),
            *safe.changes,
        ),
        findings=(LOST,),
        facts=(Fact(question="non-null values in tasks.code", count=1204, asked=asked),),
        verdict="UNSAFE",
        risk="CRITICAL",
        warnings=(
            (
                "WARNING: Dropping column 'tasks.code' will permanently delete data.\n\n"
                "This cannot be undone after migration is applied."
            ),
        ),
        phrases=("yes, drop it",),
        pictures=draw(OPERATIONS, (TASKS,)),
    )


def sent(leg: Any, sql: str, start: float, seconds: float, **more: Any) -> Sent:
    """A statement of b2f0c1d4e5a6, in one transaction with the rest of its leg."""
    given: dict[str, Any] = {"revision": "b2f0c1d4e5a6", "line": 14, "transaction": 1}
    given.update(more)
    return Sent(leg=leg, sql=sql, start=start, seconds=seconds, **given)


def lock(relation: str, mode: str = "AccessExclusiveLock") -> tuple[Lock, ...]:
    return (Lock(relation=relation, mode=mode),)


@pytest.fixture
def rehearsed() -> Judged:
    """Up and down went through, the way back loses a constraint and values, and not up again."""
    up = (
        sent("upgrade", "ALTER TABLE tasks DROP COLUMN code", 0.0, 0.012, locks=lock("tasks")),
        sent(
            "upgrade",
            "ALTER TABLE tasks ALTER COLUMN id TYPE BIGINT",
            0.015,
            0.412,
            line=15,
            locks=lock("tasks_pkey"),
            rewrites=("tasks",),
            builds=("tasks_pkey",),
        ),
        sent("upgrade", "ALTER TABLE tasks ADD COLUMN notes TEXT", 0.43, 0.003, line=16),
        sent("upgrade", "CREATE TABLE labels (id SERIAL, name TEXT)", 0.435, 0.02, line=17),
        sent(
            "upgrade",
            "CREATE INDEX CONCURRENTLY ix_tasks_title ON tasks (title)",
            0.47,
            0.09,
            line=19,
            transaction=None,
            locks=None,
            builds=("ix_tasks_title",),
        ),
    )
    down = (
        sent("downgrade", "DROP INDEX ix_tasks_title", 0.6, 0.004, line=24, locks=lock("tasks")),
        sent("downgrade", "DROP TABLE labels", 0.605, 0.01, line=25, locks=lock("labels")),
        sent("downgrade", "ALTER TABLE tasks ADD COLUMN code VARCHAR(20)", 0.62, 0.002, line=26),
    )
    again = (
        sent(
            "reupgrade",
            "ALTER TABLE tasks ADD CONSTRAINT uq_title UNIQUE (title)",
            0.7,
            0.05,
            line=14,
            committed=False,
            locks=lock("tasks", "ShareLock"),
        ),
    )
    return Judged(
        where="PostgreSQL 18.1, embedded",
        rows="all 1,204 rows",
        whole=True,
        real=True,
        lacks=("extension postgis: the server does not have it",),
        upgrade="ok",
        downgrade="ok",
        reupgrade="failed",
        schema_restored=False,
        data_restored=False,
        differences=(
            Difference(
                what="missing",
                kind="constraint",
                name="tasks_code_key",
                table="tasks",
                text="unique constraint tasks_code_key on tasks is missing",
            ),
        ),
        lost=("1,204 values of tasks.code: it is dropped, and comes back empty",),
        remaining=("add column labels.colour",),
        not_shown=("Task could not be read in 30 s",),
        failed=(
            Failed(
                leg="reupgrade",
                error="could not create unique index: a key is duplicated",
                kind="UniqueViolation",
                revision="b2f0c1d4e5a6",
                line=14,
                sql="ALTER TABLE tasks ADD CONSTRAINT uq_title UNIQUE (title)",
                table="tasks",
                constraint="uq_title",
                keys=("3", "17"),
            ),
        ),
        estimates=(
            Estimate(
                table="tasks",
                sql=up[1].sql,
                rows=1204,
                target=2_400_000,
                seconds=0.412,
                low=400.0,
                high=1200.0,
                blocks="reads and writes",
            ),
        ),
        timeline=(*up, *down, *again),
        statements=9,
        seconds=1.2,
    )


@pytest.fixture
def generating(critical: Plan) -> Plan:
    """The stop before a CRITICAL revision is written."""
    return replace(
        critical,
        kind="generate",
        to_revision="analysis-1",
        revisions=(),
        path="",
        sql=None,
        environment="development",
        protected=False,
        phrases=(),
        rollback_command="delete the generated file before it is applied",
    )


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    text: str


@pytest.fixture
def http() -> Callable[..., Reply]:
    """`http(url, method=..., headers=..., body=..., address=...)`: a request as it is written."""

    def send(
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: str | None = None,
        address: str = "127.0.0.1",
    ) -> Reply:
        parts = urlsplit(url)
        connection = HTTPConnection(address, parts.port, timeout=20)
        try:
            connection.request(method, parts.path, body, {"Host": parts.netloc, **(headers or {})})
            response = connection.getresponse()
            got = {k.lower(): v for k, v in response.getheaders()}
            return Reply(status=response.status, headers=got, text=response.read().decode())
        finally:
            connection.close()

    return send


@pytest.fixture
def post(http: Callable[..., Reply]) -> Callable[..., Reply]:
    """`post(url, fields, headers=...)`: a form, with the headers that our own page would send."""

    def send(
        url: str,
        fields: dict[str, Any],
        *,
        without: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> Reply:
        parts = urlsplit(url)
        own = {
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
        }
        sent = {**{k: v for k, v in own.items() if k not in without}, **(headers or {})}
        return http(url, method="POST", headers=sent, body=urlencode(fields, doseq=True))

    return send


@pytest.fixture
def ticket(http: Callable[..., Reply]) -> Callable[[str], str]:
    """`ticket(url)`: the one of a fresh rendering of the page."""

    def read(url: str) -> str:
        text = http(url).text
        return text.partition('name="ticket" value="')[2].partition('"')[0]

    return read


@dataclass(kw_only=True)
class SoftKey:
    """An authenticator in a few lines, which says whatever a test wants it to say."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = b"a soft key"
    count: int = 0

    def passkey(self, person: str = ANN) -> Passkey:
        """As it is enrolled."""
        return Passkey(
            id=_text(self.id),
            person=person,
            public_key=_text(self._cose()),
            sign_count=0,
            created=datetime(2026, 1, 1, tzinfo=UTC),
            name="soft",
        )

    def sign(self, text: str, *, origin: str, verified: bool = True, rp: str = "localhost") -> str:
        """An assertion over the hash of `text`, as a browser at `origin` would send it."""
        self.count += 1
        client = self._client("webauthn.get", text, origin)
        data = self._data(rp, verified=verified)
        signed = data + hashlib.sha256(client).digest()
        signature = self.private.sign(signed, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": _text(client),
                "authenticatorData": _text(data),
                "signature": _text(signature),
            }
        )

    def create(self, text: str, *, origin: str, verified: bool = True) -> str:
        """An attestation (of the kind "none"), as a browser at `origin` would send it."""
        data = self._data("localhost", verified=verified, attested=True)
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", text, origin)
        return self._answer(
            {"clientDataJSON": _text(client), "attestationObject": _text(attestation)}
        )

    def _client(self, kind: str, text: str, origin: str) -> bytes:
        challenge = _text(hashlib.sha256(text.encode()).digest())
        said = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, rp: str, *, verified: bool, attested: bool = False) -> bytes:
        flags = 0x01 | (0x04 if verified else 0) | (0x40 if attested else 0)
        head = hashlib.sha256(rp.encode()).digest() + bytes([flags])
        key = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._cose()
        return head + self.count.to_bytes(4, "big") + (key if attested else b"")

    def _cose(self) -> bytes:
        numbers = self.private.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (numbers.x, numbers.y))
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _answer(self, response: dict[str, str]) -> str:
        name = _text(self.id)
        said = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps({**said, "clientExtensionResults": {}})


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def soft_key() -> SoftKey:
    return SoftKey()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine, without a window."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    flags = ["--disable-quic", "--disable-background-networking", "--disable-component-update"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@dataclass(kw_only=True)
class Watched:
    """A tab, and whatever in it was not as it should be."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])
    asked: set[str] = field(default_factory=set[str])


@pytest.fixture
def open_tab(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`open_tab(**context)`: a tab; at the end, its console was quiet and it stayed at home."""
    tabs: list[tuple[Any, Watched]] = []

    def tab(**options: Any) -> Page:
        context = chromium.new_context(**options)
        watched = Watched(page=context.new_page())
        watched.page.on("console", lambda said: watched.complaints.append(said.text))
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on("request", lambda request: watched.asked.add(request.url))
        tabs.append((context, watched))
        return watched.page

    yield tab
    for context, watched in tabs:
        context.close()
        # A form that was refused comes back with a status that the console tells of.
        noise = [c for c in watched.complaints if not ("422" in c or "409" in c)]
        assert noise == []
        homes = {urlsplit(url).hostname for url in watched.asked if not url.startswith("data:")}
        assert homes <= {"localhost"}


@pytest.fixture
def tab(open_tab: Callable[..., Page]) -> Page:
    return open_tab()


@pytest.fixture
def soft_passkey(counter: Counter, soft_key: SoftKey) -> Passkey:
    """The soft key, enrolled beside Ann's PIN."""
    enrolment.enroll_passkey(counter.desk, soft_key.passkey())
    return soft_key.passkey()


@pytest.fixture(autouse=True)
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """`opened()`: the link that the person's browser was given. No test opens a real one."""
    script, link = tmp_path / "browser.py", tmp_path / "link"
    script.write_text(
        f"import pathlib, sys\npathlib.Path({str(link)!r}).write_text(sys.argv[1])\n"
        "print('noise'); print('noise', file=sys.stderr)\n"
    )
    python = Path(sys.executable).as_posix()
    monkeypatch.setenv("BROWSER", f'"{python}" "{script.as_posix()}" %s')
    return link.read_text
