"""Corrections: which earlier request a write request amends or replaces, and what is taken back.

Within the commit window a request is held. A later one amends it if it says so (`replaces`, a
reference), or if the caller's words between the two correct the earlier one and add nothing. Other
arguments alone correct nothing. See docs/conversation.md.
"""

from dataclasses import dataclass

from shared.calls.calls import CallState, Said
from shared.calls.words import Sense, correct_only
from shared.domain.drafts import ChangeDraft, CloseDraft, CommentDraft, FromCaller
from shared.domain.intent import BY_CALLER, Cancelling, Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.vapi.answers import Answer, refusal
from web.service import Service
from web.tools.caller import known_caller
from web.tools.request import WriteRequest
from web.tools.sentences import about
from web.tools.turn import Turn

CROSSING_MS = 500
"""A request that arrives within this time after the caller took it back was decided before that."""

MAX_HELD_MS = 15_000
"""How long a caller who goes on speaking holds a write (shared/journal/scripts/_common.lua)."""


@dataclass(frozen=True)
class Replaced:
    """The earlier request that this one replaces.

    intent: None for a request that replaces nothing. was_passed_on: it may have reached Salesforce,
    and the new one does not write over it. cancels: what is cancelled once the new one is accepted.
    """

    intent: Intent | None = None
    was_passed_on: bool = False
    cancels: tuple[Cancelling, ...] = ()

    def sentence(self, turn: Turn) -> str:
        """Names what was replaced, and what can't be undone any more; "" for nothing."""
        if self.intent is None:
            return ""
        named, reference = about(self.intent), self.intent.reference
        if not self.was_passed_on:
            return turn.say("replaced", **named)
        if self.intent.kind is Kind.CASE_CREATE:
            return turn.say("replaced-is-closed", reference=reference, **named)
        return turn.say("replaced-stays", reference=reference, **named)


def not_replaceable(turn: Turn, request: WriteRequest, named: Intent | None) -> Answer | None:
    """Why the request that `replaces` names can't be replaced by this one; None when it can."""
    call_id = turn.state.call_id
    is_here = named is not None and bool(call_id) and named.call_id == call_id
    if not named or not is_here or not known_caller(turn).identity.requested(named):
        return refusal(turn.say("replaces-unknown"))
    if not _is_by_same_person(named, request):
        return refusal(turn.say("replaces-unknown"))
    if named.kind != request.kind:
        reference = named.reference
        return refusal(turn.say("replaces-another-kind", reference=reference, **about(named)))
    return None


def held_request(
    turn: Turn, tool: str, request: WriteRequest, named: Intent | None
) -> Intent | None:
    """The held request that this one amends: the named one, or one that the caller corrected."""
    service, call_id = turn.service, turn.state.call_id
    if not call_id or not service.settings.journal.commit_window_ms:
        return None
    if named:
        fresh = service.journal.get(named.id)
        return fresh if fresh and fresh.state is State.HELD else None
    if request.kind is Kind.CASE_COMMENT:
        return None  # comments add to one another: words alone make none a correction
    identity = known_caller(turn).identity
    same = [
        intent
        for intent in turn.intents
        if intent.state is State.HELD
        and identity.requested(intent)
        and (intent.tool, intent.kind) == (tool, request.kind)
        and intent.message != turn.message_id
        and _is_by_same_person(intent, request)
    ]
    if not same:
        return None
    nearest = min(same, key=lambda intent: abs(intent.requested_at_ms - turn.at_ms))
    first, last = sorted((nearest.requested_at_ms, turn.at_ms))
    between = service.calls.said_between(call_id, first, last)
    is_corrected = correct_only(sense for said in between for sense in said.senses)
    return nearest if is_corrected else None


def _is_by_same_person(earlier: Intent, request: WriteRequest) -> bool:
    """Two people who speak in one call, such as a household's, correct nothing of each other's."""
    draft = earlier.draft_as(FromCaller)
    return draft is not None and draft.is_by_same_person(request.draft)


def replaced(turn: Turn, named: Intent, request: WriteRequest) -> Replaced:
    """The named request is not held any more. It is cancelled while nothing can have reached
    Salesforce, in the step that accepts the new one: a caller who corrects a request never has
    neither."""
    named = turn.service.journal.get(named.id) or named
    if named.state is State.CANCELLED:
        return Replaced()
    stays = not named.can_be_cancelled and not _writes_over(named, request)
    cancels = (Cancelling(named.id, named.can_be_cancelled, BY_CALLER),)
    return Replaced(named, was_passed_on=stays, cancels=cancels)


