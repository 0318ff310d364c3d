"""Changes of records of the team's own objects: the verbs update and close.

Right before it writes, the worker reads each record again: it must still lead to the caller, and
what a person has changed since the caller asked stays (edit_protection.py). One query reads the
records of a batch, however many tools changed them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from shared.domain.drafts import ChangeDraft
from shared.domain.intent import Intent, Outcome, Parked, Receipt
from shared.domain.reading import UnreadableError
from shared.domain.record_mapping import ChangeMapping
from shared.journal.record_writes import RecordWrite
from shared.salesforce.contact_resolver import only
from workers.delivery.context import DeliveryContext
from workers.delivery.edit_protection import Change, Reader, write_changes
from workers.delivery.links import as_of_acceptance, created_here
from workers.delivery.merges import merged_into
from workers.delivery.new_records import accounts_of, in_utc
from workers.delivery.own_records import NOT_THEIRS, Wanted, find_own


def change_records(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    """Changes records of one object: all intents are of one kind."""
    drafts = {intent.id: cast(ChangeDraft, intent.draft) for intent in intents}
    mappings = {id_: _mapping(draft) for id_, draft in drafts.items()}
    values, unusable = context.each(
        intents, lambda it: in_utc(context, mappings[it.id].fields, drafts[it.id].changes())
    )
    intents = [intent for intent in intents if intent.id in values]
    if not intents:
        return unusable
    needed = {
        id_: {*values[id_], *mapping.owners, *filter(None, (mapping.name,))}
        for id_, mapping in mappings.items()
        if id_ in values
    }
    reader = Reader(
        context.records.query, intents[0].kind.sobject, {"CreatedDate"}.union(*needed.values())
    )
    ids, outcomes = _known_ids(context, intents, drafts)
    found = _found(context, reader, [it for it in intents if it.id in ids], drafts, ids)
    rows = {id_: row for id_, row in found.items() if isinstance(row, dict)}
    writes = context.record_writes.of(row["Id"] for row in rows.values())
    changes = []
    for intent in intents:
        id_ = intent.id
        if id_ not in found:
            continue
        if lacking := reader.lacking & needed[id_]:
            assert reader.error
            error = replace(reader.error, whole=False, fields=tuple(sorted(lacking)))
            outcomes.append(context.failed(intent, error, may_exist=intent.in_doubt))
        elif isinstance(reason := found[id_], str):
            outcomes.append(Parked(id_, reason))
        else:
            changes.append(_change(intent, drafts[id_], values[id_], rows[id_], writes))
    return unusable + outcomes + write_changes(context, reader, changes, context.record_writes)


def _mapping(draft: ChangeDraft) -> ChangeMapping:
    if draft.mapping is None:
        raise UnreadableError("MAPPING")
    return draft.mapping


def _change(
    intent: Intent,
    draft: ChangeDraft,
    values: dict[str, Any],
    row: dict[str, Any],
    writes: dict[str, list[RecordWrite]],
) -> Change:
    return Change(
        intent=intent,
        asked_at=draft.accepted_at,
        values=values,
        seen=None if draft.seen is None else {name: [it] for name, it in draft.seen.items()},
        row=row,
        writes=writes[row["Id"]],
        unseen_until=row["CreatedDate"] if draft.record_intent else "",
    )


def _known_ids(
    context: DeliveryContext, intents: Sequence[Intent], drafts: dict[str, ChangeDraft]
) -> tuple[dict[str, str], list[Outcome]]:
    """By intent id, the record id as far as it is known, "" where the caller named the record; and
    what becomes of those whose record was not created."""
    parents = context.journal.get_many(
        draft.record_intent for draft in drafts.values() if draft.record_intent
    )
    ids: dict[str, str] = {}
    outcomes: list[Outcome] = []
    for intent in intents:
        draft = drafts[intent.id]
        if not draft.record_intent:
            ids[intent.id] = draft.record_id or ""
            continue
        created = created_here(intent, parents.get(draft.record_intent), "RECORD")
        if isinstance(created, Receipt):
            ids[intent.id] = created.record_id
        else:
            outcomes.append(created)
    return ids, outcomes


def _found(
    context: DeliveryContext,
    reader: Reader,
    intents: Sequence[Intent],
    drafts: dict[str, ChangeDraft],
    ids: dict[str, str],
) -> dict[str, dict[str, Any] | str]:
    """By intent id: its record, or the reason why it has none.

    The caller's contact is the one known at acceptance, or the one that was kept when that one was
    merged. Who has the number now is asked where none was known.
    """
    unknown = [intent for intent in intents if not drafts[intent.id].contact_id]
    contacts = {intent.id: drafts[intent.id].contact_id for intent in intents}
    found = _records_of(
        context, reader, intents, drafts, ids, contacts | _by_number(context, unknown, drafts)
    )
    others = [it for it in intents if it not in unknown and found[it.id] in NOT_THEIRS]
    merges = merged_into(context, {contacts[it.id] for it in others})
    merged = {it.id: merges[gone] for it in others if (gone := contacts[it.id]) in merges}
    again = [it for it in others if it.id in merged]
    return found | _records_of(context, reader, again, drafts, ids, merged)


def _records_of(
    context: DeliveryContext,
    reader: Reader,
    intents: Sequence[Intent],
    drafts: dict[str, ChangeDraft],
    ids: dict[str, str],
    contacts: Mapping[str, str | None],
) -> dict[str, dict[str, Any] | str]:
    mappings = {intent.id: _mapping(drafts[intent.id]) for intent in intents}
    accounts = accounts_of(
        context,
        {
            contact_id: None
            for intent in intents
            if mappings[intent.id].account and (contact_id := contacts[intent.id])
        },
    )
    wanted = [
        Wanted(
            intent_id=intent.id,
            mapping=mappings[intent.id],
            contact_id=contact_id,
            account_id=accounts.get(contact_id),
            record_id=ids[intent.id],
            name=drafts[intent.id].name,
        )
        for intent in intents
        if (contact_id := contacts[intent.id])
    ]
    nobodys: dict[str, dict[str, Any] | str] = {intent.id: "NOT_ONE_CONTACT" for intent in intents}
    return nobodys | find_own(reader, wanted)


def _by_number(
    context: DeliveryContext, intents: Sequence[Intent], drafts: dict[str, ChangeDraft]
) -> dict[str, str | None]:
    asked = as_of_acceptance((intent, drafts[intent.id]) for intent in intents)
    numbers = context.contacts.resolve(asked) if asked else {}
    return {it.id: only(numbers.get(drafts[it.id].number_to_resolve)) for it in intents}
