"""The ledger of promises: what became of each sentence that said that something was done.

The journal's own scripts count a promise in the step in which it is made, kept, broken or taken
back; here are the figures, the broken promises that nobody has made good, and the claims of agents
that nothing backs. It has ids, kinds and times, and nothing that was said.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

DAY_MS = 86_400_000

CLAIMS_MS = 35 * DAY_MS
MAX_CLAIMS = 10_000
"""How long, and how many of, the unbacked claims are stored, the newest."""

STEPS = 20
"""Steps of a power of ten in which the time until a promise was kept is counted."""

_WITHIN = "within:"


@dataclass(frozen=True)
class Figures:
    """A day (UTC). What becomes of a promise counts on the day on which it was made.

    promised: sentences that said that something was accepted. delivered: Salesforce has it, so the
    promise is kept.
    kept_by_hand: an operator settled it elsewhere. taken_back: by the caller. broken: parked, or
    cancelled by other than the caller, and neither replayed nor settled by hand so far. made_good:
    promises for which a person was asked to call; unreachable: those where there is nobody to call.
    unbacked: claims that nothing backed, each phrase once in a call. call_backs: calls in which
    such claims became a call-back. corrected: agents corrected in the live call.
    within: upper bound in ms → promises that were kept within it, and not within the one before.
    """

    promised: int = 0
    delivered: int = 0
    kept_by_hand: int = 0
    taken_back: int = 0
    broken: int = 0
    made_good: int = 0
    unreachable: int = 0
    unbacked: int = 0
    call_backs: int = 0
    corrected: int = 0
    within: dict[float, int] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Promises that are neither kept, broken nor taken back yet."""
        settled = self.delivered + self.kept_by_hand + self.taken_back + self.broken
        return max(0, self.promised - settled)

    def seconds(self, fraction: float) -> float | None:
        """Within so many seconds that fraction of the kept promises was kept, at most 12 % too
        high; None when none was."""
        total, seen = sum(self.within.values()), 0
        for upper_ms in sorted(self.within):
            seen += self.within[upper_ms]
            if seen >= fraction * total:
                return upper_ms / 1000
        return None


COUNTED = tuple(name for name in Figures.__dataclass_fields__ if name != "within")


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

    def figures(self, day: int) -> Figures:
        """day: days since 1970, UTC. All zero for a day of which nothing is stored."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}promises:{day}")
        numbers = {name: _number(text) for name, text in stored.items()}
        within = {
            10 ** (int(step) / STEPS): count
            for name, count in numbers.items()
            if name.startswith(_WITHIN) and (step := name.removeprefix(_WITHIN)).isdecimal()
        }
        counted = {name: max(0, numbers.get(name, 0)) for name in COUNTED}
        return Figures(**counted, within=within)

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

    def claim_counts(self) -> Counter[str]:
        """How many unbacked claims of each kind there ever were, by kind."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}claims")
        return Counter({name: _number(text) for name, text in stored.items()})

    def now_ms(self) -> int:
        """The store's clock; epoch ms."""
        with translated():
            seconds, micros = self._store.time()
        return int(seconds) * 1000 + int(micros) // 1000


def _number(text: str) -> int:
    """A number from a hash that anything may have written to; 0 for any other text."""
    return int(text) if text.removeprefix("-").isdecimal() else 0
