"""Idempotent creation: a record with our key (its idempotency key) is created once, even if the
answer to an earlier attempt was lost.

An object of the team's may have no field for a key. Its records are sent once, by who holds the
lease at that moment. When an earlier attempt may have arrived, the intent rests until Salesforce
must have finished, and then a record of the caller's with the same fields is looked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome, TryAgain
from shared.domain.text import comparable
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from shared.salesforce.records import KEY_FIELD, NO_HEADERS
from shared.salesforce.soql import columns, soql
from workers.delivery.context import REST_UNKEYED_MS, DeliveryContext
from workers.delivery.links import TASK_LINKS


def create_once(
    context: DeliveryContext,
    sobject: str,
    intents: Sequence[Intent],
    record: Callable[[Intent], dict[str, Any]],
    *,
    optional: frozenset[str],
    links: frozenset[str] = TASK_LINKS,
    key: str = KEY_FIELD,
    read_back: tuple[str, ...] = ("Id",),
    headers: Mapping[str, str] = NO_HEADERS,
) -> list[Outcome]:
    """Takes one request for all; one more before it for those in doubt.

    A record in doubt is looked for first. If it exists, it is not changed: a person may have edited
    it. optional: fields to omit when Salesforce refuses their value or does not have them. links:
    the fields of the contact, which contact_of handles. Empty fields are omitted from the start,
    and so are those that the org turned out to lack in the last minutes. key: the field of the
    idempotency key. headers: of the creation.
    """
    lacking = context.journal.missing_fields(intents[0].kind)

    def fields(intent: Intent) -> dict[str, Any]:
        return {
            name: value
            for name, value in record(intent).items()
            if value not in (None, "")
            and name not in lacking
            and (name in links or name not in intent.omit_fields)
        }

    if not key:
        return _create_unkeyed(context, sobject, intents, fields, optional=optional, links=links)
    existing = find_by_key(context, sobject, intents, read_back, key)
    outcomes = _found(existing)
    missing = [intent for intent in intents if intent.id not in existing]
    if not missing:
        return outcomes
    made, unusable = context.each(missing, fields)
    outcomes += unusable
    missing = [intent for intent in missing if intent.id in made]
    if not missing:
        return outcomes
    try:
        written, rows = context.records.create(
            sobject,
            list(made.items()),
            read_back,
            still_wanted=context.holds_lease,
            key_field=key,
            headers=headers,
        )
    except WithdrawnError:
        return outcomes + context.withdrawn(missing)
    except SalesforceError as error:
        # The query has just shown that none exists: only this attempt can have written one.
        return outcomes + [
            context.failed(entry, error, may_exist=error.ambiguous, optional=optional)
            for entry in missing
        ]
    return outcomes + [
        context.written(entry, item, rows.get(entry.id, {}), optional)
        for entry, item in zip(missing, written, strict=True)
    ]


def find_by_key(
    context: DeliveryContext,
    sobject: str,
    intents: Sequence[Intent],
    fields: tuple[str, ...],
    key: str = KEY_FIELD,
) -> dict[str, dict[str, Any]]:
    """The records of those intents of which an attempt may have been committed, by intent id."""
    in_doubt = [intent.id for intent in intents if intent.in_doubt]
    return context.records.by_key(sobject, in_doubt, fields, key) if in_doubt else {}


def _found(existing: Mapping[str, dict[str, Any]]) -> list[Outcome]:
    return [
        Delivered(intent_id, row["Id"], row.get("CaseNumber"), row.get("ContactId"))
        for intent_id, row in existing.items()
    ]


def _create_unkeyed(
    context: DeliveryContext,
    sobject: str,
    intents: Sequence[Intent],
    fields: Callable[[Intent], dict[str, Any]],
    *,
    optional: frozenset[str],
    links: frozenset[str],
) -> list[Outcome]:
    records, unusable = context.each(intents, fields)
    intents = [intent for intent in intents if intent.id in records]
    in_doubt = {intent.id: records[intent.id] for intent in intents if intent.in_doubt}
    since_ms = min((entry.accepted_at_ms for entry in intents if entry.in_doubt), default=0)
    existing = _find_alike(context, sobject, in_doubt, since_ms, links) if in_doubt else {}
    outcomes = unusable + _found(existing)
    missing = [intent for intent in intents if intent.id not in existing]
    if not missing:
        return outcomes
    try:
        written = context.records.insert(
            sobject, [records[entry.id] for entry in missing], still_wanted=context.holds_lease
        )
    except WithdrawnError:
        return outcomes + context.withdrawn(missing)
    except SalesforceError as error:
        failed = [
            context.failed(entry, error, may_exist=error.ambiguous, optional=optional)
            for entry in missing
        ]
        return outcomes + [_rested(outcome) for outcome in failed]
    return outcomes + [
        _rested(context.written(entry, item, optional=optional))
        for entry, item in zip(missing, written, strict=True)
    ]


CLOCKS_DIFFER_MS = 10 * 60 * 1000
"""A record of ours is no older than its intent, by clocks that may differ by so much."""


def _find_alike(
    context: DeliveryContext,
    sobject: str,
    records: Mapping[str, dict[str, Any]],
    since_ms: int,
    links: frozenset[str],
) -> dict[str, dict[str, Any]]:
    """By intent id, the record that has the same fields; one record for one intent."""
    names = sorted({name for record in records.values() for name in record})
    owners = sorted({record[name] for record in records.values() for name in links & set(record)})
    condition = (
        f"AND {columns(tuple(sorted(links)))} IN {{owners}}" if owners and len(links) == 1 else ""
    )
    (rows,) = context.records.query(
        soql(
            f"SELECT {columns(('Id', *names))} FROM {columns((sobject,))} "
            f"WHERE CreatedDate >= {{since}} {condition}",
            since=datetime.fromtimestamp((since_ms - CLOCKS_DIFFER_MS) // 1000, UTC),
            **({"owners": owners} if condition else {}),
        )
    )
    found: dict[str, dict[str, Any]] = {}
    for intent_id, record in records.items():
        for row in rows:
            if row not in found.values() and all(
                comparable(row[name]) == comparable(value) for name, value in record.items()
            ):
                found[intent_id] = row
                break
    return found


def _rested(outcome: Outcome) -> Outcome:
    if isinstance(outcome, TryAgain) and outcome.in_doubt:
        return replace(outcome, rest_ms=max(REST_UNKEYED_MS, outcome.rest_ms))
    return outcome
