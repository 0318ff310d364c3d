"""Delivery: lease what is due of a kind, apply it, write down what became of it, go on.

Knows nothing of Celery. A worker may die at any line: what it had leased is due again when the
lease runs out, marked unsure, and is read before it is written.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.domain.intent import Cancelled, Delivered, Intent, Outcome, Parked, Scope, TryAgain
from shared.domain.kinds import Kind
from shared.domain.reading import UnreadableError
from shared.journal.journal import LEASE_MS, Journal
from shared.journal.results import Lease, Settled
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.salesforce.gate import NotNow
from shared.salesforce.records import MOST_AT_ONCE, MOST_RECORDS, MOST_ROWS
from shared.store import StoreUnavailableError
from workers.delivery import cases, comments, contacts, tasks, transcripts
from workers.delivery.desk import Apply, Desk

MOST_BYTES = 4 * 1024 * 1024
MOST_ROUNDS = 50
"""A drain ends after so many batches; the sweep rings for the rest."""


TIGHT = 0.5
"""From this pressure on batches are as large as a request can carry."""

MOST_ALONE = 8
"""So often a record is tried that is refused as if by misconfiguration while others go through."""


@dataclass(frozen=True)
class Applier:
    """How a kind is applied, and how many intents a batch has: as a rule, and when the account is
    tight."""

    apply: Apply
    most: int = MOST_RECORDS
    most_when_tight: int = MOST_AT_ONCE


APPLIERS: dict[Kind, Applier] = {
    Kind.CASE_CREATE: Applier(cases.open_cases),
    Kind.CASE_CLOSE: Applier(cases.close_cases),
    Kind.CASE_COMMENT: Applier(comments.add_comments),
    Kind.CONTACT_UPDATE: Applier(contacts.update_contacts),
    Kind.CALLBACK: Applier(tasks.request_callbacks),
    Kind.CALL_LOG: Applier(tasks.log_calls),
    Kind.TRANSCRIPT_FILE: Applier(transcripts.attach_transcripts, MOST_ROWS, MOST_ROWS),
}


@dataclass
class Drained:
    """What a drain did: intents by outcome, what it waits for, whom to ring."""

    counts: Counter[str] = field(default_factory=Counter)
    waits_for: str = ""
    ring: set[Kind] = field(default_factory=set)

    def __str__(self) -> str:
        """The outcome as operators read it in Flower: no ids, no names."""
        told = [f"{name} {count}" for name, count in sorted(self.counts.items())]
        return ", ".join(told + ([self.waits_for] if self.waits_for else [])) or "nothing due"


def _nobody(_lease: Lease, _outcomes: list[Outcome]) -> None:
    """For who does not want to know."""


def drain(
    desk: Desk, kind: Kind, settled_batch: Callable[[Lease, list[Outcome]], None] = _nobody
) -> Drained:
    """Deliver what is due of a kind. Raises StoreUnavailableError; leases then run out.

    settled_batch hears of each batch as soon as it is settled.
    """
    drained = Drained()
    for _ in range(MOST_ROUNDS):
        room = desk.room()
        if isinstance(room, NotNow):
            drained.waits_for = f"{room.why}, room in {room.wait_ms / 1000:.1f} s"
            return drained
        most = APPLIERS[kind].most
        if room.pressure >= TIGHT:
            most = max(most, APPLIERS[kind].most_when_tight)
        lease = desk.journal.lease(kind, most=most, most_bytes=MOST_BYTES)
        if not lease.intents:
            return drained
        with kept_alive(desk.journal, lease):
            outcomes = _deliver(desk, lease)
        settled = desk.journal.settle(lease, outcomes)
        drained.ring.update(settled.ring)
        settled_batch(lease, outcomes)
        _tell(drained, lease, outcomes, settled)
        if any(isinstance(one, TryAgain) and one.scope is not Scope.RECORD for one in outcomes):
            return drained  # the kind or the org has to wait
    return drained


def _deliver(desk: Desk, lease: Lease) -> list[Outcome]:
    readable, outcomes = _readable(lease.intents)
    if not readable:
        return outcomes
    waits = desk.journal.waits()
    wait = waits.get("org") or waits.get(lease.kind)
    desk = replace(desk, strikes=wait.strikes if wait else 0, lease=lease)
    if "org" in waits and waits["org"].strikes:
        # The org failed the last time. A light request finds out whether it is back, and no intent
        # becomes unsure by it.
        try:
            desk.records.probe()
        except SalesforceError as error:
            return outcomes + [desk.failed(one, error, may_be_there=one.unsure) for one in readable]
    applied = _apply(desk, APPLIERS[lease.kind].apply, readable)
    return outcomes + _not_for_all(applied, {one.id: one for one in readable})


def _not_for_all(outcomes: list[Outcome], intents: dict[str, Intent]) -> list[Outcome]:
    """Where some of a batch went through, what holds up another is its own, not the kind's."""
    if not any(isinstance(one, Delivered) for one in outcomes):
        return outcomes
    fitted: list[Outcome] = []
    for one in outcomes:
        if not isinstance(one, TryAgain) or one.scope is not Scope.KIND:
            fitted.append(one)
        elif intents[one.intent_id].attempts >= MOST_ALONE:
            fitted.append(Parked(one.intent_id, one.reason))
        else:
            fitted.append(replace(one, scope=Scope.RECORD))
    return fitted


