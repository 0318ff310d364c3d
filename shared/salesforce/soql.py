"""Builds all SOQL. Values are bound, never pasted; names are checked."""

import re
from typing import Any

from simple_salesforce.format import format_soql

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def soql(template: str, **values: Any) -> str:
    """A statement from a constant template with `{name}` placeholders.

    Strings, numbers, booleans, None, datetimes and lists of them are escaped and quoted by
    simple-salesforce. A list must not be empty: `IN ()` is a syntax error.
    """
    for name, value in values.items():
        if isinstance(value, list | tuple | set) and not value:
            raise ValueError(f"{name} is empty")
    return format_soql(template, **values)


def columns(names: tuple[str, ...]) -> str:
    """A column list. Raises ValueError for anything but API names."""
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"must be a field name: {name!r}")
    return ", ".join(names)


def at(row: dict[str, Any], path: str) -> Any:
    """The value at a path such as `Product__r.Name`; None when nothing is there."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
