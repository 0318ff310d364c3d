"""Who owns a new record: the contact's or the account's owner, a user, a queue, or the org's
choice."""

from collections.abc import Mapping
from typing import Any

from shared.agent.salesforce import ACCOUNT_OWNER, CONTACT_OWNER, QUEUE, USER
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN, Setup
from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext


def owners_of(
    context: DeliveryContext, rule: str, contacts: Mapping[str, str | None], setup: Setup
) -> dict[str, str]:
    """The owner's record id, by intent id. Omits those whose owner the org chooses.

    contacts: by intent id. One request for all contacts, none for another rule.
    """
    if rule.startswith((USER, QUEUE)):
        kind, _, name = rule.partition(":")
        known = setup.users if f"{kind}:" == USER else setup.queues
        owner = known.get(name.lower())
        return dict.fromkeys(contacts, owner) if owner else {}
    ids = sorted({id_ for id_ in contacts.values() if id_})
    if rule not in (CONTACT_OWNER, ACCOUNT_OWNER) or not ids:
        return {}
    by_contact = {str(row["Id"]): _owner(row, rule) for row in _read(context, ids)}
    return {
        intent_id: owner
        for intent_id, contact_id in contacts.items()
        if contact_id and (owner := by_contact.get(contact_id))
    }


def _read(context: DeliveryContext, contact_ids: list[str]) -> list[dict[str, Any]]:
    try:
        (rows,) = context.records.query(
            soql(
                "SELECT Id, OwnerId, Owner.IsActive, Account.OwnerId, Account.Owner.IsActive "
                "FROM Contact WHERE Id IN {ids}",
                ids=contact_ids,
            )
        )
    except SalesforceError as error:
        if error.failure not in NOT_SHOWN:
            raise
        log.warning("mapping_unknown", reason=f"owners of contacts: {error}")
        return []
    return rows


def _owner(contact: dict[str, Any], rule: str) -> str | None:
    """An inactive user can't own a new record: then the other of the two."""
    account = contact.get("Account") or {}
    parts = [contact, account] if rule == CONTACT_OWNER else [account, contact]
    return next(
        (
            str(part["OwnerId"])
            for part in parts
            if part.get("OwnerId") and (part.get("Owner") or {}).get("IsActive")
        ),
        None,
    )
