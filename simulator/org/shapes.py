"""Checked reading of JSON bodies. A part of the wrong type raises a JSON_PARSER_ERROR."""

from collections.abc import Iterable
from typing import Any

from simulator.org.errors import json_parser


def an_object(value: object, what: str, known: Iterable[str] | None = None) -> dict[str, Any]:
    """The value as an object. known: the only keys it may have."""
    if not isinstance(value, dict):
        raise json_parser(f"{what} must be an object")
    unknown = sorted(set(value) - set(known)) if known is not None else []
    if unknown:
        raise json_parser(f"Unrecognized field {', '.join(unknown)} in {what}")
    return value


def a_list(value: object, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise json_parser(f"{what} must be a list")
    return value


def strings(value: object, what: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise json_parser(f"{what} must be a list of strings")
    return value


def a_string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise json_parser(f"{what} must be a string")
    return value


def a_count(value: object, what: str) -> int:
    """A whole number, 0 or more, also as text (it may come from an address)."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise json_parser(f"{what} must be a whole number")
    return value


def a_flag(value: object, what: str, default: bool = False) -> bool:
    """A flag. null counts as absent."""
    if value is None:
        return default
    if not isinstance(value, bool):
        raise json_parser(f"{what} must be true or false")
    return value
