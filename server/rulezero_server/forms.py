"""The forms a person answers through the client: never empty, never a default, strict booleans."""

from typing import Any

from mcp_types import ElicitResult
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, ValidationError

from rulezero_policies.plan import Plan
from rulezero_policies.policy import CONFIRMATIONS, confirmations
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


class DropForm(ApplyForm):
    """Yes or no to a run that destroys data: the words have to be typed."""

    typed: StrictStr = Field(
        title="Type the words", description="Data is deleted. To go on, type: yes, drop it"
    )


class GenerateForm(Form):
    """Whether a CRITICAL revision may be written."""

    backed_up: StrictBool = Field(
        title="Have you backed up the database?", description="Yes only if a backup exists."
    )
    approve: StrictBool = Field(
        title="Proceed with migration generation?",
        description="Yes writes the file. Applying it is asked separately.",
    )


class GenerateDropForm(GenerateForm):
    """The same for a revision that drops something."""

    no_code_references: StrictBool = Field(
        title="Are you sure no code references what is dropped?",
        description="Yes only if no code still uses it.",
    )


def form_for(plan: Plan) -> type[Form]:
    """The form that asks what this plan needs to be asked."""
    if plan.kind == "generate":
        return GenerateDropForm if "no_code_references" in confirmations(plan) else GenerateForm
    if plan.phrases:
        return DropForm
    return RollbackForm if plan.kind == "downgrade" else ApplyForm


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
    )
