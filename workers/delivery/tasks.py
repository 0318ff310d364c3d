"""Tasks: call-backs to do, and the record of each finished call."""

from collections.abc import Sequence
from typing import Any, cast

from shared.calls.closeout import MOST_DESCRIPTION
from shared.domain.drafts import CallbackDraft, CallDraft, FromCaller
from shared.domain.intent import Intent, Outcome
from shared.domain.kinds import SETTLED, Kind
from shared.salesforce.records import MARKERS
from workers.delivery.amendments import amend_call_logs
from workers.delivery.call_text import call_fields
from workers.delivery.desk import Desk
from workers.delivery.keyed import create_by_key
from workers.delivery.links import cases_by_number, contact_of, not_yet, numbers_to_resolve
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
    named = _cases_by_number(desk, drafts)

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallDraft, intent.draft)
        opened = [
            one.receipt
            for one in of_call[intent.id]
            if one.kind is Kind.CASE_CREATE and one.receipt
        ]
        if opened:
            what_id: str | None = opened[-1].record_id
        elif draft.only_after in after and after[draft.only_after].receipt:
            what_id = named.get(draft.case_number or "")  # the comment on it went through
        else:
            what_id = None
        others = [receipt.number for receipt in opened[:-1] if receipt.number]
        return {
            "Status": "Completed",
            "Priority": "Normal",
            "TaskSubtype": "Call",
            "WhoId": who[intent.id],
            "WhatId": what_id,
        } | call_fields(draft, others, intent.accepted_at_ms, desk.time_zone)

    amending = [one for one in intents if cast(CallDraft, one.draft).amends]
    creating = [one for one in intents if one not in amending]
    if amending:
        outcomes += amend_call_logs(desk, amending, record, of_call, optional=_optional(desk))
    if creating:
        outcomes += create_by_key(desk, "Task", creating, record, optional=_optional(desk))
    return outcomes


def _is_open_wish(intent: Intent) -> bool:
    return bool(intent.tool) and intent.state not in SETTLED


def _contacts(desk: Desk, intents: Sequence[Intent]) -> dict[str, str | None]:
    """By intent id: the one contact who has the caller's number, if there is exactly one."""
    drafts = [(intent, cast(FromCaller, intent.draft)) for intent in intents]
    contacts = desk.people.resolve(numbers_to_resolve(drafts))
    return {intent.id: contact_of(intent, draft, contacts) for intent, draft in drafts}


def _cases_by_number(desk: Desk, drafts: list[CallDraft]) -> dict[str, str]:
    """Record ids by the number as it was said; none for a number that may mean several."""
    found = cases_by_number(desk, {one.case_number for one in drafts if one.case_number})
    return {number: rows[0]["Id"] for number, rows in found.items() if len(rows) == 1}
