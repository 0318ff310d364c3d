"""Delivery: lease what is due of a kind, apply it, write down what became of it, go on.

Knows nothing of Celery. A worker may die at any line: what it had leased is due again when the
lease runs out, marked as in doubt, and is read before it is written.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from shared.domain.intent import (
    Cancelled,
    Delivered,
    Intent,
    Outcome,
    Parked,
    PartRefused,
    Scope,
    TryAgain,
)
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError
from shared.journal.journal import LEASE_MS, Journal
from shared.journal.results import Lease, Settled
from shared.logs import log
from shared.salesforce.api_budget import Denied
from shared.salesforce.failures import SalesforceError
from shared.salesforce.records import MAX_AT_ONCE, MAX_RECORDS, MAX_ROWS
from shared.store import StoreUnavailableError
from workers.delivery import (
    alerts,
    callbacks,
    cases,
    comments,
    contacts,
    new_records,
    record_changes,
    task_links,
    tasks,
    transcripts,
)
from workers.delivery.batches import apply_batch
from workers.delivery.context import Apply, DeliveryContext
from workers.delivery.policy import among_others

MAX_BYTES = 4 * 1024 * 1024
MAX_ROUNDS = 50
"""Batches of one drain; the sweeper sends a wake-up for the rest."""


TIGHT = 0.5
"""From this pressure on batches are as large as a request can carry."""


@dataclass(frozen=True)
class Applier:
    """How a kind is applied, and how many intents a batch has: as a rule, and when the API budget
    is tight."""

    apply: Apply
    limit: int = MAX_RECORDS
    max_when_tight: int = MAX_AT_ONCE


APPLIERS: dict[Kind, Applier] = {
    Kind.CASE_CREATE: Applier(cases.open_cases),
    Kind.CASE_CLOSE: Applier(cases.close_cases),
    Kind.CASE_COMMENT: Applier(comments.add_comments),
    Kind.CONTACT_UPDATE: Applier(contacts.update_contacts),
    Kind.CALLBACK: Applier(callbacks.request_callbacks),
    Kind.CALL_LOG: Applier(tasks.log_calls),
    Kind.TASK_LINK: Applier(task_links.link_tasks),
    Kind.CHANGE_ALERT: Applier(alerts.send_alerts, alerts.MAX_MESSAGES, alerts.MAX_MESSAGES),
    Kind.TRANSCRIPT_FILE: Applier(transcripts.attach_transcripts, MAX_ROWS, MAX_ROWS),
}


OF_TEAMS: dict[str, Applier] = {
    "create": Applier(new_records.create_records),
    "update": Applier(record_changes.change_records, max_when_tight=MAX_RECORDS),
    "close": Applier(record_changes.change_records, max_when_tight=MAX_RECORDS),
}
"""By the verb of a kind for a team's own tools."""


def applier_of(kind: Kind) -> Applier:
    return OF_TEAMS[kind.verb] if kind.verb else APPLIERS[kind]


@dataclass
class Drained:
    """What a drain did: intents by outcome, what it waits for, the kinds to send wake-ups for."""

    counts: Counter[str] = field(default_factory=Counter)
    waits_for: str = ""
    due_kinds: set[Kind] = field(default_factory=set)

    def __str__(self) -> str:
        """The outcome as operators read it in Flower: no ids, no names."""
        said = [f"{name} {count}" for name, count in sorted(self.counts.items())]
        return ", ".join(said + ([self.waits_for] if self.waits_for else [])) or "nothing due"


def _nobody(_lease: Lease, _outcomes: list[Outcome]) -> None:
    """Default callback: does nothing."""


def drain(
    context: DeliveryContext,
    kind: Kind,
    settled_batch: Callable[[Lease, list[Outcome]], None] = _nobody,
) -> Drained:
    """Deliver what is due of a kind. Raises StoreUnavailableError; leases then run out.

    settled_batch is called for each batch as soon as it is settled.
    """
    drained = Drained()
    for _ in range(MAX_ROUNDS):
        capacity = context.capacity()
        if isinstance(capacity, Denied):
            drained.waits_for = f"{capacity.why}, room in {capacity.wait_ms / 1000:.1f} s"
            return drained
        applier = applier_of(kind)
        limit = applier.limit
        if capacity.pressure >= TIGHT:
            limit = max(limit, applier.max_when_tight)
        lease = context.journal.lease(kind, limit=limit, max_bytes=MAX_BYTES)
        if not lease.intents:
            return drained
        with keep_leased(context.journal, lease):
            outcomes = _deliver(context, lease)
        settled = context.journal.settle(lease, outcomes)
        drained.due_kinds.update(settled.due_kinds)
        accepted = _as_settled(outcomes, settled)
        settled_batch(lease, accepted)
        _report(drained, lease, accepted, settled)
    return drained


