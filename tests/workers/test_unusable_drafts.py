"""A draft of which no record can be made is its intent's trouble alone."""

from typing import Any

import pytest

from demo.stack import Org
from shared.domain.drafts import ChangeDraft, RecordDraft
from shared.domain.kinds import Kind, State
from shared.domain.record_mapping import ChangeMapping, FieldValue, RecordMapping
from shared.journal.journal import Journal
from tests.workers.delivering import accept, contact, stored
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

BEFORE_TIME = "0001-01-01T00:00:00+14:00"
"""In UTC no such moment exists."""

FIELDS = {
    "Subject": FieldValue("Visit"),
    "ReminderDateTime": FieldValue("{at}", is_local_time=True),
}
CREATES, UPDATES = Kind.creating("Task"), Kind.changing("update", "Task")


def visit(org: Org, at: str, key: str) -> RecordDraft:
    return RecordDraft(
        contact_id=contact(org)["Id"],
        arguments={"at": at},
        mapping=RecordMapping(object="Task", fields=FIELDS, contact="WhoId", key=key),
    )


@pytest.mark.parametrize("key", ["Call_Key__c", ""])
def test_records_that_can_not_be_made_hold_up_no_other(
    context: DeliveryContext, journal: Journal, org: Org, key: str
) -> None:
    bad = [accept(journal, CREATES, visit(org, BEFORE_TIME, key)) for _ in range(3)]
    good = accept(journal, CREATES, visit(org, "2026-12-01T10:00:00+00:00", key))
    more_bad = [accept(journal, CREATES, visit(org, BEFORE_TIME, key)) for _ in range(3)]
    drained = drain(context, CREATES)
    assert drained.counts == {"delivered": 1, "parked": 6}
    assert stored(journal, good).state is State.DELIVERED
    reasons = {stored(journal, id_).reason for id_ in bad + more_bad}
    assert reasons == {"UNFORESEEN_OverflowError"}


def test_records_that_can_not_be_made_do_not_stop_their_source(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    for _ in range(12):
        accept(journal, CREATES, visit(org, BEFORE_TIME, "Call_Key__c"))
    assert drain(context, CREATES).counts == {"again": 12}
    assert journal.waits() == {}
    good = accept(journal, CREATES, visit(org, "2026-12-01T10:00:00+00:00", "Call_Key__c"))
    drain(context, CREATES)
    assert stored(journal, good).state is State.DELIVERED


def test_a_change_that_can_not_be_made_holds_up_no_other(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    created = accept(journal, CREATES, visit(org, "2026-12-01T10:00:00+00:00", "Call_Key__c"))
    drain(context, CREATES)

    def change(at: str) -> ChangeDraft:
        said: dict[str, Any] = {"at": at}
        mapping = ChangeMapping(object="Task", fields=FIELDS, contact="WhoId")
        return ChangeDraft(
            contact_id=contact(org)["Id"],
            record_intent=created,
            arguments=said,
            mapping=mapping,
            accepted_at="2026-11-22T10:00:00.000+00:00",
        )

    bad = accept(journal, UPDATES, change(BEFORE_TIME))
    good = accept(journal, UPDATES, change("2026-12-02T10:00:00+00:00"))
    assert drain(context, UPDATES).counts == {"delivered": 1, "parked": 1}
    assert stored(journal, good).state is State.DELIVERED
    assert stored(journal, bad).state is State.PARKED
