"""Contact updates: by id, and only fields that are still as the caller's agent saw them.

A field that somebody else changed since is a conflict and parks for a person. A field that has the
new value already is done, so a second attempt after a lost answer writes nothing twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked, Scope, TryAgain
from shared.domain.text import folded
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.people import only
from shared.salesforce.records import Row
from shared.salesforce.soql import columns, soql
from workers.delivery.desk import Desk
from workers.delivery.links import unchanged_since

OUR_OWN_MS = 2_000
"""An edit so soon after our receipt is taken for the write that the receipt is of (two clocks)."""


def update_contacts(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(ContactDraft, intent.draft) for intent in intents}
    contacts, unknown = _contacts(desk, [(one, drafts[one.id]) for one in intents])
    outcomes: list[Outcome] = [Parked(one.id, "NOT_ONE_CONTACT") for one in unknown]
    writing: dict[str, tuple[Intent, Row]] = {}
    ours = desk.journal.get_many(one for draft in drafts.values() for one in draft.earlier)
    for intent in intents:
        receipts = [ours[one].receipt for one in drafts[intent.id].earlier if one in ours]
        our_last_ms = max((one.at_ms for one in receipts if one), default=0)
        contact = contacts.get(intent.id)
        if not contact:
            continue
        change = _change(intent, drafts[intent.id], contact, our_last_ms)
        if not isinstance(change, dict):
            outcomes.append(change)
        elif not change:
            outcomes.append(Delivered(intent.id, contact["Id"]))
        elif contact["Id"] in writing:
            # The second has to see what the first did.
            outcomes.append(
                TryAgain(intent.id, "AFTER_ANOTHER", 100, Scope.RECORD, unsure=intent.unsure)
            )
        else:
            row = Row(contact["Id"], change, unchanged_since(contact))
            writing[contact["Id"]] = (intent, row)
    if not writing:
        return outcomes
    written = desk.records.change("Contact", [row for _, row in writing.values()])
    return outcomes + [
        desk.written(one, item) for (one, _), item in zip(writing.values(), written, strict=True)
    ]


def _contacts(
    desk: Desk, drafts: list[tuple[Intent, ContactDraft]]
) -> tuple[dict[str, dict[str, Any]], list[Intent]]:
    """The contact of each intent as it is now, by intent id; and the intents of nobody.

    A contact that was merged or deleted since acceptance is looked for by the caller's number.
    """
    known = {one.id: draft.contact_id for one, draft in drafts if draft.contact_id}
    rows = _read(desk, set(known.values()))
    contacts = {one: rows[contact_id] for one, contact_id in known.items() if contact_id in rows}
    rest = [(one, draft) for one, draft in drafts if one.id not in contacts]
    by_number, _ = desk.people.resolve([draft.caller_number for _, draft in rest], [])
    found = {one.id: only(by_number.get(draft.caller_number)) for one, draft in rest}
    rows = _read(desk, {contact_id for contact_id in found.values() if contact_id})
    contacts |= {one: rows[contact_id] for one, contact_id in found.items() if contact_id in rows}
    return contacts, [one for one, _ in drafts if one.id not in contacts]


def _read(desk: Desk, contact_ids: set[str]) -> dict[str, dict[str, Any]]:
    if not contact_ids:
        return {}
    (rows,) = desk.records.query(
        soql(
            f"SELECT Id, LastModifiedDate, {columns(CHANGEABLE)} FROM Contact WHERE Id IN {{ids}}",
            ids=sorted(contact_ids),
        )
    )
    return {row["Id"]: row for row in rows}


def _change(
    intent: Intent, draft: ContactDraft, contact: dict[str, Any], our_last_ms: int
) -> dict[str, str] | Outcome:
    """The fields to write, or why none may be.

    our_last_ms: when the call's earlier wish was written to this contact; 0 when there is none.
    """
    changes = {
        name: value
        for name, value in draft.changes.items()
        if name in CHANGEABLE and folded(contact[name]) != folded(value)
    }
    if draft.seen is not None:
        seen = draft.seen
        edited = [
            name
            for name in changes
            if folded(contact[name]) not in {folded(value) for value in seen.get(name, [])}
        ]
    else:
        # Nobody saw the record at acceptance: any edit since may be to these very fields, but for
        # the one that the call's earlier wish made.
        modified = datetime.fromisoformat(contact["LastModifiedDate"])
        ours = (
            datetime.fromtimestamp((our_last_ms + OUR_OWN_MS) / 1000, UTC) if our_last_ms else None
        )
        since = modified > datetime.fromisoformat(draft.accepted_at)
        edited = list(changes) if since and not (ours and modified <= ours) else []
    return Parked(intent.id, f"EDITED_SINCE ({', '.join(edited)})") if edited else changes
