"""Records with a key of ours: created once, whatever happened to an earlier attempt's answer."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome
from shared.salesforce.client import WithdrawnError
from shared.salesforce.failures import SalesforceError
from workers.delivery.desk import Desk
from workers.delivery.links import CONTACT_LINKS


def create_by_key(
    desk: Desk,
    sobject: str,
    intents: Sequence[Intent],
    record: Callable[[Intent], dict[str, Any]],
    *,
    optional: frozenset[str],
    read_back: tuple[str, ...] = ("Id",),
) -> list[Outcome]:
    """One request for all; one more before it for those that may be there already.

    What may be there is read first and, when it is there, left alone: a person may have edited it.
    optional: fields to go without when Salesforce does not take their value or does not have them
    (contact_of sees to the contact itself); empty ones are left out from the start, and those that
    the kind was found to lack of late.
    """
    lacking = desk.journal.missing_fields(intents[0].kind)
    there = find_by_key(desk, sobject, intents, read_back)
    outcomes: list[Outcome] = [
        Delivered(one.id, there[one.id]["Id"], there[one.id].get("CaseNumber"))
        for one in intents
        if one.id in there
    ]
    missing = [one for one in intents if one.id not in there]
    if not missing:
        return outcomes
    records = [
        (one.id, {
            name: value
            for name, value in record(one).items()
            if value not in (None, "")
            and name not in lacking
            and (name in CONTACT_LINKS or name not in one.leave_out)
        })
        for one in missing
    ]  # fmt: skip
    try:
        written, rows = desk.records.create(
            sobject, records, read_back, still_wanted=desk.holds_lease
        )
    except WithdrawnError:
        return outcomes  # somebody else's by now
    except SalesforceError as error:
        # Reading has just shown that none is there: only this attempt can have written one.
        return outcomes + [
            desk.failed(one, error, may_be_there=error.ambiguous, optional=optional)
            for one in missing
        ]
    return outcomes + [
        desk.written(one, item, rows.get(one.id, {}).get("CaseNumber"), optional)
        for one, item in zip(missing, written, strict=True)
    ]


def find_by_key(
    desk: Desk, sobject: str, intents: Sequence[Intent], fields: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """The records of those intents of which an attempt may have been committed, by intent id."""
    unsure = [one.id for one in intents if one.unsure]
    return desk.records.by_key(sobject, unsure, fields) if unsure else {}
