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
from shared.journal.results import Accepted, AnsweredBefore, AnswerSlot, Existing, Repeated
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
    along with it.
    """

    kind: Kind
    draft: Draft
    said: Callable[[str], str]
    after: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    asks: Callable[[Intent | None], Answer] | None = None
    target: str = ""
    also: tuple[NewIntent, ...] = ()


def fingerprint(tool: str, arguments: Arguments, nth: int, target: str = "") -> str:
    """What makes two wishes of a call the same: tool, normalised arguments, target, place.

    nth counts equal calls within one message, so that two calls listed together stay two wishes.
    """
    content = json.dumps([tool, arguments.model_dump(by_alias=True), nth, target], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def accept(
    service: Service, state: CallState, call: ToolCall, claim: Claim | None, mark: str, wish: Wish
) -> str:
    """Record the wish and its answer in one step; returns the entry the agent is to hear.

    claim is None for a call that can't be told from another one: its answer is not kept.
    """
    for _ in range(REFERENCE_TRIES):
        reference = new_reference()
        said = wish.said(reference)
        entry = as_entry(call, result(said))
        intent = NewIntent(
            id=new_intent_id(),
            kind=wish.kind,
            draft=wish.draft,
            tool=call.name,
            reference=reference,
            fingerprint=mark,
            hold_ms=service.settings.commit_window_ms,
            after=wish.after,
            said=said,
            subjects=wish.subjects,
            asks=wish.asks is not None,
        )
        slot = AnswerSlot(claim.key, entry) if claim else None
        match service.journal.accept(state.call_id, [intent, *wish.also], slot):
            case Accepted(ring):
                service.doorbell.ring(ring)
                return entry
            case AnsweredBefore(kept):
                return kept
            case Repeated(intent_id):
                answer = _repeated(service.journal.get(intent_id), wish)
                return service.answers.settle(claim, as_entry(call, answer))
            case Existing(intent_id) if wish.asks:
                answer = wish.asks(service.journal.get(intent_id))
                return service.answers.settle(claim, as_entry(call, answer))
    return as_entry(call, trouble("I could not save that. Please try once more."))


def _repeated(earlier: Intent | None, wish: Wish) -> Answer:
    if earlier and earlier.state is State.PARKED:
        return result("That was asked for already and needs a colleague, who will look at it.")
    return result(wish.said(earlier.reference if earlier else ""))
