"""Whether what a tool's file puts into a field fits it: type, length, values of its picklist."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from cli.org.objects import ANY, FROM_SOURCE
from shared.agent.arguments import MAX_TEXT
from shared.agent.tool_files import ArgumentFile, ArgumentType
from shared.domain.record_mapping import literals, placeholders
from shared.domain.text import MAX_COMMENT_BYTES, stored_length

TEXTS = frozenset({"string", "textarea", "phone", "url", "combobox", "encryptedstring", "email"})
PICKLISTS = frozenset({"picklist", "multipicklist"})
NUMBERS = frozenset({"double", "currency", "percent"})

NAMES = {
    "string": "a text", "textarea": "a long text", "int": "a whole number", "double": "a number",
    "currency": "an amount", "percent": "a percentage", "boolean": "a checkbox", "date": "a date",
    "datetime": "a date and time", "time": "a time", "picklist": "a picklist",
    "multipicklist": "a picklist", "reference": "a lookup", "email": "an email address",
    "id": "a record id",
}  # fmt: skip
"""Salesforce's types → what a person calls them."""

FILLED_BY: dict[str, tuple[ArgumentType, ...]] = {
    "int": (ArgumentType.INTEGER,),
    "double": (ArgumentType.INTEGER, ArgumentType.NUMBER),
    "currency": (ArgumentType.INTEGER, ArgumentType.NUMBER),
    "percent": (ArgumentType.INTEGER, ArgumentType.NUMBER),
    "boolean": (ArgumentType.BOOLEAN,),
    "date": (ArgumentType.DATE,),
    "datetime": (ArgumentType.DATETIME,),
    "time": (ArgumentType.TIME,),
    "email": (ArgumentType.EMAIL,),
}
"""The arguments that these fields take; a choice may be any of them, by its stored values."""

LONGEST = {
    ArgumentType.PHONE: 16,
    ArgumentType.EMAIL: 254,
    ArgumentType.REFERENCE: 7,
    ArgumentType.DATE: 10,
    ArgumentType.TIME: 15,
    ArgumentType.DATETIME: 32,
    ArgumentType.INTEGER: 20,
    ArgumentType.NUMBER: 24,
    ArgumentType.BOOLEAN: 3,
    ArgumentType.COMMENT: MAX_COMMENT_BYTES,
}
"""Characters of the longest value of an argument without a max_length."""

CALLER_NUMBER = ArgumentFile(type=ArgumentType.PHONE)

Found = tuple[str, str]
"""What does not fit, and what would."""


@dataclass(frozen=True)
class Fit:
    """A field of a describe. searched: it is compared and not written, so any length will do."""

    described: Mapping[str, Any]
    searched: bool = False

    def for_search(self) -> "Fit":
        return replace(self, searched=True)

    @property
    def kind(self) -> str:
        return str(self.described["type"])

    def is_one_of(self, kinds: Collection[str]) -> bool:
        """Also true of a field about which nothing is known."""
        return self.kind == ANY or self.kind in kinds

    def leads_to(self, target: str) -> bool:
        return self.kind == ANY or target in self.targets

    @property
    def name_of_kind(self) -> str:
        return NAMES.get(self.kind, f"of type {self.kind}")

    @property
    def length(self) -> int:
        return int(self.described.get("length") or 0)

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(self.described.get("referenceTo") or ())

    @property
    def values(self) -> list[str] | None:
        """Of a restricted picklist; None when the field takes other values as well."""
        if not self.described.get("restrictedPicklist"):
            return None
        return [entry["value"] for entry in self.described["picklistValues"] if entry["active"]]

    @property
    def known_values(self) -> list[str] | None:
        """The values that a file may name; None for any."""
        if self.described.get(FROM_SOURCE) and self.kind in PICKLISTS:
            return [entry["value"] for entry in self.described["picklistValues"]]
        return self.values

    @property
    def is_external_id(self) -> bool:
        return bool(self.described.get("externalId"))

    @property
    def is_unique(self) -> bool:
        return bool(self.described.get("unique"))

    @property
    def is_filterable(self) -> bool:
        return bool(self.described.get("filterable"))

    @property
    def is_sortable(self) -> bool:
        return bool(self.described.get("sortable"))

    @property
    def is_required(self) -> bool:
        has_value = self.described.get("nillable") or self.described.get("defaultedOnCreate")
        return bool(self.described.get("createable")) and not has_value


def listed(items: Sequence[str]) -> str:
    return ", ".join(items)


def misfit_of_value(
    field: Fit, value: Any, max_length: int | None, arguments: Mapping[str, ArgumentFile]
) -> Found | None:
    """value: a constant or a template, as the tool's file has it."""
    if field.kind == ANY:
        return None
    names = placeholders(value) if isinstance(value, str) else []
    if field.kind == "reference" and names:
        return "is a lookup, and a caller's words can't be a record id", "leave it out"
    if not names:
        return _misfit_of_constant(field, value, max_length)
    filling = [arguments.get(name, CALLER_NUMBER) for name in names]
    if value == f"{{{names[0]}}}":
        return _misfit_of_argument(field, names[0], filling[0], max_length)
    if field.kind not in TEXTS | PICKLISTS or field.kind == "email":
        return f"is {field.name_of_kind}, and its value is a text", f'write "{{{names[0]}}}" alone'
    if field.values is not None:
        return "is a restricted picklist, and its value is any text", "use a choice alone"
    return _misfit_of_length(field, _longest_of(value, names, filling), max_length, names)


