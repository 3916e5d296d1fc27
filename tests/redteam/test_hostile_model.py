"""A model that calls any tool, in any order, with anything it has seen or can make up.

A state machine drives the real server with the real gate and the real store. It edits files, moves
the clock, writes to the database, answers as a person and as a host that lies, and restarts the
server. Whatever it does, a write needs a yes that a person's channel gave to exactly that plan.
"""

import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from mcp import Client, ClientSession
from mcp.server.mcpserver import MCPServer
from mcp.types import ElicitRequestURLParams, ElicitResult, Implementation
from sqlalchemy import URL, Engine, QueuePool, create_engine

from rulezero_policies import decision
from rulezero_policies.errors import RulezeroError, UnknownEnvironment
from rulezero_policies.grant import Level, token_hash
from rulezero_policies.plan import Plan
from rulezero_policies.policy import Policy, confirmations, reaches, to_type
from rulezero_server import confirming
from rulezero_server.app import App
from rulezero_server.server import make_server
from rulezero_server.stores import engine, open_store
from rulezero_tools import answering, enrolment, gate

pytestmark = [
    pytest.mark.attack(
        stopped_by="every write needs a grant for that plan and database, unspent, that a person's "
        "channel gave",
        level="client",
    ),
    pytest.mark.proves("A01", "A02", "C02", "C03", "D11"),
]

STEPS = int(os.environ.get("HOSTILE_STEPS", "1000"))
"""How many steps are played in all; `make attack` plays a hundred thousand."""

