"""The text index: the words of each record, by group of fields, some time after each change.

Real indexing is asynchronous ("could take about 15 minutes or more"); here a changed record is
indexed by the first search that comes `lag_s` or more after the change. No search finds deleted
records.

How Salesforce cuts phone numbers into words is not confirmed [K]. Here a number is findable by
all its digits with or without +1, by its digits before an extension, and by each run of digits as
typed.
"""

import re
import time
from dataclasses import dataclass, field

from simulator.org.schema.model import TEXT_KINDS, SObject
from simulator.org.store import Row, Store

GROUPS = ("ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR")
Key = tuple[str, str]

_WORD = re.compile(r"\w+", re.UNICODE)
_EXTENSION = re.compile(r"(?:x|ext|#|;)", re.IGNORECASE)


def words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def national_digits(text: str) -> str:
    """The digits of a phone number without extension and without the country code 1."""
    main = _EXTENSION.split(text, maxsplit=1)[0]
    digits = re.sub(r"\D", "", main)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def phone_words(text: str) -> set[str]:
    digits = re.sub(r"\D", "", text)
    found = {digits, national_digits(text), *re.findall(r"\d+", text)}
    return {word for word in found if word}


@dataclass(slots=True)
class TextIndex:
    """Words of every searchable record. pending: records changed and when (monotonic seconds)."""

    store: Store
    lag_s: float = 0.0
    entries: dict[Key, dict[str, frozenset[str]]] = field(default_factory=dict)
    pending: dict[Key, float] = field(default_factory=dict)

    def touch(self, sobject: SObject, record_id: str) -> None:
        """Record that a record changed."""
        if sobject.searchable:
            key = (sobject.name, record_id)
            # A record that keeps changing is still indexed lag_s after its first change.
            self.pending.setdefault(key, time.monotonic())

    def rebuild(self) -> None:
        """Index everything now."""
        self.entries.clear()
        self.pending.clear()
        for sobject in self.store.schema.objects.values():
            if sobject.searchable:
                for row in self.store.rows(sobject):
                    self.entries[sobject.name, row["Id"]] = _entry(sobject, row)

    def catch_up(self) -> None:
        """Index what changed at least lag_s ago."""
        ripe = time.monotonic() - self.lag_s
        for key, changed in list(self.pending.items()):
            if changed <= ripe:
                del self.pending[key]
                sobject = self.store.schema.objects[key[0].lower()]
                row = self.store.row(sobject, key[1])
                if row is None or row["IsDeleted"]:
                    self.entries.pop(key, None)
                else:
                    self.entries[key] = _entry(sobject, row)

    def entries_of(self, sobject: SObject, group: str) -> list[tuple[str, frozenset[str]]]:
        """(record id, words) of the object's records, for one group of fields."""
        return [
            (record_id, by_group[group])
            for (name, record_id), by_group in self.entries.items()
            if name == sobject.name
        ]


def _entry(sobject: SObject, row: Row) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {group: set() for group in GROUPS}
    for column in sobject.fields:
        value = row.get(column.name)
        if not value or column.kind not in TEXT_KINDS:
            continue
        if column.kind == "phone" or column.name == "SuppliedPhone":
            group, taken = "PHONE", phone_words(str(value))
        else:
            group = "EMAIL" if column.kind == "email" else ""
            taken = set(words(str(value)))
        found["ALL"] |= taken
        if group:
            found[group] |= taken
        if column.name in sobject.name_group:
            found["NAME"] |= taken
            found["SIDEBAR"] |= taken
    return {group: frozenset(taken) for group, taken in found.items()}