def _longest_of(template: str, names: list[str], filling: list[ArgumentFile]) -> int:
    return stored_length(literals(template)) + sum(map(longest, filling))


def longest(argument: ArgumentFile) -> int:
    """How many characters Salesforce stores of it at most."""
    if argument.type is ArgumentType.CHOICE:
        return max(len(str(value)) for value in stored_values(argument))
    return argument.max_length or LONGEST.get(argument.type, MAX_TEXT)


def stored_values(argument: ArgumentFile) -> list[Any]:
    """Of a choice: what Salesforce stores."""
    choices = argument.choices or []
    return list(choices.values() if isinstance(choices, dict) else choices)


def _misfit_of_constant(field: Fit, value: Any, max_length: int | None) -> Found | None:
    if not _is_of(field.kind, value):
        return f"is {field.name_of_kind}, and its value is {_shown(value)}", _example(field)
    if field.known_values is not None and value not in field.known_values:
        return f"has no value {_shown(value)}", f"use one of {listed(field.known_values)}"
    if isinstance(value, str):
        return _misfit_of_length(field, stored_length(value), max_length, [])
    return None


def _misfit_of_argument(
    field: Fit, name: str, argument: ArgumentFile, max_length: int | None
) -> Found | None:
    """The argument alone is the value."""
    if argument.type is ArgumentType.CHOICE:
        wrong = [value for value in stored_values(argument) if not _is_of(field.kind, value)]
        if wrong:
            problem = f"is {field.name_of_kind}, and {name} can be {_shown(wrong[0])}"
            return problem, f"write {_example(field, 'choices = { word = … }')}"
        if (known := field.known_values) is not None:
            wrong = [value for value in stored_values(argument) if value not in known]
            if wrong:
                problem = f"has no value {listed([_shown(value) for value in wrong])} of {name}"
                return problem, f"map its choices to values among {listed(known)}"
    elif takes := FILLED_BY.get(field.kind):
        if argument.type not in takes:
            problem = f"is {field.name_of_kind}, and {name} is of type {argument.type}"
            return problem, f'write type = "{takes[-1]}" in [arguments.{name}]'
    elif field.values is not None:
        problem = f"is a restricted picklist, and {name} is of type {argument.type}"
        return problem, f"make {name} a choice among {listed(field.values)}"
    elif field.kind not in TEXTS | PICKLISTS:
        return f"is {field.name_of_kind}, which no argument fills", "leave it out"
    if field.kind in TEXTS | PICKLISTS:
        return _misfit_of_length(field, longest(argument), max_length, [name])
    return None


def _misfit_of_length(
    field: Fit, characters: int, max_length: int | None, names: list[str]
) -> Found | None:
    """max_length: the length to which the text is cut."""
    if field.searched or not field.length or field.kind == "multipicklist":
        return None
    if max_length and max_length > field.length:
        problem = f"holds {field.length} characters, and max_length is {max_length}"
        return problem, f"write max_length = {field.length}"
    if characters > field.length and not max_length:
        where = f" in [arguments.{names[0]}]" if len(names) == 1 else ""
        problem = f"holds {field.length} characters, and its value can have {characters}"
        return problem, f"write max_length = {field.length}{where}"
    return None


def _is_of(kind: str, value: Any) -> bool:
    """Whether a constant is of a field's type."""
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "int":
        return isinstance(value, int)
    if kind in NUMBERS:
        return isinstance(value, int | float)
    if not isinstance(value, str):
        return False
    match kind:
        case "date":
            return _is_iso(date, value)
        case "datetime":
            return _is_iso(datetime, value)
        case "time":
            return _is_iso(time, value)
        case "email":
            return "@" in value
        case "reference":
            return value.isalnum() and len(value) in (15, 18)
        case _:
            return kind in TEXTS | PICKLISTS


def _is_iso(kind: type[date] | type[time], value: str) -> bool:
    try:
        kind.fromisoformat(value)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


_EXAMPLES = {
    "boolean": "true or false, without quotes",
    "int": "a number without quotes, such as 3",
    "date": '"2026-12-31"',
    "datetime": '"2026-12-31T10:00:00Z"',
    "time": '"10:00"',
    "email": '"voice@example.com"',
    "reference": "a record id of 18 characters",
}


def _example(field: Fit, around: str = "") -> str:
    wanted = "a number without quotes, such as 3" if field.kind in NUMBERS else ""
    wanted = wanted or _EXAMPLES.get(field.kind, "a text in quotes")
    return around.replace("…", wanted) if around else f"write {wanted}"
