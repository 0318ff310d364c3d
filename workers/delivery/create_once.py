"""Idempotent creation: a record with our key (its idempotency key) is created once, even if the
answer to an earlier attempt was lost."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from shared.salesforce.records import NO_HEADERS
from workers.delivery.context import DeliveryContext
from workers.delivery.links import CONTACT_LINKS


def create_once(
    context: DeliveryContext,
    sobject: str,
    intents: Sequence[Intent],
    record: Callable[[Intent], dict[str, Any]],
    *,
    optional: frozenset[str],
    read_back: tuple[str, ...] = ("Id",),
    headers: Mapping[str, str] = NO_HEADERS,
) -> list[Outcome]:
    """Takes one request for all; one more before it for those in doubt.

    A record in doubt is looked for first. If it exists, it is not changed: a person may have edited
    it. optional: fields to omit when Salesforce refuses their value or does not have them
    (contact_of handles the contact itself). Empty fields are omitted from the start, and so are
    those that the org turned out to lack in the last minutes. headers: of the creation.
    """
    lacking = context.journal.missing_fields(intents[0].kind)
    existing = find_by_key(context, sobject, intents, read_back)
    outcomes: list[Outcome] = [
        Delivered(intent.id, existing[intent.id]["Id"], existing[intent.id].get("CaseNumber"))
        for intent in intents
        if intent.id in existing
    ]
    missing = [intent for intent in intents if intent.id not in existing]
    if not missing:
        return outcomes
    records = [
        (entry.id, {
            name: value
            for name, value in record(entry).items()
            if value not in (None, "")
            and name not in lacking
            and (name in CONTACT_LINKS or name not in entry.omit_fields)
        })
        for entry in missing
    ]  # fmt: skip
    try:
        written, rows = context.records.create(
            sobject,
            records,
            read_back,
            still_wanted=context.holds_lease,
            headers=headers,
        )
    except WithdrawnError:
        return outcomes  # somebody else's by now
    except SalesforceError as error:
        # The query has just shown that none exists: only this attempt can have written one.
        return outcomes + [
            context.failed(entry, error, may_exist=error.ambiguous, optional=optional)
            for entry in missing
        ]
    return outcomes + [
        context.written(entry, item, rows.get(entry.id, {}).get("CaseNumber"), optional)
        for entry, item in zip(missing, written, strict=True)
    ]


def find_by_key(
    context: DeliveryContext, sobject: str, intents: Sequence[Intent], fields: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """The records of those intents of which an attempt may have been committed, by intent id."""
    in_doubt = [intent.id for intent in intents if intent.in_doubt]
    return context.records.by_key(sobject, in_doubt, fields) if in_doubt else {}
