"""Wishes: what a write tool wants done, recorded with the answer that the agent hears."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from shared.calls.calls import CallState
from shared.domain.drafts import Draft
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.answers import Claim
from shared.journal.results import (
    Accepted,
    AnsweredBefore,
    AnswerSlot,
    Existing,
    Repeated,
    TooLate,
)
from shared.vapi.answers import Answer, as_entry, result, trouble
from shared.vapi.messages import ToolCall
from shared.vapi.tools import Arguments
from web.service import Service

REFERENCE_TRIES = 5


@dataclass(frozen=True)
class Wish:
    """What is to be accepted.

    said: the sentence for the agent, given the reference. subjects: what it is about, across calls;
    asks: the question to ask instead, when a case about the same was accepted of late in another
    call; None never asks.
    target: what tells this wish from another one with the same arguments. also: what is accepted
    along with it. amended: what the draft of a held wish of the same tool becomes by this one; None
    for a tool whose wishes add to one another.
    """

    kind: Kind
    draft: Draft
    said: Callable[[str], str]
    after: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    asks: Callable[[Intent | None], Answer] | None = None
    target: str = ""
    also: tuple[NewIntent, ...] = ()
    amended: Callable[[Draft], Draft] | None = None


@dataclass(frozen=True)
class Occasion:
    """The message that a wish came in: its own time (epoch ms), and a mark that no other has."""

    at_ms: int
    message: str


TAKEN_BACK_MS = 500
"""A wish that the agent voices so soon after the caller took it back was decided on before that."""


def fingerprint(tool: str, arguments: Arguments, nth: int, target: str = "") -> str:
    """What makes two wishes of a call the same: tool, normalised arguments, target, place.

    nth counts equal calls within one message, so that two calls listed together stay two wishes.
    """
    content = json.dumps([tool, arguments.model_dump(by_alias=True), nth, target], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def accept(
    service: Service,
    state: CallState,
    call: ToolCall,
    claim: Claim | None,
    mark: str,
    wish: Wish,
    occasion: Occasion,
) -> str:
    """Record the wish and its answer in one step; returns the entry the agent is to hear.

    Within the commit window a wish of the same tool amends the one before: one record, with the
    last wish, under the reference that was spoken.

    claim is None for a call that can't be told from another one: its answer is not kept.
    """
    gone: set[tuple[str, str]] = set()
    for _ in range(REFERENCE_TRIES):
        held = _held(service, state, call, wish, occasion)
        if held and (held.id, held.fingerprint) in gone:
            held = None
        if held and held.wished_ms > occasion.at_ms:
            # A later wish was faster on its way here: it counts.
            return _settled(service, claim, call, result(wish.said(held.reference)))
        reference = held.reference if held else new_reference()
        said = wish.said(reference)
        entry = as_entry(call, result(said))
        intent = NewIntent(
            id=held.id if held else new_intent_id(),
            kind=wish.kind,
            draft=wish.amended(held.draft) if held and wish.amended else wish.draft,
            tool=call.name,
            reference=reference,
            fingerprint=mark,
            hold_ms=service.settings.commit_window_ms,
            after=wish.after,
            after_others=True,
            said=said,
            subjects=wish.subjects,
            asks=wish.asks is not None,
            wished_ms=occasion.at_ms,
            message=occasion.message,
            amends=(held.id, held.fingerprint) if held else None,
        )
        slot = AnswerSlot(claim.key, entry) if claim else None
        match service.journal.accept(state.call_id, [intent, *wish.also], slot):
            case Accepted(ring):
                service.doorbell.ring(ring)
                if state.summary and wish.kind is Kind.CASE_CREATE:
                    service.doorbell.ring(service.closing.summary_for(state, intent.id))
                if _was_taken_back(service, state, intent, occasion):
                    return as_entry(call, TAKEN_BACK)
                return entry
            case AnsweredBefore(kept):
                return kept
            case Repeated(intent_id):
                answer = _repeated(service.journal.get(intent_id), wish)
                return _settled(service, claim, call, answer)
            case TooLate() if held:
                gone.add((held.id, held.fingerprint))
            case Existing(intent_id) if wish.asks:
                return _settled(service, claim, call, wish.asks(service.journal.get(intent_id)))
    return as_entry(call, trouble("I could not save that. Please try once more."))


TAKEN_BACK = result("The caller has just taken that back, so nothing is saved.")


def _held(
    service: Service, state: CallState, call: ToolCall, wish: Wish, occasion: Occasion
) -> Intent | None:
    """The held wish of an earlier message that this one amends."""
    if wish.amended is None or not state.call_id or not service.settings.commit_window_ms:
        return None
    same = [
        one
        for one in service.journal.of_call(state.call_id)
        if one.state is State.HELD and one.tool == call.name and one.message != occasion.message
    ]
    return same[-1] if same else None


def _was_taken_back(
    service: Service, state: CallState, intent: NewIntent, occasion: Occasion
) -> bool:
    """The caller's words may be here before the wish that they take back."""
    if not service.calls.retracted_since(state.call_id, occasion.at_ms - TAKEN_BACK_MS):
        return False
    became, ring = service.journal.cancel(intent.id, RETRACTED)
    service.doorbell.ring(ring)
    return became == State.CANCELLED


def retract(service: Service, state: CallState) -> list[Intent]:
    """The caller's own words take back what was asked for last and is held still.

    All wishes of that one message, unless they were voiced after those words. Returns what was
    cancelled.
    """
    if state.retracted_at_ms is None:
        return []
    before_ms = state.retracted_at_ms + TAKEN_BACK_MS
    wishes = [
        one
        for one in service.journal.of_call(state.call_id)
        if one.message and one.wished_ms <= before_ms
    ]
    cancelled = []
    for one in wishes:
        if one.message != wishes[-1].message or one.state not in (State.HELD, State.DUE):
            continue
        became, ring = service.journal.cancel(one.id, RETRACTED)
        service.doorbell.ring(ring)
        if became == State.CANCELLED:
            cancelled.append(one)
    return cancelled


RETRACTED = "caller"


def _settled(service: Service, claim: Claim | None, call: ToolCall, answer: Answer) -> str:
    return service.answers.settle(claim, as_entry(call, answer))


def _repeated(earlier: Intent | None, wish: Wish) -> Answer:
    if earlier and earlier.state is State.PARKED:
        return result("That was asked for already and needs a colleague, who will look at it.")
    return result(wish.said(earlier.reference if earlier else ""))
