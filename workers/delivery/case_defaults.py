"""What the team's mapping adds to every new case (`[case]`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.salesforce.org_setup import NOT_SHOWN
from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext
from workers.delivery.owners import owners_of

LINKS = frozenset({"OwnerId", "RecordTypeId", "EntitlementId"})


@dataclass(frozen=True)
class CaseDefaults:
    """fields: of each new case, by intent id. optional: those that a case may go without.

    unassigned: the intents whose case the org's assignment rules must not route.
    """

    fields: dict[str, dict[str, Any]]
    optional: frozenset[str] = frozenset()
    unassigned: frozenset[str] = field(default_factory=frozenset)


def case_defaults(
    context: DeliveryContext, intents: Sequence[str], contacts: Mapping[str, str | None]
) -> CaseDefaults:
    """intents: their ids. contacts: the caller's contact, by intent id.

    The default mapping takes no request.
    """
    mapping = context.mapping.case
    needs_setup = mapping.fields or mapping.record_type or mapping.owner
    fields: dict[str, Any] = {"Origin": mapping.origin}
    owners: dict[str, str] = {}
    if needs_setup:
        setup = context.org_setup.get()
        fields |= {
            name: value for name, value in mapping.fields.items() if f"Case.{name}" in setup.fields
        }
        fields["RecordTypeId"] = setup.record_types.get(mapping.record_type.lower())
        known = {intent_id: contacts.get(intent_id) for intent_id in intents}
        owners = owners_of(context, mapping.owner, known, setup)
    entitlements = _entitlements(context, contacts) if mapping.entitlement else {}
    return CaseDefaults(
        fields={
            intent_id: fields
            | {
                "OwnerId": owners.get(intent_id),
                "EntitlementId": entitlements.get(contacts.get(intent_id) or ""),
            }
            for intent_id in intents
        },
        optional=frozenset({"Origin", *mapping.fields, *LINKS}),
        # The rules would replace the owner.
        unassigned=frozenset(owners if mapping.assignment_rules else intents),
    )


def _entitlements(context: DeliveryContext, contacts: Mapping[str, str | None]) -> dict[str, str]:
    """The only active entitlement, by contact: the contact's own, else the account's.

    With several, a person has to choose.
    """
    ids = sorted({id_ for id_ in contacts.values() if id_})
    if not ids:
        return {}
    try:
        own, accounts, shared = context.records.query(
            soql(
                "SELECT ContactId, EntitlementId FROM EntitlementContact "
                "WHERE ContactId IN {ids} AND Entitlement.Status = 'Active'",
                ids=ids,
            ),
            soql("SELECT Id, AccountId FROM Contact WHERE Id IN {ids}", ids=ids),
            soql(
                "SELECT Id, AccountId FROM Entitlement WHERE Status = 'Active' AND AccountId IN "
                "(SELECT AccountId FROM Contact WHERE Id IN {ids})",
                ids=ids,
            ),
        )
    except SalesforceError as error:
        if error.failure not in NOT_SHOWN:
            raise
        log.warning("mapping_unknown", reason=f"entitlements: {error}")
        return {}
    account_of = {row["Id"]: row["AccountId"] for row in accounts}
    by_contact = {
        id_: [row["EntitlementId"] for row in own if row["ContactId"] == id_] for id_ in ids
    }
    by_account = {
        id_: [row["Id"] for row in shared if row["AccountId"] == account_of.get(id_)] for id_ in ids
    }
    found = {id_: by_contact[id_] or by_account[id_] for id_ in ids}
    return {id_: listed[0] for id_, listed in found.items() if len(listed) == 1}
