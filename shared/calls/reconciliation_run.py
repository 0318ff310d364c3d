"""A run of reconciliation over a stretch of time, and how far it may move the cursor."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shared.calls.reconciled import Reconciled
from shared.calls.reconciliation import TO_WRITE, Finding, Reconciliation, Verdict
from shared.domain.kinds import Kind
from shared.logs import log
from shared.store import StoreUnavailableError
from shared.vapi.call_list import Window

HOUR_MS = 3_600_000

FIRST_LOOK_MS = 24 * HOUR_MS
"""How far back the first run looks."""

LOOK_BACK_MS = 14 * 24 * HOUR_MS
"""The furthest that a run looks back by itself: as long as Vapi lists calls without a special
contract (docs/vendors.md V38)."""

OVERLAP_MS = HOUR_MS // 2
"""A call may appear in the list this late, so runs overlap by this much."""

LONGEST_CALL_MS = 13 * HOUR_MS
"""A call lasts 12 hours at most. An older one that the list shows as going on holds up nothing."""


@dataclass
class Totals:
    """What a run found and did.

    verdicts: how many calls of each. recorded, completed: calls written in this run; call_backs:
    call-backs written. failed: calls that could not be written, because of a defect of ours.
    differences: calls with something to write. without_words: calls to record of which Vapi stores
    no words.
    """

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    recorded: int = 0
    completed: int = 0
    call_backs: int = 0
    failed: int = 0
    differences: int = 0
    without_words: int = 0

    @property
    def listed(self) -> int:
        return self.verdicts.total()

    @property
    def written(self) -> int:
        return self.recorded + self.completed + self.call_backs

    def count(self, finding: Finding) -> None:
        self.verdicts[finding.verdict] += 1
        self.differences += finding.is_difference
        if finding.verdict in TO_WRITE:
            self.without_words += not finding.record.has_words

    def count_written(self, finding: Finding) -> None:
        self.recorded += finding.verdict is Verdict.MISSING
        self.completed += finding.verdict is Verdict.INCOMPLETE
        self.call_backs += bool(finding.unreached)

    def __str__(self) -> str:
        """For Flower and the log: counts only."""
        return (
            f"listed {self.listed}, recorded {self.recorded}, completed {self.completed}, "
            f"call-backs {self.call_backs}"
        )


def reconcile(
    windows: Iterable[Window],
    reconciliation: Reconciliation,
    totals: Totals,
    *,
    now_ms: int,
    notify: Callable[[Iterable[Kind]], object],
    found: Callable[[Finding], object] = lambda _: None,
    write: bool = True,
    finished: Callable[[int], object] = lambda _: None,
) -> None:
    """Compare each window, and write what is missing.

    notify: called with the kinds that have work. found: called with each difference. finished:
    called with the time before which every call is settled, after each window.

    Raises what `compare` and the reading of the windows raise. What was written until then stays.
    """
    settled_ms = now_ms - OVERLAP_MS
    for window in windows:
        due_kinds = set[Kind]()
        for finding in reconciliation.compare(window.records, now_ms):
            totals.count(finding)
            if finding.is_difference:
                found(finding)
                if write:
                    due_kinds.update(_written(reconciliation, finding, totals))
            created_ms = finding.record.created_ms
            if finding.verdict is Verdict.UNFINISHED and created_ms > now_ms - LONGEST_CALL_MS:
                settled_ms = min(settled_ms, created_ms)
        notify(sorted(due_kinds))
        finished(min(window.end_ms, settled_ms))


def _written(reconciliation: Reconciliation, finding: Finding, totals: Totals) -> tuple[Kind, ...]:
    try:
        due_kinds = reconciliation.write(finding)
    except StoreUnavailableError:
        raise
    except Exception:
        # A defect of ours: some of its data can't be read. The other calls go on.
        log.exception("call_not_reconciled", call_id=finding.call_id)
        totals.failed += 1
        return ()
    totals.count_written(finding)
    return due_kinds


def start_of_run(reconciled: Reconciled, now_ms: int) -> int:
    """Where the next run begins: at the cursor, within LOOK_BACK_MS."""
    until_ms = reconciled.read().until_ms
    return max(until_ms or now_ms - FIRST_LOOK_MS, now_ms - LOOK_BACK_MS)
