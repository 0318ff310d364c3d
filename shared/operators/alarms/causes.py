"""The ten alarms: when each is raised, and what it says. docs/runbook.md has a section for each."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.journal.listing import Group
from shared.journal.results import Summary, Wait
from shared.operators.reasons import explain, is_explained
from shared.operators.rotation import RotationStatus
from shared.settings import AlarmSettings

SWEEP_TOO_LONG_AGO_MS = 15_000
"""Every worker sweeps every SWEEP_INTERVAL_S. If none has for this time, all of them are down."""

STARTING_MS = 20_000
"""A deploy that restarts every worker, or beat, is no alarm."""


class Sort(StrEnum):
    PARKED = "parked"
    FAILING = "failing"
    ORG_AWAY = "org_away"
    LATE = "late"
    NO_WORKER = "no_worker"
    NO_BEAT = "no_beat"
    STORE = "store"
    REFUSED = "refused"
    PROMISES = "promises"
    ROTATION = "rotation"

    @property
    def section(self) -> str:
        """The heading of its section in docs/runbook.md."""
        return _SECTIONS[self]


_SECTIONS = {
    Sort.PARKED: "Alarm: writes are parked",
    Sort.FAILING: "Alarm: a tool or a kind fails",
    Sort.ORG_AWAY: "Alarm: Salesforce can't be reached",
    Sort.LATE: "Alarm: a write is late",
    Sort.NO_WORKER: "Alarm: no worker",
    Sort.NO_BEAT: "Alarm: no beat",
    Sort.STORE: "Alarm: the store",
    Sort.REFUSED: "Alarm: webhooks are refused",
    Sort.PROMISES: "Alarm: promises are broken",
    Sort.ROTATION: "Alarm: a secret is being replaced for too long",
}


@dataclass(frozen=True)
class Cause:
    """about: tells causes of a sort apart, such as "case_create:CASE_GONE". after_ms: how long it
    must last before it is an alarm."""

    sort: Sort
    text: str
    about: str = ""
    after_ms: int = 0

    @property
    def id(self) -> str:
        return f"{self.sort}:{self.about}" if self.about else str(self.sort)


def sort_of(cause_id: str) -> Sort | None:
    """None for a cause of another version."""
    name = cause_id.partition(":")[0]
    return Sort(name) if name in Sort.__members__.values() else None


@dataclass(frozen=True)
class Seen:
    """What the causes are found in.

    breaker: why lookups are kept back, "" while they are not. beats: how many of them report.
    store: what is wrong with it, or may soon be. refused_per_min: webhooks. rotation: None while no
    secret is being replaced.
    """

    summary: Summary
    waits: Mapping[str, Wait]
    breaker: str
    beats: int
    store: tuple[str, ...]
    groups: tuple[Group, ...]
    refused_per_min: float
    rotation: RotationStatus | None


def causes(seen: Seen, settings: AlarmSettings) -> list[Cause]:
    """The causes that there are now. Ids, kinds, tools and codes, and nothing that was said."""
    return [cause for find in FINDERS for cause in find(seen, settings)]


def _parked(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    """A cause for each kind and code: Salesforce's messages may differ with each write."""
    counts: dict[tuple[str, str], int] = {}
    for group in seen.groups:
        name = (group.kind or "unreadable", group.reason.partition(" ")[0] or "no_reason")
        counts[name] = counts.get(name, 0) + group.count
    for (kind, code), count in counts.items():
        words = explain(code)
        writes = "1 write is" if count == 1 else f"{count} writes are"
        text = f"{writes} parked: {kind}, {code}. {words.meaning} {words.next_step}"
        yield Cause(Sort.PARKED, text, f"{kind}:{code}")


def _failing(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    for what, wait in sorted(seen.waits.items()):
        if what != "org" and wait.failures_in_a_row:
            meaning = f" {explain(wait.reason).meaning}" if is_explained(wait.reason) else ""
            text = f"{what} waits because Salesforce refuses it: {wait.reason}.{meaning}"
            yield Cause(Sort.FAILING, text, what)


def _org_away(seen: Seen, settings: AlarmSettings) -> Iterator[Cause]:
    wait = seen.waits.get("org")
    reason = wait.reason if wait and wait.failures_in_a_row else seen.breaker
    if reason:
        text = f"Salesforce has not answered for {settings.org_away_min:g} minutes: {reason}."
        yield Cause(Sort.ORG_AWAY, text, after_ms=int(settings.org_away_min * 60_000))


def _late(seen: Seen, settings: AlarmSettings) -> Iterator[Cause]:
    if seen.summary.oldest_due_ms > settings.oldest_due_min * 60_000:
        minutes = seen.summary.oldest_due_ms // 60_000
        yield Cause(Sort.LATE, f"The oldest write has been due for {minutes} minutes.")


def _no_worker(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    if not 0 <= seen.summary.swept_ms_ago <= SWEEP_TOO_LONG_AGO_MS:
        text = "No worker is running. Writes are accepted and none is delivered."
        yield Cause(Sort.NO_WORKER, text, after_ms=STARTING_MS)


def _no_beat(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    if not seen.beats:
        text = "No beat is running. Calls that end without a report are not recorded."
        yield Cause(Sort.NO_BEAT, text, after_ms=STARTING_MS)


def _store(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    if seen.store:
        yield Cause(Sort.STORE, f"{'; '.join(seen.store)}.")


def _refused(seen: Seen, settings: AlarmSettings) -> Iterator[Cause]:
    if settings.refused_per_min and seen.refused_per_min >= settings.refused_per_min:
        text = f"{seen.refused_per_min:.0f} webhook requests a minute are refused."
        yield Cause(Sort.REFUSED, text)


def _promises(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    """What else breaks a promise is a cause of this sort as well, with an `about` of its own."""
    if seen.summary.broken > 0:
        broken = (
            "1 promise is" if seen.summary.broken == 1 else f"{seen.summary.broken} promises are"
        )
        text = (
            f"{broken} broken: the agent said it was done, the call is over, the write is parked."
        )
        yield Cause(Sort.PROMISES, text)


def _rotation(seen: Seen, _settings: AlarmSettings) -> Iterator[Cause]:
    if seen.rotation and seen.rotation.is_overdue:
        hours = seen.rotation.for_s // 3600
        yield Cause(Sort.ROTATION, f"VAPI_SERVER_SECRET_PREVIOUS has been set for {hours} hours.")


FINDERS: tuple[Callable[[Seen, AlarmSettings], Iterator[Cause]], ...] = (
    _no_worker,
    _no_beat,
    _store,
    _org_away,
    _late,
    _promises,
    _refused,
    _rotation,
    _failing,
    _parked,
)
"""In this order, because the number of alarms is limited, and parked writes can have many codes."""
