"""Tasks: call-backs to do, and the record of each finished call."""

from collections.abc import Sequence
from typing import Any, cast

from shared.calls.closeout import MOST_DESCRIPTION
from shared.domain.drafts import CallbackDraft, CallDraft, FromCaller
from shared.domain.identity import may_discuss
from shared.domain.intent import Intent, Outcome
from shared.domain.kinds import SETTLED, Kind, State
from shared.salesforce.records import MARKERS
from workers.delivery.amendments import amend_call_logs
from workers.delivery.call_text import call_fields
from workers.delivery.desk import Desk
from workers.delivery.keyed import create_by_key
from workers.delivery.links import (
    NOT_THEIR_CASE,
    cases_by_number,
    contact_of,
    not_yet,
    numbers_to_resolve,
    select_cases,
)
from workers.delivery.text import fit, fit_line

MOST_SUBJECT = 255

OPTIONAL = frozenset(
    {
        "WhoId", "WhatId", "TaskSubtype",
        "CallType", "CallDisposition", "CallDurationInSeconds", "CallObject",
    }
)  # fmt: skip
"""The Call* fields exist only where CRM Call Center does (docs/vendors.md S16)."""


def _optional(desk: Desk) -> frozenset[str]:
    """Without our own key field the key lies in a standard one, which is needed then."""
    return OPTIONAL if desk.records.keyed else OPTIONAL - {MARKERS["Task"]}


def request_callbacks(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    who = _contacts(desk, intents)

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallbackDraft, intent.draft)
        lines = [
            f"Call back: {draft.phone}",
            f"When: {draft.when}" if draft.when else "",
            f"Why: {draft.reason}" if draft.reason else "",
            f"Reference: {intent.reference}" if intent.reference else "",
        ]
        return {
            "Subject": fit_line(f"Call back {draft.phone}", MOST_SUBJECT),
            "Description": fit("\n".join(line for line in lines if line), MOST_DESCRIPTION),
            "Status": "Not Started",
            "Priority": "Normal",
            "ActivityDate": desk.time_zone.day(intent.wished_ms or intent.accepted_at_ms),
            "WhoId": who[intent.id],
        }

    return create_by_key(desk, "Task", intents, record, optional=_optional(desk))


def log_calls(desk: Desk, intents: Sequence[Intent]) -> list[Outcome]:
    of_call = {one.id: desk.journal.of_call(one.call_id) for one in intents}
    # A wish may be heard of after the report: the call is logged when all it wished for is settled.
    early = [one for one in intents if any(_is_open_wish(wish) for wish in of_call[one.id])]
    intents = [one for one in intents if one not in early]
    outcomes: list[Outcome] = [not_yet(one, "CALL_NOT_SETTLED") for one in early]
    if not intents:
        return outcomes
    who = _contacts(desk, intents)
    drafts = [cast(CallDraft, one.draft) for one in intents]
    after = desk.journal.get_many(draft.only_after for draft in drafts if draft.only_after)
    commented = _cases_commented_on(desk, drafts)
    opened = {id_: _opened(of_call[id_]) for id_ in who}
    cases = _still_theirs(desk, of_call, opened, who)

    def what_id(intent: Intent, draft: CallDraft) -> str | None:
        if opened[intent.id]:
            return cases.get(intent.id)
        if draft.only_after not in after or not after[draft.only_after].receipt:
            return None
        case = commented.get(draft.case_number or "")
        if case is None or not may_discuss({who[intent.id]}, case["ContactId"], requested=True):
            return None
        return str(case["Id"])

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallDraft, intent.draft)
        others = [
            one.receipt.number
            for one in opened[intent.id][:-1]
            if one.receipt and one.receipt.number
        ]
        return {
            "Status": "Completed",
            "Priority": "Normal",
            "TaskSubtype": "Call",
            "WhoId": who[intent.id],
            "WhatId": what_id(intent, draft),
        } | call_fields(draft, others, intent.accepted_at_ms, desk.time_zone)

    amending = [one for one in intents if cast(CallDraft, one.draft).amends]
    creating = [one for one in intents if one not in amending]
    if amending:
        outcomes += amend_call_logs(desk, amending, record, of_call, optional=_optional(desk))
    if creating:
        outcomes += create_by_key(desk, "Task", creating, record, optional=_optional(desk))
    return outcomes


def _opened(of_call: list[Intent]) -> list[Intent]:
    """The call's cases that are in the org, in the order they were accepted."""
    return [one for one in of_call if one.kind is Kind.CASE_CREATE and one.receipt]


def _still_theirs(
    desk: Desk,
    of_call: dict[str, list[Intent]],
    opened: dict[str, list[Intent]],
    who: dict[str, str | None],
) -> dict[str, str]:
    """By intent id, the record id of the case that its call opened last, unless staff have given it
    to another contact since.

    The call's summary went to the same case a moment ago, as a rule: whether that was theirs is
    not asked again.
    """
    theirs: dict[str, str] = {}
    unsure: dict[str, str] = {}
    for intent_id, cases in opened.items():
        if not cases or not (receipt := cases[-1].receipt):
            continue
        notes = [
            one
            for one in of_call[intent_id]
            if one.kind is Kind.CASE_COMMENT
            and not one.tool
            and one.payload.get("case_intent") == cases[-1].id
        ]
        note = notes[-1] if notes else None
        if note and note.state is State.DELIVERED:
            theirs[intent_id] = receipt.record_id
        elif not note or note.reason != NOT_THEIR_CASE:
            unsure[intent_id] = receipt.record_id
    if unsure:
        (rows,) = desk.records.query(select_cases(unsure.values()))
        contacts = {row["Id"]: row["ContactId"] for row in rows}
        theirs |= {
            intent_id: case_id
            for intent_id, case_id in unsure.items()
            if case_id in contacts
            and may_discuss({who[intent_id]}, contacts[case_id], requested=True)
        }
    return theirs


def _is_open_wish(intent: Intent) -> bool:
    return bool(intent.tool) and intent.state not in SETTLED


def _contacts(desk: Desk, intents: Sequence[Intent]) -> dict[str, str | None]:
    """By intent id: the one contact who has the caller's number, if there is exactly one."""
    drafts = [(intent, cast(FromCaller, intent.draft)) for intent in intents]
    contacts = desk.people.resolve(numbers_to_resolve(drafts))
    return {intent.id: contact_of(intent, draft, contacts) for intent, draft in drafts}


def _cases_commented_on(desk: Desk, drafts: list[CallDraft]) -> dict[str, dict[str, Any]]:
    """The cases by their number as it was said; none for a number that may mean several."""
    found = cases_by_number(desk, {one.case_number for one in drafts if one.case_number})
    return {number: rows[0] for number, rows in found.items() if len(rows) == 1}
