"""The forms a person answers through the client: never empty, never a default, strict booleans."""

from typing import Any, Self

from pydantic import (
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    StrictStr,
    ValidationError,
    model_validator,
)

from rulezero_policies.plan import Plan
from rulezero_policies.policy import Confirmation, confirmations
from rulezero_tools.asking import FormAnswer


class Form(BaseModel):
    """An answer of another form than was asked for is an answer: one that approves nothing."""

    _readable: bool = PrivateAttr(default=True)

    @property
    def readable(self) -> bool:
        """Whether it came back as it was asked for."""
        return self._readable

    @model_validator(mode="wrap")
    @classmethod
    def _or_unreadable(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # Raising would end in the SDK's own words, with no next step and no audit entry.
        try:
            return handler(value)
        except ValidationError:
            broken = cls.model_construct(approve=False)
            broken._readable = False  # noqa: SLF001 - its own class
            return broken


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


def form_for(plan: Plan) -> type[BaseModel]:
    """The form that asks what this plan needs to be asked."""
    if plan.kind == "generate":
        return GenerateDropForm if "no_code_references" in confirmations(plan) else GenerateForm
    if plan.phrases:
        return DropForm
    return RollbackForm if plan.kind == "downgrade" else ApplyForm


def read_form(data: object) -> FormAnswer:
    """A submitted form as the gate takes it; anything that is not one of ours approves nothing."""
    if isinstance(data, Form) and not data.readable:
        return FormAnswer(action="accept", readable=False)
    if isinstance(data, ApplyForm):
        typed = data.typed if isinstance(data, DropForm) else ""
        return FormAnswer(action="accept", approve=data.approve, typed=typed)
    if isinstance(data, GenerateForm):
        ticked: set[Confirmation] = {"backed_up"} if data.backed_up else set()
        if isinstance(data, GenerateDropForm) and data.no_code_references:
            ticked.add("no_code_references")
        return FormAnswer(action="accept", approve=data.approve, ticked=frozenset(ticked))
    return FormAnswer(action="cancel")
