"""Tasks: the record of each finished call. Call-backs are in callbacks.py."""

from collections.abc import Sequence
from typing import Any, cast

from shared.domain.drafts import CallDraft, FromCaller
from shared.domain.intent import Intent, Outcome
from shared.domain.kinds import SETTLED
from shared.salesforce.records import MARKERS
from workers.delivery.call_log_amendments import Findings, amend_call_logs
from workers.delivery.call_text import call_fields
from workers.delivery.case_of_call import CallView, cases_of_calls, of_one_caller
from workers.delivery.case_outcomes import write_to_cases
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.links import contact_of, is_refused, not_yet, numbers_to_resolve
from workers.delivery.merges import merged_into
from workers.delivery.outcomes import outcome_fields
from workers.delivery.owners import owners_of

MAX_SUBJECT = 255
COMPLETED = "Completed"

OPTIONAL = frozenset(
    {
        "WhoId", "WhatId", "TaskSubtype",
        "CallType", "CallDisposition", "CallDurationInSeconds", "CallObject",
    }
)  # fmt: skip
"""The Call* fields exist only where CRM Call Center does (docs/vendors.md S16)."""


def optional_fields(context: DeliveryContext) -> frozenset[str]:
    """Without our own key field the key lies in a standard one, which is needed then."""
    return OPTIONAL if context.records.has_key_fields else OPTIONAL - {MARKERS["Task"]}


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
    mapping, setup = context.mapping.call_log, context.org_setup.get()
    who = contacts_of(context, intents)
    calls = _calls(context, intents, of_call, who)
    cases = cases_of_calls(context, of_one_caller(intents, calls))
    intents, waiting = write_to_cases(context, intents, cases, calls, setup)
    outcomes += waiting
    if not intents:
        return outcomes
    owners = owners_of(context, mapping.owner, who, setup)
    sources = context.mapping.outcome_of("Task")
    constants = {
        name: value for name, value in mapping.fields.items() if f"Task.{name}" in setup.fields
    }

    def found_out(draft: CallDraft) -> dict[str, Any]:
        return outcome_fields("Task", sources, draft, setup)

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallDraft, intent.draft)
        others = [
            case_.receipt.number
            for case_ in calls[intent.id].opened[:-1]
            if case_.receipt and case_.receipt.number
        ]
        return (
            constants
            | {
                "Status": setup.status("Task", mapping.status, COMPLETED, closed=True),
                "Priority": "Normal",
                "TaskSubtype": "Call",
                "WhoId": who[intent.id],
                "WhatId": cases.get(intent.id),
                "OwnerId": owners.get(intent.id),
            }
            | call_fields(context, draft, others, intent.accepted_at_ms)
            | found_out(draft)
        )

    optional = optional_fields(context) | {"OwnerId", *constants, *sources}
    amending = [item for item in intents if cast(CallDraft, item.draft).amends]
    creating = [item for item in intents if item not in amending]
    if amending:
        findings = Findings(
            fields=tuple(name for name in sources if f"Task.{name}" in setup.fields),
            of=found_out,
        )
        outcomes += amend_call_logs(
            context, amending, record, of_call, findings=findings, optional=optional
        )
    if creating:
        outcomes += create_once(context, "Task", creating, record, optional=optional)
    return outcomes


def _calls(
    context: DeliveryContext,
    intents: Sequence[Intent],
    of_call: dict[str, list[Intent]],
    who: dict[str, str | None],
) -> dict[str, CallView]:
    drafts = {item.id: cast(CallDraft, item.draft) for item in intents}
    after = context.journal.get_many(
        draft.only_after for draft in drafts.values() if draft.only_after
    )
    return {
        id_: CallView(
            of_call[id_],
            who[id_],
            draft.case_number or ""
            if draft.only_after in after and after[draft.only_after].receipt
            else "",
        )
        for id_, draft in drafts.items()
    }


def _is_open_request(intent: Intent) -> bool:
    return bool(intent.tool) and intent.state not in SETTLED


def contacts_of(context: DeliveryContext, intents: Sequence[Intent]) -> dict[str, str | None]:
    """By intent id: the caller's contact, None for none."""
    drafts = [(intent, cast(FromCaller, intent.draft)) for intent in intents]
    contacts = context.contacts.resolve(numbers_to_resolve(drafts))
    merges = merged_into(context, {draft.contact_id for it, draft in drafts if is_refused(it)})
    return {intent.id: contact_of(intent, draft, contacts, merges) for intent, draft in drafts}
