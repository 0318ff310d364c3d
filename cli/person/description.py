"""What the service has of a person, in figures and ids: nothing that anybody said."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from cli.person import families
from cli.person.finding import Person
from cli.person.scanning import batches, read_many
from cli.times import iso
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.journal.journal import Journal
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, translated

INTENTS_IN_A_BATCH = 100

LIVE, UNCLOSED, CLOSED, EXPIRED = "live", "unclosed", "closed", "expired"
"""States of a call: it lasts; it ended, but its end is not in the journal; its end is there;
nothing is stored of the call itself any more, only of what it asked for."""


@dataclass(frozen=True)
class Snapshot:
    """age_s: since Salesforce was asked. customers: None when this version can't read them."""

    age_s: int | None
    customers: list[Any] | None


@dataclass(frozen=True)
class Call:
    """began: ISO 8601, "" when unknown. number_is_verified: a carrier set the number."""

    id: str
    state: str
    began: str
    number_is_verified: bool
    utterances: int


@dataclass(frozen=True)
class Description:
    """intents: oldest first. keys: how many keys have something of the person, by family.

    mentioned_in, needed_by: as in Person, sorted.
    """

    snapshots: list[Snapshot]
    calls: list[Call]
    intents: list[Intent]
    stored_answers: int
    keys: dict[str, int]
    mentioned_in: list[str]
    needed_by: list[str]

    @property
    def is_empty(self) -> bool:
        return not (self.keys or self.mentioned_in)

    def in_state(self, *states: State) -> list[Intent]:
        return [intent for intent in self.intents if intent.state in states]

    def calls_in(self, state: str) -> list[str]:
        return [call.id for call in self.calls if call.state == state]

    def as_json(self, *, values: bool) -> dict[str, Any]:
        counts = Counter((intent.state, intent.kind) for intent in self.intents)
        return {
            "snapshots": [_snapshot(snapshot, values=values) for snapshot in self.snapshots],
            "calls": [vars(call) for call in self.calls],
            "intents": [_intent(intent) for intent in self.intents],
            "intents_by_state_and_kind": {
                f"{state} {kind}": count for (state, kind), count in sorted(counts.items())
            },
            "parked": [intent.id for intent in self.in_state(State.PARKED)],
            "stored_answers": self.stored_answers,
            "keys": self.keys,
            "mentioned_in_intents_of_others": self.mentioned_in,
            "needed_by_intents_of_others": self.needed_by,
        }

    def lines(self, *, values: bool) -> list[str]:
        """For people."""
        if self.is_empty:
            return ["nothing is stored about this number"]
        lines = [f"snapshots       {len(self.snapshots) or 'none'}"]
        for snapshot in self.snapshots:
            contacts = "unreadable" if snapshot.customers is None else len(snapshot.customers)
            lines.append(f"  contacts: {contacts}  age: {_age(snapshot.age_s)}")
            if values:
                text = json.dumps(snapshot.customers, indent=2, ensure_ascii=False)
                lines += [f"  {line}" for line in text.splitlines()]
        lines.append(f"calls           {len(self.calls) or 'none'}")
        lines += [f"  {_call_line(call)}" for call in self.calls]
        states = Counter(intent.state for intent in self.intents)
        by_state = ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        lines.append(f"writes          {by_state or 'none'}")
        lines += [f"  {intent_line(intent)}" for intent in self.intents]
        lines.append(f"stored answers  {self.stored_answers or 'none'}")
        lines.append("keys")
        lines += [f"  {count:>4}  {family}" for family, count in self.keys.items()]
        if self.mentioned_in:
            lines.append("writes of other callers that mention this number")
            lines += [f"  {intent_id}" for intent_id in self.mentioned_in]
        if self.needed_by:
            lines.append("writes of other callers that wait for one of these")
            lines += [f"  {intent_id}" for intent_id in self.needed_by]
        return lines