def _apply(desk: Desk, apply: Apply, intents: list[Intent]) -> list[Outcome]:
    try:
        return apply(desk, intents)
    except SalesforceError as error:
        return [desk.failed(one, error, may_be_there=one.unsure) for one in intents]
    except StoreUnavailableError:
        raise
    except Exception as bug:
        # An answer or a draft that nobody foresaw. It must not hold up the others of its batch, nor
        # come back for ever: each is tried alone, as one that may have been written, and the
        # culprit parks under the error's name.
        log.exception("delivery_failed", kind=intents[0].kind, count=len(intents))
        if len(intents) == 1:
            return [Parked(intents[0].id, f"UNFORESEEN_{type(bug).__name__}")]
        alone = [[replace(one, unsure=True)] for one in intents]
        return [outcome for one in alone for outcome in _apply(desk, apply, one)]


def _tell(drained: Drained, lease: Lease, outcomes: list[Outcome], settled: Settled) -> None:
    drained.counts.update(_NAMES[type(one)] for one in outcomes)
    again = [one for one in outcomes if isinstance(one, TryAgain)]
    if again:
        soonest = min(again, key=lambda one: one.delay_ms)
        at = datetime.now(UTC) + timedelta(milliseconds=soonest.delay_ms)
        drained.waits_for = f"{soonest.reason}, next attempt {at:%H:%M:%S} UTC"
    if settled.paused:
        # For an alarm: the event's name does not change.
        reasons = sorted({one.reason for one in again if one.scope is Scope.KIND})
        log.error("kind_paused", kind=lease.kind, reason=", ".join(reasons))
    for outcome in outcomes:
        if isinstance(outcome, Parked):
            log.error(
                "intent_parked",
                kind=lease.kind,
                intent_id=outcome.intent_id,
                reason=outcome.reason,
            )
    log.info(
        "delivery",
        kind=lease.kind,
        count=len(outcomes),
        delivered=drained.counts["delivered"],
        parked=drained.counts["parked"],
        unsettled=len(outcomes) - settled.count,
        reason=drained.waits_for,
    )


_NAMES: dict[type, str] = {
    Delivered: "delivered",
    TryAgain: "again",
    Parked: "parked",
    Cancelled: "cancelled",
}


def _readable(intents: tuple[Intent, ...]) -> tuple[list[Intent], list[Outcome]]:
    readable: list[Intent] = []
    parked: list[Outcome] = []
    for intent in intents:
        try:
            _ = intent.draft
        except UnreadableError as code:
            parked.append(Parked(intent.id, f"UNREADABLE_{code}"))
        else:
            readable.append(intent)
    return readable, parked


@contextmanager
def kept_alive(journal: Journal, lease: Lease) -> Iterator[None]:
    """Extends the lease while the work inside goes on; a dead process extends nothing."""
    done = threading.Event()

    def extend() -> None:
        while not done.wait(LEASE_MS / 4000):
            try:
                journal.extend(lease)
            except StoreUnavailableError:
                continue

    keeper = threading.Thread(target=extend, name="lease-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
