"""Reads records stored as JSON by an older or a newer version of this service.

Ignores fields that this version does not know. Missing fields get their defaults.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.errors import ServiceError

T = TypeVar("T")


class UnreadableError(ServiceError):
    """This version can't read a stored value. The text is a code, and quotes no value."""


def read_record(record: type[T], stored: Any) -> T:
    """The dataclass from its fields. Raises UnreadableError."""
    if not isinstance(stored, Mapping):
        raise UnreadableError(record.__name__.upper())
    known = {
        name: _read(hint, stored[name], name)
        for name, hint in _types(record).items()  # type: ignore[arg-type]
        if name in stored
    }
    try:
        return record(**known)
    except TypeError:  # a field without default is missing
        raise UnreadableError(record.__name__.upper()) from None


def read_json(record: type[T], text: str) -> T:
    """The dataclass from a JSON object. Raises UnreadableError."""
    try:
        return read_record(record, json.loads(text))
    except ValueError:
        raise UnreadableError(record.__name__.upper()) from None


@cache
def _types(record: type[Any]) -> dict[str, Any]:
    """The type of each field."""
    hints = get_type_hints(record)
    return {field.name: hints[field.name] for field in fields(record)}


def _read(hint: Any, value: Any, name: str) -> Any:
    """A value of a field's type. Reads nested records alike."""
    if hint is Any:
        return value
    if get_origin(hint) in (Union, UnionType):
        choices = get_args(hint)
        if value is None and NoneType in choices:
            return None
        (hint,) = (choice for choice in choices if choice is not NoneType)
    inner = get_args(hint)
    if get_origin(hint) is list and isinstance(value, list):
        return [_read(inner[0], element, name) for element in value]
    if get_origin(hint) is dict and isinstance(value, dict):
        return {key: _read(inner[1], element, name) for key, element in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return read_record(hint, value)
    expected = get_origin(hint) or hint
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        try:
            return expected(value)
        except ValueError:
            raise UnreadableError(name.upper()) from None
    if not isinstance(value, (int, float) if expected in (int, float) else expected):
        raise UnreadableError(name.upper())
    return value
