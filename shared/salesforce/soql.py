"""Builds all SOQL. Values are bound, never pasted; names are checked."""

import re
from math import isfinite
from typing import Any

from simple_salesforce.format import format_soql

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def soql(template: str, **values: Any) -> str:
    """A statement from a constant template with `{name}` placeholders.

    Strings, numbers, booleans, None, datetimes and lists of them are escaped and quoted by
    simple-salesforce. Raises ValueError for what has no literal: an empty list (`IN ()` is a syntax
    error), infinity and NaN, and a time that is outside the years 1 to 9999 in UTC.
    """
    for name, value in values.items():
        listed = value if isinstance(value, list | tuple | set) else [value]
        if not listed:
            raise ValueError(f"{name} is empty")
        if any(isinstance(part, float) and not isfinite(part) for part in listed):
            raise ValueError(f"{name} must be a number")
    try:
        return format_soql(template, **values)
    except OverflowError:
        raise ValueError("a time is out of range") from None


def columns(names: tuple[str, ...]) -> str:
    """A column list. Raises ValueError for anything but API names."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"must be a field name: {name!r}")
    return ", ".join(names)


def as_text(value: Any) -> str:
    """A field's value as text; "" for none, "true" or "false" for a checkbox."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def at(row: dict[str, Any], path: str) -> Any:
    """The value at a path such as `Product__r.Name`; None when nothing is there. Salesforce answers
    with its own capital letters, whatever those of the query."""
    value: Any = row
    for name in path.split("."):
        fields = value.items() if isinstance(value, dict) else ()
        value = next((it for field, it in fields if field.casefold() == name.casefold()), None)
    return value
