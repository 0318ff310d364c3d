"""New records: a case, or a record of the team's own object, created once and linked to the caller.

What a record has in its fields, its draft says (shared/domain/record_mapping.py). Its contact and
account are the caller's own, whatever the arguments say.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from shared.domain.drafts import NewRecordDraft
from shared.domain.identifiers import same_identifier, spoken_form
from shared.domain.intent import Intent, Outcome, Parked
from shared.domain.kinds import Kind
from shared.domain.record_mapping import STANDARD_CASE, FieldValue, RecordMapping, fill
from shared.salesforce.records import MARKERS, NO_HEADERS, UNASSIGNED
from shared.salesforce.soql import at, columns, soql
from workers.delivery.case_defaults import CaseDefaults, case_defaults
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.links import contact_of, is_refused, numbers_to_resolve
from workers.delivery.merges import merged_into

MAX_LOOKED_AHEAD = 5_000
ACCOUNT_OF_CASE = "AccountId"


def create_records(
    context: DeliveryContext, intents: Sequence[Intent], *, read_back: tuple[str, ...] = ("Id",)
) -> list[Outcome]:
    """Creates records of one object: all intents are of one kind."""
    drafts = {intent.id: cast(NewRecordDraft, intent.draft) for intent in intents}
    mappings = {id_: draft.mapping or STANDARD_CASE for id_, draft in drafts.items()}
    contacts = _contacts(context, intents, drafts, mappings)
    accounts = accounts_of(
        context,
        {
            contact_id: drafts[id_].account_id if contact_id == drafts[id_].contact_id else None
            for id_, contact_id in contacts.items()
            if mappings[id_].account and contact_id
        },
    )

    found = _own_records(context, intents, drafts, mappings, contacts)
    defaults = CaseDefaults({intent.id: {} for intent in intents})
    if mappings[intents[0].id].object == "Case":
        defaults = case_defaults(context, list(contacts), contacts)

    def record(intent: Intent) -> dict[str, Any]:
        mapping, contact_id = mappings[intent.id], contacts[intent.id]
        links = {
            mapping.contact: contact_id,
            mapping.account: accounts.get(contact_id or ""),
            **_account_of_line(mapping, intent, drafts[intent.id], contact_id),
            mapping.reference: intent.reference if _has(context, mapping) else "",
        }
        own = {name: value for name, value in links.items() if name} | found[intent.id]
        said = in_utc(context, mapping.fields, drafts[intent.id].fields())
        return defaults.fields[intent.id] | said | own

    nobodys = {
        item.id for item in intents if mappings[item.id].needs_contact and not contacts[item.id]
    }
    outcomes: list[Outcome] = [Parked(id_, "NOT_ONE_CONTACT") for id_ in sorted(nobodys)]
    for intent in intents:
        if intent.id not in nobodys and (
            missing := _missing(mappings[intent.id], found[intent.id])
        ):
            outcomes.append(Parked(intent.id, f"NOT_THEIR_RECORD ({', '.join(missing)})"))
    parked = {outcome.intent_id for outcome in outcomes}
    known = [item for item in intents if item.id not in parked]
    for optional, key, headers, alike in _alike(known, mappings, defaults.unassigned):
        outcomes += create_once(
            context,
            mappings[alike[0].id].object,
            alike,
            record,
            optional=optional | defaults.optional | {ACCOUNT_OF_CASE},
            links=frozenset(mappings[intent.id].contact for intent in alike),
            key=key,
            headers=headers,
            read_back=read_back,
        )
    return outcomes


def _account_of_line(
    mapping: RecordMapping, intent: Intent, draft: NewRecordDraft, contact_id: str | None
) -> dict[str, str]:
    """The account from whose line somebody called whom nobody knew. A case with a contact gets its
    account from Salesforce, and an object of the team's as its file says."""
    name = mapping.account or (ACCOUNT_OF_CASE if mapping.object == "Case" else "")
    is_nobodys = draft.has_no_contact and not contact_id and not intent.has_two_numbers
    if not name or not is_nobodys or not draft.account_id:
        return {}
    return {name: draft.account_id}


def in_utc(
    context: DeliveryContext, mapped: Mapping[str, FieldValue], fields: dict[str, Any]
) -> dict[str, Any]:
    """Times that the caller said are by the team's clock, unless they name an offset."""
    local = {
        name: datetime.fromisoformat(str(fields[name]))
        for name, entry in mapped.items()
        if entry.is_local_time and fields.get(name)
    }
    zone = context.time_zone.zone() if local else UTC
    moments = {name: at if at.tzinfo else at.replace(tzinfo=zone) for name, at in local.items()}
    return fields | {name: at.astimezone(UTC).isoformat() for name, at in moments.items()}


