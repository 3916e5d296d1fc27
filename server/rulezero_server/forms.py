"""The forms a person answers through the client: never empty, never a default, strict booleans."""

from typing import Any

from mcp_types import ElicitResult
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
    create_model,
)

from rulezero_policies import choices
from rulezero_policies.backup import RESTORE_PHRASE
from rulezero_policies.plan import Plan, PlanKind
from rulezero_policies.policy import (
    CONFIRMATIONS,
    DEPLOYED_PHRASE,
    DROP_PHRASE,
    Confirmation,
    confirmations,
)
from rulezero_policies.renames import RenameCandidate
from rulezero_tools.asking import FormAnswer


class Form(BaseModel):
    """Strict: what is nearly an answer is none."""

    model_config = ConfigDict(extra="forbid")


class ApplyForm(Form):
    """Yes or no to a run."""

    approve: StrictBool = Field(title="Apply this migration?", description="Yes applies it, once.")


class RollbackForm(ApplyForm):
    """Yes or no to a rollback."""

    approve: StrictBool = Field(title="Apply this rollback?", description="Yes applies it, once.")


class RestoreForm(ApplyForm):
    """Yes or no to a restore."""

    approve: StrictBool = Field(title="Restore this backup?", description="Yes restores it, once.")


class UndoForm(ApplyForm):
    """Yes or no to undoing what a failed run left."""

    approve: StrictBool = Field(title="Undo this?", description="Yes undoes it, once.")


class DiscardForm(ApplyForm):
    """Yes or no to removing a revision file."""

    approve: StrictBool = Field(
        title="Remove this revision file?", description="Yes removes it; its bytes are kept."
    )


class FilesForm(ApplyForm):
    """Yes or no to writing settings files."""

    approve: StrictBool = Field(
        title="Write these settings files?", description="Yes writes them, once, after a backup."
    )


_PLAIN: dict[PlanKind, type[Form]] = {
    "downgrade": RollbackForm,
    "restore": RestoreForm,
    "undo": UndoForm,
    "discard": DiscardForm,
    "files": FilesForm,
}


class DropForm(ApplyForm):
    """Yes or no to a run that destroys data: the words have to be typed."""

    typed: StrictStr = Field(
        title="Type the words", description="Data is deleted. To go on, type: yes, drop it"
    )


def _typing(plan: Plan) -> type[Form]:
    """The form of a plan for which something has to be typed, with exactly that in it."""
    if plan.phrases == (DROP_PHRASE,):
        return DropForm
    typed = Field(title="Type the words", description=f"{_told(plan.phrases[0])}{plan.phrases[0]}")
    base = _PLAIN.get(plan.kind, ApplyForm)
    fields: dict[str, Any] = {"typed": (StrictStr, typed)}
    return create_model("TypedForm", __base__=base, **fields)


def _told(phrase: str) -> str:
    if phrase.startswith(DEPLOYED_PHRASE):
        return "Only if what is named above is deployed everywhere, type: "
    lost = "Data is deleted. " if phrase.startswith((DROP_PHRASE, RESTORE_PHRASE)) else ""
    return f"{lost}To go on, type: "


class PurgeForm(DropForm):
    """Yes or no to dropping an archive."""

    approve: StrictBool = Field(title="Drop this archive for good?", description="Yes drops it.")


class GenerateForm(Form):
    """Whether a CRITICAL revision may be written; what the plan needs confirmed is added to it."""

    approve: StrictBool = Field(
        title="Proceed with migration generation?",
        description="Yes writes the file. Applying it is asked separately.",
    )


_WHEN: dict[Confirmation, str] = {
    "backed_up": "Yes only if a backup exists.",
    "no_code_references": "Yes only if no code still uses it.",
    "meant_as_drops": "Yes only if the old data is no longer wanted.",
}


def _of_renames(plan: Plan) -> dict[str, Any]:
    """A field for each candidate, answered either way: none has a default."""
    return {
        key: (
            StrictBool,
            Field(title=choices.question(candidate), description=_either(candidate)),
        )
        for key, candidate in choices.keyed(plan.renames).items()
    }


def _either(candidate: RenameCandidate) -> str:
    yes, no = (choices.outcome(candidate, renamed=renamed) for renamed in (True, False))
    return f"Yes: {yes}. No: {no}. {' '.join(choices.reasons(candidate))}"


def _generate_form(plan: Plan) -> type[Form]:
    asked: dict[str, Any] = {
        c: (StrictBool, Field(title=CONFIRMATIONS[c][0], description=_WHEN[c]))
        for c in confirmations(plan)
    }
    fields: dict[str, Any] = {
        **_of_renames(plan),
        **asked,
        "approve": (StrictBool, GenerateForm.model_fields["approve"]),
    }
    return create_model("GenerateForm", __base__=Form, **fields)


def form_for(plan: Plan) -> type[Form]:
    """The form that asks what this plan needs to be asked."""
    if plan.kind == "generate":
        return _generate_form(plan)
    if plan.kind == "purge":
        return PurgeForm
    if plan.phrases:
        return _typing(plan)
    return _PLAIN.get(plan.kind, ApplyForm)


def schema_of(form: type[Form]) -> dict[str, Any]:
    """The form as the protocol asks for it."""
    schema = form.model_json_schema()
    return {key: schema[key] for key in ("type", "properties", "required")}


def read_form(form: type[Form], answer: ElicitResult) -> FormAnswer:
    """What came back, as the gate takes it; what does not fit the form approves nothing."""
    if answer.action != "accept":
        return FormAnswer(action=answer.action)
    try:
        filled = form.model_validate(answer.content)
    except ValidationError:
        return FormAnswer(action="accept", readable=False)
    given = filled.model_dump()
    return FormAnswer(
        action="accept",
        approve=given["approve"],
        typed=given.get("typed", ""),
        ticked=frozenset(c for c in CONFIRMATIONS if given.get(c)),
        decided={name: said for name, said in given.items() if name.startswith(choices.KEY)},
    )
