"""Records with a key of ours: written once, whatever happened to an earlier attempt's answer."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome
from shared.salesforce.failures import SalesforceError
from workers.delivery.desk import Desk


def upsert_by_key(
    desk: Desk,
    sobject: str,
    intents: Sequence[Intent],
    record: Callable[[Intent], dict[str, Any]],
    read_back: tuple[str, ...] = ("Id",),
) -> list[Outcome]:
    """One request for all; one more before it for those that may be there already.

    An upsert re-applies every field, so a blind second one would undo what a person edited since:
    what may be there is read first and, when it is there, left alone.
    """
    there = find_by_key(desk, sobject, intents, read_back)
    outcomes: list[Outcome] = [
        Delivered(one.id, there[one.id]["Id"], there[one.id].get("CaseNumber"))
        for one in intents
        if one.id in there
    ]
    missing = [one for one in intents if one.id not in there]
    if not missing:
        return outcomes
    try:
        written, rows = desk.records.upsert(sobject, [record(one) for one in missing], read_back)
    except SalesforceError as error:
        # Reading has just shown that none is there: only this attempt can have written one.
        return outcomes + [desk.failed(one, error, may_be_there=error.ambiguous) for one in missing]
    return outcomes + [
        desk.written(one, item, rows.get(one.id, {}).get("CaseNumber"))
        for one, item in zip(missing, written, strict=True)
    ]


def find_by_key(
    desk: Desk, sobject: str, intents: Sequence[Intent], fields: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """The records of those intents of which an attempt may have been committed, by intent id."""
    unsure = [one.id for one in intents if one.unsure]
    return desk.records.by_key(sobject, unsure, fields) if unsure else {}
