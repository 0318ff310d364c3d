"""`@{reference.path}` in a composite's later subrequests."""

import re
from typing import Any

REFERENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*\Z")
_REFERENCE = re.compile(r"@\{([^}]*)\}")
_STEP = re.compile(r"\.?([A-Za-z0-9_]+)|\[(\d+)\]")


class MissingReferenceError(Exception):
    """A reference to something no earlier subrequest produced. The text is Salesforce's."""

    def __init__(self, expression: str) -> None:
        name = re.split(r"[.\[]", expression, maxsplit=1)[0]
        super().__init__(f"Invalid reference specified. No value for {expression} found in {name}")


def resolve(value: Any, results: dict[str, Any]) -> Any:
    """The value with every reference in its strings replaced, at any depth. Names are
    case-sensitive.

    results: bodies of earlier subrequests by referenceId.
    """
    if isinstance(value, str):
        if "@{" not in value:
            return value
        return _REFERENCE.sub(lambda match: str(_look_up(match[1], results)), value)
    if isinstance(value, list):
        return [resolve(inner, results) for inner in value]
    if isinstance(value, dict):
        return {key: resolve(inner, results) for key, inner in value.items()}
    return value


def _look_up(expression: str, results: dict[str, Any]) -> Any:
    steps = [match[1] or int(match[2]) for match in _STEP.finditer(expression)]
    found: Any = results
    for step in steps:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            raise MissingReferenceError(expression) from None
    if found is None or isinstance(found, dict | list):
        raise MissingReferenceError(expression)
    return str(found).lower() if isinstance(found, bool) else found
