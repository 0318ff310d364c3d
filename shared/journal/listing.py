"""Pages of intents for operators, by filters, and parked intents in groups.

No request looks at everything: a page looks at MAX_LOOKED_AT intents at most, in steps that hold up
the store for less than a millisecond each, and says where the next one goes on.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

import redis

from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import translated

STEP = 200
"""How many intents a script looks at. The store does nothing else meanwhile."""

MAX_LOOKED_AT = 10_000
"""For one page. A filter that fits little then says how far it has looked."""

MAX_GROUPED = 10_000
"""The longest parked intents, which are counted in groups."""

MAX_GROUPS = 200

OPEN = "open"
"""Stands for held, due and leased."""

OF_ONE_RULE = ("FIELD_CUSTOM_VALIDATION_EXCEPTION",)
"""The reasons whose detail names a rule of the org, and quotes no value."""

_INDEX, _SCORE = re.compile(r"[0-9]{1,3}"), re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")


@dataclass(frozen=True)
class Filter:
    """ "" fits everything. state: OPEN, or one. reason: a reason, or how it begins with * at the
    end. detail: all of it. text: somewhere in the draft as it is stored."""

    state: str = ""
    kind: str = ""
    tool: str = ""
    reason: str = ""
    detail: str = ""
    text: str = ""


@dataclass(frozen=True)
class Page:
    """looked_at: how many intents the page has looked at, of `total`. next: where the next page
    begins, "" after the last."""

    intents: tuple[Intent, ...]
    looked_at: int
    total: int
    next: str = ""


@dataclass(frozen=True)
class Group:
    """Parked intents of a kind with the same reason, and for a rule of the org the same message.

    promised: how many of them the agent promised to a caller. since_ms: when the first parked.
    example: the id of one of them.
    """

    kind: str
    reason: str
    detail: str
    count: int
    promised: int
    since_ms: int
    example: str

    @property
    def filter(self) -> Filter | None:
        """Fits these intents and no others; None where an empty part would fit any."""
        return group_filter(self.kind, self.reason, self.detail)


def group_filter(kind: str, reason: str, detail: str) -> Filter | None:
    """The filter of a group; None for parts that no group has."""
    if not kind or not reason or reason.endswith("*") or (reason in OF_ONE_RULE) != bool(detail):
        return None
    return Filter(State.PARKED, kind, reason=reason, detail=detail)


@dataclass(frozen=True)
class _Place:
    """Where a page begins: in which of the sets, and after which id with which score."""

    index: int = 0
    score: str = ""
    id: str = ""

    @classmethod
    def read(cls, text: str) -> "_Place":
        """The first for a text that is none."""
        index, _, rest = text.partition("~")
        score, _, id_ = rest.partition("~")
        is_place = _INDEX.fullmatch(index) and _SCORE.fullmatch(score)
        return cls(int(index), score, id_) if is_place and id_ else cls()

    def __str__(self) -> str:
        return f"{self.index}~{self.score}~{self.id}"


class Listing:
    """Every method raises StoreUnavailableError."""

    def __init__(self, store: redis.Redis, journal: Journal, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._journal = journal
        self._prefix = prefix
        self._matching = load(store, "journal", "matching")
        self._groups = load(store, "journal", "parked_groups")

    def page(self, wanted: Filter, limit: int, begins: str = "") -> Page:
        """Newest first; of parked intents the last parked, of open ones those due last.

        begins: the `next` of the page before.
        """
        sets = self._sets(wanted)
        place = _Place.read(begins)
        ids: list[str] = []
        looked_at, next_ = 0, ""
        while place.index < len(sets):
            found = self._step(sets[place.index], place, wanted, limit - len(ids))
            looked_at += found.looked_at
            ids += found.ids
            if found.looked_at == 0:
                place = _Place(place.index + 1)
                continue
            place = replace(place, score=found.score, id=found.last)
            if len(ids) == limit or looked_at >= MAX_LOOKED_AT:
                next_ = str(place)
                break
        intents = self._journal.get_many(ids).values()
        return Page(tuple(intents), looked_at, self._total(sets), next_)

    def ids(self, wanted: Filter, limit: int) -> list[str]:
        """The ids alone, of at most so many, among the first MAX_LOOKED_AT."""
        ids: list[str] = []
        looked_at = 0
        for name in self._sets(wanted):
            place = _Place()
            while len(ids) < limit and looked_at < MAX_LOOKED_AT:
                found = self._step(name, place, wanted, limit - len(ids))
                if found.looked_at == 0:
                    break
                looked_at += found.looked_at
                ids += found.ids
                place = _Place(0, found.score, found.last)
        return ids

    def states_of_calls(self, call_ids: Iterable[str]) -> dict[str, Counter[str]]:
        """How many intents of each call are in which state, in two round trips."""
        ids = list(dict.fromkeys(call_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.lrange(f"{self._prefix}call:{call_id}:intents", 0, -1)
            lists = pipe.execute()
            pipe = self._store.pipeline(transaction=False)
            for intent_id in chain.from_iterable(lists):
                pipe.hget(f"{self._prefix}intent:{intent_id}", "state")
            states = iter(pipe.execute(raise_on_error=False))
        return {
            call_id: Counter(
                state for state in islice(states, len(of_call)) if isinstance(state, str)
            )
            for call_id, of_call in zip(ids, lists, strict=True)
        }

    def kinds(self) -> list[Kind]:
        """Those of the code, and those of the teams' own tools that were ever accepted here."""
        with translated():
            own = self._store.smembers(f"{self._prefix}kinds")
        return [*Kind, *map(Kind, sorted(own))]

    def groups(self) -> list[Group]:
        """Of the MAX_GROUPED longest parked, the largest group first; at most MAX_GROUPS."""
        merged: dict[tuple[str, str, str], Group] = {}
        for part in self._parts():
            name = (part.kind, part.reason, part.detail)
            if (group := merged.get(name)) is not None:
                part = replace(
                    part,
                    count=group.count + part.count,
                    promised=group.promised + part.promised,
                    since_ms=min(group.since_ms, part.since_ms),
                )
            merged[name] = part
        return sorted(merged.values(), key=lambda group: -group.count)[:MAX_GROUPS]

    def _parts(self) -> Iterator[Group]:
        for skipped in range(0, MAX_GROUPED, STEP):
            with translated():
                flat = self._groups(args=[self._prefix, skipped, STEP, *OF_ONE_RULE])
            for at in range(0, len(flat), 7):
                kind, reason, detail, count, promised, since, example = flat[at : at + 7]
                yield Group(
                    kind, reason, detail, int(count), int(promised), int(float(since)), example
                )
            if not flat:
                return

    def _sets(self, wanted: Filter) -> list[str]:
        """The sets that have all intents of the filter's state, and as few others as possible."""
        if wanted.state == State.PARKED:
            return ["parked"]
        if wanted.state in (OPEN, State.HELD, State.DUE, State.LEASED):
            kinds = [Kind(wanted.kind)] if wanted.kind else self.kinds()
            return [f"{place}:{kind}" for kind in kinds for place in ("due", "waiting")]
        return ["intents"]

    def _total(self, sets: list[str]) -> int:
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for name in sets:
                pipe.zcard(self._prefix + name)
            return sum(map(int, pipe.execute()))

    def _step(self, name: str, place: _Place, wanted: Filter, limit: int) -> "_Step":
        with translated():
            looked_at, last, score, *ids = self._matching(
                args=[
                    self._prefix, name, place.id, place.score or 0, STEP, limit, wanted.state,
                    wanted.kind, wanted.tool, wanted.reason, wanted.detail, wanted.text,
                ]
            )  # fmt: skip
        return _Step(int(looked_at), last, score, ids)


@dataclass(frozen=True)
class _Step:
    looked_at: int
    last: str
    score: str
    ids: list[str]
