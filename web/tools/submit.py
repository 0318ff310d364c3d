"""Submit: a write request becomes intents in the journal, with the answer, in one step."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from shared.agent.arguments import Given
from shared.agent.sentences import REFERENCE
from shared.calls.limits import write_limits
from shared.domain.drafts import Draft
from shared.domain.intent import BY_CALLER, Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.answers import Claim
from shared.journal.results import (
    Acceptance,
    Accepted,
    AnsweredBefore,
    CallErased,
    Existing,
    Repeated,
    StoredAnswer,
    TooLate,
    TooMany,
)
from shared.logs import log
from shared.vapi.answers import Answer, as_entry, refusal, result, trouble
from shared.vapi.messages import ToolCall
from web.limits import limit_reached
from web.tools import amendments
from web.tools.amendments import Replaced
from web.tools.caller import caller_for_a_write, known_caller
from web.tools.parts import correct_parts, corrected_part
from web.tools.request import WriteRequest
from web.tools.sentences import already_open
from web.tools.turn import Turn

TRIES = 5
"""A held request that changes while this one amends it is read again."""


@dataclass(frozen=True)
class Submission:
    """A validated write tool call, and the request that its handler made of it.

    nth: its place among equal calls of the message. claim: None for a call that nothing identifies;
    its answer is not stored. speaks: Vapi says what is accepted, word for word.
    """

    turn: Turn
    call: ToolCall
    claim: Claim | None
    given: Given
    nth: int
    request: WriteRequest
    speaks: bool = False


def fingerprint_of(tool: str, given: Given, nth: int, target: str = "") -> str:
    """What makes two requests of a call the same: tool, normalised arguments, target, place.

    nth counts equal calls within one message, so that two calls listed together stay two requests.
    """
    content = json.dumps([tool, dict(given.values), nth, target], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def submit(it: Submission) -> str:
    """Records the request and its answer in one step; returns the entry for the agent.

    Raises StoreUnavailableError.
    """
    turn, request = it.turn, it.request
    named: Intent | None = None
    if reference := it.given.get("replaces"):
        named = turn.service.journal.by_reference(reference)
        named = named and corrected_part(turn, request, named)
        if refused := amendments.not_replaceable(turn, request, named):
            return _settle(it, refused)
    asks = request.asks and not named
    changed: set[tuple[str, str]] = set()
    for _ in range(TRIES):
        held = amendments.held_request(turn, it.call.name, request, named)
        if held and (held.id, held.fingerprint) in changed:
            held = None
        amended = _amended(it, held) if held else None
        if held and not amended:
            # A later request was faster on its way, and this one adds nothing to it.
            return _settle(it, _accepted(it, _said(request, held.reference)))
        intent, also = amended or _new(it, asks=asks), request.also
        replaced = Replaced(held)
        if named and not held:
            replaced = amendments.replaced(turn, named, request)
        # What is cancelled is cancelled with its parts.
        if replaced.intent and not any(other.is_open for other in replaced.cancels):
            intent, also, cancels = correct_parts(turn, replaced.intent, intent, also, BY_CALLER)
            replaced = replace(replaced, cancels=(*replaced.cancels, *cancels))
        if named and replaced.was_passed_on and named.kind is Kind.CASE_CREATE:
            also = (*also, *amendments.close_replaced(turn, named, it.call.name))
        said = [_said(request, intent.reference), replaced.sentence(turn)]
        if any(map(turn.stops.is_stopped, (request.kind, turn.source(it.call.name)))):
            said.append(turn.say("delayed"))
        intent = replace(intent, said=" ".join(filter(None, said)))
        accepted, taken_back = _accept(it, intent, also, replaced)
        match accepted:
            case Accepted(_, answer):
                if not taken_back:
                    return answer
                return _replace_answer(it, result(turn.say("just-taken-back")))
            case AnsweredBefore(answer):
                return answer
            case Repeated(intent_id):
                return _settle(it, _repeated(it, intent_id))
            case CallErased():
                return _settle(it, refusal(turn.say("call-has-ended")))
            case TooMany(limit):
                limit_reached(limit, turn.state.call_id)
                return _settle(it, refusal(turn.say("too-many-writes")))
            case TooLate():
                if held:
                    changed.add((held.id, held.fingerprint))
                    turn.changed(held.id)
            case Existing(intent_id):
                earlier = turn.service.journal.get(intent_id)
                caller = caller_for_a_write(turn)
                if not earlier or not caller.no_longer_has(earlier):
                    return _settle(it, already_open(turn, caller, earlier))
                asks = False  # staff closed it, or gave it to somebody else
    return _settle(it, trouble(turn.say("not-saved-try-again")), lasting=False)


def _new(it: Submission, *, asks: bool) -> NewIntent:
    turn, request = it.turn, it.request
    return NewIntent(
        id=request.id or new_intent_id(),
        kind=request.kind,
        draft=request.draft,
        tool=it.call.name,
        reference=new_reference(),
        fingerprint=fingerprint_of(it.call.name, it.given, it.nth, request.target),
        hold_ms=turn.service.settings.journal.commit_window_ms,
        after=request.after,
        dedup_keys=request.dedup_keys,
        asks=asks,
        requested_at_ms=turn.at_ms,
        message=turn.message_id,
        parts=tuple(other.id for other in request.also),
    )


def _amended(it: Submission, held: Intent) -> NewIntent | None:
    """The held request with this one. None when this one was asked for earlier and adds nothing."""
    new = _new(it, asks=False)
    draft: Draft | None = held.draft.amended_by(new.draft)
    if held.requested_at_ms > it.turn.at_ms:
        draft = held.draft.preceded_by(new.draft)
        new = replace(new, requested_at_ms=held.requested_at_ms, message=held.message)
    if draft is None:
        return None
    return replace(
        new,
        id=held.id,
        draft=draft,
        reference=held.reference,
        amends=(held.id, held.fingerprint),
    )


def _accept(
    it: Submission, intent: NewIntent, also: tuple[NewIntent, ...], replaced: Replaced
) -> tuple[Acceptance, bool]:
    """What the journal answers, and whether the caller's words have taken it back meanwhile: these
    are read in the same round trip, right after the acceptance."""
    turn = it.turn
    service, state = turn.service, turn.state
    entry = as_entry(it.call, _accepted(it, intent.said))
    answer = StoredAnswer(it.claim.key if it.claim else "", entry)

    def read_words(pipe: Any) -> None:
        if state.call_id:
            service.calls.queue_said_between(
                pipe, state.call_id, *amendments.retraction_window(turn)
            )
            if turn.language != state.language:
                service.calls.queue_language(pipe, state.call_id, turn.language)
        turn.queue_decisions(pipe)

    replies: list[Any] = []
    accepted = service.journal.accept(
        state.call_id,
        [intent, *also],
        answer,
        write_limits(service.settings.calls, turn.asker),
        agent=turn.agent.name,
        is_proven=turn.asker.has_proved,
        cancels=replaced.cancels,
        read_after=read_words,
        replies=replies,
    )
    if not isinstance(accepted, Accepted):
        return accepted, False
    service.notifier.notify(accepted.due_kinds)
    _note_accepted(it, [intent, *also])
    turn.changed(intent.id, *(other.id for other in also))
    turn.changed(*(other.intent_id for other in replaced.cancels))
    if state.is_reported and intent.kind is Kind.CASE_CREATE:
        service.notifier.notify(service.end_of_call.add_case(state, intent.id))
    said = [words for reply in replies[:1] for words in service.calls.read_said(reply)]
    return accepted, not intent.kind.closes and amendments.take_back(turn, [intent, *also], said)


def _note_accepted(it: Submission, intents: list[NewIntent]) -> None:
    for intent in intents:
        log.info(
            "intent_amended" if intent.amends else "intent_accepted",
            kind=intent.kind,
            intent_id=intent.id,
            tool=it.call.name,
            tool_call_id=it.call.id,
        )


def _said(request: WriteRequest, reference: str) -> str:
    return request.said.replace(REFERENCE, reference)


def _repeated(it: Submission, intent_id: str) -> Answer:
    """The call has this request already. Only the caller who made it learns more."""
    turn = it.turn
    earlier = turn.service.journal.get(intent_id)
    if not earlier or not known_caller(turn).identity.requested(earlier):
        return result(turn.say("already-asked"))
    if earlier.state is State.PARKED:
        return result(turn.say("already-asked-with-colleague"))
    return _accepted(it, _said(it.request, earlier.reference))


def _accepted(it: Submission, said: str) -> Answer:
    return result(said, spoken=it.speaks)


def _settle(it: Submission, answer: Answer, *, lasting: bool = True) -> str:
    return it.turn.service.answers.settle(
        it.claim, as_entry(it.call, answer), lasting=lasting, then=it.turn.queue_decisions
    )


def _replace_answer(it: Submission, answer: Answer) -> str:
    return it.turn.service.answers.replace(it.claim, as_entry(it.call, answer))
