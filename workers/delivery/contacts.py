"""Contact updates: by id, and only over values that no person has changed since the caller asked
(optimistic concurrency).

A caller's last request counts, in whichever call it was made and in whichever order the requests
are delivered. A field that a person has changed since is a conflict and parks. A field that has the
new value already is done, so a second attempt after a lost answer writes nothing twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from shared.domain.drafts import ContactDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked
from shared.domain.text import folded
from shared.journal.contact_writes import ContactWrite, digest
from shared.salesforce.contact_resolver import only
from shared.salesforce.customers import CHANGEABLE
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.records import Row
from shared.salesforce.soql import columns, soql
from workers.delivery.context import DeliveryContext
from workers.delivery.links import as_of_acceptance, not_yet, unchanged_since

READ_ALWAYS = frozenset({"Id", "LastModifiedDate", "attributes"})

UNDER_WAY_S = 60
"""A write recorded up to this long before a request may be committed after it."""


def update_contacts(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(ContactDraft, intent.draft) for intent in intents}
    changed = {name for draft in drafts.values() for name in draft.changes}
    reader = _Reader(context, {*CHANGEABLE, *changed})
    contacts = _contacts(reader, [(entry, drafts[entry.id]) for entry in intents])
    outcomes: list[Outcome] = []
    writes = context.contact_writes.of(entry["Id"] for entry in contacts.values())
    holders = _Holders(context, drafts.values())
    writing: dict[str, tuple[Intent, Row, ContactWrite]] = {}
    # The earliest request first: the caller's last word is then written last.
    for intent in sorted(intents, key=lambda entry: _asked(drafts[entry.id].accepted_at, entry.id)):
        draft, contact = drafts[intent.id], contacts.get(intent.id)
        if contact is None:
            outcomes.append(Parked(intent.id, "NOT_ONE_CONTACT"))
            continue
        if lacking := reader.lacking & draft.changes.keys():
            assert reader.error
            error = replace(reader.error, whole=False, fields=tuple(sorted(lacking)))
            outcomes.append(context.failed(intent, error, may_exist=intent.in_doubt))
            continue
        if others := holders.of_others(draft, contact["Id"]):
            outcomes.append(context.failed(intent, others, may_exist=intent.in_doubt))
            continue
        if contact["Id"] in writing:
            # The second has to see what the first did.
            outcomes.append(not_yet(intent, "AFTER_ANOTHER", 100))
            continue
        change = _Change(intent, draft, contact, writes[contact["Id"]])
        if edited := change.edited:
            outcomes.append(Parked(intent.id, f"EDITED_SINCE ({', '.join(edited)})"))
        elif not change.fields:
            outcomes.append(Delivered(intent.id, contact["Id"]))
        else:
            row = Row(contact["Id"], change.fields, unchanged_since(contact))
            writing[contact["Id"]] = (intent, row, change.as_write())
    if not writing:
        return outcomes
    context.contact_writes.note({key: write for key, (_, _, write) in writing.items()})
    written = context.records.change("Contact", [row for _, row, _ in writing.values()])
    return outcomes + [
        context.written(intent, item, record_id=row.record_id)
        for (intent, row, _), item in zip(writing.values(), written, strict=True)
    ]


# -- which contact ---------------------------------------------------------------------------------


class _Reader:
    """Reads contacts. fields: those that callers may change. lacking: fields that turned out to be
    missing in the org, which are read no more; error: how it said so."""

    def __init__(self, context: DeliveryContext, fields: set[str]) -> None:
        self.context = context
        self.fields = fields
        self.lacking: frozenset[str] = frozenset()
        self.error: SalesforceError | None = None

    def read(self, contact_ids: set[str]) -> dict[str, dict[str, Any]]:
        """The contacts that exist, by id, with those of the fields that the org has."""
        while contact_ids:
            fields = tuple(sorted(self.fields - self.lacking))
            try:
                (rows,) = self.context.records.query(
                    soql(
                        f"SELECT Id, LastModifiedDate, {columns(fields)} FROM Contact "
                        "WHERE Id IN {ids}",
                        ids=sorted(contact_ids),
                    )
                )
            except SalesforceError as error:
                found = self.lacking.union(error.fields).intersection(self.fields)
                if error.failure is not FailureClass.MISSING_FIELD or found == self.lacking:
                    raise
                self.lacking, self.error = found, error
            else:
                return {row["Id"]: row for row in rows}
        return {}


def _contacts(
    reader: _Reader, drafts: list[tuple[Intent, ContactDraft]]
) -> dict[str, dict[str, Any]]:
    """The contact of each intent as it is now, by intent id; none where no contact is known.

    A contact that was merged or deleted since acceptance is looked for by the caller's number. A
    caller who has just changed that number is still known by their own change.
    """
    known = {entry.id: draft.contact_id for entry, draft in drafts if draft.contact_id}
    rows = reader.read(set(known.values()))
    contacts = {key: rows[contact_id] for key, contact_id in known.items() if contact_id in rows}
    rest = [(entry, draft) for entry, draft in drafts if entry.id not in contacts]
    by_number = reader.context.contacts.resolve(as_of_acceptance(rest))
    found = {
        entry.id: only(by_number.get(draft.caller_number)) or _by_own_change(reader.context, draft)
        for entry, draft in rest
        if len(by_number.get(draft.caller_number, [])) <= 1
    }
    rows = reader.read({contact_id for contact_id in found.values() if contact_id})
    return contacts | {key: rows[id_] for key, id_ in found.items() if id_ in rows}


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


class _Holders:
    """Who has the phone numbers that callers want on their records. A number of another contact, or
    the main line of an account, is never written: who calls from there would be unknown from then
    on, or taken for this contact. The org is asked each time."""

    def __init__(self, context: DeliveryContext, drafts: Iterable[ContactDraft]) -> None:
        self._fields = context.agents.number_fields.contact
        wanted = {
            number
            for draft in drafts
            for name in self._fields
            if (number := draft.changes.get(name))
        }
        self._registered = context.contacts.registered(sorted(wanted))

    def of_others(self, draft: ContactDraft, contact_id: str) -> SalesforceError | None:
        """The error for the phone fields whose number this contact may not take; None if there is
        none.

        The numbers in the other fields count as this contact's from now on, for the whole batch.
        """
        numbers = {name: draft.changes[name] for name in self._fields if name in draft.changes}
        taken = [
            name
            for name, number in numbers.items()
            if not self._registered[number].is_open_to(contact_id)
        ]
        for name, number in numbers.items():
            if name not in taken:
                known = self._registered[number]
                self._registered[number] = replace(
                    known, contact_ids=known.contact_ids | {contact_id}
                )
        if not taken:
            return None
        code = "NUMBER_OF_ANOTHER_CONTACT"
        return SalesforceError(FailureClass.VALUE, code, fields=tuple(taken))


# -- what may be written ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Change:
    """One request, the contact as it is now, and this service's recent writes to it."""

    intent: Intent
    draft: ContactDraft
    contact: dict[str, Any]
    writes: list[ContactWrite]

    @property
    def fields(self) -> dict[str, str]:
        """The fields still to be written: without those that have the value already, and those that
        a later request changed."""
        asked = _asked(self.draft.accepted_at, self.intent.id)
        later = [entry for entry in self.writes if _asked(entry.asked_at, entry.intent_id) > asked]
        return {
            name: value
            for name, value in self.draft.changes.items()
            if folded(self.contact[name]) != folded(value)
            and self._now(name) not in {entry.fields.get(name) for entry in later}
        }

    @property
    def edited(self) -> list[str]:
        """The fields to be written that somebody else changed since the caller asked."""
        if self.draft.seen is None and not self._modified_since():
            return []
        base = self._base()
        return [name for name in self.fields if self._now(name) not in self._known(name, base)]

    def as_write(self) -> ContactWrite:
        return ContactWrite(
            intent_id=self.intent.id,
            asked_at=self.draft.accepted_at,
            noted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            before=self.contact["LastModifiedDate"],
            was={name: self._now(name) for name in self.contact if name not in READ_ALWAYS},
            fields={name: self._digest(name, value) for name, value in self.fields.items()},
        )

    def _base(self) -> ContactWrite | None:
        """For a request that was accepted without a snapshot: our first write since, if the contact
        was not changed in between. The agent would have seen the values which that write found."""
        if self.draft.seen is not None:
            return None
        accepted = datetime.fromisoformat(self.draft.accepted_at)
        since = accepted - timedelta(seconds=UNDER_WAY_S)
        found = (
            entry
            for entry in self.writes
            if datetime.fromisoformat(entry.noted_at) >= since
            and datetime.fromisoformat(entry.before) <= accepted
        )
        return next(found, None)

    def _modified_since(self) -> bool:
        modified = datetime.fromisoformat(self.contact["LastModifiedDate"])
        return modified > datetime.fromisoformat(self.draft.accepted_at)

    def _known(self, name: str, base: ContactWrite | None) -> set[str]:
        """Digests of the values that are no other person's edit: as seen at acceptance, or ours."""
        seen = (self.draft.seen or {}).get(name, [])
        ours = {entry.fields[name] for entry in self.writes if name in entry.fields}
        found = {base.was[name]} if base and name in base.was else set()
        return {self._digest(name, entry) for entry in seen} | ours | found

    def _now(self, name: str) -> str:
        return self._digest(name, self.contact[name])

    def _digest(self, name: str, value: str | None) -> str:
        return digest(self.contact["Id"], name, folded(value))


def _asked(at: str, intent_id: str) -> tuple[datetime, str]:
    """Its place among the requests of all calls."""
    return datetime.fromisoformat(at), intent_id
