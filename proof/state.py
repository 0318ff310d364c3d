"""The state of a small world, and its canonical form: equal states are recognised as equal.

Two states are equal when they differ in nothing that a step can depend on. So times are relative to
the present: the future by its distance, the past by its order alone. Lease tokens are named after
the worker that holds them, and workers have no names.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Self

from proof.engine import Value

PREFIX = "vs:"
NOW_MS = 10**12
"""The present, in every canonical state."""

SOON_MS = 3_600_000
LONG_MS = 2 * 86_400_000
"""What expires later than SOON_MS counts as expiring after LONG_MS: only the step "three days pass"
reaches it."""

TIMES_OF_ROW = ("accepted", "hold_until", "settled", "refused_at")
READ_BY_NO_STEP = ("vs:sweep:last", "vs:retention:last")
FIGURES = ("vs:figures:", "vs:minute:", "vs:promises")

Delivery = dict[str, Any]


@dataclass(frozen=True)
class Worker:
    """A worker that has a batch. rows: the intents as leased: payload and in_doubt by id.

    outcomes: what it is about to settle; None before it asked Salesforce. settled: it has settled
    them, and may send the same again because it got no answer.
    """

    kind: str
    token: str
    rows: Mapping[str, Mapping[str, str]]
    outcomes: tuple[Delivery, ...] | None = None
    settled: bool = False


@dataclass(frozen=True)
class State:
    """faults: how many may still happen. used: how often a step was taken that is limited.

    What the invariants compare with. org: payloads that took effect in Salesforce, by intent.
    promised: the payload last accepted, by intent. answers: what a tool call was answered. order:
    for an intent, those that were open when it was accepted to follow them, and still are.
    by_person: intents that an operator discarded. gone: intents that retention removed.
    """

    store: Mapping[str, Value] = field(default_factory=dict)
    workers: tuple[Worker, ...] = ()
    faults: int = 0
    used: Mapping[str, int] = field(default_factory=dict)
    org: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    promised: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_person: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    now_ms: int = NOW_MS

    def hash_of(self, key: str) -> dict[str, str]:
        content: dict[str, str] = self._content(key)
        return content

    def scores(self, key: str) -> dict[str, int]:
        content: dict[str, int] = self._content(key)
        return content

    def members(self, key: str) -> set[str]:
        return set(self._content(key))

    def text(self, key: str) -> str | None:
        value = self.store.get(PREFIX + key)
        return str(value[1]) if value else None

    def row(self, intent_id: str) -> dict[str, str]:
        """Empty for an intent that does not exist."""
        return self.hash_of(f"intent:{intent_id}")

    def state_of(self, intent_id: str) -> str:
        return self.row(intent_id).get("state", "")

    @cached_property
    def families(self) -> dict[str, dict[str, Any]]:
        """The contents of all keys, by the name's first part with its colon and by the rest."""
        found: dict[str, dict[str, Any]] = {}
        for key, value in self.store.items():
            first, _, rest = key[len(PREFIX) :].partition(":")
            found.setdefault(f"{first}:", {})[rest] = value[1]
        return found

    def intents(self) -> list[str]:
        return sorted(self.keys("intent:"))

    def keys(self, family: str) -> dict[str, Any]:
        """By what follows the family in its name, the content of each of its keys."""
        return self.families.get(family, {})

    def _content(self, key: str) -> Any:
        value = self.store.get(PREFIX + key)
        return value[1] if value else {}

    def with_written(self, written: Mapping[str, Value | None]) -> Self:
        store = dict(self.store)
        for key, value in written.items():
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value
        return replace(self, store=store)

    def pack(self) -> bytes:
        plain = {name: getattr(self, name) for name in _FIELDS}
        plain["workers"] = [[getattr(worker, name) for name in _WORKER] for worker in self.workers]
        return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        plain = json.loads(packed)
        plain["workers"] = tuple(Worker(*_worker(values)) for values in plain["workers"])
        for name in ("org", "order"):
            plain[name] = {key: tuple(value) for key, value in plain[name].items()}
        for name in ("by_person", "gone"):
            plain[name] = tuple(plain[name])
        return cls(**plain)


_FIELDS = (
    "store", "faults", "used", "org", "promised", "answers", "order", "by_person", "gone",
)  # fmt: skip
_WORKER = ("kind", "token", "rows", "outcomes", "settled")