def _as_settled(outcomes: list[Outcome], settled: Settled) -> list[Outcome]:
    """The outcomes that the journal took, as it took them: another worker may have the rest."""
    accepted: list[Outcome] = []
    for item in outcomes:
        state = settled.states.get(item.intent_id)
        if isinstance(item, TryAgain) and state is State.PARKED:
            accepted.append(Parked(item.intent_id, item.reason, item.detail))
        elif isinstance(item, Parked) and state is State.DUE:
            accepted.append(TryAgain(item.intent_id, item.reason, 0, Scope.RECORD))
        elif state:
            accepted.append(item)
    return accepted


def _deliver(context: DeliveryContext, lease: Lease) -> list[Outcome]:
    readable, outcomes = _readable(context, lease.intents)
    if not readable:
        return outcomes
    readable = _without_doubtful_callers(context, readable)
    waits = context.journal.waits()
    failures = {what: wait.failures_in_a_row for what, wait in waits.items()}
    context = replace(context, failures=failures, lease=lease)
    if failures.get("org"):
        # The org failed the last time. A light request finds out whether it is back, and no intent
        # is in doubt because of it.
        try:
            context.records.probe()
        except SalesforceError as error:
            return outcomes + [
                context.failed(item, error, may_exist=item.in_doubt) for item in readable
            ]
    applied: list[Outcome] = []

    def agent(intent: Intent) -> str:
        """Whose records they are: those of different agent folders take requests of their own."""
        return context.agents.named(intent.agent).name

    for name, intents in groupby(sorted(readable, key=agent), agent):
        apply = applier_of(lease.kind).apply
        applied += apply_batch(context.for_agent(name), apply, list(intents))
    return outcomes + among_others(applied)


def _without_doubtful_callers(context: DeliveryContext, intents: list[Intent]) -> list[Intent]:
    """The caller of a call that has shown two numbers since an intent was accepted is unknown."""
    doubtful = context.calls.with_two_numbers(item.call_id for item in intents)
    if not doubtful:
        return intents
    return [intent.without_caller() if intent.call_id in doubtful else intent for intent in intents]


def _report(drained: Drained, lease: Lease, outcomes: list[Outcome], settled: Settled) -> None:
    drained.counts.update(_NAMES[type(item)] for item in outcomes)
    again = [item for item in outcomes if isinstance(item, TryAgain)]
    if again:
        soonest = min(again, key=lambda item: item.delay_ms)
        at = datetime.now(UTC) + timedelta(milliseconds=soonest.delay_ms)
        drained.waits_for = f"{soonest.reason}, next attempt {at:%H:%M:%S} UTC"
    _alarm(lease, again, settled.stopped)
    if missing := sorted({name for item in again for name in item.missing}):
        log.warning("field_missing", kind=lease.kind, reason=", ".join(missing))
    for outcome in outcomes:
        if isinstance(outcome, Parked):
            _parked(lease, outcome.intent_id, outcome.reason)
        elif isinstance(outcome, PartRefused):
            _parked(lease, outcome.part.id, outcome.reason)
    log.info(
        "delivery",
        kind=lease.kind,
        count=len(lease.intents),
        delivered=drained.counts["delivered"],
        parked=drained.counts["parked"],
        unsettled=len(lease.intents) - settled.count,
        reason=drained.waits_for,
    )


def _alarm(lease: Lease, again: list[TryAgain], stopped: Iterable[str]) -> None:
    """For an alarm: the names of the events do not change."""
    sources = {intent.id: intent.source for intent in lease.intents}
    for source in stopped:
        reasons = {
            item.reason
            for item in again
            if sources.get(item.intent_id) == source and (item.scope is Scope.SOURCE or item.target)
        }
        reason = ", ".join(sorted(reasons))
        if source == lease.kind:
            log.error("kind_paused", kind=lease.kind, reason=reason)
        else:
            log.error("tool_paused", tool=source, kind=lease.kind, reason=reason)


def _parked(lease: Lease, intent_id: str, reason: str) -> None:
    log.error("intent_parked", kind=lease.kind, intent_id=intent_id, reason=reason)


_NAMES: dict[type, str] = {
    Delivered: "delivered",
    TryAgain: "again",
    Parked: "parked",
    PartRefused: "part_refused",
    Cancelled: "cancelled",
}


def _readable(
    context: DeliveryContext, intents: tuple[Intent, ...]
) -> tuple[list[Intent], list[Outcome]]:
    """What can be applied here, and what becomes of the rest: a person decides."""
    readable: list[Intent] = []
    parked: list[Outcome] = []
    for intent in intents:
        if not context.journal.is_for_this_org(intent):
            parked.append(Parked(intent.id, "OTHER_ORG"))
            continue
        try:
            _ = intent.draft
        except UnreadableError as code:
            parked.append(Parked(intent.id, f"UNREADABLE_{code}"))
        else:
            readable.append(intent)
    return readable, parked


@contextmanager
def keep_leased(journal: Journal, lease: Lease) -> Iterator[None]:
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
