"""What a new record has in its fields, made from the arguments of the tool call that asked for it.

A value is a constant, or a template with the names of arguments in braces:

    "{issueType}: {description}"
    "{description}[ (account {accountNumber})]"

The part in brackets is left out when one of its arguments was not given. A field without any given
argument is left out too. An intent carries the mapping that it was accepted under, so a change of
the tool's file never changes what is on its way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.text import fit, marked, one_line, stored_length

MAX_LINE = 255
"""The longest text field of Salesforce that has one line."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_.]*)\}")
_OPTIONAL_PART = re.compile(r"\[([^\[\]]*\{[^\[\]]*)\]")


@dataclass(frozen=True)
class FieldValue:
    """value: a template, or a constant. max_length: of the field. A longer text fits once its
    longest argument is cut; None when the field holds all that the arguments can be. is_local_time:
    the argument is a day and a time by the team's clock, which Salesforce stores in UTC.
    """

    value: Any
    max_length: int | None = None
    is_local_time: bool = False


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """Another record of the caller's that a new one refers to: the one with this spoken name.

    contact: the field, or path, that leads from it to the caller's contact. field: the one that has
    the name, which spoken, a template, gives.
    """

    object: str
    contact: str
    field: str
    spoken: str


@dataclass(frozen=True, kw_only=True)
class RecordMapping:
    """One object, and how its fields are filled.

    contact, account: the lookup fields for the caller's contact and its account; "" for none.
    reference: the field that keeps the reference which the caller heard; "" for none.
    key: the External Id field of the idempotency key; "" for an object that has none.
    optional: fields that the record may go without when Salesforce refuses them.
    needs_contact: the record is not created for a caller whom nobody knows.
    links: field → the record that it refers to.
    """

    object: str
    fields: dict[str, FieldValue]
    contact: str = ""
    account: str = ""
    reference: str = ""
    key: str = ""
    optional: list[str] = field(default_factory=list)
    needs_contact: bool = False
    links: dict[str, OwnRecord] = field(default_factory=dict)

    def filled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return filled_fields(self.fields, arguments)


@dataclass(frozen=True, kw_only=True)
class ChangeMapping:
    """What a change of a record of the caller's own does, and which records are theirs.

    contact, account: the lookup fields, or paths of them, that lead from a record to the caller's
    contact and to its account; "" for none. name: the field by which callers name a record, which
    spoken, a template, gives; "" when they can't.
    """

    object: str
    fields: dict[str, FieldValue]
    contact: str = ""
    account: str = ""
    name: str = ""
    spoken: str = ""

    def filled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return filled_fields(self.fields, arguments)

    @property
    def owners(self) -> tuple[str, ...]:
        """The paths that lead to the caller."""
        return tuple(filter(None, (self.contact, self.account)))


def filled_fields(fields: Mapping[str, FieldValue], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that these arguments fill. None and "" count as not given."""
    values = {name: filled(entry, arguments) for name, entry in fields.items()}
    return {name: value for name, value in values.items() if value not in (None, "")}


def filled(entry: FieldValue, arguments: Mapping[str, Any]) -> Any:
    """One field's value; None when none of its arguments was given. In a template with text of its
    own, no argument can begin a line that looks like that text."""
    template, limit = entry.value, entry.max_length
    if not isinstance(template, str):
        return template
    if limit and limit <= MAX_LINE:
        arguments = {
            name: one_line(value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
    elif literals(template).strip():
        arguments = {
            name: marked(value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
    value = fill(template, arguments)
    if not limit or not isinstance(value, str) or stored_length(value) <= limit:
        return value
    texts = {name: str(arguments.get(name) or "") for name in placeholders(template)}
    longest = max(texts, key=lambda name: stored_length(texts[name]), default="")
    capacity = stored_length(texts.get(longest, "")) - (stored_length(value) - limit)
    if capacity <= 0:
        return fit(value, limit)
    return fill(template, {**arguments, longest: fit(texts[longest], capacity)})


def fill(template: str, arguments: Mapping[str, Any]) -> Any:
    """The template with its arguments; None when none of them was given.

    A template that is one argument alone keeps the argument's type.
    """
    if only := _PLACEHOLDER.fullmatch(template):
        return arguments.get(only[1])

    def is_given(name: str) -> bool:
        return arguments.get(name) not in (None, "")

    def part(match: re.Match[str]) -> str:
        return match[1] if all(map(is_given, placeholders(match[1]))) else ""

    names = needed(template)
    if names and not any(map(is_given, names)):
        return None
    text = _OPTIONAL_PART.sub(part, template)
    return _PLACEHOLDER.sub(lambda match: _text(arguments.get(match[1])), text)


def placeholders(template: str) -> list[str]:
    """The names of the arguments in a template, in order."""
    return _PLACEHOLDER.findall(template)


def needed(template: str) -> list[str]:
    """The names of those arguments of which one must be given, or the template has no value."""
    return placeholders(_OPTIONAL_PART.sub("", template)) or placeholders(template)


def literals(template: str) -> str:
    """The most that a template says besides its arguments."""
    return _PLACEHOLDER.sub("", _OPTIONAL_PART.sub(r"\1", template))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


STANDARD_CASE = RecordMapping(
    object="Case",
    fields={
        "Subject": FieldValue("{issueType}: {description}", 255),
        "Description": FieldValue(
            "{description}[\n\nAccount number given by the caller, not verified: {accountNumber}]",
            32_000,
        ),
        "Type": FieldValue("{issueType}"),
        "Priority": FieldValue("{priority}"),
        "SuppliedPhone": FieldValue("{caller.number}"),
    },
    contact="ContactId",
    reference="Voice_Reference__c",
    key="Call_Key__c",
    optional=["Type", "Priority", "ContactId", "SuppliedPhone"],
)
"""A case that no tool's file describes: a voicemail, or one accepted before tools were files."""
