"""The job that compares Vapi's list of calls with the journal, and records what is missing."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from shared.calls.reconciled import MORE_TO_READ, Reconciled
from shared.calls.reconciliation import Reconciliation
from shared.calls.reconciliation_run import Totals, reconcile, start_of_run
from shared.domain.kinds import Kind
from shared.journal.answers import Answers
from shared.logs import log
from shared.salesforce.call_logs import logged_calls
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from shared.vapi.call_list import CallList, CallListError, Window
from workers.resources import Resources

RUN_S = 60.0
MAX_WINDOWS = 300
"""A run reads for so long and so many windows at most, because a worker that stops waits for it.
The next one goes on from there."""


def reconcile_calls(resources: Resources, notify: Callable[[Iterable[Kind]], object]) -> str:
    """One run, from the cursor to now. Returns what became of it, for Flower."""
    settings = resources.settings
    if not settings.vapi.api_key:
        return "off: VAPI_API_KEY is not set"
    reconciled, totals = Reconciled(resources.store), Totals()
    try:
        trouble = _run(resources, reconciled, totals, notify)
        reconciled.ended(trouble)
    except StoreUnavailableError as away:
        return f"store unavailable ({away}) after: {totals}"
    if totals.written or trouble:
        log.info("calls_reconciled", count=totals.written, reason=trouble)
    return f"{totals}{f'; stopped: {trouble}' if trouble else ''}"


def _run(
    resources: Resources,
    reconciled: Reconciled,
    totals: Totals,
    notify: Callable[[Iterable[Kind]], object],
) -> str:
    """Returns why the run did not read to the end, "" if it did. Raises StoreUnavailableError."""
    now_ms = reconciled.now_ms()
    cursor_ms = start_of_run(reconciled, now_ms)
    reconciliation = Reconciliation(
        resources.calls,
        resources.context.journal,
        Answers(resources.store),
        resources.end_of_call,
        resources.agents,
        resources.settings,
        partial(logged_calls, resources.context.records),
    )

    def finished(until_ms: int) -> None:
        nonlocal cursor_ms
        if until_ms > cursor_ms:
            cursor_ms = until_ms
            reconciled.advance(until_ms)

    windows = _Bounded(CallList(resources.settings.vapi).windows(cursor_ms, now_ms))
    try:
        reconcile(windows, reconciliation, totals, now_ms=now_ms, notify=notify, finished=finished)
    except CallListError as refused:
        return refused.code
    except SalesforceError as error:
        return error.code
    return "" if windows.were_all else MORE_TO_READ


class _Bounded:
    """As many windows as a run may read. were_all: there were no more."""

    def __init__(self, windows: Iterator[Window]) -> None:
        self._windows = windows
        self.were_all = False

    def __iter__(self) -> Iterator[Window]:
        until = time.monotonic() + RUN_S
        for nth, window in enumerate(self._windows, 1):
            yield window
            if nth == MAX_WINDOWS or time.monotonic() > until:
                return
        self.were_all = True
