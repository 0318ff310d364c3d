"""Contact updates: by id, and only fields that are still as the caller's agent saw them.

A field that somebody else changed since is a conflict and parks for a person. A field that has the
new value already is done, so a second attempt after a lost answer writes nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked, Scope, TryAgain
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.failures import SalesforceError
from shared.salesforce.people import only
from shared.salesforce.soql import columns, soql
from workers.delivery.desk import Desk


def update_contacts(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(ContactDraft, intent.draft) for intent in intents}
    numbers, _ = desk.people.resolve(
        [draft.caller_number for draft in drafts.values() if not draft.contact_id], []
    )
    contact_ids = {
        intent.id: drafts[intent.id].contact_id
        or only(numbers.get(drafts[intent.id].caller_number))
        for intent in intents
    }
    outcomes: list[Outcome] = [
        Parked(one.id, "NOT_ONE_CONTACT") for one in intents if not contact_ids[one.id]
    ]
    known = sorted({one for one in contact_ids.values() if one})
    if not known:
        return outcomes
    (rows,) = desk.records.query(
        soql(
            f"SELECT Id, LastModifiedDate, {columns(CHANGEABLE)} FROM Contact WHERE Id IN {{ids}}",
            ids=known,
        )
    )
    contacts = {row["Id"]: row for row in rows}
    writing: dict[str, tuple[Intent, dict[str, str]]] = {}
    for intent in intents:
        contact_id = contact_ids[intent.id]
        if not contact_id:
            continue
        change = _change(intent, drafts[intent.id], contacts.get(contact_id))
        if not isinstance(change, dict):
            outcomes.append(change)
        elif not change:
            outcomes.append(Delivered(intent.id, contact_id))
        elif contact_id in writing:
            # One request can't name a record twice, and the second has to see what the first did.
            outcomes.append(TryAgain(intent.id, "AFTER_ANOTHER", 100, Scope.RECORD))
        else:
            writing[contact_id] = (intent, change)
    if not writing:
        return outcomes
    try:
        written = desk.records.update(
            "Contact", [{"Id": one} | change for one, (_, change) in writing.items()]
        )
    except SalesforceError as error:
        return outcomes + [
            desk.failed(one, error, may_be_there=error.ambiguous) for one, _ in writing.values()
        ]
    return outcomes + [
        desk.written(one, item) for (one, _), item in zip(writing.values(), written, strict=True)
    ]


def _change(
    intent: Intent, draft: ContactDraft, contact: dict[str, Any] | None
) -> dict[str, str] | Outcome:
    """The fields to write, or why none may be."""
    if contact is None:
        return Parked(intent.id, "CONTACT_GONE")
    changes = {
        name: value
        for name, value in draft.changes.items()
        if name in CHANGEABLE and (contact[name] or "") != value
    }
    if draft.seen is not None:
        seen = draft.seen
        edited = [name for name in changes if (contact[name] or "") != (seen.get(name) or "")]
    else:
        # Nobody saw the record at acceptance: any edit since may be to these very fields.
        modified = datetime.fromisoformat(contact["LastModifiedDate"])
        since = modified > datetime.fromisoformat(draft.accepted_at)
        edited = list(changes) if since else []
    return Parked(intent.id, f"EDITED_SINCE ({', '.join(edited)})") if edited else changes
