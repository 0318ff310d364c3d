"""Which calls have a Task in the org already, for calls that the journal does not know."""

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.records import Records
from shared.salesforce.soql import soql

CLOCKS_DIFFER_MS = 10 * 60 * 1000
"""A Task is no older than its call, by clocks that may differ by so much."""


def logged_calls(records: Records, keys: Mapping[str, str], since_ms: int) -> set[str]:
    """The calls that have a Task. Takes two requests. Raises SalesforceError.

    keys: the idempotency key of each call's Task, by call id; MAX_AT_ONCE at most. since_ms: no
    call began before (epoch ms).

    Earlier versions made keys of chance. Their Tasks have the call's id in CallObject, where the
    org has that field (docs/vendors.md S16).
    """
    if not keys:
        return set()
    by_key = records.by_key("Task", list(keys.values()), ("Id",))
    found = {call_id for call_id, key in keys.items() if key in by_key}
    if not records.has_key_fields:
        return found
    statement = soql(
        "SELECT CallObject FROM Task WHERE CreatedDate >= {since} AND CallObject IN {ids}",
        since=datetime.fromtimestamp((since_ms - CLOCKS_DIFFER_MS) // 1000, UTC),
        ids=list(keys),
    )
    try:
        (rows,) = records.query(statement)
    except SalesforceError as error:
        if error.failure is not FailureClass.MISSING_FIELD:
            raise
        rows = []
    return found | ({str(row["CallObject"]) for row in rows} & keys.keys())
