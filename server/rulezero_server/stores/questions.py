"""The store's part about questions and what a yes to them gives."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, select, true, update

from rulezero_policies.grant import Answer, Challenge, Channel, Grant, Level
from rulezero_server.stores import values
from rulezero_server.stores.base import Base
from rulezero_server.stores.engine import reading, writing
from rulezero_server.stores.tables import challenges, grants

_LATER = ("shown", "answer", "level", "approver", "through", "claimed", "chosen")
"""What becomes of a question after it was asked: columns, laid over the value as it was asked."""

_AS_ASKED = {f.name: f.default for f in fields(Challenge) if f.name in _LATER}


class Questions(Base):
    """Questions, each answered at most once and claimed at most once; grants, spent once."""

    def open_challenge(self, challenge: Challenge) -> Challenge:
        """Keep `challenge`, or return the unanswered, unexpired one of this plan and principal.

        One that is asked another way, or needs another level, is another question: what a person
        enrolled, or what their client can show, changed since.
        """
        with writing(self._ready, alone_in=challenges) as connection:
            kept = _open(connection, challenge)
            if kept is None:
                connection.execute(challenges.insert().values(_row(challenge)))
        return kept or challenge

    def challenge(self, nonce: str) -> Challenge | None:
        """A question by its nonce."""
        with reading(self._ready) as connection:
            return _first(connection, _asked(challenges.c.nonce == nonce))

    def last_challenge(self, plan_digest: str, principal: str) -> Challenge | None:
        """The newest question about a plan that this principal had asked."""
        mine = _asked(_of(plan_digest, principal)).order_by(challenges.c.number.desc())
        with reading(self._ready) as connection:
            return _first(connection, mine)

    def waiting(self, person: str, now: datetime) -> tuple[Challenge, ...]:
        """The unanswered, unexpired questions of the channel "approval page", oldest first."""
        query = _asked(
            challenges.c.person == person,
            challenges.c.channel == "approval page",
            challenges.c.answer.is_(None),
            challenges.c.expires > now,
        )
        with reading(self._ready) as connection:
            rows = connection.execute(query.order_by(challenges.c.number))
            return tuple(_read(row) for row in rows.mappings())

    def show_challenge(self, nonce: str, at: datetime) -> None:
        """Record that a person's page or terminal showed it; the first time counts."""
        self._change(nonce, challenges.c.shown.is_(None), shown=at)

    def answer_challenge(
        self,
        nonce: str,
        answer: Answer,
        *,
        level: Level | None = None,
        approver: str | None = None,
        through: Channel | None = None,
        chosen: Sequence[str] = (),
    ) -> bool:
        """Record the answer, once: False when it was answered already or is not known."""
        said = {"answer": answer, "level": level, "approver": approver, "through": through}
        kept = values.write(tuple(chosen))
        return self._change(nonce, challenges.c.answer.is_(None), **said, chosen=kept)

    def claim_challenge(self, nonce: str) -> bool:
        """Take the answer of an answered question, once, atomically: False for everybody later."""
        answered = challenges.c.answer.is_not(None) & challenges.c.claimed.is_(other=False)
        return self._change(nonce, answered, claimed=True)

    def _change(self, nonce: str, only_if: ColumnElement[bool], **to: object) -> bool:
        """One statement, so that of several at the same time one wins."""
        mine = (challenges.c.nonce == nonce) & only_if
        with writing(self._ready) as connection:
            return connection.execute(update(challenges).where(mine).values(to)).rowcount == 1

    def save_grant(self, grant: Grant) -> None:
        """Keep a grant (its hash, never the token). One that is kept is never replaced."""
        row = {
            "token_hash": grant.token_hash,
            "spent": grant.spent,
            "value": values.write(replace(grant, spent=None)),
        }
        with writing(self._ready) as connection:
            connection.execute(grants.insert().values(row))

    def grant(self, token_hash: str) -> Grant | None:
        """A grant by its token's hash."""
        query = select(grants.c.value, grants.c.spent).where(grants.c.token_hash == token_hash)
        with reading(self._ready) as connection:
            row = connection.execute(query).first()
        return None if row is None else replace(values.read(Grant, row.value), spent=row.spent)

    def spend(self, token_hash: str, at: datetime) -> bool:
        """Spend the grant in one atomic, durable statement: False when it was spent before."""
        unspent = (grants.c.token_hash == token_hash) & grants.c.spent.is_(None)
        with writing(self._ready) as connection:
            return connection.execute(update(grants).where(unspent).values(spent=at)).rowcount == 1


def _row(challenge: Challenge) -> dict[str, object]:
    found_by = ("nonce", "plan_digest", "principal", "person", "channel", "needs", "expires")
    row = {name: getattr(challenge, name) for name in (*found_by, *_LATER)}
    asked = values.write(replace(challenge, **_AS_ASKED))
    return {**row, "chosen": values.write(challenge.chosen), "value": asked}


def _asked(*conditions: ColumnElement[bool]) -> Select[tuple[str]]:
    later = (challenges.c[name] for name in _LATER)
    return select(challenges.c.value, *later).where(true(), *conditions)


def _of(plan_digest: str, principal: str) -> ColumnElement[bool]:
    return (challenges.c.plan_digest == plan_digest) & (challenges.c.principal == principal)


def _open(connection: Connection, challenge: Challenge) -> Challenge | None:
    query = _asked(
        _of(challenge.plan_digest, challenge.principal),
        challenges.c.answer.is_(None),
        challenges.c.expires > challenge.created,
        challenges.c.channel == challenge.channel,
        challenges.c.needs == challenge.needs,
    )
    return _first(connection, query)


def _first(connection: Connection, query: Select[tuple[str]]) -> Challenge | None:
    row = connection.execute(query.limit(1)).mappings().first()
    return None if row is None else _read(row)


def _read(row: RowMapping) -> Challenge:
    chosen = values.read(tuple[str, ...], row["chosen"])
    later = {**{name: row[name] for name in _LATER}, "chosen": chosen}
    return replace(values.read(Challenge, row["value"]), **later)
