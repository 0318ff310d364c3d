"""Replaying or discarding a group of parked intents: a plan, then step by step, with progress.

The action's page asks for each step, so the action pauses while nobody looks at it, and no step
follows an abort. A replay has at most MAX_OPEN intents on their way at a time. It stops by itself
when more of them park again than are delivered, because then the cause is not fixed.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

import redis

from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.listing import Filter, Listing
from shared.operators.audit import Audit
from shared.settings import REDIS_PREFIX
from shared.store import allowed_when_full, translated

MAX_INTENTS = 2_000
"""In one action. The rest needs another action."""

STEP = 50
MAX_OPEN = 100
MIN_PARKED_AGAIN = 5
"""How many have to park again before an action may stop by itself."""

LIFE_MS = 24 * 3600 * 1000

STEP_S = 1.0
REQUEST_S = 0.5
"""Rough times for the plan: between two steps, and of a request to Salesforce."""

SMALL_BATCHES = frozenset({Kind.CONTACT_UPDATE, Kind.CASE_CLOSE, Kind.TRANSCRIPT_FILE})
SMALL_BATCH = 25
"""Intents of these kinds go to Salesforce 25 in a request."""


class Verb(StrEnum):
    REPLAY = "replay"
    DISCARD = "discard"
    KEPT_BY_HAND = "discard, kept by hand"
    """A person did what they promise, so nobody is asked to call."""


class Stage(StrEnum):
    RUNNING = "running"
    DONE = "done"
    ABORTED = "aborted"
    STOPPED = "stopped"
    """By itself: too many parked again."""


@dataclass(frozen=True)
class Plan:
    """requests: to Salesforce, roughly. seconds: at least. left: parked intents of the group that
    another action has to take."""

    count: int
    requests: int
    seconds: int
    left: int


@dataclass(frozen=True)
class Progress:
    """taken: how many intents the steps took so far, by the state that they are in now."""

    id: str
    verb: Verb
    about: str
    who: str
    stage: Stage
    total: int
    taken: int
    states: Counter[str]

    @property
    def open(self) -> int:
        return self.states["held"] + self.states["due"] + self.states["leased"]

    @property
    def parked_again(self) -> int:
        return self.states["parked"]

    @property
    def has_failed(self) -> bool:
        """More intents park again than are settled, so the cause is not fixed."""
        settled_well = self.states["delivered"] + self.states["cancelled"]
        parked_again = self.parked_again
        return (
            self.verb is Verb.REPLAY
            and parked_again >= MIN_PARKED_AGAIN
            and parked_again > settled_well
        )


def plan(verb: Verb, wanted: Filter, group_size: int, window: tuple[int, int] | None) -> Plan:
    """window: requests and seconds of the rate limit, None without one."""
    count = min(group_size, MAX_INTENTS)
    steps = ceil(count / STEP)
    if verb is not Verb.REPLAY:
        return Plan(count, 0, ceil(steps * STEP_S), group_size - count)
    kind = Kind(wanted.kind)
    is_small = kind in SMALL_BATCHES or kind.verb in ("update", "close")
    batch = SMALL_BATCH if is_small else STEP
    requests = 2 * ceil(count / batch)  # each batch is read first, because it may be there already
    seconds = max(steps * STEP_S, requests * REQUEST_S)
    if window:
        seconds = max(seconds, requests * window[1] / window[0])
    return Plan(count, requests, ceil(seconds), group_size - count)


class GroupActions:
    """Works although the store's memory is used up. Every method raises StoreUnavailableError."""

    def __init__(
        self,
        store: redis.Redis,
        journal: Journal,
        notify: Callable[[Iterable[Kind]], object],
        who: str,
        prefix: str = REDIS_PREFIX,
    ) -> None:
        """notify: sends wake-ups. who: as the audit names the operator."""
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._journal = journal
        self._notify = notify
        self._audit = Audit(store)
        self._who = who
        self._prefix = prefix

    def begin(self, verb: Verb, wanted: Filter, listing: Listing) -> str:
        """Returns the action's id. Nothing happens before its first step."""
        ids = listing.ids(wanted, MAX_INTENTS)
        about = " ".join(filter(None, (wanted.kind, wanted.reason)))
        self._audit.note(self._who, f"{verb} group", about=about, ids=ids)
        action_id = secrets.token_hex(8)
        key = self._key(action_id)
        with translated():
            allowed_when_full(
                self._store, "HSET", key, "verb", verb, "about", about, "who", self._who,
                "stage", Stage.RUNNING, "total", len(ids),
            )  # fmt: skip
            for at in range(0, len(ids), 500):
                allowed_when_full(self._store, "RPUSH", self._left(action_id), *ids[at : at + 500])
            self._store.pexpire(key, LIFE_MS)
            self._store.pexpire(self._left(action_id), LIFE_MS)
        return action_id

    def progress(self, action_id: str) -> Progress | None:
        """None for an action that does not exist, or no longer does."""
        key = self._key(action_id)
        with translated():
            row = self._store.hgetall(key)
            if not row:
                return None
            ids = self._store.lrange(self._taken(action_id), 0, -1)
            pipe = self._store.pipeline(transaction=False)
            for intent_id in ids:
                pipe.hget(f"{self._prefix}intent:{intent_id}", "state")
            states = pipe.execute(raise_on_error=False)
        return Progress(
            id=action_id,
            verb=Verb(row["verb"]),
            about=row["about"],
            who=row["who"],
            stage=Stage(row["stage"]),
            total=int(row["total"]),
            taken=len(ids),
            states=Counter(state if isinstance(state, str) else "gone" for state in states),
        )

    def step(self, action_id: str) -> Progress | None:
        """Take the next intents, unless enough are on their way. Safe to repeat, even
        concurrently: no intent is taken twice."""
        now = self.progress(action_id)
        if now is None or now.stage is not Stage.RUNNING:
            return now
        if now.has_failed:
            return self._end(now, Stage.STOPPED)
        if now.open >= MAX_OPEN:
            return now
        with translated():
            ids = self._store.lpop(self._left(action_id), STEP) or []
        if not ids:
            return now if now.open else self._end(now, Stage.DONE)
        with translated():
            allowed_when_full(self._store, "RPUSH", self._taken(action_id), *ids)
            self._store.pexpire(self._taken(action_id), LIFE_MS)
        if now.verb is Verb.REPLAY:
            self._notify(self._journal.replay(ids)[1])
        else:
            self._journal.discard(ids, is_kept_by_hand=now.verb is Verb.KEPT_BY_HAND)
        return self.progress(action_id)

    def abort(self, action_id: str) -> Progress | None:
        """No step follows. Intents that were replayed before are still delivered."""
        now = self.progress(action_id)
        if now is None or now.stage is not Stage.RUNNING:
            return now
        self._audit.note(self._who, f"abort {now.verb} group", about=now.about)
        return self._end(now, Stage.ABORTED)

    def _end(self, now: Progress, stage: Stage) -> Progress | None:
        with translated():
            allowed_when_full(self._store, "HSET", self._key(now.id), "stage", stage)
            self._store.delete(self._left(now.id))
        return self.progress(now.id)

    def _key(self, action_id: str) -> str:
        return f"{self._prefix}console:action:{action_id}"

    def _left(self, action_id: str) -> str:
        return f"{self._prefix}console:action:{action_id}:left"

    def _taken(self, action_id: str) -> str:
        return f"{self._prefix}console:action:{action_id}:taken"
