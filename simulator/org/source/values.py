"""Picklist values: of a field, of a global value set and of a standard value set."""

from dataclasses import dataclass
from urllib.parse import unquote

from simulator.org.source.document import Element, SourceError

# Standard value set -> the fields that have its values.
STANDARD_FIELDS = {
    "AccountContactMultiRoles": ("AccountContactRelation.Roles",),
    "AccountRating": ("Account.Rating",),
    "AccountType": ("Account.Type",),
    "CaseOrigin": ("Case.Origin",),
    "CasePriority": ("Case.Priority",),
    "CaseReason": ("Case.Reason",),
    "CaseStatus": ("Case.Status",),
    "CaseType": ("Case.Type",),
    "Industry": ("Account.Industry",),
    "LeadSource": ("Account.AccountSource", "Contact.LeadSource", "Lead.LeadSource"),
    "LeadStatus": ("Lead.Status",),
    "Salutation": ("Contact.Salutation", "Lead.Salutation"),
    "TaskPriority": ("Task.Priority",),
    "TaskStatus": ("Task.Status",),
    "TaskSubject": ("Task.Subject",),
    "TaskType": ("Task.Type",),
}
# A record always has one of these, so one of the values must be the default.
WITH_DEFAULT = ("CaseStatus", "LeadStatus", "TaskPriority", "TaskStatus")


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The active values in order, their labels, the default (None for none), and the values that
    close a record."""

    values: tuple[str, ...]
    labels: tuple[str, ...]
    default: str | None
    closed: tuple[str, ...] = ()


def read_values(parent: Element, name: str) -> ValueSet:
    """The values that are elements `name` of the parent. Raises SourceError."""
    entries = [entry for entry in parent.children(name) if entry.flag("isActive", True)]
    values = tuple(unquote(entry.needed("fullName")) for entry in entries)
    if not values:
        raise parent.mistake("has no active picklist values")
    folded = [value.lower() for value in values]
    for value in values:
        if folded.count(value.lower()) > 1:
            raise parent.mistake(f"has the picklist value {value} twice")
    labels = tuple(
        entry.value("label", value) for entry, value in zip(entries, values, strict=True)
    )
    chosen = {
        key: tuple(value for entry, value in zip(entries, values, strict=True) if entry.flag(key))
        for key in ("default", "closed")
    }
    if len(chosen["default"]) > 1:
        raise parent.mistake(f"has several default values: {', '.join(chosen['default'])}")
    if parent.value("sorted") == "true":
        pairs = sorted(zip(values, labels, strict=True), key=lambda pair: pair[1].casefold())
        values, labels = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    return ValueSet(values, labels, next(iter(chosen["default"]), None), chosen["closed"])


def read_standard_set(root: Element, name: str) -> ValueSet:
    found = read_values(root, "standardValue")
    if name in WITH_DEFAULT and found.default is None:
        raise SourceError(root.path, "has no default value")
    return found
