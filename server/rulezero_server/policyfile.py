"""The table [approval], in the user's policy.toml and in a project's settings."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from rulezero_policies.backup import WHEN
from rulezero_policies.findings import Risk
from rulezero_policies.grant import Level
from rulezero_policies.policy import LEVELS, Need, Needs, Policy, need, reaches
from rulezero_server.tomlfile import Reader

LONGEST_MINUTES = 7 * 24 * 60
"""A week: nobody knows for longer what they approved."""

MOST_ATTEMPTS = 20

_Field = Literal["safe", "warning", "critical"]

_MINUTES = {
    "plan_minutes": "plan_seconds",
    "question_minutes": "question_seconds",
    "token_minutes": "grant_seconds",
    "lock_minutes": "lock_seconds",
}
_FLOORS: dict[str, Level] = {"local": "client", "protected": "secret"}
_RISKS: dict[Risk, _Field] = {"SAFE": "safe", "WARNING": "warning", "CRITICAL": "critical"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that an [approval] table says: the field of a policy, and for which risk."""

    key: str
    field: str
    risk: _Field | None = None
    value: int | Need | tuple[str, ...] | str

    def changed(self, policy: Policy) -> Policy:
        """`policy` with what this line says."""
        if self.risk is None:
            return replace(policy, **{self.field: self.value})
        needs: Needs = getattr(policy, self.field)
        return replace(policy, **{self.field: replace(needs, **{self.risk: self.value})})

    def loosens(self, policy: Policy) -> str | None:
        """How this line asks for less than `policy`, in words; None if it does not."""
        if self.field == "protected_environments" or not policy.loosened_by(self.changed(policy)):
            return None
        before = getattr(policy, self.field)
        kept = getattr(before, self.risk) if self.risk else before
        return f"{self.key} = {self._shown(self.value)} (the policy: {self._shown(kept)})"

    def _shown(self, value: Any) -> str:
        if isinstance(value, Need):
            return repr(value.words)
        if isinstance(value, str):
            return repr(value)
        return f"{value / 60:g}" if self.field.endswith("_seconds") else str(value)


def lines(table: Reader) -> tuple[Line, ...]:
    """What an [approval] table says, in a stable order.

    Raises:
        UnreadableConfig: An unknown key, a wrong type, a number out of bounds, or a protected
            environment with less than a secret.
    """
    table.only(*_FLOORS, *_MINUTES, "pin_attempts", "protected_environments")
    return (*_needs(table), *_numbers(table), *_environments(table))


def of_apply(table: Reader) -> tuple[Line, ...]:
    """What an [apply] table says of the policy: before which runs a backup is made.

    Raises:
        UnreadableConfig: It says something else of that.
    """
    said = table.text("backup")
    if said is None:
        return ()
    if said not in WHEN:
        raise table.wrong("backup", f"one of {', '.join(map(repr, WHEN))}")
    return (Line(key=f"{table.where}backup", field="backup", value=said),)


def _numbers(table: Reader) -> Iterator[Line]:
    for key, field in _MINUTES.items():
        called = f"a number of minutes above 0, at most {LONGEST_MINUTES}"
        minutes = table.number(key, called, most=LONGEST_MINUTES)
        if minutes is not None:
            seconds = max(1, round(60 * minutes))
            yield Line(key=table.where + key, field=field, value=seconds)
    called = f"a whole number from 1 to {MOST_ATTEMPTS}"
    attempts = table.number("pin_attempts", called, most=MOST_ATTEMPTS)
    if attempts is not None:
        if not attempts.is_integer():
            raise table.wrong("pin_attempts", called)
        key = f"{table.where}pin_attempts"
        yield Line(key=key, field="pin_attempts", value=int(attempts))


def _environments(table: Reader) -> Iterator[Line]:
    key = "protected_environments"
    names = table.texts(key)
    if names is not None:
        yield Line(key=table.where + key, field=key, value=tuple(sorted(set(names))))


def _needs(table: Reader) -> Iterator[Line]:
    for field, floor in _FLOORS.items():
        said = table.table.get(field)
        if isinstance(said, str):
            said = dict.fromkeys(get_args(Risk), said)
        if said is not None and not isinstance(said, dict):
            raise table.wrong(field, "a level, or a table of levels by risk")
        yield from _by_risk(table.below(field, said or {}), field, floor)


def _by_risk(place: Reader, field: str, floor: Level) -> Iterator[Line]:
    place.only(*_RISKS)
    for name, risk in _RISKS.items():
        if name in place.table:
            value = _need(place, name, floor)
            yield Line(key=place.where + name, field=field, risk=risk, value=value)


def _need(place: Reader, key: str, floor: Level) -> Need:
    always = {level: need(level) for level in LEVELS if reaches(level, floor)}
    once = {f"{level} if enrolled": need(floor, level) for level in LEVELS if level != "client"}
    known: dict[str, Need] = {**always, **once}
    found = known.get(place.text(key) or "")
    if found is None:
        raise place.wrong(key, f"one of {', '.join(map(repr, known))}")
    return found
