"""The ledger of promises: what became of each sentence that said that something was done.

The journal's scripts count in the step in which a promise is made, kept, broken or taken back. The
counts only grow. The first change in a day, and in each five minutes, copies them, so what happened
on a day or in the last hour is the difference of two copies. The ledger also lists the broken
promises that nobody has made good, and the agents' claims that nothing backs. It has ids, kinds and
times, and nothing that was said.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import redis

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

DAY_MS = 86_400_000
MINUTE_MS = 60_000

DAY_MIN, SPAN_MIN = 1_440, 5
"""The counts are copied when these begin (minutes since 1970, UTC). `_common.lua` has the same."""

KEPT_DAYS = 35
"""How long the copies of days are stored. Those of five minutes are stored for two hours."""

CLAIMS_MS = KEPT_DAYS * DAY_MS
MAX_CLAIMS = 10_000
"""How long unbacked claims are stored, and how many: the oldest are dropped first."""

STEPS = 20
"""Steps of a power of ten in which the time until a promise was kept is counted."""

_WITHIN, _UNBACKED = "within:", "unbacked:"


@dataclass(frozen=True)
class Figures:
    """What happened in a stretch of time.

    promised: sentences that said that something was accepted. delivered: Salesforce has it, so the
    promise is kept. took_ms: how long all of these took together. kept_by_hand: an operator did it
    elsewhere. taken_back: by the caller. broken: parked, or cancelled by anyone but the caller.
    reopened: broken promises that were replayed, kept by hand or taken back.
    made_good: promises for which a person was asked to call; unreachable: those where there is
    nobody to call.
    call_backs: calls in which claims that nothing backed became a call-back. corrected: agents
    corrected in the live call. unbacked: such claims by kind, each phrase once in a call.
    steps: step of 10^(1/STEPS) ms → promises that were kept within it, and not within the step
    before. open: promises that are neither kept, broken nor taken back at the end of the time.
    """

    promised: int = 0
    delivered: int = 0
    took_ms: int = 0
    kept_by_hand: int = 0
    taken_back: int = 0
    broken: int = 0
    reopened: int = 0
    made_good: int = 0
    unreachable: int = 0
    call_backs: int = 0
    corrected: int = 0
    unbacked: Counter[str] = field(default_factory=Counter)
    steps: Counter[int] = field(default_factory=Counter)
    open: int = 0

    @classmethod
    def between(cls, before: Mapping[str, int], after: Mapping[str, int]) -> Self:
        """before, after: the counts at both ends of the time."""
        grew = Counter({name: count - before.get(name, 0) for name, count in after.items()})
        ever = Counter(after)
        settled = sum(ever[name] for name in ("delivered", "kept_by_hand", "taken_back", "broken"))
        return cls(
            **{name: grew[name] for name in COUNTED},
            unbacked=Counter(dict(_named(grew, _UNBACKED))),
            steps=Counter({int(step): count for step, count in _named(grew, _WITHIN)}),
            open=ever["promised"] + ever["reopened"] - settled,
        )

    def seconds(self, fraction: float) -> float | None:
        """The seconds within which this fraction of the kept promises was kept, at most 12 % too
        high; None when none was kept."""
        seen = 0
        for step in sorted(self.steps):
            seen += self.steps[step]
            if self.steps[step] and seen >= fraction * self.steps.total():
                return seconds_of(step)
        return None

    def within(self, step: int) -> int:
        """How many promises were kept within a step or one before it."""
        return sum(count for each, count in self.steps.items() if each <= step)


COUNTED = tuple(each.name for each in fields(Figures) if each.type is int and each.name != "open")


def _named(counts: Mapping[str, int], prefix: str) -> Iterator[tuple[str, int]]:
    for name, count in counts.items():
        if name.startswith(prefix):
            yield name.removeprefix(prefix), count


def seconds_of(step: int) -> float:
    """The upper bound of a step."""
    return float(10 ** (step / STEPS) / 1000)


@dataclass(frozen=True)
class Unbacked:
    """A claim that nothing backed. phrase: its id. at_ms: epoch ms."""

    call_id: str
    phrase: str
    at_ms: int


class Promises:
    """Every method raises StoreUnavailableError, and is safe to repeat unless it says otherwise."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._made_good = load(store, "journal", "made_good")
        self._note_claims = load(store, "journal", "note_claims")
        self._count = load(store, "journal", "count_figure")

    def ever(self) -> Figures:
        """Since the store began."""
        with translated():
            return Figures.between({}, _numbers(self._store.hgetall(f"{self._prefix}promises")))

    def day(self, day: int) -> Figures:
        """day: days since 1970, UTC. All zero for a day of which nothing is stored."""
        today = self.now_ms() // DAY_MS
        days = range(max(day, today - KEPT_DAYS - 1), today + 1)
        copies = self._copies([each * DAY_MIN for each in days])
        return Figures.between(_at(copies, 0), _at(copies, 1))

    def last_hour(self) -> Figures:
        """Of the last 60 to 65 minutes."""
        now = self.now_ms() // MINUTE_MS
        copies = self._copies(range(now // SPAN_MIN * SPAN_MIN - 60, now + 1, SPAN_MIN))
        return Figures.between(_at(copies, 0), copies[-1])

    def _copies(self, minutes: Iterable[int]) -> list[dict[str, int]]:
        """The counts when these minutes began, and the present ones. Empty where nothing changed in
        the time that began then, or where nothing is stored."""
        with translated():
            pipe = self._store.pipeline()
            for minute in minutes:
                pipe.hgetall(f"{self._prefix}promises:at:{minute}")
            pipe.hgetall(f"{self._prefix}promises")
            return [_numbers(stored) for stored in pipe.execute()]

    def overdue(self, before_ms: int, limit: int) -> list[str]:
        """Ids of intents whose promise broke before that time, or for good; the longest broken
        first."""
        key = f"{self._prefix}promises:broken"
        with translated():
            return list(self._store.zrange(key, 0, before_ms, byscore=True, offset=0, num=limit))

    def waiting(self) -> int:
        """How many broken promises nobody has been asked to make good."""
        with translated():
            return int(self._store.zcard(f"{self._prefix}promises:broken"))

    def made_good(self, intent_ids: Sequence[str], *, is_reachable: bool = True) -> int:
        """A person was asked to call about these, or there is nobody to call. Returns how many
        counted."""
        what = "made_good" if is_reachable else "unreachable"
        with translated():
            return int(self._made_good(args=[self._prefix, what, *intent_ids]))

    def note_unbacked(self, call_id: str, claims: Iterable[tuple[str, str, int]]) -> int:
        """Record claims that nothing backs: (phrase, kind, when in epoch ms, 0 when unknown).
        Returns how many are new."""
        parts = [part for claim in claims for part in claim]
        if not parts:
            return 0
        with translated():
            return int(
                self._note_claims(args=[self._prefix, call_id, MAX_CLAIMS, CLAIMS_MS, *parts])
            )

    def count(self, what: str) -> None:
        """Count one more of a figure today. A repeat counts again."""
        assert what in COUNTED
        with translated():
            self._count(args=[self._prefix, what])

    def unbacked(self, from_ms: int, to_ms: int, limit: int) -> list[Unbacked]:
        """Those of a stretch of time, the oldest first."""
        with translated():
            rows = self._store.zrange(
                f"{self._prefix}claims:unbacked",
                from_ms,
                to_ms - 1,
                byscore=True,
                offset=0,
                num=limit,
                withscores=True,
            )
        return [
            Unbacked(call_id, phrase, int(at_ms))
            for name, at_ms in rows
            for call_id, _, phrase in [name.rpartition(" ")]
        ]

    def now_ms(self) -> int:
        """The store's clock; epoch ms."""
        with translated():
            return now_ms(self._store)


def _at(copies: Sequence[dict[str, int]], place: int) -> dict[str, int]:
    """The counts at a place. If no copy was made there, nothing had changed until the next copy,
    which has the same counts."""
    return next(filter(None, copies[place:]), copies[-1])


def _numbers(stored: Mapping[str, str]) -> dict[str, int]:
    return {name: int(text) for name, text in stored.items()}