def _writes_over(named: Intent, request: WriteRequest) -> bool:
    """Whether the request changes the same record as the earlier one did."""
    if named.kind is Kind.CONTACT_UPDATE:
        return True
    earlier = named.draft_as(ChangeDraft)
    return earlier is not None and earlier.is_about_same(request.draft)


def close_replaced(turn: Turn, named: Intent, tool: str) -> tuple[NewIntent, ...]:
    """Closes a case that was opened already, with the reason, once the other one is accepted."""
    caller = named.draft
    assert isinstance(caller, FromCaller)
    number, close_id = turn.state.number, new_intent_id()
    close = CloseDraft(
        caller_number=number,
        contact_id=caller.contact_id,
        visible_to_contact_id=caller.visible_to_contact_id,
        has_no_contact=caller.has_no_contact,
        case_intent=named.id,
    )
    why = CommentDraft(
        caller_number=number,
        contact_id=caller.contact_id,
        has_no_contact=caller.has_no_contact,
        case_intent=named.id,
        only_after=close_id,
        text=turn.agent.sentences.for_staff("record-case-replaced"),
    )
    return (
        NewIntent(
            id=close_id, kind=Kind.CASE_CLOSE, draft=close, tool=tool,
            reference=new_reference(), after=(named.id,),
        ),
        NewIntent(
            id=new_intent_id(), kind=Kind.CASE_COMMENT, draft=why,
            reference=new_reference(), after=(close_id,),
        ),
    )  # fmt: skip


# -- taking back -----------------------------------------------------------------------------------


def retraction_window(turn: Turn) -> tuple[int, int]:
    """From when to when the caller's words may take back what this message asks for (epoch ms):
    they may arrive before the request."""
    return turn.at_ms - CROSSING_MS, turn.at_ms + _longest_held_ms(turn.service)


def take_back(turn: Turn, intents: list[NewIntent], said: list[Said]) -> bool:
    """Cancels what was accepted a moment ago if these words take it back. True if they do, and the
    first of the intents could still be cancelled."""
    if turn.state.has_two_numbers:
        return False  # the other caller may have said them
    from_ms, _ = retraction_window(turn)
    if not any(_takes_back(words, said, from_ms) for words in said):
        return False
    states = []
    for intent in intents:
        became, due_kinds = turn.service.journal.cancel(intent.id, BY_CALLER)
        turn.service.notifier.notify(due_kinds)
        states.append(became)
    turn.changed(*(intent.id for intent in intents))
    return states[0] == State.CANCELLED


def retract(service: Service, state: CallState) -> list[Intent]:
    """The caller's own words take back the last request of theirs that is still held. Returns what
    was cancelled.

    All requests of that one message, unless they were voiced after those words; never a close,
    which takes something back itself.
    """
    if not state.senses & {Sense.TAKES_BACK, Sense.DECLINES}:
        return []
    identity = known_caller(Turn(service, state)).identity
    before_ms = state.said_at_ms + CROSSING_MS
    after_ms = state.said_at_ms - _longest_held_ms(service)
    requested = [
        intent
        for intent in service.journal.of_call(state.call_id)
        if intent.message
        and identity.requested(intent)
        and not intent.kind.closes
        and after_ms <= intent.requested_at_ms <= before_ms
    ]
    if not requested:
        return []
    # Not the last in the list: an amended request keeps its place in the journal.
    last = max(requested, key=lambda intent: intent.requested_at_ms)
    words = Said(state.said_at_ms, state.senses)
    said = service.calls.said_between(
        state.call_id, last.requested_at_ms - CROSSING_MS, words.at_ms
    )
    if not _takes_back(words, said, last.requested_at_ms):
        return []
    cancelled = []
    for intent in requested:
        if intent.message != last.message and last.id not in intent.parts:
            continue
        if intent.state not in (State.HELD, State.DUE):
            continue
        became, due_kinds = service.journal.cancel(intent.id, BY_CALLER)
        service.notifier.notify(due_kinds)
        if became == State.CANCELLED:
            cancelled.append(intent)
    return cancelled


def _takes_back(words: Said, said: list[Said], since_ms: int) -> bool:
    """Words that may answer a question take nothing back if the agent has asked one since then."""
    if Sense.TAKES_BACK in words.senses:
        return True
    return Sense.DECLINES in words.senses and not any(
        Sense.ASKS in other.senses and since_ms <= other.at_ms <= words.at_ms for other in said
    )


def _longest_held_ms(service: Service) -> int:
    """Words that come later than this after a request, by their own times, are not about it."""
    return service.settings.journal.commit_window_ms + MAX_HELD_MS
