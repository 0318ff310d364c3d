"""Seeded calls in which what the agent claims and what the tools do agree, disagree, cross and are
interrupted.

Each call is made of parts of different kinds that have nothing to do with one another, so that what
has to come out follows from how the call was made, and from nothing that the ledger computes.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import redis

from shared.calls.calls import Calls
from shared.calls.end_of_call import EndOfCallWriter
from shared.calls.unbacked import UNBACKED
from shared.domain.drafts import (
    CallbackDraft,
    CaseDraft,
    CloseDraft,
    CommentDraft,
    ContactDraft,
    Draft,
)
from shared.domain.intent import BY_CALLER, NewIntent, intent_id_of, new_intent_id
from shared.domain.kinds import Kind
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.vapi.caller_id import read_caller_id
from shared.vapi.messages import Message, read_message
from shared.vapi.report import end_of_call
from tests.claims.evaluation import LANGUAGES, Spoken, phrases
from tests.store_time import intent_has

NUMBER = "+14155550101"
GRACE_MS = 2_000
BATCH = 500

OF_CLAIM = {
    "opened": Kind.CASE_CREATE,
    "changed": Kind.CONTACT_UPDATE,
    "call_back": Kind.CALLBACK,
    "commented": Kind.CASE_COMMENT,
    "cancelled": Kind.CASE_CLOSE,
}
"""What a tool accepts that makes each claim true."""

DRAFTS: dict[Kind, Draft] = {
    Kind.CASE_CREATE: CaseDraft(caller_number=NUMBER, issue_type="billing", description="Twice"),
    Kind.CONTACT_UPDATE: ContactDraft(
        caller_number=NUMBER, changes={"MailingCity": "Oakland"}, accepted_at=""
    ),
    Kind.CALLBACK: CallbackDraft(caller_number=NUMBER, phone=NUMBER),
    Kind.CASE_COMMENT: CommentDraft(caller_number=NUMBER, case_number="1008", text="Still broken"),
    Kind.CASE_CLOSE: CloseDraft(caller_number=NUMBER, case_number="1008"),
}

PARTS = ("agrees", "early", "late", "empty", "crosses", "silent", "cut_off", "taken_back", "talk")
"""agrees: the tool, then the claim. early: the claim first, within the grace. late: the tool comes
after the grace. empty: no tool. crosses: a tool of another kind. silent: a tool and no claim.
cut_off: the caller interrupts the claim, which gets no final transcript. taken_back: the caller
takes the request back, and the agent claims it afterwards. talk: nothing is claimed or done."""


@dataclass
class Planned:
    """A call, and what has to come out. unbacked: the phrases of claims that nothing backs in time.
    is_missing: one of them has nothing behind it at the end. exact: the matcher finds each of the
    call's claims with its kind, and nothing else."""

    id: str
    language: str
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    tools: list[tuple[int, Kind, int]] = field(default_factory=list)
    said: list[tuple[int, str]] = field(default_factory=list)
    unbacked: list[Spoken] = field(default_factory=list)
    is_missing: bool = False
    exact: bool = True
    parts: list[str] = field(default_factory=list)

    @property
    def gets_call_back(self) -> bool:
        """A person calls anyway where the call asked for that, and did not take it back."""
        is_called = any(kind is Kind.CALLBACK and not back for _, kind, back in self.tools)
        return self.is_missing and not is_called

    def tools_at(self) -> list[tuple[int, Any]]:
        return [(at_ms, (kind, taken_back_at)) for at_ms, kind, taken_back_at in self.tools]

    def times(self) -> list[int]:
        return [at_ms for at_ms, _ in self.events] + [at_ms for at_ms, _, _ in self.tools]


@cache
def _held_out(language: str, kind: str) -> tuple[Spoken, ...]:
    return tuple(each for each in phrases(language) if each.is_held_out and each.kind == kind)


@cache
def _found(spoken: Spoken) -> frozenset[str]:
    return spoken.found


