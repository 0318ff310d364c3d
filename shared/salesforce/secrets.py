"""What only a contact should know: read from the org for one comparison, and kept nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from shared.deadline import Deadline
from shared.domain.identifiers import spoken_form
from shared.salesforce.client import SalesforceClient
from shared.salesforce.soql import columns, soql

NOBODY = "003000000000000AAA"
"""An id that no contact has. A caller whom nobody could be is looked for as well, so that the
answer takes as long as any other."""

MIN_PIN_LENGTH = 4
MAX_CONTACTS = 20


@dataclass(frozen=True)
class Matches:
    """The contacts whose PIN was given, and those of whom everything else that was asked for was
    right."""

    by_pin: tuple[str, ...]
    by_knowledge: tuple[str, ...]


def matching(
    salesforce: SalesforceClient,
    contact_ids: Sequence[str],
    deadline: Deadline,
    *,
    pin: tuple[str, str] | None,
    knowledge: Mapping[str, str],
) -> Matches:
    """Which of the contacts the caller's answers fit. One request. Raises SalesforceError.

    pin: the field, and what the caller said; None when they said none. knowledge: field → what the
    caller said.
    """
    fields = ("Id", *([pin[0]] if pin else ()), *knowledge)
    rows = salesforce.query(
        soql(
            f"SELECT {columns(tuple(dict.fromkeys(fields)))} FROM Contact WHERE Id IN {{ids}}",
            ids=sorted(contact_ids)[:MAX_CONTACTS] or [NOBODY],
        ),
        deadline,
    )
    return Matches(
        by_pin=tuple(row["Id"] for row in rows if pin and _is_pin(row.get(pin[0]), pin[1])),
        by_knowledge=tuple(row["Id"] for row in rows if knowledge and _knows(row, knowledge)),
    )


def _is_pin(stored: Any, said: str) -> bool:
    wanted, given = spoken_form(str(stored or "")), spoken_form(said)
    same = compare_digest(wanted.encode(), given.encode())
    return same and len(wanted) >= MIN_PIN_LENGTH


def _knows(row: Mapping[str, Any], knowledge: Mapping[str, str]) -> bool:
    results = []
    for field, said in knowledge.items():
        wanted, given = spoken_form(str(row.get(field) or "")), spoken_form(said)
        results.append(compare_digest(wanted.encode(), given.encode()) and bool(wanted))
    return all(results)