def _worker(values: list[Any]) -> list[Any]:
    kind, token, rows, outcomes, settled = values
    return [kind, token, rows, None if outcomes is None else tuple(outcomes), settled]


def digest(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=16).digest()


def canonical(state: State) -> State:
    """The same state in its canonical form, at NOW_MS."""
    return _renamed(_rebased(state))


def expires(value: Value) -> int:
    """When it does (ms), 0 for never."""
    return int(value[2]) if len(value) > 2 else 0


def _rebased(state: State) -> State:
    now = state.now_ms
    store = {
        key: value
        for key, value in state.store.items()
        if not is_read_by_no_step(key) and not 0 < expires(value) <= now
    }
    past = sorted({at for key, value in store.items() for at in times(key, value) if at < now})
    ranks = {at: NOW_MS - len(past) + i for i, at in enumerate(past)}

    def moved(at: int) -> int:
        return NOW_MS + at - now if at >= now else ranks[at]

    return replace(
        state, now_ms=NOW_MS, store={key: _moved(key, value, moved) for key, value in store.items()}
    )


def is_read_by_no_step(key: str) -> bool:
    """Figures only grow: with them, no state would ever come back."""
    return key in READ_BY_NO_STEP or key.startswith(FIGURES)


def times(key: str, value: Value) -> Iterator[int]:
    """All times in a value, except when it expires."""
    content = value[1]
    if value[0] == "z":
        yield from content.values()
    elif key.startswith("vs:intent:"):
        yield from (int(content[name]) for name in TIMES_OF_ROW if name in content)
    elif key == "vs:succeeded":
        yield from map(int, content.values())
    elif key == "vs:waits":
        yield from (json.loads(text)["until"] for text in content.values())


def _moved(key: str, value: Value, moved: Any) -> Value:
    content = value[1]
    if value[0] == "z":
        content = {member: moved(score) for member, score in content.items()}
    elif key.startswith("vs:intent:"):
        times_ = {name: str(moved(int(content[name]))) for name in TIMES_OF_ROW if name in content}
        content = content | times_
    elif key == "vs:succeeded":
        content = {name: str(moved(int(at))) for name, at in content.items()}
    elif key == "vs:waits":
        content = {name: _moved_wait(text, moved) for name, text in content.items()}
    at = expires(value)
    if not at:
        return [value[0], content]
    left = moved(at) - NOW_MS
    return [value[0], content, NOW_MS + (left if left <= SOON_MS else LONG_MS)]


def _moved_wait(text: str, moved: Any) -> str:
    wait = json.loads(text)
    return json.dumps(wait | {"until": moved(wait["until"])}, sort_keys=True)


def _renamed(state: State) -> State:
    """Tokens named in the order of the workers, then those of workers that died."""
    workers = sorted(state.workers, key=_likeness)
    names = {worker.token: f"token-{i}" for i, worker in enumerate(workers)}
    for token in _tokens(state):
        names.setdefault(token, f"lost-{len(names) - len(workers)}")
    store = dict(state.store)
    for key, value in state.store.items():
        if key.startswith(("vs:leases:", "vs:leased:")):
            content = {names[token]: item for token, item in value[1].items()}
            store[key] = [value[0], content, *value[2:]]
        elif key.startswith("vs:intent:") and "lease" in value[1]:
            store[key] = [value[0], value[1] | {"lease": names[value[1]["lease"]]}, *value[2:]]
        elif key == "vs:probe":
            store[key] = [value[0], names[value[1]], *value[2:]]
    named = tuple(replace(worker, token=names[worker.token]) for worker in workers)
    return replace(state, store=store, workers=named)


def _likeness(worker: Worker) -> str:
    return json.dumps([worker.kind, worker.rows, worker.outcomes, worker.settled], sort_keys=True)


def _tokens(state: State) -> Iterator[str]:
    for key in sorted(state.store):
        content = state.store[key][1]
        if key.startswith("vs:leases:"):
            yield from sorted(content, key=lambda token: content[token])
        elif key.startswith("vs:leased:"):
            yield from sorted(content)
        elif key.startswith("vs:intent:") and "lease" in content:
            yield content["lease"]
        elif key == "vs:probe":
            yield content
