"""Contact updates: by id, and only over values that no person has changed since the caller asked
(edit_protection.py). A number that somebody else has is never written, nor a country by which the
numbers on file would be read as others: its owner would be unknown from then on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Intent, Outcome, Parked
from shared.salesforce.contact_resolver import only
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.phones import compared
from workers.delivery.alerts import record_alerts
from workers.delivery.context import DeliveryContext
from workers.delivery.edit_protection import Change, Reader, asked_place, write_changes
from workers.delivery.holders import Holders, reads_otherwise
from workers.delivery.links import as_of_acceptance
from workers.delivery.merges import merged_into


def update_contacts(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(ContactDraft, intent.draft) for intent in intents}
    changed = {name for draft in drafts.values() for name in draft.changes}
    reader = Reader(
        context.records.query,
        "Contact",
        {*CHANGEABLE, *compared(context.agents.number_fields.contact), *changed},
    )
    contacts = _contacts(context, reader, [(entry, drafts[entry.id]) for entry in intents])
    outcomes: list[Outcome] = []
    writes = context.contact_writes.of(entry["Id"] for entry in contacts.values())
    holders = Holders(context, drafts.values())
    changes: list[Change] = []
    for intent in sorted(
        intents, key=lambda entry: asked_place(drafts[entry.id].accepted_at, entry.id)
    ):
        draft, contact = drafts[intent.id], contacts.get(intent.id)
        if contact is None:
            outcomes.append(Parked(intent.id, "NOT_ONE_CONTACT"))
        elif lacking := reader.lacking & draft.changes.keys():
            assert reader.error
            error = replace(reader.error, whole=False, fields=tuple(sorted(lacking)))
            outcomes.append(context.failed(intent, error, may_exist=intent.in_doubt))
        elif reads := reads_otherwise(context, draft, contact):
            outcomes.append(context.failed(intent, reads, may_exist=intent.in_doubt))
        elif others := holders.of_others(draft, contact["Id"]):
            outcomes.append(context.failed(intent, others, may_exist=intent.in_doubt))
        else:
            changes.append(
                Change(
                    intent=intent,
                    asked_at=draft.accepted_at,
                    values=draft.changes,
                    seen=draft.seen,
                    row=contact,
                    writes=writes[contact["Id"]],
                )
            )

    def note(change: Change) -> None:
        added, removed = holders.moved(change.row, change.fields)
        if added or removed:
            context.new_numbers.note(change.row["Id"], added=added, removed=removed)
        record_alerts(context, change.intent, change.row, change.fields)

    return outcomes + write_changes(context, reader, changes, context.contact_writes, note)


# -- which contact ---------------------------------------------------------------------------------


def _contacts(
    context: DeliveryContext, reader: Reader, drafts: list[tuple[Intent, ContactDraft]]
) -> dict[str, dict[str, Any]]:
    """The contact of each intent as it is now, by intent id; none where no contact is known.

    A contact that was merged since acceptance is the one that was kept. One that was deleted is
    none, whoever has the number now. A caller who was not known at acceptance and has just changed
    their number is still known by their own change.
    """
    known = {entry.id: draft.contact_id for entry, draft in drafts if draft.contact_id}
    rows = _read(reader, set(known.values()))
    if gone := set(known.values()) - rows.keys():
        merges = merged_into(context, gone)
        known = {key: merges.get(contact_id, contact_id) for key, contact_id in known.items()}
        rows |= _read(reader, set(merges.values()))
    contacts = {key: rows[contact_id] for key, contact_id in known.items() if contact_id in rows}
    rest = [(entry, draft) for entry, draft in drafts if entry.id not in known]
    by_number = context.contacts.resolve(as_of_acceptance(rest))
    found = {
        entry.id: only(by_number.get(draft.caller_number)) or _by_own_change(context, draft)
        for entry, draft in rest
        if len(by_number.get(draft.caller_number, [])) <= 1
    }
    rows = _read(reader, {contact_id for contact_id in found.values() if contact_id})
    return contacts | {key: rows[id_] for key, id_ in found.items() if id_ in rows}


def _read(reader: Reader, contact_ids: set[str]) -> dict[str, dict[str, Any]]:
    """The contacts that exist, by id, with those of the fields that the org has."""
    if not contact_ids:
        return {}
    return {row["Id"]: row for row in reader.rows("Id IN {ids}", ids=sorted(contact_ids))}


def _by_own_change(context: DeliveryContext, draft: ContactDraft) -> str | None:
    """The one contact who had this number when the change was requested, and changed it since in
    another call. Later requests from that number say nothing about the contact."""
    asked_ms = datetime.fromisoformat(draft.accepted_at).timestamp() * 1000
    changed = {
        intent.receipt.record_id
        for intent in context.journal.of_caller(draft.caller_number)
        if (change := intent.draft_as(ContactDraft))
        and intent.receipt
        and intent.receipt.at_ms >= asked_ms
        and set(context.agents.number_fields.contact) & set(change.changes)
    }
    return only(sorted(changed))