def describe(store: Any, journal: Journal, person: Person, *, idle_ms: float) -> Description:
    """idle_ms: a call without an event for that long is over."""
    intents = [
        intent
        for batch in batches(sorted(person.intent_ids), INTENTS_IN_A_BATCH)
        for intent in journal.get_many(batch).values()
    ]
    intents.sort(key=lambda intent: intent.accepted_at_ms)
    with translated():
        at_ms = now_ms(store)
    return Description(
        snapshots=_snapshots(store, person, at_ms),
        calls=_calls(store, person, intents, at_ms - idle_ms),
        intents=intents,
        stored_answers=len(person.of(families.ANSWER)),
        keys=person.counts,
        mentioned_in=sorted(person.mentioned_in),
        needed_by=sorted(person.needed_by),
    )


def _snapshots(store: Any, person: Person, at_ms: int) -> list[Snapshot]:
    """Those of the number itself, newest first."""
    own = [key for key in person.of(families.SNAPSHOT) if person.number in key.parts]
    found = []
    for _, text in read_many(store, own, lambda pipe, key: pipe.get(key.name)):
        try:
            stored = json.loads(text or "{}")
            age_s, customers = (at_ms - int(stored["at"])) // 1000, list(stored["customers"])
        except (ValueError, TypeError, KeyError):
            found.append(Snapshot(None, None))
        else:
            found.append(Snapshot(age_s, customers))
    return sorted(found, key=lambda snapshot: snapshot.age_s or 0)


def _calls(store: Any, person: Person, intents: list[Intent], idle_since_ms: float) -> list[Call]:
    asked_at: dict[str, int] = {}
    for intent in intents:
        asked_at.setdefault(intent.call_id, intent.accepted_at_ms)

    fields = ("began", "since", "ended", "closed")
    rows = dict(
        read_many(
            store,
            person.calls,
            lambda pipe, call_id: pipe.hmget(f"{REDIS_PREFIX}call:{call_id}", fields),
        )
    )
    last = _scores(store, "calls", person)
    unclosed = _scores(store, "calls:unclosed", person)
    lengths = dict(
        read_many(
            store,
            person.calls,
            lambda pipe, call_id: pipe.hlen(f"{REDIS_PREFIX}call:{call_id}:transcript"),
        )
    )
    found = []
    for call_id, is_verified in person.calls.items():
        began, since, ended, closed = rows.get(call_id, (None,) * 4)
        state = CLOSED if closed else EXPIRED
        if call_id in last:
            has_ended = ended or call_id in unclosed or last[call_id] < idle_since_ms
            state = UNCLOSED if has_ended else LIVE
        began_ms = int(began or since or asked_at.get(call_id, 0))
        found.append(
            Call(
                id=call_id,
                state=state,
                began=iso(began_ms) if began_ms else "",
                number_is_verified=is_verified,
                utterances=lengths.get(call_id, 0),
            )
        )
    return sorted(found, key=lambda call: call.began)


def _scores(store: Any, name: str, person: Person) -> dict[str, float]:
    """The calls that are in this sorted set."""
    found = read_many(
        store, person.calls, lambda pipe, call_id: pipe.zscore(f"{REDIS_PREFIX}{name}", call_id)
    )
    return {call_id: score for call_id, score in found if score is not None}


def _snapshot(snapshot: Snapshot, *, values: bool) -> dict[str, Any]:
    customers = snapshot.customers
    shown = {"age_s": snapshot.age_s, "contacts": None if customers is None else len(customers)}
    return shown | ({"customers": customers} if values else {})


def _intent(intent: Intent) -> dict[str, Any]:
    return {
        "id": intent.id,
        "kind": intent.kind,
        "state": intent.state,
        "reference": intent.reference,
        "call_id": intent.call_id,
        "accepted_at": iso(intent.accepted_at_ms),
        "reason": intent.reason,
    }


def intent_line(intent: Intent) -> str:
    columns = [
        intent.id,
        f"{intent.kind:<15}",
        f"{intent.state:<9}",
        iso(intent.accepted_at_ms),
        intent.reference or "-",
        intent.call_id or "-",
        intent.reason,
    ]
    return "  ".join(columns).rstrip()


def _call_line(call: Call) -> str:
    columns = [f"{call.id}", f"{call.state:<8}", call.began or "-", f"{call.utterances} utterances"]
    if not call.number_is_verified:
        columns.append("(number not verified)")
    return "  ".join(columns)


def _age(age_s: int | None) -> str:
    if age_s is None:
        return "unknown"
    minutes, seconds = divmod(age_s, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
