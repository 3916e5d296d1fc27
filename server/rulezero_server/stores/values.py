"""Values to text and back: canonical JSON out, validated by their own types on the way in."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from rulezero_policies.errors import StoreFailed
from rulezero_policies.plan import canonical

T = TypeVar("T")


def write(value: object) -> str:
    """The value's canonical JSON: the text its digest is taken of."""
    return canonical(value)


def read(kind: type[T], text: str) -> T:
    """The value that `text` holds.

    Raises:
        StoreFailed: It is none of this kind: altered, or written by another version.
    """
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        reason = f"it holds a {kind.__name__.lower()} that this version cannot read"
        raise StoreFailed(reason=reason) from error


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