def _has(context: DeliveryContext, mapping: RecordMapping) -> bool:
    """False where the fields of our package would be, in an org without it."""
    return context.records.has_key_fields or mapping.object not in MARKERS


_Alike = tuple[frozenset[str], str, Mapping[str, str], list[Intent]]


def _alike(
    intents: Sequence[Intent], mappings: dict[str, RecordMapping], unassigned: frozenset[str]
) -> Iterable[_Alike]:
    """Those that share a request: as a rule all of them. Apart are versions of a tool's file that
    name another key or other optional fields, and records that no rule must route."""
    groups: dict[tuple[frozenset[str], str, bool], list[Intent]] = {}
    for intent in intents:
        mapping = mappings[intent.id]
        group = (frozenset(mapping.optional), mapping.key, intent.id in unassigned)
        groups.setdefault(group, []).append(intent)
    return [
        (optional, key, UNASSIGNED if is_unassigned else NO_HEADERS, alike)
        for (optional, key, is_unassigned), alike in groups.items()
    ]


def _contacts(
    context: DeliveryContext,
    intents: Sequence[Intent],
    drafts: dict[str, NewRecordDraft],
    mappings: dict[str, RecordMapping],
) -> dict[str, str | None]:
    """The caller's contact, by intent id."""
    links = {id_: frozenset({mapping.contact}) for id_, mapping in mappings.items()}
    numbers = numbers_to_resolve((item, drafts[item.id]) for item in intents)
    found = context.contacts.resolve(numbers, lambda: _wanted_next(context, intents[0].kind))
    refused = [item for item in intents if is_refused(item, links[item.id])]
    merges = merged_into(context, {drafts[item.id].contact_id for item in refused})
    return {
        item.id: contact_of(item, drafts[item.id], found, merges, links[item.id])
        for item in intents
    }


def _wanted_next(context: DeliveryContext, kind: Kind) -> dict[str, int]:
    """The callers' numbers that the next batches of a backlog will have to resolve, each with the
    time of the last acceptance from it (epoch ms)."""
    numbers: dict[str, int] = {}
    for accepted_at_ms, stored in context.journal.payloads_due(kind, MAX_LOOKED_AHEAD):
        if not stored.get("contact_id") and not stored.get("has_no_contact"):
            number = str(stored.get("caller_number", ""))
            numbers[number] = max(numbers.get(number, 0), accepted_at_ms)
    return numbers


def accounts_of(context: DeliveryContext, known: dict[str, str | None]) -> dict[str, str]:
    """The account of each contact; None stands for one that is not known yet."""
    accounts = {contact_id: account for contact_id, account in known.items() if account}
    if unknown := sorted(known.keys() - accounts.keys()):
        (rows,) = context.records.query(
            soql("SELECT Id, AccountId FROM Contact WHERE Id IN {ids}", ids=unknown)
        )
        accounts |= {row["Id"]: row["AccountId"] for row in rows if row["AccountId"]}
    return accounts


def _own_records(
    context: DeliveryContext,
    intents: Sequence[Intent],
    drafts: dict[str, NewRecordDraft],
    mappings: dict[str, RecordMapping],
    contacts: dict[str, str | None],
) -> dict[str, dict[str, str | None]]:
    """By intent id, for each link: the id of the caller's own record with that name, or None.

    The name and the owner are both in the query, and one record must be left.
    """
    found: dict[str, dict[str, str | None]] = {intent.id: {} for intent in intents}
    wanted: dict[OwnRecordKey, list[tuple[str, str, str]]] = {}
    for intent in intents:
        for name, link in mappings[intent.id].links.items():
            spoken = str(fill(link.spoken, drafts[intent.id].arguments) or "")
            found[intent.id][name] = None
            if spoken_form(spoken) and contacts[intent.id]:
                key = (link.object, link.contact, link.field)
                wanted.setdefault(key, []).append((intent.id, name, spoken))
    for (sobject, contact, field), asked in wanted.items():
        (rows,) = context.records.query(
            soql(
                f"SELECT {columns(('Id', field, contact))} FROM {columns((sobject,))} "
                f"WHERE {columns((contact,))} IN {{contacts}}",
                contacts=sorted({str(contacts[intent_id]) for intent_id, _, _ in asked}),
            )
        )
        for intent_id, name, spoken in asked:
            same = [
                row["Id"]
                for row in rows
                if at(row, contact) == contacts[intent_id]
                and same_identifier(spoken, str(at(row, field) or ""))
            ]
            found[intent_id][name] = same[0] if len(same) == 1 else None
    return found


OwnRecordKey = tuple[str, str, str]
"""Object, path to the contact, field of the name."""


def _missing(mapping: RecordMapping, found: dict[str, str | None]) -> list[str]:
    return sorted(
        name for name, record_id in found.items() if not record_id and name not in mapping.optional
    )
