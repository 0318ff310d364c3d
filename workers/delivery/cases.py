"""Cases: opened by key, and closed when the caller takes back one that was opened already."""

from collections.abc import Sequence
from typing import Any, cast

from shared.domain.drafts import CaseDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked
from shared.domain.kinds import Kind
from shared.domain.text import stored_length
from shared.salesforce.records import MAX_RECORDS, NO_HEADERS, UNASSIGNED, Row
from shared.salesforce.soql import soql
from workers.delivery.case_defaults import case_defaults
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.links import contact_of, find_cases, numbers_to_resolve, unchanged_since
from workers.delivery.task_links import with_links
from workers.delivery.text import fit, fit_line

MAX_SUBJECT = 255
MAX_DESCRIPTION = 32_000
MAX_LOOKED_AHEAD = 5_000
CLOSED = "Closed"
OPTIONAL = frozenset({"Type", "Priority", "ContactId", "SuppliedPhone"})


def open_cases(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(CaseDraft, intent.draft) for intent in intents}
    numbers = numbers_to_resolve((item, drafts[item.id]) for item in intents)
    if len(intents) >= MAX_RECORDS:
        # A backlog: who the next batches are for is asked now, in few requests instead of one each.
        for stored in context.journal.payloads_due(Kind.CASE_CREATE, MAX_LOOKED_AHEAD):
            if not stored.get("contact_id"):
                numbers.setdefault(stored.get("caller_number", ""), 0)
    contacts = context.contacts.resolve(numbers)
    who = {item.id: contact_of(item, drafts[item.id], contacts) for item in intents}
    defaults = case_defaults(context, [item.id for item in intents], who)

    def record(intent: Intent) -> dict[str, Any]:
        draft = drafts[intent.id]
        # Text, and never a link: anybody can say a number. The org takes the contact's account.
        unverified = ""
        if draft.account_number:
            unverified = (
                f"\n\nAccount number given by the caller, not verified: {draft.account_number}"
            )
        return defaults.fields[intent.id] | {
            "Voice_Reference__c": intent.reference if context.records.has_key_fields else "",
            "Subject": fit_line(
                f"{draft.issue_type.capitalize()}: {draft.description}", MAX_SUBJECT
            ),
            "Description": fit(draft.description, MAX_DESCRIPTION - stored_length(unverified))
            + unverified,
            "Type": draft.issue_type.capitalize(),
            "Priority": draft.priority,
            "ContactId": who[intent.id],
            "SuppliedPhone": draft.caller_number,
        }

    outcomes: list[Outcome] = []
    for headers, alike in (
        (NO_HEADERS, [item for item in intents if item.id not in defaults.unassigned]),
        (UNASSIGNED, [item for item in intents if item.id in defaults.unassigned]),
    ):
        if alike:
            outcomes += create_once(
                context,
                "Case",
                alike,
                record,
                optional=OPTIONAL | defaults.optional,
                read_back=("Id", "CaseNumber"),
                headers=headers,
            )
    opened = {
        outcome.intent_id: outcome.record_id
        for outcome in outcomes
        if isinstance(outcome, Delivered)
    }
    return with_links(context, intents, outcomes, opened)


def close_cases(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    """Closes, never deletes; a case that a person has taken up since is left to them."""
    found = find_cases(context, intents)
    outcomes = [item for item in found.values() if not isinstance(item, str)]
    targets = {item: case_id for item in intents if isinstance(case_id := found[item.id], str)}
    if not targets:
        return outcomes
    (rows,) = context.records.query(
        soql(
            "SELECT Id, CaseNumber, IsClosed, CreatedById, LastModifiedById, LastModifiedDate "
            "FROM Case "
            "WHERE Id IN {ids}",
            ids=sorted(set(targets.values())),
        )
    )
    by_id = {row["Id"]: row for row in rows}
    close: dict[str, dict[str, Any]] = {}
    for intent, case_id in targets.items():
        row = by_id.get(case_id)
        if row is None:
            outcomes.append(Parked(intent.id, "CASE_GONE"))
        elif row["IsClosed"]:
            outcomes.append(Delivered(intent.id, row["Id"], row["CaseNumber"]))
        elif row["LastModifiedById"] != row["CreatedById"]:
            outcomes.append(Parked(intent.id, "EDITED_SINCE"))
        else:
            close[row["Id"]] = row
    if not close:
        return outcomes
    configured = context.mapping.case.closed_status
    status = context.org_setup.get().status("Case", configured, CLOSED, closed=True)
    rows_to_close = [
        Row(case_id, {"Status": status}, unchanged_since(row)) for case_id, row in close.items()
    ]
    written = context.records.change("Case", rows_to_close)
    results = dict(zip(close, written, strict=True))
    return outcomes + [
        context.written(intent, results[case_id], close[case_id]["CaseNumber"], record_id=case_id)
        for intent, case_id in targets.items()
        if case_id in close
    ]
