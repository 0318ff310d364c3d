"""What the org has now for a parked write, which an operator is about to correct."""

from dataclasses import dataclass, field

import redis

from shared.agent.agents import agents_of
from shared.domain.intent import Intent
from shared.domain.kinds import Kind
from shared.operators.edits import WHO, Edit
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.client import SalesforceClient
from shared.salesforce.contact_resolver import ContactResolver, only
from shared.salesforce.failures import SalesforceError
from shared.salesforce.namespace import keys_of
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.records import Records
from shared.salesforce.soql import columns, soql
from shared.settings import Settings
from shared.store import connect

ANSWER_S = 5.0

SOBJECTS = {
    Kind.CASE_CREATE: "Case",
    Kind.CALLBACK: "Task",
    Kind.CALL_LOG: "Task",
    Kind.TRANSCRIPT_FILE: "ContentVersion",
}
"""The objects whose records carry the intent's key."""


@dataclass(frozen=True)
class OrgState:
    """fields: what the org has in each, "" for nothing. sentence: about the record, or ""."""

    fields: dict[str, str] = field(default_factory=dict)
    sentence: str = ""


def org_state_of(intent: Intent, change: Edit, settings: Settings) -> OrgState:
    """What the org has for an intent that an operator edits.

    If the org can't be read, the result's sentence says so. Raises StoreUnavailableError.
    """
    store = connect(settings.store.url, socket_timeout_s=ANSWER_S)
    api_budget = ApiBudget(settings.salesforce, store)
    salesforce = SalesforceClient(settings.salesforce, store, api_budget, Use.CHECK)
    has_key_fields = settings.salesforce.key_fields
    records = Records(salesforce, timeout_s=ANSWER_S, has_key_fields=has_key_fields)
    try:
        if intent.kind is Kind.CONTACT_UPDATE:
            return _contact(records, store, intent, change, settings)
        if sobject := SOBJECTS.get(intent.kind):
            return _record(records, sobject, intent)
    except SalesforceError as error:
        return OrgState(sentence=f"The org can't be read now: {error}.")
    return OrgState()


def _contact(
    records: Records, store: redis.Redis, intent: Intent, change: Edit, settings: Settings
) -> OrgState:
    contact_id, number = change.draft.get("contact_id"), change.draft.get("caller_number")
    if not contact_id and number:
        region, keys = settings.calls.phone_region, keys_of(settings.salesforce)
        rules = agents_of(settings).named(intent.agent).identify.rules
        new_numbers = NewNumbers(store, keys, settings.calls.new_number_age_h)
        contacts = ContactResolver(records, store, region, keys, new_numbers, rules)
        contact_id = only(contacts.holders([number]).get(number))
    names = tuple(name for name in change.changed if name not in WHO)
    statement = f"SELECT {columns(('Id', *names))} FROM Contact WHERE Id = {{id}}"
    rows = records.query(soql(statement, id=contact_id))[0] if contact_id else []
    if not rows:
        return OrgState(
            sentence="The org has no such contact, or several. Name one: --set contact_id=003..."
        )
    return OrgState({name: str(rows[0].get(name) or "") for name in names})


def _record(records: Records, sobject: str, intent: Intent) -> OrgState:
    found = records.by_key(sobject, [intent.id], ("Id",)).get(intent.id)
    if not found:
        return OrgState(sentence=f"The org has no {sobject} of this intent.")
    return OrgState(
        sentence=f"The org already has it as {sobject} {found['Id']}. Correct it there."
    )
