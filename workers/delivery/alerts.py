"""Alerts: a customer is told at the old number or email address that it was changed.

An alert is an intent of its own. It is recorded before the change is written, because afterwards
nobody knows the old address, and waits until the change is settled. So an alert that fails never
fails the change.

An old number gets a text message, once at most. Whatever keeps it from being sent, or leaves that
in doubt, makes a Task for a person of it, as for an email address: Salesforce's own action for mail
has no idempotency key, and what it needs differs between orgs and versions (docs/vendors.md S28).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast

from shared.agent.sentences import phrase
from shared.calls.end_of_call import MAX_DESCRIPTION
from shared.domain.drafts import AlertDraft, ContactDraft
from shared.domain.intent import (
    Cancelled,
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    new_intent_id,
)
from shared.domain.kinds import Kind, State
from shared.domain.text import fit, fit_line
from shared.logs import log
from shared.phone import as_e164
from shared.store import StoreFullError
from shared.tracing import in_trace
from workers.delivery.context import DeliveryContext
from workers.delivery.create_once import create_once
from workers.delivery.owners import owners_of
from workers.delivery.tasks import MAX_SUBJECT, optional_fields

MAX_MESSAGES = 10
"""Intents of a batch: each may wait for Twilio for `shared.twilio.messages.TIMEOUT_S`."""

OPEN = "Not Started"


def record_alerts(
    context: DeliveryContext, intent: Intent, contact: dict[str, Any], fields: Collection[str]
) -> None:
    """Before the change is written. fields: those that get another value than the contact
    has now.

    Records nothing a second time. Nothing at all for a request without a call, which no caller
    makes, and while the store takes nothing new.
    """
    if not context.settings.calls.notify_old_address or not intent.call_id:
        return
    addresses = (*context.agents.number_fields.contact, "Email")
    old = {name: str(contact[name]) for name in fields if name in addresses and contact.get(name)}
    if not old:
        return
    language = context.calls.state(intent.call_id).language
    alerts = [
        NewIntent(
            id=new_intent_id(),
            kind=Kind.CHANGE_ALERT,
            draft=AlertDraft(
                caller_number=cast(ContactDraft, intent.draft).caller_number,
                contact_id=contact["Id"],
                update_intent=intent.id,
                sobject_field=name,
                old_value=value,
                language=language,
            ),
            fingerprint=f"alert:{intent.id}:{name}",
            after=(intent.id,),
        )
        for name, value in old.items()
    ]
    try:
        with in_trace(intent.trace):
            context.journal.accept(intent.call_id, alerts, agent=intent.agent)
    except StoreFullError:
        log.error("alert_not_recorded", intent_id=intent.id, reason="FULL")


def send_alerts(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    drafts = {intent.id: cast(AlertDraft, intent.draft) for intent in intents}
    updates = context.journal.get_many(draft.update_intent for draft in drafts.values())
    outcomes: list[Outcome] = []
    for_staff: list[Intent] = []
    for intent in intents:
        draft = drafts[intent.id]
        if not _was_made(updates.get(draft.update_intent), draft.sobject_field):
            outcomes.append(Cancelled(intent.id, "NOT_CHANGED"))
        elif sent := _by_message(context, intent, draft):
            outcomes.append(Delivered(intent.id, sent))
        else:
            for_staff.append(intent)
    return outcomes + (_tasks(context, for_staff) if for_staff else [])


def _was_made(update: Intent | None, field: str) -> bool:
    if update is None or update.state is not State.DELIVERED:
        return False
    draft = update.draft_as(ContactDraft)
    return draft is None or field in draft.changes  # else Salesforce refused this field alone


def _by_message(context: DeliveryContext, intent: Intent, draft: AlertDraft) -> str | None:
    """None when a person has to do it. A number that is new itself gets no message: it may be that
    of whoever changed it."""
    if draft.sobject_field not in context.agents.number_fields.contact:
        return None
    number = as_e164(draft.old_value, context.settings.calls.phone_region)
    if number is None or draft.contact_id in context.new_numbers.until_ms([number]).get(number, {}):
        return None
    language = draft.language or context.sentences.default
    text = context.sentences.say(language, "message-changed", field=_named(draft.sobject_field))
    with in_trace(intent.trace):
        return context.text_messages.send_once(intent.id, number, text)


def _tasks(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    mapping, setup = context.mapping.callback, context.org_setup.get()
    who = {intent.id: cast(AlertDraft, intent.draft).contact_id for intent in intents}
    owners = owners_of(context, mapping.owner, who, setup)
    constants = {
        name: value for name, value in mapping.fields.items() if f"Task.{name}" in setup.fields
    }

    def record(intent: Intent) -> dict[str, Any]:
        draft = cast(AlertDraft, intent.draft)
        return constants | {
            "Subject": fit_line(_subject(context, draft), MAX_SUBJECT),
            "Description": fit("\n".join(_lines(context, draft)), MAX_DESCRIPTION),
            "Status": setup.status("Task", mapping.status, OPEN, closed=False),
            "Priority": "Normal",
            "ActivityDate": context.time_zone.day(intent.accepted_at_ms),
            "WhoId": draft.contact_id,
            "OwnerId": owners.get(intent.id),
        }

    optional = optional_fields(context) | {"OwnerId", *constants}
    return create_once(context, "Task", intents, record, optional=optional)


def _subject(context: DeliveryContext, draft: AlertDraft) -> str:
    return context.sentences.for_staff("record-alert-subject", field=_named(draft.sobject_field))


def _lines(context: DeliveryContext, draft: AlertDraft) -> Iterator[str]:
    say, field = context.sentences.for_staff, _named(draft.sobject_field)
    yield say("record-alert")
    yield say("record-change-of", field=field, value=draft.old_value)


def _named(field: str) -> Any:
    return phrase(f"field-{field}", "field", name=field)