def planned(seed: int, nth: int, began_ms: int) -> Planned:
    """The same for the same seed and number; began_ms: when it began, epoch ms."""
    rng = random.Random(f"{seed}:{nth}")
    call = Planned(f"call-{seed}-{nth}", rng.choice(LANGUAGES))
    kinds = rng.sample(sorted(OF_CLAIM), k=len(OF_CLAIM))
    at_ms = began_ms
    for _ in range(rng.randint(1, 3)):
        at_ms += rng.randint(8_000, 20_000)
        _add(call, rng, rng.choice(PARTS), kinds, at_ms)
    return call


def _add(call: Planned, rng: random.Random, part: str, kinds: list[str], at_ms: int) -> None:
    if part == "talk":
        _say(call, rng.choice(_held_out(call.language, "")), at_ms, rng)
        return
    if part == "taken_back" and "cancelled" in call.parts:
        part = "empty"  # that claim would be true
    if part == "taken_back" and "cancelled" in kinds:
        kinds.remove("cancelled")
    if not kinds:
        return
    kind = kinds.pop()
    if part == "crosses" and not kinds:
        part = "empty"
    call.parts += [part, kind]
    tool_at, claim_at = at_ms, at_ms + rng.randint(0, 6_000)
    match part:
        case "early":
            claim_at = tool_at - rng.randint(1, GRACE_MS - 1)
        case "late":
            claim_at = tool_at - rng.randint(GRACE_MS + 1, 6_000)
        case "taken_back":
            claim_at = tool_at + 6_000
    if part == "crosses":
        call.tools.append((tool_at, OF_CLAIM[kinds.pop()], 0))
    elif part not in ("empty", "cut_off"):
        taken_back_at = tool_at + 1_000 if part == "taken_back" else 0
        call.tools.append((tool_at, OF_CLAIM[kind], taken_back_at))
    if part == "silent":
        return
    spoken = rng.choice(_held_out(call.language, kind))
    if part == "cut_off":
        call.events.append((claim_at, _transcript(call, spoken.text, claim_at, "partial")))
        return
    _say(call, spoken, claim_at, rng)
    if part in ("late", "empty", "crosses", "taken_back"):
        call.unbacked.append(spoken)
        call.is_missing = call.is_missing or part != "late"


def _say(call: Planned, spoken: Spoken, at_ms: int, rng: random.Random) -> None:
    call.events.append((at_ms, _transcript(call, spoken.text, at_ms, "final")))
    if rng.random() < 0.1:  # Vapi repeats a message that it takes for lost
        call.events.append((at_ms, _transcript(call, spoken.text, at_ms, "final")))
    call.said.append((at_ms, spoken.text))
    call.exact = call.exact and _found(spoken) == ({spoken.kind} if spoken.kind else set())


def _transcript(call: Planned, text: str, at_ms: int, kind: str) -> dict[str, Any]:
    return {
        "type": "transcript", "role": "assistant", "transcriptType": kind, "transcript": text,
        "timestamp": at_ms, **_of(call),
    }  # fmt: skip


def _of(call: Planned) -> dict[str, Any]:
    return {
        "call": {"id": call.id, "type": "inboundPhoneCall"},
        "customer": {"number": NUMBER},
        "assistant": {"transcriber": {"language": call.language}},
    }


