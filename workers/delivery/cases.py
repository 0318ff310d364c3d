"""Cases: opened by key, and closed when the caller takes back one that was opened already."""

from collections.abc import Sequence
from typing import Any

from shared.domain.intent import Delivered, Intent, Outcome, Parked
from shared.salesforce.records import Row
from shared.salesforce.soql import soql
from workers.delivery.context import DeliveryContext
from workers.delivery.links import find_cases, unchanged_since
from workers.delivery.new_records import create_records
from workers.delivery.task_links import with_links

CLOSED = "Closed"


def open_cases(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    outcomes = create_records(context, intents, read_back=("Id", "CaseNumber", "ContactId"))
    opened = {
        outcome.intent_id: outcome.record_id
        for outcome in outcomes
        if isinstance(outcome, Delivered)
    }
    return with_links(context, intents, outcomes, opened)


def close_cases(context: DeliveryContext, intents: Sequence[Intent]) -> list[Outcome]:
    """Closes, never deletes; a case that a person has taken up since is left to them."""
    found = find_cases(context, intents)
    outcomes = [item for item in found.values() if not isinstance(item, str)]
    targets = {item: case_id for item in intents if isinstance(case_id := found[item.id], str)}
    if not targets:
        return outcomes
    (rows,) = context.records.query(
        soql(
            "SELECT Id, CaseNumber, IsClosed, CreatedById, LastModifiedById, LastModifiedDate "
            "FROM Case "
            "WHERE Id IN {ids}",
            ids=sorted(set(targets.values())),
        )
    )
    by_id = {row["Id"]: row for row in rows}
    close: dict[str, dict[str, Any]] = {}
    for intent, case_id in targets.items():
        row = by_id.get(case_id)
        if row is None:
            outcomes.append(Parked(intent.id, "CASE_GONE"))
        elif row["IsClosed"]:
            outcomes.append(Delivered(intent.id, row["Id"], row["CaseNumber"]))
        elif row["LastModifiedById"] != row["CreatedById"]:
            outcomes.append(Parked(intent.id, "EDITED_SINCE"))
        else:
            close[row["Id"]] = row
    if not close:
        return outcomes
    configured = context.mapping.case.closed_status
    status = context.org_setup.get().status("Case", configured, CLOSED, closed=True)
    rows_to_close = [
        Row(case_id, {"Status": status}, unchanged_since(row)) for case_id, row in close.items()
    ]
    written = context.records.change("Case", rows_to_close)
    results = dict(zip(close, written, strict=True))
    return outcomes + [
        context.written(intent, results[case_id], close[case_id], record_id=case_id)
        for intent, case_id in targets.items()
        if case_id in close
    ]
