"""How often a delivery goes to Redis and to the org: as often for many records as for a few."""

import uuid
from collections.abc import Iterable
from dataclasses import replace

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CallDraft, Draft
from shared.domain.intent import Delivered, Receipt
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.salesforce.namespace import keys_of
from tests.calling import KNOWN
from tests.round_trips import counted
from tests.workers.delivering import BILLING, CALL, accept
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import APPLIERS, drain


@pytest.mark.parametrize(
    ("kind", "draft"), [(Kind.CALL_LOG, CallDraft(**CALL)), (Kind.CASE_CREATE, BILLING)]
)
def test_a_batch_of_many_records_takes_no_more_round_trips(
    context: DeliveryContext,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
    draft: Draft,
) -> None:
    def trips(records: int) -> int:
        for nth in range(records):
            accept(journal, kind, draft, call_id=f"{records}-{nth}")
        with counted(monkeypatch) as sent:
            assert drain(context, kind).counts == {"delivered": records}
        return len(sent)

    trips(2)  # what is read once: scripts, the time zone, the org's set-up
    assert trips(20) == trips(2)


def test_the_next_batches_of_a_backlog_know_their_callers_already(
    context: DeliveryContext, journal: Journal, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    applier = replace(APPLIERS[Kind.CASE_CREATE], limit=30)
    monkeypatch.setitem(APPLIERS, Kind.CASE_CREATE, applier)

    def requests(callers: Iterable[int]) -> int:
        for nth in callers:
            draft = replace(BILLING, caller_number=f"+1415556{nth:04d}")
            accept(journal, Kind.CASE_CREATE, draft, call_id=uuid.uuid4().hex)
        before = int(org.stats()["requests"])
        assert set(drain(context, Kind.CASE_CREATE).counts) == {"delivered"}
        return int(org.stats()["requests"]) - before

    requests(range(1))  # what is read once: the org's set-up
    one_batch, three_batches = requests(range(100, 130)), requests(range(200, 290))
    assert three_batches == one_batch + 2
    # What is remembered of them is from before these requests.
    assert requests(range(200, 290)) == three_batches


def test_a_settlement_is_one_round_trip(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # the first loads the script
        intent_id = accept(journal, Kind.CASE_CREATE, BILLING, said="Done.")
        lease = journal.lease(Kind.CASE_CREATE, limit=1, max_bytes=10**6)
        with counted(monkeypatch) as sent:
            journal.settle(lease, [Delivered(intent_id, "500A", "1008")])
    assert len(sent) == 1
    delivered = journal.get(intent_id)
    assert delivered
    assert delivered.receipt == Receipt("500A", "1008", delivered.settled_at_ms or 0)


def test_a_backlog_asks_who_its_callers_are_in_few_requests(
    context: DeliveryContext, org: Org
) -> None:
    numbers = [f"+1415556{nth:04d}" for nth in range(600)]
    context.records.probe()  # gets a token
    before = org.stats()["requests"]
    found = context.contacts.resolve(dict.fromkeys([KNOWN, *numbers], 0))
    assert len(found) == 601
    assert len(found[KNOWN]) == 1
    assert org.stats()["requests"] - before == 3


def test_the_lock_of_a_worker_that_died_stops_the_others_for_a_while_only(
    context: DeliveryContext, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.salesforce.contact_resolver.ALONE_S", 0.05)
    prefix = keys_of(context.settings.salesforce)
    store.set(f"{prefix}contacts", "a dead worker's token")
    numbers = [f"+1415556{nth:04d}" for nth in range(30)]
    assert len(context.contacts.resolve(dict.fromkeys(numbers, 0))) == 30
