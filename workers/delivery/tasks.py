"""Tasks: call-backs to do, and the record of each finished call."""

from collections.abc import Sequence
from typing import Any, cast

from shared.calls.end_of_call import MAX_DESCRIPTION
from shared.domain.drafts import CallbackDraft, CallDraft, CommentDraft, FromCaller
from shared.domain.identity import may_discuss
from shared.domain.intent import Intent, Outcome
from shared.domain.kinds import SETTLED, Kind, State
from shared.domain.text import fit, fit_line
from shared.salesforce.records import MARKERS
from workers.delivery.call_log_amendments import amend_call_logs
from workers.delivery.call_text import call_fields
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.links import (
    NOT_THEIR_CASE,
    cases_by_number,
    contact_of,
    not_yet,
    numbers_to_resolve,
    select_cases,
)

MAX_SUBJECT = 255

OPTIONAL = frozenset(
    {
        "WhoId", "WhatId", "TaskSubtype",
        "CallType", "CallDisposition", "CallDurationInSeconds", "CallObject",
    }
)  # fmt: skip
"""The Call* fields exist only where CRM Call Center does (docs/vendors.md S16)."""


def _optional(context: DeliveryContext) -> frozenset[str]:
    """Without our own key field the key lies in a standard one, which is needed then."""
    return OPTIONAL if context.records.has_key_fields else OPTIONAL - {MARKERS["Task"]}


def request_callbacks(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    who = _contacts(context, intents)

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallbackDraft, intent.draft)
        lines = [
            f"Call back: {draft.phone}",
            f"When: {draft.when}" if draft.when else "",
            f"Why: {draft.reason}" if draft.reason else "",
            f"Reference: {intent.reference}" if intent.reference else "",
        ]
        return {
            "Subject": fit_line(f"Call back {draft.phone}", MAX_SUBJECT),
            "Description": fit("\n".join(line for line in lines if line), MAX_DESCRIPTION),
            "Status": "Not Started",
            "Priority": "Normal",
            "ActivityDate": context.time_zone.day(intent.requested_at_ms or intent.accepted_at_ms),
            "WhoId": who[intent.id],
        }

    return create_once(context, "Task", intents, record, optional=_optional(context))


def log_calls(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    of_calls = context.journal.of_calls(intent.call_id for intent in intents)
    of_call = {intent.id: of_calls.get(intent.call_id, []) for intent in intents}
    # A request may arrive after the report: the call is logged once all its requests are settled.
    early = [
        item
        for item in intents
        if any(_is_open_request(write_request) for write_request in of_call[item.id])
    ]
    intents = [item for item in intents if item not in early]
    outcomes: list[Outcome] = [not_yet(item, "CALL_NOT_SETTLED") for item in early]
    if not intents:
        return outcomes
    who = _contacts(context, intents)
    drafts = [cast(CallDraft, item.draft) for item in intents]
    after = context.journal.get_many(draft.only_after for draft in drafts if draft.only_after)
    commented = _cases_commented_on(context, drafts)
    opened = {id_: _opened(of_call[id_]) for id_ in who}
    cases = _still_theirs(context, of_call, opened, who)

    def what_id(intent: Intent, draft: CallDraft) -> str | None:
        if intent.has_two_numbers:
            return None  # it holds the words of both callers
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
            case_.receipt.number
            for case_ in opened[intent.id][:-1]
            if case_.receipt and case_.receipt.number
        ]
        return {
            "Status": "Completed",
            "Priority": "Normal",
            "TaskSubtype": "Call",
            "WhoId": who[intent.id],
            "WhatId": what_id(intent, draft),
        } | call_fields(draft, others, intent.accepted_at_ms, context.time_zone)

    amending = [item for item in intents if cast(CallDraft, item.draft).amends]
    creating = [item for item in intents if item not in amending]
    if amending:
        outcomes += amend_call_logs(context, amending, record, of_call, optional=_optional(context))
    if creating:
        outcomes += create_once(context, "Task", creating, record, optional=_optional(context))
    return outcomes


def _opened(of_call: list[Intent]) -> list[Intent]:
    """The call's cases that are in the org, in the order they were accepted."""
    return [item for item in of_call if item.kind is Kind.CASE_CREATE and item.receipt]


def _still_theirs(
    context: DeliveryContext,
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
    in_doubt: dict[str, str] = {}
    for intent_id, cases in opened.items():
        if not cases or not (receipt := cases[-1].receipt):
            continue
        notes = [
            intent
            for intent in of_call[intent_id]
            if not intent.tool
            and (comment := intent.draft_as(CommentDraft))
            and comment.case_intent == cases[-1].id
        ]
        note = notes[-1] if notes else None
        if note and note.state is State.DELIVERED:
            theirs[intent_id] = receipt.record_id
        elif not note or note.reason != NOT_THEIR_CASE:
            in_doubt[intent_id] = receipt.record_id
    if in_doubt:
        (rows,) = context.records.query(select_cases(in_doubt.values()))
        contacts = {row["Id"]: row["ContactId"] for row in rows}
        theirs |= {
            intent_id: case_id
            for intent_id, case_id in in_doubt.items()
            if case_id in contacts
            and may_discuss({who[intent_id]}, contacts[case_id], requested=True)
        }
    return theirs


def _is_open_request(intent: Intent) -> bool:
    return bool(intent.tool) and intent.state not in SETTLED


def _contacts(context: DeliveryContext, intents: Sequence[Intent]) -> dict[str, str | None]:
    """By intent id: the one contact who has the caller's number, if there is exactly one."""
    drafts = [(intent, cast(FromCaller, intent.draft)) for intent in intents]
    contacts = context.contacts.resolve(numbers_to_resolve(drafts))
    return {intent.id: contact_of(intent, draft, contacts) for intent, draft in drafts}


def _cases_commented_on(
    context: DeliveryContext, drafts: list[CallDraft]
) -> dict[str, dict[str, Any]]:
    """The cases by their number as it was said; none for a number that may mean several."""
    found = cases_by_number(context, {item.case_number for item in drafts if item.case_number})
    return {number: rows[0] for number, rows in found.items() if len(rows) == 1}
