"""The tasks: deliver a kind, end quiet calls, make promises good, reconcile, purge.

Each task may run any number of times, on any number of workers at once: the journal decides what is
due.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial

from celery import Celery
from celery.exceptions import Retry

from shared.background import Background
from shared.calls.made_good import MadeGood
from shared.domain.kinds import Kind
from shared.errors import ServiceError
from shared.logs import log
from shared.metrics.fleet import FLUSH_EVERY_S
from shared.operators.alarms.watcher import WATCH_EVERY_S
from shared.store import StoreUnavailableError
from shared.wake_ups import (
    DELIVER_OF_TEAMS,
    END_QUIET_CALLS,
    MAKE_GOOD,
    PURGE,
    RECONCILE,
    Notifier,
    deliver_task,
)
from workers.call_updates import updates_of
from workers.corrections import correct_claims
from workers.delivery.engine import drain
from workers.delivery.reporting import Drained
from workers.reconciliation import reconcile_calls
from workers.resources import Resources
from workers.sweeper import Sweeper

PURGE_FOR_S = 20.0
"""What retention does not finish in this time, the next run does."""


class WaitingError(Retry):
    """Shown as RETRY. What has to wait is in the journal with the time of its next attempt: no
    message is published, as `Task.retry` would do."""

    def __repr__(self) -> str:  # the text that Flower shows
        return str(self)


class ParkedError(ServiceError):
    """Shown as FAILURE, because a person has to decide on something that the delivery parked."""

    def __repr__(self) -> str:  # the text that Flower shows
        return str(self)


class Tasks:
    """The work of the tasks. Every method returns what became of it, for Flower, or raises it."""

    def __init__(self, app: Celery, resources: Resources) -> None:
        self._app = app
        self._resources = resources

    def register(self) -> None:
        """A task per kind, so that Flower names the work; and those of beat."""
        for kind in Kind:
            name, _ = deliver_task(kind)
            self._register(name, partial(self.deliver, kind))
        for name in DELIVER_OF_TEAMS:
            self._register_of_teams(name)
        self._register(END_QUIET_CALLS, self.end_quiet_calls)
        self._register(PURGE, self.purge)
        self._register(RECONCILE, self.reconcile)
        self._register(MAKE_GOOD, self.make_good)

    def _register(self, name: str, work: Callable[[], str]) -> None:
        @self._app.task(name=name, throws=(ParkedError,))
        def run() -> str:  # Celery takes `self` of a method for an argument of the task
            return work()

    def _register_of_teams(self, name: str) -> None:
        @self._app.task(name=name, throws=(ParkedError,))
        def run(kind: str) -> str:
            return self.deliver(Kind(kind))

    def sweeper(self) -> Sweeper:
        """The sweeper of this worker, not yet started."""
        return Sweeper(
            lambda: self._resources.context.journal,
            self.notify,
            lambda kind: self._drain(kind)[1],
            self.purge,
            self._resources.settings.journal.sweep_interval_s,
            self.correct_claims if self._resources.settings.calls.correct_claims else None,
        )

    def alarms(self) -> Background:
        """What takes turns with the other processes in looking for alarms, not yet started."""
        resources = self._resources
        return Background("alarms", resources.watcher.watch, WATCH_EVERY_S)

    def metrics(self) -> Background:
        """What adds this process's counts to the fleet's, not yet started."""
        counts = self._resources.counts
        return Background("metrics", counts.flush, FLUSH_EVERY_S, at_end=counts.flush)

    def deliver(self, kind: Kind) -> str:
        """Raises ParkedError, else WaitingError, with the same text as it would return."""
        try:
            drained = self._drain(kind)[0]
        except StoreUnavailableError as trouble:
            log.error("store_unavailable", kind=kind, reason=str(trouble))
            said = f"store unavailable ({trouble}); leases run out and a sweep finds them"
            raise WaitingError(said) from None
        if drained.has_parked:
            raise ParkedError(str(drained))
        if drained.waits_for:
            raise WaitingError(str(drained))
        return str(drained)

    def end_quiet_calls(self) -> str:
        """Ends calls without events for IDLE_CALL_MIN that no report has ended."""
        quiet_ms = int(self._resources.settings.calls.idle_call_min * 60_000)
        try:
            count, kinds = self._resources.end_of_call.end_quiet_calls(quiet_ms)
        except StoreUnavailableError as trouble:
            return f"store unavailable ({trouble})"
        self.notify(sorted(kinds))
        return f"closed {count}"

    def make_good(self) -> str:
        """Asks a person to call those to whom a promise was broken."""
        resources = self._resources
        after_h = resources.settings.calls.broken_promise_h
        made_good = MadeGood(resources.context.journal, resources.calls, resources.agents, after_h)
        try:
            count, kinds = made_good.run()
        except StoreUnavailableError as trouble:
            return f"store unavailable ({trouble})"
        self.notify(kinds)
        return f"made good {count}"

    def correct_claims(self) -> None:
        """Corrects agents in live calls. Raises StoreUnavailableError."""
        resources = self._resources
        correct_claims(
            resources.calls.claims_said, resources.context.journal, resources.call_updates
        )

    def reconcile(self) -> str:
        """Records calls that ended without this service hearing of it."""
        return reconcile_calls(self._resources, self.notify)

    def purge(self) -> str:
        """Retention: personal data of what was delivered or cancelled, later the receipts."""
        settings = self._resources.settings.journal
        purged, until = 0, time.monotonic() + PURGE_FOR_S
        try:
            while time.monotonic() < until:
                count = self._resources.context.journal.purge(
                    data_after_ms=int(settings.keep_personal_data_h * 3_600_000),
                    receipt_after_ms=int(settings.keep_receipts_h * 3_600_000),
                )
                purged += count
                if not count:
                    break
        except StoreUnavailableError as trouble:
            return f"store unavailable ({trouble}) after {purged}"
        return f"purged {purged}"

    def notify(self, kinds: Iterable[Kind]) -> tuple[Kind, ...]:
        """Sends wake-ups; returns the kinds for which none could be sent."""
        return Notifier(self._app).notify(kinds)

    def _drain(self, kind: Kind) -> tuple[Drained, tuple[Kind, ...]]:
        """What was delivered, and the kinds that it made due and got no wake-up for."""
        drained = drain(
            self._resources.context,
            kind,
            lambda lease, outcomes: self._resources.call_updates.notify_agent(
                updates_of(lease, outcomes)
            ),
            wake_another=lambda full: self.notify([full]),
        )
        return drained, self.notify(sorted(drained.due_kinds))
