"""The fields of a record, whatever made the class: each with its annotation, and any default."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

Field = dict[str, Any]


def of(cls: Any) -> list[Field]:
    """The fields of a dataclass, or of a class of attrs, pydantic, msgspec or typing.

    Any other class has those that its `__init__` takes.

    Raises:
        TypeError: It has none that can be seen.
    """
    for known, ask in _WAYS:
        if known(cls):
            return list(ask(cls))
    return list(_of_init(cls))


def text(annotation: Any) -> str | None:
    """An annotation as it is written; None where there is none."""
    if annotation is inspect.Parameter.empty:
        return None
    said: Any = getattr(annotation, "__forward_arg__", annotation)
    return said if isinstance(said, str) else inspect.formatannotation(said)


def _field(name: str, annotation: Any, *, default: bool) -> Field:
    return {"name": name, "annotation": text(annotation), "default": default}


def _of_dataclass(cls: Any) -> Iterator[Field]:
    for field in dataclasses.fields(cls):
        no = field.default is field.default_factory is dataclasses.MISSING
        yield _field(field.name, field.type, default=not no)


def _of_pydantic(cls: Any) -> Iterator[Field]:
    for name, field in cls.model_fields.items():
        yield _field(name, field.annotation, default=not field.is_required())


def _of_old_pydantic(cls: Any) -> Iterator[Field]:
    for name, field in cls.__fields__.items():
        said = "Optional[Any]" if field.allow_none else "Value"
        yield _field(name, said, default=not field.required)


def _of_attrs(cls: Any) -> Iterator[Field]:
    nothing: Any = __import__("attr").NOTHING
    for field in cls.__attrs_attrs__:
        yield _field(field.name, field.type, default=field.default is not nothing)


def _of_named_tuple(cls: Any) -> Iterator[Field]:
    for name in cls._fields:
        annotation = getattr(cls, "__annotations__", {}).get(name, inspect.Parameter.empty)
        yield _field(name, annotation, default=name in cls._field_defaults)


def _of_typed_dict(cls: Any) -> Iterator[Field]:
    every: dict[str, Any] = cls.__annotations__
    for name, annotation in every.items():
        yield _field(name, annotation, default=name in cls.__optional_keys__)


def _of_init(cls: Any) -> Iterator[Field]:
    if not isinstance(cls, type) or cls.__init__ is object.__init__:  # type: ignore[misc]
        raise TypeError(cls)
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:  # type: ignore[misc]
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            has = parameter.default is not parameter.empty
            none = has and parameter.default is None
            said = "Any" if none else parameter.annotation
            yield _field(parameter.name, said, default=has)


def _says(name: str) -> Callable[[Any], bool]:
    def has(cls: Any) -> bool:
        return hasattr(cls, name)

    return has


def _is_old_pydantic(cls: Any) -> bool:
    return hasattr(cls, "__fields__") and hasattr(cls, "Config")


_WAYS: tuple[tuple[Any, Any], ...] = (
    (_says("model_fields"), _of_pydantic),
    (_says("__attrs_attrs__"), _of_attrs),
    (dataclasses.is_dataclass, _of_dataclass),
    (_says("_field_defaults"), _of_named_tuple),
    (_says("__optional_keys__"), _of_typed_dict),
    (_is_old_pydantic, _of_old_pydantic),
)