PARTS = max(1, STEPS // 12_500)
"""Played one by one, each with a seed of its own: several processors have something to do."""

STEPS_A_GAME = 50
PERSON = "ann@desk"
ENVIRONMENTS = ("development", "production", None, "staging")

OPENED: list[Engine] = []
"""The engines of the game's stores, to be closed with it."""

newest = st.integers(0, 3)
"""How far back something is taken from: the newest are the most promising."""

MADE_UP = ("", "yes", "rz1_" + "ab" * 32, "plan-" + "0" * 20, "../../etc", "r2", "\ud800")


@dataclass(frozen=True, kw_only=True)
class Yes:
    """That a person's channel said yes: to which plan, and how well that was shown."""

    plan_digest: str
    level: Level


@dataclass(frozen=True, kw_only=True)
class Issue:
    """A token that was handed out for a yes."""

    plan_digest: str
    principal: str
    level: Level
    at: datetime


class Book:
    """What may be written, by what was said; and everything that should not have happened."""

    def __init__(self) -> None:
        self.open: list[Yes] = []
        self.issued: dict[str, Issue] = {}
        self.used: set[str] = set()
        self.wrong: list[str] = []
        self.writes = 0

    def check(self, *, what: str, holds: bool) -> None:
        if not holds:
            self.wrong.append(what)

    def handed_out(self, token: str, issue: Issue) -> None:
        said = Yes(plan_digest=issue.plan_digest, level=issue.level)
        self.check(what="a token that nobody's yes stands behind", holds=said in self.open)
        if said in self.open:
            self.open.remove(said)
        self.issued[token_hash(token)] = issue

    def takes(self, hashed: str, plan: Plan, principal: str, now: datetime) -> None:
        """A token is used: for its plan, by who asked, in its time, once."""
        issue = self.issued.get(hashed)
        self.check(what="a token that was never handed out", holds=issue is not None)
        self.check(what="a token used twice", holds=hashed not in self.used)
        self.used.add(hashed)
        if issue is not None:
            self.check(what="another plan's token", holds=issue.plan_digest == plan.digest)
            self.check(what="another client's token", holds=issue.principal == principal)
            late = not issue.at <= now < issue.at + timedelta(seconds=600)
            self.check(what="an expired token", holds=not late and now < plan.expires)


@dataclass(kw_only=True)
class Spy:
    """The runner of the played project, which looks twice before it writes."""

    game: "HostileModel"
    project: Any
    inner: Any

    def run(self, permit: Any, plan: Plan, files: Mapping[str, bytes]) -> Any:
        book, game, project = self.game.book, self.game, self.project
        now = game.clock.now()
        book.takes(permit.token_hash, plan, game.principal, now)
        book.check(what="a permit for another plan", holds=permit.plan_digest == plan.digest)
        seen = project.describe().database
        book.check(what="another database", holds=seen.identity == plan.database)
        book.check(what="another revision", holds=seen.current == plan.from_revisions)
        book.check(what="another schema", holds=seen.fingerprint == plan.fingerprint)
        hashes = {f.path: f.sha256 for f in plan.files}
        given = {path: sha256(data).hexdigest() for path, data in files.items()}
        book.check(what="other bytes", holds=given == hashes)
        self._level(permit.token_hash, plan)
        book.writes += 1
        return self.inner.run(permit, plan, files)

    def _level(self, hashed: str, plan: Plan) -> None:
        game, project = self.game, self.project
        guarded = project.protected or project.host is not None
        needed = game.policy.needed(
            replace(plan, protected=guarded), "secret" if game.enrolled else None
        )
        issue = game.book.issued.get(hashed)
        enough = issue is not None and reaches(issue.level, needed)
        game.book.check(what=f"a yes of too low a level for {needed}", holds=enough)


class PlayedApp(App):
    """The composition root, with everything but the gate and the store played."""

    def __init__(self) -> None:
        super().__init__(Path())
        self.game: HostileModel

    def begin(self, game: "HostileModel") -> None:
        """Serve another game, as a server that was just started."""
        self.game, self._store = game, open_store(game.state)

    @property
    def wait_seconds(self) -> float:
        return 0.0

    def session(self, environment: str | None, *, client: str, database: str | None = None) -> Any:
        del database
        project = self.game.projects.get(environment or "development")
        if project is None:
            raise UnknownEnvironment(environment=environment, known="development, production")
        return self.game.session(project, self.store, principal=f"{PERSON} via {client}")

    def runner(self, session: Any) -> Any:
        inner = self.game.parts.SpyRunner(project=session.project, runs=[])
        return Spy(game=self.game, project=session.project, inner=inner)

    async def host_answers(self, context: Any, params: Any) -> ElicitResult:
        """Ask the host of the game that is being played."""
        del context
        return self.game.host_answers(params)

    def interpreter(self, session: Any) -> str:
        del session
        return "played"

    def page_url(self, challenge: Any) -> str:
        return f"http://127.0.0.1:1/{challenge.nonce}"

    def open_page(self, challenge: Any) -> bool:
        del challenge
        return False


class HostileModel(RuleBasedStateMachine):
    """One game: two clients at two servers on one store, two environments, one person."""

    parts: Any
    root: Path
    empty: bytes
    portal: BlockingPortal
    apps: list[tuple[PlayedApp, MCPServer]]
    servers: ExitStack
    clients: dict[str, Client]
    numbers = count()
    written = 0
    steps = 0
    calls = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = self.root / f"game-{next(self.numbers)}"
        self.folder.mkdir()
        self.state = self.folder / "state.db"
        self.state.write_bytes(self.empty)
        self.clock, self.chance = self.parts.StoppedClock(), self.parts.CountingChance()
        self.policy, self.book, self.enrolled = Policy(), Book(), False
        self.projects = {
            "development": self._project("development", protected=False),
            "production": self._project("production", protected=True),
        }
        self.store = open_store(self.state)
        self.plans: list[str] = ["plan-" + "0" * 20]
        self.tokens: list[str] = ["rz1_" + "cd" * 32]
        self.analyses: list[str] = ["analysis-" + "0" * 20]
        self.answer, self.principal = "yes", ""

    def _project(self, name: str, *, protected: bool) -> Any:
        target = self.parts.Target(":memory:")
        return self.parts.PlayedProject(
            database=target, environment=name, protected=protected, server_id=name
        )

    def session(self, project: Any, store: Any, *, principal: str) -> Any:
        return self.parts.Session(
            project=project,
            store=store,
            clock=self.clock,
            chance=self.chance,
            policy=self.policy,
            person=PERSON,
            principal=principal,
        )

    @property
    def mine(self) -> Any:
        """The person's own desk."""
        return self.session(self.projects["development"], self.store, principal=PERSON).desk

    @initialize()
    def start(self) -> None:
        """Two servers, in both eras of the protocol, with a client each."""
        for app, _ in self.apps:
            app.begin(self)

    @classmethod
    def connect(cls) -> None:
        """A client for each server."""
        cls.clients = {}
        for (app, server), name, mode in zip(
            cls.apps, ("test", "other"), ("legacy", "auto"), strict=True
        ):
            client = Client(
                server,
                mode=mode,
                client_info=Implementation(name=name, version="1"),
                elicitation_callback=app.host_answers,
            )
            context = cls.portal.wrap_async_context_manager(client)
            cls.clients[name] = cls.servers.enter_context(context)

    def teardown(self) -> None:
        while OPENED:
            OPENED.pop().dispose()
        for project in self.projects.values():
            project.database.close()
        type(self).written += self.book.writes
        kept = self.state.read_bytes()
        for token in self.tokens[1:]:
            assert token.encode() not in kept, "a token stands in the store"
        shutil.rmtree(self.folder, ignore_errors=True)

    def host_answers(self, params: Any) -> ElicitResult:
        """Whatever the host makes of a form; only a whole yes is one."""
        if isinstance(params, ElicitRequestURLParams):
            return ElicitResult(action="accept" if self.answer == "yes" else "decline")
        nonce = params.message.rpartition("(Question ")[2].partition(",")[0]
        challenge = self.store.challenge(nonce)
        fields = params.requested_schema["properties"]
        full: dict[str, Any] = {
            name: True if spec["type"] == "boolean" else "yes, drop it"
            for name, spec in fields.items()
        }
        if self.answer == "yes":
            assert challenge is not None
            self.book.open.append(Yes(plan_digest=challenge.plan_digest, level="client"))
            return ElicitResult(action="accept", content=full)
        content: dict[str, Any] = {
            "half": {"approve": True},
            "coerced": dict.fromkeys(full, "yes"),
        }
        if self.answer in content and (self.answer != "half" or len(full) > 1):
            return ElicitResult(action="accept", content=content[self.answer])
        return ElicitResult(action="decline" if self.answer == "no" else "cancel")

    def call(self, who: str, tool: str, **arguments: Any) -> dict[str, Any]:
        """A tool's answer, empty when it refused; no answer but `confirm`'s holds a token."""
        self.principal = f"{PERSON} via {who}"
        given = {k: v for k, v in arguments.items() if v is not None}
        type(self).calls += 1
        result = self.portal.call(self.clients[who].call_tool, tool, given)
        text = str(result.structured_content) + str(result.content)
        told = [t for t in self.tokens[1:] if t in text and t not in arguments.values()]
        self.book.check(what=f"{tool} tells a token", holds=not told)
        return {} if result.is_error else result.structured_content or {}

    who = st.sampled_from(["test", "test", "test", "other"])
    where = st.sampled_from(["development"] * 3 + ["production", "production", None, "staging"])
    made_up = st.sampled_from(MADE_UP) | st.text(max_size=8)

    def seen(self, among: list[str], back: int, invented: str | None) -> str:
        return invented if invented is not None else among[-1 - back % len(among)]

    @rule(who=who, where=where, tool=st.sampled_from(["status", "history"]))
    def looks(self, who: str, where: str | None, tool: str) -> None:
        self.call(who, tool, environment=where)

    @rule(who=who, where=where, drops=st.booleans())
    def analyzes(self, who: str, where: str | None, *, drops: bool) -> None:
        for project in self.projects.values():
            project.wanted = (self.parts.DROP if drops else self.parts.NOTES,)
        found = self.call(who, "analyze", environment=where)
        if "analysis_id" in found:
            self.analyses.append(found["analysis_id"])

    @rule(who=who, where=where, back=newest, token=st.none() | newest)
    def generates(self, who: str, where: str | None, back: int, token: int | None) -> None:
        given = None if token is None else self.seen(self.tokens, token, None)
        analysis = self.seen(self.analyses, back, None)
        made = self.call(
            who, "generate", environment=where, analysis_id=analysis, message="m", token=given
        )
        if made.get("status") == "needs_confirmation":
            self.plans.append(made["plan_id"])
        elif made and given is not None and self.store.analysis(analysis).risk == "CRITICAL":  # type: ignore[union-attr]
            issue = self.book.issued.get(token_hash(given))
            plan = issue and self.store.plan(f"plan-{issue.plan_digest[:20]}")
            self.book.check(what="a file that nobody agreed to", holds=bool(plan))
            if plan:
                hashed, now = token_hash(given), self.clock.now()
                self.book.takes(hashed, plan, self.principal, now)

    @rule(who=who, where=where, writes=st.booleans())
    def reviews(self, who: str, where: str | None, *, writes: bool) -> None:
        project = self.projects.get(where or "development")
        if writes and project is not None:
            project.generate("one more")
        found = self.call(who, "review", environment=where)
        if found.get("plan_id"):
            self.plans.append(found["plan_id"])

    @rule(who=who, where=where, to=st.sampled_from([None, "base", "r1", "nowhere"]))
    def plans_a_rollback(self, who: str, where: str | None, to: str | None) -> None:
        found = self.call(who, "rollback", environment=where, revision=to)
        if found:
            self.plans.append(found["plan_id"])

    @rule(
        who=who,
        where=where,
        back=newest,
        invented=st.none() | made_up,
        answer=st.sampled_from(["yes"] * 5 + ["no", "cancel", "half", "coerced"]),
    )
    def confirms(
        self, who: str, where: str | None, back: int, invented: str | None, answer: str
    ) -> None:
        self._confirm(who, where, self.seen(self.plans, back, invented), answer)

    def _confirm(self, who: str, where: str | None, plan_id: str, answer: str) -> None:
        self.answer, before = answer, len(self.book.open)
        given = self.call(who, "confirm", environment=where, plan_id=plan_id)
        if not given.get("token"):
            del self.book.open[before:]  # said yes, and it was not taken for one
            return
        plan = self.store.plan(plan_id)
        assert plan is not None
        grant = self.store.grant(token_hash(given["token"]))
        level = grant.level if grant else "client"
        issue = Issue(
            plan_digest=plan.digest, principal=self.principal, level=level, at=self.clock.now()
        )
        self.book.handed_out(given["token"], issue)
        self.tokens.append(given["token"])

    @rule(
        who=who,
        where=where,
        plan=newest,
        token=newest,
        invented=st.none() | st.none() | made_up,
    )
    def applies(
        self, who: str, where: str | None, plan: int, token: int, invented: str | None
    ) -> None:
        self.call(
            who,
            "apply",
            environment=where,
            plan_id=self.seen(self.plans, plan, None),
            token=self.seen(self.tokens, token, invented),
        )

    @rule(
        who=who,
        where=st.sampled_from(["development", "development", "production"]),
        drops=st.booleans(),
        meanwhile=st.sampled_from(
            [
                "nothing",
                "nothing",
                "thief",
                "time",
                "file",
                "rows",
                "revision",
                "host",
                "pin",
                "pin",
            ]
        ),
    )
    def goes_the_whole_way(self, who: str, where: str, *, drops: bool, meanwhile: str) -> None:
        """What an assistant does all day; nothing would be proven if nothing were ever applied."""
        self.projects[where].wanted = (self.parts.DROP if drops else self.parts.NOTES,)
        self.reviews(who, where, writes=True)
        for _ in range(2):
            self._confirm(who, where, self.plans[-1], "yes")
            self.answers(right=True, words=True, yes=True)
        self._meanwhile(meanwhile, where)
        by = who if meanwhile != "thief" else "other" if who == "test" else "test"
        self.call(by, "apply", environment=where, plan_id=self.plans[-1], token=self.tokens[-1])

    @rule(drops=st.booleans(), pin=st.booleans())
    def an_honest_day(self, *, drops: bool, pin: bool) -> None:
        meanwhile = "pin" if pin else "nothing"
        self.goes_the_whole_way("test", "development", drops=drops, meanwhile=meanwhile)

    def _meanwhile(self, what: str, where: str) -> None:
        """Between the yes and the run."""
        if what == "time":
            self.moves_the_clock(600)
        elif what == "file":
            self.edits_a_file(where, 1)
        elif what in {"rows", "revision"}:
            table = "DELETE FROM tasks" if what == "rows" else "DELETE FROM alembic_version"
            self.writes_behind_its_back(where, table)
        elif what == "pin":
            self.enrolls()
        elif what == "host":
            self.changes_the_configuration("host")

    @rule(who=who, where=where, back=newest, section=st.sampled_from(["summary", "run", "files"]))
    def reads_a_plan(self, who: str, where: str | None, back: int, section: str) -> None:
        plan_id = self.seen(self.plans, back, None)
        self.call(who, "get_plan", environment=where, plan_id=plan_id, section=section)

    @rule(right=st.booleans(), words=st.booleans(), yes=st.booleans())
    def answers(self, *, right: bool, words: bool, yes: bool) -> None:
        """The person answers what waits, on the page: with the PIN or a guess."""
        desk = self.mine
        for asked in answering.waiting(desk)[:1]:
            if not yes:
                answering.decline(desk, asked, channel="approval page")
                return
            wanted = to_type(asked.plan) or ""
            with suppress(RulezeroError):
                proof = enrolment.prove_by_pin(
                    desk,
                    self.parts.PlainHasher(),
                    asked.challenge,
                    self.parts.PIN if right else "a guess",
                    channel="approval page",
                )
                ticked = frozenset(confirmations(asked.plan)) if words else frozenset[Any]()
                answering.approve(
                    desk, asked, proof, typed=wanted if words else "yes", ticked=ticked
                )
                self._said_yes(asked, right=right, words=words)

    def _said_yes(self, asked: Any, *, right: bool, words: bool) -> None:
        whole = words or not (to_type(asked.plan) or confirmations(asked.plan))
        self.book.check(what="a yes without the PIN or the words", holds=right and whole)
        if right and whole:
            self.book.open.append(Yes(plan_digest=asked.challenge.plan_digest, level="secret"))

    @rule(likely=st.integers(0, 9))
    def enrolls(self, likely: int = 0) -> None:
        if not self.enrolled and likely == 0:
            enrolment.enroll_pin(self.mine, self.parts.PlainHasher(), self.parts.PIN)
            self.enrolled = True

    @rule(where=st.sampled_from(["development", "production"]), what=st.integers(0, 4))
    def edits_a_file(self, where: str, what: int) -> None:
        files, path = self.projects[where].contents, sorted(self.projects[where].contents)[-1]
        if what == 0:
            files[path] = b"DROP TABLE tasks"
        elif what == 1:
            files["migrations/env.py"] += b"#"
        elif what == 2:
            files[f"migrations/versions/x{len(files)}.py"] = b"-- new"
        elif what == 3 and path.startswith("migrations/versions/x"):
            del files[path]
        else:
            files["migrations/env.py"] = b"env"

    @rule(seconds=st.sampled_from([1, 1, 1, 60, 599, 600, 3599, 3600, -1, -300]))
    def moves_the_clock(self, seconds: int) -> None:
        self.clock.forward(seconds=seconds)

    @rule(
        where=st.sampled_from(["development", "production"]),
        statement=st.sampled_from(
            [
                "INSERT INTO tasks (id) VALUES (NULL)",
                "DELETE FROM tasks",
                "CREATE TABLE IF NOT EXISTS other (id INTEGER)",
                "DROP TABLE IF EXISTS other",
                "UPDATE alembic_version SET version_num = 'r1'",
                "ALTER TABLE tasks DROP COLUMN notes",
            ]
        ),
    )
    def writes_behind_its_back(self, where: str, statement: str) -> None:
        with suppress(Exception):
            self.projects[where].database.connection.execute(statement)

    @rule(what=st.sampled_from(["host", "mark", "server", "policy"]))
    def changes_the_configuration(self, what: str) -> None:
        project = self.projects["development"]
        if what == "host":
            project.host = "db.example.com" if project.host is None else None
        elif what == "mark":
            project.protected = not project.protected
        elif what == "server":
            project.server_id = "elsewhere" if project.server_id != "elsewhere" else "development"
        else:
            self.policy = Policy(plan_seconds=1800 if self.policy.plan_seconds == 3600 else 3600)

    @rule(what=st.sampled_from(["spent = NULL", "answer = 'approved', level = 'passkey'"]))
    def edits_the_store(self, what: str) -> None:
        table = "grants" if what.startswith("spent") else "challenges"
        connection = self.parts.sqlite3.connect(self.state)
        with connection:
            connection.execute(f"UPDATE rulezero_{table} SET {what}")
        connection.close()

    @rule()
    def restarts_the_servers(self) -> None:
        type(self).servers.close()
        for app, _ in self.apps:
            app.begin(self)
        type(self).connect()

    @invariant()
    def nothing_was_written_that_nobody_approved(self) -> None:
        type(self).steps += 1
        assert self.book.wrong == []


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Power cuts and races are proven elsewhere; here disk and threads would only take time."""

    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    def pooled(url: URL, **options: Any) -> Engine:
        made = create_engine(url, **{**options, "poolclass": QueuePool})
        OPENED.append(made)
        return made

    async def at_once(call: Any, *args: Any, **options: Any) -> Any:
        del options
        return call(*args)

    async def trusting(*_: Any, **__: Any) -> None:
        """The client's own checking of results takes longer than the server's making them."""

    monkeypatch.setattr(ClientSession, "validate_tool_result", trusting)
    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)
    monkeypatch.setattr(confirming, "run_sync", at_once)
    monkeypatch.setattr(engine, "_prepare_sqlite", prepare)
    monkeypatch.setattr(engine, "create_engine", pooled)


@contextmanager
def playing(parts: Any, root: Path, empty: bytes) -> Generator[type[HostileModel]]:
    """The machine, with an event loop of its own."""
    with start_blocking_portal() as portal:

        class Playing(HostileModel):
            pass

        Playing.parts, Playing.root, Playing.empty, Playing.portal = parts, root, empty, portal
        Playing.numbers, Playing.written, Playing.steps = count(), 0, 0
        apps = [PlayedApp(), PlayedApp()]
        Playing.apps = [(app, make_server(app)) for app in apps]
        with ExitStack() as Playing.servers:
            Playing.connect()
            yield Playing


def play(machine: type[HostileModel], steps: int, *, start: int = 0) -> None:
    run_state_machine_as_test(
        seed(start)(machine),
        settings=settings(
            max_examples=max(1, steps // (STEPS_A_GAME - 10)),
            stateful_step_count=STEPS_A_GAME,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_written_that_nobody_approved(
    part: int, parts: Any, tmp_path: Path, empty_store: bytes, record_property: Any
) -> None:
    with playing(parts, tmp_path, empty_store) as machine:
        play(machine, STEPS // PARTS, start=part)
    record_property("looked", machine.written)
    assert machine.steps >= STEPS // PARTS
    assert machine.written > STEPS / PARTS / 200, (
        "too little was applied for this to prove anything"
    )


def ignores_the_caller(plan: Any, grant: Any, *, principal: str, **rest: Any) -> None:
    del principal
    REDEEM(plan, grant, principal=grant.principal, **rest)


def ignores_the_plan(plan: Any, grant: Any, **rest: Any) -> None:
    own = replace(grant, plan_digest=plan.digest, database=plan.database.label)
    REDEEM(plan, own, **rest)


def ignores_the_level(plan: Any, grant: Any, *, enrolled: Any, **rest: Any) -> None:
    del enrolled
    REDEEM(plan, replace(grant, level="passkey"), enrolled=None, **rest)


def ignores_the_time(plan: Any, grant: Any, *, now: Any, **rest: Any) -> None:
    del now
    REDEEM(plan, grant, now=grant.created, **rest)


def ignores_what_stands_there(plan: Any, seen: Any) -> None:
    del plan, seen


REDEEM = decision.redeem


@pytest.mark.parametrize(
    ("check", "blind"),
    [
        ("redeem", ignores_the_caller),
        ("redeem", ignores_the_level),
        ("redeem", ignores_the_time),
        ("still_fits", ignores_what_stands_there),
    ],
    ids=lambda what: getattr(what, "__name__", what),
)
def test_the_machine_notices_a_gate_that(
    parts: Any,
    tmp_path: Path,
    empty_store: bytes,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Any,
    check: str,
    blind: Any,
) -> None:
    """Without one of its checks the gate is found out."""
    record_property("looked", 1)
    monkeypatch.setattr(gate.decision, check, blind)
    with playing(parts, tmp_path, empty_store) as machine, pytest.raises(AssertionError):
        play(machine, 2000)
