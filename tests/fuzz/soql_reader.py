"""Takes a SOQL statement apart by the rules of the reference, for tests of what builds them.

Rules: SOQL and SOSL Reference, "Quoted String Escape Sequences", "Date Formats and Date Literals".
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

ESCAPES = {
    "n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "B": "\b",
    "f": "\f", "F": "\f", '"': '"', "'": "'", "\\": "\\",
}  # fmt: skip

PLAIN = re.compile(
    r"(?P<space>[ \n]+)"
    r"|(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2}))"
    r"|(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<number>[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_.]*)"
    r"|(?P<sign>[(),=<>!]+)"
)


class NotSoqlError(Exception):
    """The statement ends in mid-literal, or has what no token begins with."""


@dataclass(frozen=True)
class Literal:
    """A value: a text, a number, a moment, a day, a truth value or null."""

    value: Any


def tokens(statement: str) -> list[str | Literal]:
    """Names and signs as they are, and literals with their values. Raises NotSoqlError."""
    found: list[str | Literal] = []
    at = 0
    while at < len(statement):
        if statement[at] == "'":
            text, at = _text(statement, at + 1)
            found.append(Literal(text))
            continue
        match = PLAIN.match(statement, at)
        if not match:
            raise NotSoqlError(at)
        at = match.end()
        found += _token(match)
    return found


def _text(statement: str, at: int) -> tuple[str, int]:
    """The text of a literal that begins here, and where the statement goes on."""
    read = ""
    while at < len(statement):
        sign = statement[at]
        if sign == "'":
            return read, at + 1
        if sign in "\n\r":
            raise NotSoqlError(at)
        if sign == "\\":
            at += 1
            escaped = statement[at : at + 1]
            if escaped not in ESCAPES:
                raise NotSoqlError(at)
            sign = ESCAPES[escaped]
        read += sign
        at += 1
    raise NotSoqlError(at)


def _token(match: re.Match[str]) -> list[str | Literal]:
    text = match[0]
    match match.lastgroup:
        case "space":
            return []
        case "moment":
            return [Literal(datetime.fromisoformat(text))]
        case "day":
            return [Literal(date.fromisoformat(text))]
        case "number":
            return [Literal(float(text) if set(text) & set(".eE") else int(text))]
        case "name" if text in ("true", "false", "null"):
            return [Literal({"true": True, "false": False, "null": None}[text])]
    return [text]
