"""Which contact took the place of one that is gone.

A merge keeps one contact and deletes the others, whose MasterRecordId then names it
(docs/vendors.md S29). Nothing else says who took a contact's place: who has the number of a deleted
contact now may be somebody else of the same household.
"""

from collections.abc import Iterable

from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext

MAX_MERGES = 5
"""A contact that was kept may have been merged into another one since, and so on."""


def merged_into(context: DeliveryContext, contact_ids: Iterable[str | None]) -> dict[str, str]:
    """By the id of each contact that was merged: the contact that was kept. Asks nothing for no
    contact."""
    merges = {id_: id_ for id_ in contact_ids if id_}
    for _ in range(MAX_MERGES if merges else 0):
        statement = soql(
            "SELECT Id, MasterRecordId FROM Contact WHERE Id IN {ids}",
            ids=sorted(set(merges.values())),
        )
        (rows,) = context.records.query(statement, deleted_too=True)
        merged = {row["Id"]: row["MasterRecordId"] for row in rows if row["MasterRecordId"]}
        if not merged:
            break
        merges = {gone: merged.get(by, by) for gone, by in merges.items()}
    return {gone: by for gone, by in merges.items() if gone != by}
