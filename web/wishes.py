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
    for a tool whose wishes add to one another. joined: what it becomes when it is the later one all
    the same; None leaves it as it is. id: of the intent, where `also` has to name it.
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
    joined: Callable[[Draft], Draft] | None = None
    id: str = ""


@dataclass(frozen=True)
class Occasion:
    """The message that a wish came in: its own time (epoch ms), and a mark that no other has."""

    at_ms: int
    message: str


CROSSING_MS = 500
"""A wish that the agent voices so soon after the caller took it back was decided on before that."""

MOST_HELD_MS = 15_000
"""How long a caller who goes on speaking holds a write (shared/journal/scripts/_common.lua)."""

BY_CALLER = "caller"
"""Why an intent was cancelled: on the caller's word."""


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

    mark is the wish's fingerprint. claim is None for a call that can't be told from another one:
    its answer is not kept. Raises StoreUnavailableError.
    """
    gone: set[tuple[str, str]] = set()
    for _ in range(REFERENCE_TRIES):
        held = _held(service, state, call, wish, occasion)
        if held and (held.id, held.fingerprint) in gone:
            held = None
        change, wished_ms, message = wish.amended, occasion.at_ms, occasion.message
        if held and held.wished_ms > occasion.at_ms:
            # A later wish was faster on its way here: it counts, and this one where it says more.
            if wish.joined is None:
                return _settled(service, claim, call, result(wish.said(held.reference)))
            change, wished_ms, message = wish.joined, held.wished_ms, held.message
        reference = held.reference if held else new_reference()
        said = wish.said(reference)
        entry = as_entry(call, result(said))
        intent = NewIntent(
            id=held.id if held else wish.id or new_intent_id(),
            kind=wish.kind,
            draft=change(held.draft) if held and change else wish.draft,
            tool=call.name,
            reference=reference,
            fingerprint=mark,
            hold_ms=service.settings.commit_window_ms,
            after=wish.after,
            after_others=True,
            said=said,
            subjects=wish.subjects,
            asks=wish.asks is not None,
            wished_ms=wished_ms,
            message=message,
            amends=(held.id, held.fingerprint) if held else None,
        )
        slot = AnswerSlot(claim.key, entry) if claim else None
        match service.journal.accept(state.call_id, [intent, *wish.also], slot):
            case Accepted(ring):
                service.doorbell.ring(ring)
                if state.is_reported and wish.kind is Kind.CASE_CREATE:
                    service.doorbell.ring(service.closing.add_case(state, intent.id))
                if wish.kind is not Kind.CASE_CLOSE and _was_taken_back(
                    service, state, [intent, *wish.also], occasion
                ):
                    return service.answers.replace(claim, as_entry(call, TAKEN_BACK))
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
    again = trouble("I could not save that. Please try once more.")
    return service.answers.settle(claim, as_entry(call, again), lasting=False)


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
        if one.state is State.HELD
        and (one.tool, one.kind) == (call.name, wish.kind)
        and one.message != occasion.message
    ]
    return same[-1] if same else None


def _was_taken_back(
    service: Service, state: CallState, intents: list[NewIntent], occasion: Occasion
) -> bool:
    """The caller's words may be here before the wish that they take back."""
    if not service.calls.retracted_between(
        state.call_id, occasion.at_ms - CROSSING_MS, occasion.at_ms + _longest_held_ms(service)
    ):
        return False
    states = []
    for intent in intents:
        became, ring = service.journal.cancel(intent.id, BY_CALLER)
        service.doorbell.ring(ring)
        states.append(became)
    return states[0] == State.CANCELLED


def retract(service: Service, state: CallState) -> list[Intent]:
    """The caller's own words take back what was asked for last and is held still.

    All wishes of that one message, unless they were voiced after those words; never a closing,
    which takes back itself. Returns what was cancelled.
    """
    if state.retracted_at_ms is None:
        return []
    before_ms = state.retracted_at_ms + CROSSING_MS
    after_ms = state.retracted_at_ms - _longest_held_ms(service)
    wishes = [
        one
        for one in service.journal.of_call(state.call_id)
        if one.message
        and one.kind is not Kind.CASE_CLOSE
        and after_ms <= one.wished_ms <= before_ms
    ]
    wishes.sort(key=lambda one: one.wished_ms)  # an amended one keeps its place in the journal
    cancelled = []
    for one in wishes:
        if one.message != wishes[-1].message or one.state not in (State.HELD, State.DUE):
            continue
        became, ring = service.journal.cancel(one.id, BY_CALLER)
        service.doorbell.ring(ring)
        if became == State.CANCELLED:
            cancelled.append(one)
    return cancelled


def _longest_held_ms(service: Service) -> int:
    """Words that come so much later than a wish, by their own times, are not about it."""
    return service.settings.commit_window_ms + MOST_HELD_MS


def _settled(service: Service, claim: Claim | None, call: ToolCall, answer: Answer) -> str:
    return service.answers.settle(claim, as_entry(call, answer))


def _repeated(earlier: Intent | None, wish: Wish) -> Answer:
    if earlier and earlier.state is State.PARKED:
        return result("That was asked for already and needs a colleague, who will look at it.")
    return result(wish.said(earlier.reference if earlier else ""))
