"""The store's clock jumps by ten minutes, forward and back. Deliveries depend on no other clock:
every script, and the journal itself, ask the store for the time."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from shared import scripts
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Delivered, NewIntent, Scope, TryAgain, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal import journal as journal_module
from shared.journal import record_writes
from shared.journal.journal import LEASE_MS, MAX_LEASES, Journal
from shared.journal.results import Lease
from shared.store import now_ms

JUMP_S = 600
CLOCK = "test:clock"
READS_TIME = "local time = redis.call('TIME')"
DRAFT = CallbackDraft(phone="+14155550101")


class Clock:
    """The store's clock. How far it is ahead is a key, which the scripts add to the time."""

    def __init__(self, store: redis.Redis) -> None:
        self._store = store

    def runs(self, seconds: float) -> None:
        """Time passes, or the clock jumps: the scripts can't tell these apart."""
        self._store.incrby(CLOCK, int(seconds))


@pytest.fixture
def clock(store: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    source = scripts.source

    def moved(package: str, name: str) -> str:
        text = source(package, name)
        assert text.count("'TIME'") == 1  # the only place where a script reads it
        added = f"time[1] = time[1] + (redis.call('GET', '{CLOCK}') or 0)"
        return text.replace(READS_TIME, f"{READS_TIME}\n  {added}")

    def of_store(client: Any) -> int:
        return now_ms(client) + 1000 * int(client.get(CLOCK) or 0)

    monkeypatch.setattr(scripts, "source", moved)
    monkeypatch.setattr(journal_module, "now_ms", of_store)
    monkeypatch.setattr(record_writes, "now_ms", of_store)
    return Clock(store)


@pytest.fixture
def journal(store: redis.Redis, clock: Clock) -> Journal:
    """Its scripts read the moved clock."""
    return Journal(store)


def accepted(journal: Journal, **others: Any) -> str:
    new = NewIntent(new_intent_id(), Kind.CALLBACK, DRAFT, said="Noted.", **others)
    journal.accept("call", [new])
    return new.id


def leased(journal: Journal) -> Lease:
    return journal.lease(Kind.CALLBACK, limit=5, max_bytes=1_000_000)


def test_the_scripts_and_the_journal_agree_about_the_time_to_the_millisecond(
    journal: Journal,
) -> None:
    for _ in range(5):
        before = journal.now_ms()
        found = journal.get(accepted(journal))
        assert found
        assert before <= found.accepted_at_ms <= journal.now_ms()


def test_a_jump_forward_takes_the_lease_of_a_working_worker_and_its_write_is_in_doubt(
    journal: Journal, clock: Clock
) -> None:
    intent_id = accepted(journal)
    working = leased(journal)
    clock.runs(JUMP_S)
    assert [it.in_doubt for it in leased(journal).intents] == [True]
    assert journal.extend(working) == 0
    assert journal.settle(working, [Delivered(intent_id, "00T")]).count == 0


def test_a_write_to_a_record_is_noted_at_the_stores_time(clock: Clock, store: redis.Redis) -> None:
    """A worker's clock may differ, and then the write would look like another one's."""
    clock.runs(JUMP_S)
    ahead = datetime.now(UTC) + timedelta(seconds=JUMP_S / 2)
    writes = record_writes.RecordWrites(store)
    writes.note({"003": record_writes.RecordWrite("i", "", "", {}, {})})
    (noted,) = writes.of(["003"])["003"]
    assert datetime.fromisoformat(noted.noted_at) > ahead


@pytest.mark.parametrize("what", ["held", "again", "org", "leased"])
def test_after_a_jump_back_nothing_waits_longer_than_the_jump(
    journal: Journal, clock: Clock, what: str
) -> None:
    accepted(journal, hold_ms=2_500 if what == "held" else 0)
    wait_s: float = 3
    if what == "leased":
        leased(journal)  # by a worker that dies
        wait_s = LEASE_MS / 1000
    elif what != "held":
        lease = leased(journal)
        scope = Scope.ORG if what == "org" else Scope.RECORD
        journal.settle(lease, [TryAgain(lease.intents[0].id, "AWAY", 2_500, scope)])
    clock.runs(-JUMP_S)
    clock.runs(wait_s)
    assert not leased(journal).intents
    clock.runs(JUMP_S)
    assert len(leased(journal).intents) == 1


def test_after_a_jump_back_what_is_refused_everywhere_is_still_its_sources_fault(
    journal: Journal, clock: Clock
) -> None:
    """The source succeeded before, at a time that is in the future now."""
    delivered = accepted(journal)
    journal.settle(leased(journal), [Delivered(delivered, "00T")])
    clock.runs(-JUMP_S)
    ids = [accepted(journal) for _ in range(2)]
    refused = [TryAgain(it, "DENIED", 1_000, Scope.RECORD, limit=6, target=it) for it in ids]
    assert journal.settle(leased(journal), refused).stopped == (Kind.CALLBACK,)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_clock_does_each_write_takes_effect_once(
    journal: Journal, clock: Clock, store: redis.Redis, seed: int
) -> None:
    chance = random.Random(seed)
    org: Counter[str] = Counter()
    promised: list[str] = []
    at_work: list[Lease] = []
    ahead_s = 0

    def accept() -> None:
        promised.append(accepted(journal, hold_ms=chance.choice((0, 2_500))))

    def lease() -> None:
        at_work.append(leased(journal))

    def jump() -> None:
        nonlocal ahead_s
        step_s = chance.choice([s for s in (-JUMP_S, JUMP_S) if abs(ahead_s + s) <= JUMP_S])
        ahead_s += step_s
        clock.runs(step_s)

    def deliver() -> None:
        if not at_work:
            return
        lease = at_work.pop(chance.randrange(len(at_work)))
        if journal.extend(lease) != len(lease.intents) or chance.random() < 0.1:
            return  # its lease ran out, or it dies
        outcomes: list[Any] = []
        for it in lease.intents:
            if not (it.in_doubt and org[it.id]):  # what is in doubt is looked for first
                org[it.id] += 1
            is_lost = chance.random() < 0.2
            lost = TryAgain(it.id, "TIMEOUT", 1_000, Scope.RECORD, in_doubt=True)
            outcomes.append(lost if is_lost else Delivered(it.id, "00T"))
        journal.settle(lease, outcomes)

    steps: list[Callable[[], Any]] = [
        accept, lease, deliver, deliver, jump, journal.sweep, lambda: clock.runs(3),
    ]  # fmt: skip
    for _ in range(120):
        chance.choice(steps)()

    clock.runs(2 * JUMP_S + LEASE_MS / 1000 + 10)  # it jumped by twice as much at most
    at_work.clear()
    for _ in range(len(promised) + MAX_LEASES):
        lease()
        journal.settle(at_work[-1], [Delivered(it.id, "00T") for it in at_work[-1].intents])
        org.update(it.id for it in at_work[-1].intents if not (it.in_doubt and org[it.id]))
    states = {id_: intent.state for id_, intent in journal.get_many(promised).items()}
    assert states == dict.fromkeys(promised, State.DELIVERED)
    assert org == Counter(promised)
    assert store.exists(CLOCK)
