"""Cases: opened by key, and closed when the caller takes back one that was opened already."""

from collections.abc import Sequence
from typing import Any, cast

from shared.domain.drafts import CaseDraft
from shared.domain.intent import Delivered, Intent, Outcome, Parked
from shared.domain.kinds import Kind
from shared.domain.text import stored_length
from shared.salesforce.records import MOST_RECORDS, Row
from shared.salesforce.soql import soql
from workers.delivery.desk import Desk
from workers.delivery.keyed import create_by_key
from workers.delivery.links import contact_of, find_cases, numbers_to_resolve, unchanged_since
from workers.delivery.task_links import with_links
from workers.delivery.text import fit, fit_line

MOST_SUBJECT = 255
MOST_DESCRIPTION = 32_000
MOST_LOOKED_AHEAD = 5_000
CLOSED = "Closed"
OPTIONAL = frozenset({"Type", "Origin", "Priority", "ContactId", "SuppliedPhone"})


def open_cases(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(CaseDraft, intent.draft) for intent in intents}
    numbers = numbers_to_resolve((one, drafts[one.id]) for one in intents)
    if len(intents) >= MOST_RECORDS:
        # A backlog: who the next batches are for is asked now, in few requests instead of one each.
        for kept in desk.journal.payloads_due(Kind.CASE_CREATE, MOST_LOOKED_AHEAD):
            if not kept.get("contact_id"):
                numbers.setdefault(kept.get("caller_number", ""), 0)
    contacts = desk.people.resolve(numbers)

    def record(intent: Intent) -> dict[str, Any]:
        draft = drafts[intent.id]
        # Text, and never a link: anybody can say a number. The org takes the contact's account.
        unverified = ""
        if draft.account_number:
            unverified = (
                f"\n\nAccount number given by the caller, not verified: {draft.account_number}"
            )
        return {
            "Voice_Reference__c": intent.reference if desk.records.keyed else "",
            "Subject": fit_line(
                f"{draft.issue_type.capitalize()}: {draft.description}", MOST_SUBJECT
            ),
            "Description": fit(draft.description, MOST_DESCRIPTION - stored_length(unverified))
            + unverified,
            "Type": draft.issue_type.capitalize(),
            "Origin": "Phone",
            "Priority": draft.priority,
            "ContactId": contact_of(intent, draft, contacts),
            "SuppliedPhone": draft.caller_number,
        }

    outcomes = create_by_key(
        desk, "Case", intents, record, optional=OPTIONAL, read_back=("Id", "CaseNumber")
    )
    opened = {one.intent_id: one.record_id for one in outcomes if isinstance(one, Delivered)}
    return with_links(desk, intents, outcomes, opened)


def close_cases(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    """Closes, never deletes; a case that a person has taken up since is left to them."""
    found = find_cases(desk, intents)
    outcomes = [one for one in found.values() if not isinstance(one, str)]
    targets = {one: case_id for one in intents if isinstance(case_id := found[one.id], str)}
    if not targets:
        return outcomes
    (rows,) = desk.records.query(
        soql(
            "SELECT Id, CaseNumber, IsClosed, CreatedById, LastModifiedById, LastModifiedDate "
            "FROM Case "
            "WHERE Id IN {ids}",
            ids=sorted(set(targets.values())),
        )
    )
    by_id = {row["Id"]: row for row in rows}
    closing: dict[str, dict[str, Any]] = {}
    for intent, case_id in targets.items():
        row = by_id.get(case_id)
        if row is None:
            outcomes.append(Parked(intent.id, "CASE_GONE"))
        elif row["IsClosed"]:
            outcomes.append(Delivered(intent.id, row["Id"], row["CaseNumber"]))
        elif row["LastModifiedById"] != row["CreatedById"]:
            outcomes.append(Parked(intent.id, "EDITED_SINCE"))
        else:
            closing[row["Id"]] = row
    if not closing:
        return outcomes
    rows_to_close = [
        Row(case_id, {"Status": CLOSED}, unchanged_since(row)) for case_id, row in closing.items()
    ]
    written = desk.records.change("Case", rows_to_close)
    results = dict(zip(closing, written, strict=True))
    return outcomes + [
        desk.written(intent, results[case_id], closing[case_id]["CaseNumber"], record_id=case_id)
        for intent, case_id in targets.items()
        if case_id in closing
    ]
