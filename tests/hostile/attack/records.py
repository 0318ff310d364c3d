"""The org's records at a moment, whose they are, and what changed between two moments."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.attack.interface import OBJECTS, Target
from tests.hostile.attack.rights import Change
from tests.hostile.attack.words import words_in

Row = Mapping[str, Any]

SET_BY_THE_ORG = frozenset(
    {
        "ClosedDate",
        "CompletedDateTime",
        "ContactEmail",
        "ContactFax",
        "ContactMobile",
        "ContactPhone",
        "IsClosed",
        "LastActivityDate",
        "LastModifiedById",
        "LastModifiedDate",
        "LastReferencedDate",
        "LastViewedDate",
        "SystemModstamp",
    }
)
"""Fields that follow from others."""

CHANGES = {
    "Phone": Change.PHONE,
    "MobilePhone": Change.PHONE,
    "HomePhone": Change.PHONE,
    "OtherPhone": Change.PHONE,
    "AssistantPhone": Change.PHONE,
    "Fax": Change.PHONE,
    "Email": Change.EMAIL,
    "MailingStreet": Change.ADDRESS,
    "MailingCity": Change.ADDRESS,
    "MailingState": Change.ADDRESS,
    "MailingPostalCode": Change.ADDRESS,
    "MailingCountry": Change.PHONE,  # by it, numbers without country code are read
}
"""What the fields of a contact are."""

NEW = {
    "Case": Change.OPEN_CASE,
    "CaseComment": Change.COMMENT,
    "Task": Change.TASK,
    "ContentVersion": Change.TASK,
    "ContentDocumentLink": Change.TASK,
}


@dataclass(frozen=True)
class Snapshot:
    """rows: by object and id."""

    rows: Mapping[str, Mapping[str, Row]]
    _by_word: dict[str, dict[str, list[Row]]] = field(default_factory=dict)

    @classmethod
    def take(cls, target: Target) -> "Snapshot":
        return cls({name: {row["Id"]: row for row in target.records(name)} for name in OBJECTS})

    def all(self, sobject: str) -> list[Row]:
        return list(self.rows.get(sobject, {}).values())

    def get(self, record_id: str) -> Row | None:
        return next((rows[record_id] for rows in self.rows.values() if record_id in rows), None)

    def with_words(self, sobject: str, words: str) -> list[Row]:
        """The records in whose texts this word is."""
        if sobject not in self._by_word:
            index = self._by_word[sobject] = {}
            for row in self.all(sobject):
                for word in words_in(text_of(row)):
                    index.setdefault(word, []).append(row)
        return self._by_word[sobject].get(words, [])

    def owner_ids(self, sobject: str, row: Row) -> set[str]:
        """The contacts whose record this is; the accounts if it names no contact."""
        match sobject:
            case "Contact" | "Account":
                return {row["Id"]}
            case "Case":
                return {row.get("ContactId") or row.get("AccountId") or ""} - {""}
            case "CaseComment":
                return self._owners_at(row.get("ParentId"))
            case "Task":
                return self._owners_at(row.get("WhoId")) | self._owners_at(row.get("WhatId"))
            case "ContentDocumentLink":
                return self._owners_at(row.get("LinkedEntityId"))
        return set()

    def _owners_at(self, record_id: str | None) -> set[str]:
        """Whose the record is that another one is linked to."""
        for sobject, rows in self.rows.items():
            if record_id and record_id in rows:
                return self.owner_ids(sobject, rows[record_id])
        return set()


@dataclass(frozen=True)
class Difference:
    """A change of a record. texts: the values that came, by field."""

    sobject: str
    record_id: str
    change: Change
    owner_ids: frozenset[str]
    texts: Mapping[str, str]

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={text[:80]!r}" for name, text in self.texts.items())
        return f"{self.change} ({self.sobject} {self.record_id}: {shown})"


def differences(
    before: Snapshot, after: Snapshot, by_staff: set[tuple[str, str]]
) -> Iterator[Difference]:
    """by_staff: (record id, field) of what others changed meanwhile."""
    for sobject in OBJECTS:
        old_rows, new_rows = before.rows.get(sobject, {}), after.rows.get(sobject, {})
        for record_id, row in new_rows.items():
            old = old_rows.get(record_id)
            owners = frozenset(after.owner_ids(sobject, row))
            if old is None:
                texts = {name: _text(name, value) for name, value in row.items() if value}
                change = NEW.get(sobject, Change.OTHER)
                yield Difference(sobject, record_id, change, owners, texts)
                continue
            owners |= before.owner_ids(sobject, old)
            yield from _changes(sobject, record_id, owners, old, row, by_staff)
        for record_id in old_rows.keys() - new_rows.keys():
            gone = frozenset(before.owner_ids(sobject, old_rows[record_id]))
            yield Difference(sobject, record_id, Change.OTHER, gone, {"Id": "deleted"})


def _changes(
    sobject: str,
    record_id: str,
    owners: frozenset[str],
    old: Row,
    row: Row,
    by_staff: set[tuple[str, str]],
) -> Iterator[Difference]:
    """The changed fields of a record, a difference for each kind of change."""
    found: dict[Change, dict[str, str]] = {}
    for name, value in row.items():
        is_ours = name in SET_BY_THE_ORG or (record_id, name) in by_staff
        if old.get(name) != value and not is_ours:
            found.setdefault(_change(sobject, name, row), {})[name] = _text(name, value)
    for change, texts in found.items():
        yield Difference(sobject, record_id, change, owners, texts)


def _change(sobject: str, field: str, row: Row) -> Change:
    if sobject == "Contact":
        return CHANGES.get(field, Change.OTHER)
    if sobject == "Case" and field == "Status" and row.get("IsClosed"):
        return Change.CLOSE_CASE
    return Change.TASK if sobject == "Task" else Change.OTHER


def text_of(row: Row) -> str:
    return "\n".join(_text(name, value) for name, value in row.items() if value)


def _text(field: str, value: Any) -> str:
    """A value in words. The body of a file is decoded."""
    if field == "VersionData" and isinstance(value, str):
        return base64.b64decode(value).decode(errors="replace")
    return "" if value is None else str(value)
