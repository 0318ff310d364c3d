"""Delivery: lease what is due of a kind, apply it, write down what became of it, go on.

Knows nothing of Celery. A worker may die at any line: what it had leased is due again when the
lease runs out, marked as in doubt, and is read before it is written.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby

from shared.domain.intent import Intent, Outcome, Parked, Scope, TryAgain
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError
from shared.journal.journal import LEASE_MS, Journal
from shared.journal.results import Lease, Settled
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
from workers.delivery.reporting import Drained, delivering, report

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


def _nobody(_lease: Lease, _outcomes: list[Outcome]) -> None:
    """Default callback: does nothing."""


def drain(
    context: DeliveryContext,
    kind: Kind,
    settled_batch: Callable[[Lease, list[Outcome]], None] = _nobody,
    wake_another: Callable[[Kind], object] | None = None,
) -> Drained:
    """Deliver what is due of a kind. Raises StoreUnavailableError; leases then run out.

    settled_batch is called for each batch as soon as it is settled. wake_another is called when the
    first batch is full: others can deliver the rest of the backlog meanwhile.
    """
    drained = Drained()
    for nth in range(MAX_ROUNDS):
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
        if nth == 0 and wake_another and len(lease.intents) >= limit:
            wake_another(kind)
        with delivering(lease) as delivery:
            with keep_leased(context.journal, lease):
                outcomes = _deliver(context, lease)
            settled = context.journal.settle(lease, outcomes)
            drained.due_kinds.update(settled.due_kinds)
            accepted = _as_settled(outcomes, settled)
            settled_batch(lease, accepted)
            report(drained, delivery, accepted, settled)
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
