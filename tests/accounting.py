"""What a test leaves: every intent accounted for, every key in the schema, no thread or process."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import redis

from demo.stack import ROOT
from shared.domain.kinds import Kind, State

PREFIX = "vs:"
SCHEMA = ROOT / "shared" / "journal" / "SCHEMA.md"
ENDS_WITHIN_S = 10.0
"""What a fixture stopped may take so long to be gone."""

OPEN = frozenset({State.HELD, State.DUE, State.LEASED})


# -- intents ---------------------------------------------------------------------------------------


@dataclass
class Places:
    """Where the journal lists the ids of intents: by name of the place, score by id."""

    now_ms: float
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    sets: dict[str, dict[str, float]] = field(default_factory=dict)
    leases: dict[str, dict[str, float]] = field(default_factory=dict)
    followers: dict[str, set[str]] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    def has(self, place: str, intent_id: str) -> bool:
        return intent_id in self.sets.get(place, {})

    def of(self, intent_id: str) -> set[str]:
        return {place for place, ids in self.sets.items() if intent_id in ids}


def read_places(store: redis.Redis) -> Places:
    client: Any = store
    seconds, micros = client.time()
    places = Places(seconds * 1000 + micros / 1000)
    for key in client.scan_iter(f"{PREFIX}intent:*", count=1000):
        intent_id = key.removeprefix(f"{PREFIX}intent:")
        try:
            places.rows[intent_id] = client.hgetall(key)
        except redis.ResponseError:
            places.unreadable.append(f"{intent_id}: no hash")
    whole = ("intents", "parked", "parked:said", "settled", "receipts")
    kinds = [*Kind, *map(Kind, client.smembers(f"{PREFIX}kinds"))]
    per_kind = [f"{place}:{kind}" for place in ("due", "held", "waiting") for kind in kinds]
    for place in (*whole, *per_kind):
        places.sets[place] = dict(client.zrange(f"{PREFIX}{place}", 0, -1, withscores=True))
    places.sets["parked:live"] = dict.fromkeys(client.hkeys(f"{PREFIX}parked:live"), 0.0)
    for kind in kinds:
        found = client.zrange(f"{PREFIX}leases:{kind}", 0, -1, withscores=True)
        places.leases[kind] = dict(found)
    for key in client.scan_iter(f"{PREFIX}followers:*", count=1000):
        places.followers[key.removeprefix(f"{PREFIX}followers:")] = client.smembers(key)
    for key in client.scan_iter(f"{PREFIX}reference:*", count=1000):
        places.references[key.removeprefix(f"{PREFIX}reference:")] = client.get(key)
    return places


def unaccounted(store: redis.Redis) -> list[str]:
    """What is wrong with the journal as it stands: a sentence for each intent that is not in the
    places of its state, or in another one as well, and for each id without an intent."""
    places = read_places(store)
    wrong = list(places.unreadable)
    for intent_id, row in places.rows.items():
        wrong += (
            f"{intent_id} ({row.get('state')}) {what}" for what in _row(places, row, intent_id)
        )
    wrong += _listed(places)
    for reference, intent_id in places.references.items():
        if places.rows.get(intent_id, {}).get("reference") != reference:
            wrong.append(f"reference {reference} leads to {intent_id}, which has another one")
    return wrong


def _row(places: Places, row: dict[str, str], intent_id: str) -> Iterator[str]:
    kind, state = Kind(row.get("kind", "")), State(row.get("state", ""))
    if not (kind.is_known and state.is_known):
        yield f"has a kind or a state of another version: {row}"
        return
    where = places.of(intent_id) - {"intents", "parked:said", "parked:live"}
    # A counter of what is in its commit window: it may lag behind, the place itself is `due`.
    where.discard(f"held:{kind}")
    expected = _places_of(state, kind, row)
    if where not in expected:
        yield f"is in {sorted(where)}, not in {' or '.join(str(sorted(one)) for one in expected)}"
    if not places.has("intents", intent_id):
        yield "is not in the list of all intents"
    if state is State.LEASED:
        yield from _lease(places, kind, row, intent_id)
    elif row.get("lease"):
        yield "has a lease"
    if state is State.HELD:
        yield from _held(places, kind, row, intent_id)
    elif places.has(f"held:{kind}", intent_id):
        yield "counts as held"
    if (state is State.PARKED and bool(row.get("said"))) != places.has("parked:said", intent_id):
        yield "counts as a promise although it is none, or the other way round"
    reference = row.get("reference")
    if reference and reference not in places.references:
        yield f"is not found by its reference {reference}"


def _places_of(state: State, kind: Kind, row: dict[str, str]) -> list[set[str]]:
    match state:
        case State.HELD if row.get("waiting") != "0":
            return [{f"waiting:{kind}"}]
        case State.HELD | State.DUE | State.LEASED:
            return [{f"due:{kind}"}]
        case State.PARKED:
            return [{"parked"}]
        case _:
            return [{"settled"}, {"receipts"}]


def _lease(places: Places, kind: Kind, row: dict[str, str], intent_id: str) -> Iterator[str]:
    ends_ms = places.sets[f"due:{kind}"].get(intent_id, 0)
    if not row.get("lease"):
        yield "has no lease"
    elif ends_ms > places.now_ms and row["lease"] not in places.leases[kind]:
        yield "has a lease that is nobody's"


def _held(places: Places, kind: Kind, row: dict[str, str], intent_id: str) -> Iterator[str]:
    waits_for = sum(intent_id in followers for followers in places.followers.values())
    if str(waits_for) != row.get("waiting"):
        yield f"waits for {row.get('waiting')} intents, and {waits_for} will release it"
    window_ends_ms = places.sets[f"due:{kind}"].get(intent_id, 0)
    if window_ends_ms > places.now_ms and not places.has(f"held:{kind}", intent_id):
        yield "does not count as held"


def _listed(places: Places) -> Iterator[str]:
    """Ids that lead nowhere."""
    for place, ids in places.sets.items():
        for intent_id in ids:
            if intent_id not in places.rows:
                yield f"{intent_id} is in {place} and nowhere else"
    for earlier, followers in places.followers.items():
        for intent_id in followers:
            state = places.rows.get(intent_id, {}).get("state")
            # Of what was taken back meanwhile, nothing is released.
            if state not in {State.HELD, State.PARKED, State.CANCELLED}:
                yield f"{intent_id} ({state}) follows {earlier}"
        state = places.rows.get(earlier, {}).get("state")
        if state not in OPEN | {State.PARKED}:
            yield f"{earlier} ({state}) is followed and will release nobody"


# -- keys ------------------------------------------------------------------------------------------


def listed() -> set[str]:
    """What stands in backticks and begins with the prefix."""
    return set(re.findall(rf"`({PREFIX}[^`]+)`", SCHEMA.read_text()))


@cache
def any_listed() -> re.Pattern[str]:
    return re.compile("|".join(sorted(_pattern(key) for key in listed())))


def _pattern(key: str) -> str:
    parts = re.split(r"(\{[^}]*\}|\*)", key)
    return "".join(_part(part) for part in parts) + (".*" if key.endswith(":") else "")


def _part(part: str) -> str:
    match part:
        case "*":
            return ".+"
        case "{org}":
            return ".*"  # a host and its port, or nothing
        case "{dedup key}":
            return ".+"
        case "{call}":
            return "(?:(?:twilio|chat|session):)?[^:]+"  # what is no call of Vapi's says what it is
        case "{conversation}":
            return "(?:(?:twilio|chat|session):)?[^:]*"  # nothing for a message that names none
        case "{number}":
            return "[^:]*"  # nothing for a caller without one
        case _:
            return "[^:]+" if part.startswith("{") else re.escape(part)


def unlisted(keys: Iterable[str]) -> list[str]:
    """Keys of ours that the schema does not list."""
    return sorted(key for key in keys if key.startswith(PREFIX) and not any_listed().fullmatch(key))


# -- threads and processes -------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """Threads of this process, and its child processes where the system lists them.

    commands: by process id. One that a keeper starts again is the same: it has the command of one
    that is gone.
    """

    threads: frozenset[threading.Thread]
    commands: Mapping[int, str]

    @classmethod
    def now(cls) -> "Running":
        return cls(frozenset(threading.enumerate()), dict(_commands()))

    def began_since(self) -> list[str]:
        """What began after this was taken and does not end within a few seconds."""
        deadline = time.monotonic() + ENDS_WITHIN_S
        while True:
            now = Running.now()
            left = [f"thread {thread.name}" for thread in now.threads - self.threads]
            gone = _but(self.commands, now.commands)
            left += [f"process {command}" for command in _but(now.commands, self.commands) - gone]
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.02)


def _but(commands: Mapping[int, str], known: Mapping[int, str]) -> Counter[str]:
    return Counter(command for pid, command in commands.items() if pid not in known)


def _commands() -> Iterator[tuple[int, str]]:
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            for child in listed.read_text().split():
                yield from _command(int(child))


def _command(pid: int) -> Iterator[tuple[int, str]]:
    with suppress(OSError):  # the process has ended
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        yield pid, command.strip() or "that ended, and nobody waited for it"
