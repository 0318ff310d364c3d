"""Cleans JSON values: texts, and numbers and names that may be secrets just as well."""

import re
from collections.abc import Callable
from typing import Any

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def redact_json(value: Any, remove: Callable[[str], str]) -> Any:
    """The value with each text, number and name as `remove` returns it. Nested values as well.

    A value is read after its name, which may say what it is: {"cvc": 123}.
    """
    match value:
        case dict():
            return {remove(name): _named(name, part, remove) for name, part in value.items()}
        case list():
            return [redact_json(part, remove) for part in value]
        case str():
            return remove(value)
        case bool() | None:
            return value
        case _:
            return _changed(str(value), value, remove)


def _named(name: str, value: Any, remove: Callable[[str], str]) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return redact_json(value, remove)
    cleaned = redact_json(value, remove)
    if cleaned != value:
        return cleaned
    before = f"{_CAPITAL.sub(' ', name).replace('_', ' ')}: "
    said = remove(f"{before}{value}")
    if said == f"{before}{value}" or not said.startswith(before):
        return value
    return said.removeprefix(before)


def _changed(text: str, value: Any, remove: Callable[[str], str]) -> Any:
    cleaned = remove(text)
    return value if cleaned == text else cleaned
