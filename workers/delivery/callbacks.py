"""Call-backs: Tasks for who looks after the customer, on the day that the caller meant."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, cast

from shared.agent.sentences import phrase
from shared.calls.end_of_call import MAX_DESCRIPTION
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Intent, Outcome
from shared.domain.kinds import State
from shared.domain.text import fit, fit_line, one_line
from workers.delivery.case_of_call import CallView, cases_of_calls, last_comment, of_one_caller
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.due_day import due_day
from workers.delivery.owners import owners_of
from workers.delivery.tasks import MAX_SUBJECT, contacts_of, optional_fields

OPEN = "Not Started"


def request_callbacks(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    mapping, say = context.mapping.callback, context.sentences.for_staff
    setup = context.org_setup.get()
    who = contacts_of(context, intents)
    calls = _calls(context, intents, who)
    cases = cases_of_calls(context, of_one_caller(intents, calls))
    owners = owners_of(context, mapping.owner, who, setup)
    constants = {
        name: value for name, value in mapping.fields.items() if f"Task.{name}" in setup.fields
    }

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(CallbackDraft, intent.draft)
        call_back = say("record-call-back-subject", phone=draft.phone)
        lines = [
            f"{say('record-call-back')} {draft.phone}",
            f"{say('record-call-back-when')} {one_line(draft.when)}" if draft.when else "",
            f"{say('record-call-back-why')} {one_line(draft.reason)}" if draft.reason else "",
            say("record-call-back-unproven") if draft.is_unproven else "",
            say("record-change-to-check") if draft.changes and not draft.reason else "",
            *(_change(say, name, value) for name, value in draft.changes.items()),
            say("record-call-back-reference", reference=intent.reference)
            if intent.reference
            else "",
        ]
        return constants | {
            "Subject": fit_line(call_back, MAX_SUBJECT),
            "Description": fit("\n".join(line for line in lines if line), MAX_DESCRIPTION),
            "Status": setup.status("Task", mapping.status, OPEN, closed=False),
            "Priority": "Normal",
            "ActivityDate": _due(context, intent, draft.when),
            "WhoId": who[intent.id],
            "WhatId": cases.get(intent.id),
            "OwnerId": owners.get(intent.id),
        }

    optional = optional_fields(context) | {"OwnerId", *constants}
    return create_once(context, "Task", intents, record, optional=optional)


def _change(say: Callable[..., str], name: str, value: str) -> str:
    field = phrase(f"field-{name}", "field", name=name)
    return say("record-change-of", field=field, value=one_line(value))


def _calls(
    context: DeliveryContext, intents: Sequence[Intent], who: dict[str, str | None]
) -> dict[str, CallView]:
    of_calls = context.journal.of_calls(intent.call_id for intent in intents)
    calls = {}
    for intent in intents:
        of_call = of_calls.get(intent.call_id, [])
        comment = last_comment(of_call)
        is_delivered = comment is not None and comment[0].state is State.DELIVERED
        commented = comment[1] if comment and is_delivered else ""
        calls[intent.id] = CallView(of_call, who[intent.id], commented)
    return calls


def _due(context: DeliveryContext, intent: Intent, when: str) -> str:
    """The day that the caller's words name, else the day of the request; by the team's clock."""
    at_ms = intent.requested_at_ms or intent.accepted_at_ms
    if not when:
        return context.time_zone.day(at_ms)
    local = datetime.fromtimestamp(at_ms / 1000, context.time_zone.zone()).replace(tzinfo=None)
    return due_day(when, local, context.mapping.callback.languages).isoformat()
