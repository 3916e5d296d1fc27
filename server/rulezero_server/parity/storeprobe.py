"""Stores as the service's own Python has them, and both of them exercised on a shadow."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rulezero_policies.errors import ProjectError
from rulezero_policies.parity.stores import Column, RecordField
from rulezero_policies.parity.storeshape import ClassShape, admits_none
from rulezero_policies.parity.values import StoreRule
from rulezero_policies.rehearsal import NotRehearsed
from rulezero_server import launch
from rulezero_server.parity import trial
from rulezero_server.parity.shadowed import Place
from rulezero_tools.parity.stores import Exercise, Seen

SECONDS = 60.0
"""How long one exercise may take."""


class WorkerStoreProbe:
    """Looks at stores in processes of their own."""

    def __init__(self, place: Place) -> None:
        """Look at those of `place`."""
        self._place = place

    def seen(self, rule: StoreRule) -> Mapping[str, Seen]:
        """The classes and records that a rule names, imported where nothing can be changed."""
        service = self._place.service(rule.service)
        if service is None:
            return {}
        named = (rule.interface, rule.store, rule.fallback)
        classes = list(dict.fromkeys(name for name in named if name))
        records = list(dict.fromkeys(record for record, _ in rule.records))
        args = {"folder": service.folder, "classes": classes, "records": records}
        said = launch.ask(self._place.target(service), "class_shapes", args).result
        return {
            **{name: class_seen(one) for name, one in said["classes"].items()},
            **{name: record_seen(one) for name, one in said["records"].items()},
        }

    def tables(self) -> Mapping[str, tuple[Column, ...]]:
        """The tables of the models that the project migrates."""
        said = launch.ask(self._place.project.target, "mapped").result["tables"]
        return {name: tuple(Column(**one) for one in columns) for name, columns in said.items()}

    def exercise(self, rules: Sequence[StoreRule]) -> Mapping[str, Exercise]:
        """Each exercise in a process of its own; the shadow is emptied before it."""
        place = self._place
        # The rows of the target are no use here: a store in memory begins with none, either.
        wishes = replace(place.wishes, real_rows="never")
        with trial.ahead(place.project, wishes, marked=place.marked, folder=place.folder) as made:
            return {rule.name: self._exercised(rule, made) for rule in rules}

    def _exercised(self, rule: StoreRule, made: trial.Trial | NotRehearsed) -> Exercise:
        service = self._place.service(rule.service)
        if isinstance(made, NotRehearsed) or service is None:
            why = f"{made.reason}. {made.mend}" if isinstance(made, NotRehearsed) else "no service"
            return Exercise(outcome="not exercised", why=why)
        folder = (self._place.top / service.folder).resolve()
        args = {
            "folder": str(folder),
            "exercise": rule.exercise,
            "store": rule.store,
            "fallback": rule.fallback,
            "identity": made.identity,
        }
        try:
            saw = made.ask("exercise", args, seconds=SECONDS)
        except ProjectError as error:
            return Exercise(outcome="not exercised", why=str(error))
        why = None if saw["failed"] is None else _why(saw["failed"])
        return Exercise(outcome=saw["outcome"], differences=tuple(saw["differences"]), why=why)


def class_seen(said: Mapping[str, Any]) -> Seen:
    """A class as the worker described it."""
    if "error" in said:
        return Seen(error=_error(said))
    from pydantic import TypeAdapter  # noqa: PLC0415 - not needed until a store is looked at

    return Seen(shape=TypeAdapter(ClassShape).validate_python(said))


def record_seen(said: Mapping[str, Any]) -> Seen:
    """A record as the worker described it."""
    if "error" in said:
        return Seen(error=_error(said))
    fields = (
        RecordField(
            name=one["name"], optional=admits_none(one["annotation"]), default=one["default"]
        )
        for one in said["fields"]
    )
    return Seen(fields=tuple(fields))


def _error(said: Mapping[str, Any]) -> str:
    return f"{said['error']} ({said['file']}, line {said['line']})"


def _why(failed: Mapping[str, Any]) -> str:
    which = {"both": "both stores", "store": "the store", "fallback": "the fallback"}
    name = which[failed["which"]]
    if failed.get("needs"):
        return f"{name} needs `{failed['needs']}`, which rulezero does not know how to make"
    if not failed["made"]:
        return f"{name} could not be made: {_error(failed)}"
    return f"the exercise failed with {name}: {_error(failed)}"