class World:
    """The calls, the journal and the end of calls, on a store."""

    def __init__(self, store: redis.Redis, settings: Settings) -> None:
        self.store = store
        self.calls = Calls(store)
        self.journal = Journal(store)
        self.writer = EndOfCallWriter(self.calls, self.journal, settings)

    def play(self, call: Planned, rng: random.Random) -> bool:
        """Plays the call and ends it. Returns whether it became a call-back because of claims."""
        sends_transcripts = rng.random() < 0.8  # else only the report has what was said
        steps: list[tuple[int, Any]] = [*call.tools_at()]
        if sends_transcripts:
            steps += call.events
        steps.sort(key=lambda step: step[0])
        if rng.random() < 0.3:
            rng.shuffle(steps)  # no order is guaranteed
        for at_ms, step in steps:
            if isinstance(step, dict):
                self._record(_message(step))
            else:
                self._accept(call, at_ms, *step)
        report = _message(self._report(call))
        for _ in range(2 if rng.random() < 0.2 else 1):
            state = self._record(report)
            self.writer.close(state, end_of_call(report))
        found = self.journal.get(intent_id_of(call.id, UNBACKED))
        return found is not None

    def _record(self, message: Message) -> Any:
        return self.calls.record_event(message, read_caller_id(message))

    def _accept(self, call: Planned, at_ms: int, kind: Kind, taken_back_at: int) -> None:
        intent = NewIntent(
            id=new_intent_id(), kind=kind, draft=DRAFTS[kind], tool="tool", message="message",
            reference=new_reference(), requested_at_ms=at_ms, said="It is done.", hold_ms=60_000,
        )  # fmt: skip
        self.journal.accept(call.id, [intent])
        if taken_back_at:
            self.journal.cancel(intent.id, BY_CALLER)
            intent_has(self.store, intent.id, settled=taken_back_at)

    def _report(self, call: Planned) -> dict[str, Any]:
        messages = [{"role": "bot", "message": text, "time": at} for at, text in call.said]
        return {
            "type": "end-of-call-report", "endedReason": "customer-ended-call",
            "artifact": {"messages": messages}, "timestamp": max([0, *call.times()]) + 5_000,
            **_of(call),
        }  # fmt: skip


def _message(body: dict[str, Any]) -> Message:
    message = read_message({"message": body})
    assert message
    return message


@dataclass
class Result:
    """call_backs: (expected, found) → calls. exact: how many calls there are whose claims the
    matcher finds with their kinds; wrong: ids of those of them that came out otherwise."""

    call_backs: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    exact: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, call: Planned, noted: int, *, is_called_back: bool) -> None:
        """noted: how many unbacked claims of the call were recorded."""
        self.call_backs[call.gets_call_back, is_called_back] += 1
        self.parts.update(call.parts[::2])
        if call.exact:
            self.exact += 1
            if is_called_back is not call.gets_call_back or noted != len(call.unbacked):
                self.wrong.append(call.id)

    @property
    def recall(self) -> float:
        due = self.call_backs[True, True] + self.call_backs[True, False]
        return self.call_backs[True, True] / max(1, due)

    @property
    def precision(self) -> float:
        made = self.call_backs[True, True] + self.call_backs[False, True]
        return self.call_backs[True, True] / max(1, made)

    def lines(self) -> Iterator[str]:
        yield f"calls {self.call_backs.total()}, parts {dict(sorted(self.parts.items()))}"
        yield (
            f"call-backs: {self.call_backs[True, True]} due and made, "
            f"{self.call_backs[True, False]} due and not made, "
            f"{self.call_backs[False, True]} made and not due; "
            f"recall {self.recall:.1%}, precision {self.precision:.1%}"
        )
        yield f"of {self.exact} calls whose claims were all recognised, {len(self.wrong)} are wrong"


def simulate(store: redis.Redis, settings: Settings, *, seed: int, count: int) -> Result:
    """The store is emptied after each BATCH of calls but the last."""
    world, result = World(store, settings), Result()
    began_ms = world.journal.promises.now_ms() - 120_000
    for first in range(0, count, BATCH):
        if first:
            store.flushdb()
        played: list[tuple[Planned, bool]] = []
        for nth in range(first, min(first + BATCH, count)):
            call = planned(seed, nth, began_ms)
            played.append((call, world.play(call, random.Random(f"{seed}:{nth}:order"))))
        noted = Counter(
            each.call_id for each in world.journal.promises.unbacked(0, 2**52, 10 * BATCH)
        )
        for call, is_called_back in played:
            result.add(call, noted[call.id], is_called_back=is_called_back)
    return result
