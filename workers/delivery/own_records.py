"""Which record of the caller's own a change is for, as the org has it now.

A record is known by its id, or by the name that the caller gave it, however grouped. Whatever the
request says, only a record that leads to the caller's contact, or to its account, is found.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.identifiers import same_identifier, spoken_form
from shared.domain.record_mapping import ChangeMapping
from shared.salesforce.soql import at, columns
from workers.delivery.edit_protection import Reader

GONE, UNKNOWN, AMBIGUOUS = "RECORD_GONE", "RECORD_UNKNOWN", "RECORD_AMBIGUOUS"
OF_SOMEBODY_ELSE = "RECORD_OF_SOMEBODY_ELSE"
NOT_THEIRS = (OF_SOMEBODY_ELSE, UNKNOWN)

MAX_PATTERN = 40
"""Letters and digits of a name in the query; the whole name is compared afterwards."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The record that an intent is for. contact_id, account_id: the caller's. record_id: "" for a
    record of which only the name is known."""

    intent_id: str
    mapping: ChangeMapping
    contact_id: str | None
    account_id: str | None = None
    record_id: str = ""
    name: str = ""

    @property
    def owners(self) -> dict[str, str]:
        """Path → the id that it must lead to; one of them is enough."""
        ways = {self.mapping.contact: self.contact_id, self.mapping.account: self.account_id}
        return {path: owner for path, owner in ways.items() if path and owner}

    def is_own(self, row: dict[str, Any]) -> bool:
        return any(at(row, path) == owner for path, owner in self.owners.items())

    def is_called_so(self, row: dict[str, Any]) -> bool:
        return same_identifier(self.name, str(at(row, self.mapping.name) or ""))


def find_own(reader: Reader, wanted: Sequence[Wanted]) -> dict[str, dict[str, Any] | str]:
    """By intent id: the record, or the reason why it is not found. Two requests at most."""
    ids = sorted({it.record_id for it in wanted if it.record_id})
    by_id = {row["Id"]: row for row in reader.rows("Id IN {ids}", ids=ids)} if ids else {}
    called = _called(reader, [it for it in wanted if not it.record_id])
    found: dict[str, dict[str, Any] | str] = {}
    for it in wanted:
        if it.record_id:
            row = by_id.get(it.record_id)
            found[it.intent_id] = _checked(it, row) if row else GONE
        else:
            same = [row for row in called if it.is_own(row) and it.is_called_so(row)]
            found[it.intent_id] = same[0] if len(same) == 1 else AMBIGUOUS if same else UNKNOWN
    return found


def _checked(wanted: Wanted, row: dict[str, Any]) -> dict[str, Any] | str:
    return row if wanted.is_own(row) else OF_SOMEBODY_ELSE


def _called(reader: Reader, wanted: Iterable[Wanted]) -> list[dict[str, Any]]:
    """The records of all these callers that have one of the names."""
    owners: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for it in wanted:
        spoken = spoken_form(it.name)
        if not spoken or not it.mapping.name or not it.owners:
            continue
        for path, owner in it.owners.items():
            owners.setdefault(path, set()).add(owner)
        rest = "%" if len(spoken) > MAX_PATTERN else ""
        names.setdefault(it.mapping.name, set()).add("%".join(spoken[:MAX_PATTERN]) + rest)
    if not owners:
        return []
    values: dict[str, Any] = {}
    of_owner: list[str] = []
    for nth, (path, ids) in enumerate(owners.items()):
        of_owner.append(f"{columns((path,))} IN {{owner{nth}}}")
        values[f"owner{nth}"] = sorted(ids)
    of_name: list[str] = []
    for field, patterns in names.items():
        for pattern in sorted(patterns):
            of_name.append(f"{columns((field,))} LIKE {{name{len(of_name)}}}")
            values[f"name{len(of_name) - 1}"] = pattern
    return reader.rows(f"({' OR '.join(of_owner)}) AND ({' OR '.join(of_name)})", **values)
