"""Write requests: what a write tool wants done, recorded with the answer that the agent hears."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from shared.calls.calls import CallState, Said
from shared.calls.words import Sense, correct_only
from shared.domain.drafts import CloseDraft, CommentDraft, Draft, FromCaller
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.answers import Claim
from shared.journal.journal import Journal
from shared.journal.results import (
    Accepted,
    AnsweredBefore,
    Existing,
    Limits,
    Repeated,
    StoredAnswer,
    TooLate,
    TooMany,
)
from shared.vapi.answers import Answer, as_entry, refusal, result, trouble
from shared.vapi.messages import ToolCall
from shared.vapi.tools import Arguments, WriteArguments
from web.caller import known_caller
from web.lookups import described
from web.service import Service

REFERENCE_TRIES = 5


@dataclass(frozen=True)
class WriteRequest:
    """What is to be accepted.

    said: the sentence for the agent, given the reference. subjects: what it is about;
    asks: the question to ask instead, when a case about the same was accepted earlier; None never
    asks.
    target: what tells this request from another one with the same arguments. also: what is accepted
    along with it. amended: what the draft of a held request becomes when this one corrects it; None
    for a draft that is replaced as a whole. joined: what it becomes when it is the later one all
    the same; None leaves it as it is. adds: the tool's requests add to one another, so that words
    alone never make one a correction. id: of the intent, where `also` has to name it.
    """

    kind: Kind
    draft: Draft
    said: Callable[[str], str]
    after: tuple[str, ...] = ()
    dedup_keys: tuple[str, ...] = ()
    asks: Callable[[Intent | None], Answer] | None = None
    target: str = ""
    also: tuple[NewIntent, ...] = ()
    amended: Callable[[Draft], Draft] | None = None
    joined: Callable[[Draft], Draft] | None = None
    adds: bool = False
    id: str = ""


class CallIntents:
    """The intents of a call, read once for a message however many writes it lists."""

    def __init__(self, journal: Journal, call_id: str) -> None:
        self._journal = journal
        self._call_id = call_id
        self._read: list[Intent] | None = None

    def all(self) -> list[Intent]:
        """In the order they were accepted, those of this message too."""
        if self._read is None:
            self._read = self._journal.of_call(self._call_id)
        return self._read

    def changed(self, *intent_ids: str) -> None:
        """These were accepted, amended or cancelled just now."""
        if self._read is None:
            return
        fresh = self._journal.get_many(intent_ids)
        known = {item.id for item in self._read}
        self._read = [fresh.get(item.id, item) for item in self._read]
        self._read += [value for id_, value in fresh.items() if id_ not in known]


@dataclass(frozen=True)
class MessageStamp:
    """The message that a request came in.

    at_ms: its own time (epoch ms). message: a mark that no other message has. intents: its call's.
    """

    at_ms: int
    message: str
    intents: CallIntents


CROSSING_MS = 500
"""A request that comes so soon after the caller took it back was decided on before that."""

MAX_HELD_MS = 15_000
"""How long a caller who goes on speaking holds a write (shared/journal/scripts/_common.lua)."""

BY_CALLER = "caller"
"""Why an intent was cancelled: on the caller's word."""

TAKEN_BACK = result("The caller has just taken that back, so nothing is saved.")
TOO_MANY = refusal(
    "That is as much as I can note down here. Nothing more was saved. Offer a colleague for the "
    "rest."
)


def fingerprint(tool: str, arguments: Arguments, nth: int, target: str = "") -> str:
    """What makes two requests of a call the same: tool, normalised arguments, target, place.

    nth counts equal calls within one message, so that two calls listed together stay two requests.
    """
    content = json.dumps([tool, arguments.model_dump(by_alias=True), nth, target], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class _Replaced:
    """An earlier request that this one takes the place of.

    intent: None when there is none. was_passed_on: it may have reached Salesforce already.
    """

    intent: Intent | None = None
    was_passed_on: bool = False

    @property
    def sentence(self) -> str:
        """The answer names what it replaced, and what can't be undone any more."""
        if self.intent is None:
            return ""
        earlier, reference = described(self.intent), self.intent.reference
        if not self.was_passed_on or self.intent.kind is Kind.CONTACT_UPDATE:
            return f" It replaces the {earlier}."
        if self.intent.kind is Kind.CASE_CREATE:
            return f" The {earlier} with reference {reference} is being closed."
        return f" The {earlier} with reference {reference} was passed on already, so it stays."


def accept(
    service: Service,
    state: CallState,
    call: ToolCall,
    claim: Claim | None,
    mark: str,
    write_request: WriteRequest,
    stamp: MessageStamp,
    replaces: str | None,
) -> str:
    """Record the request and its answer in one step; returns the entry the agent is to hear.

    A request amends a held one of the same tool if it says so (`replaces`, a reference), or if the
    caller's words between the two correct the earlier one and add nothing. Otherwise it is a
    request of its own: other arguments alone correct nothing.

    mark is the request's fingerprint. claim is None for a call that can't be told from another one:
    its answer is not kept. Raises StoreUnavailableError.
    """
    named: Intent | None = None
    if replaces:
        named = service.journal.by_reference(replaces)
        if refused := _not_replaceable(service, state, write_request, named):
            return _settled(service, claim, call, refused)
    gone: set[tuple[str, str]] = set()
    limits = Limits(
        service.settings.max_writes_per_call, service.settings.max_writes_per_number_and_day
    )
    for _ in range(REFERENCE_TRIES):
        held = _held(service, state, call, write_request, stamp, named)
        if held and (held.id, held.fingerprint) in gone:
            held = None
        change, requested_at_ms, message = write_request.amended, stamp.at_ms, stamp.message
        if held and held.requested_at_ms > stamp.at_ms:
            # A later request was faster on its way: it counts, and this one where it says more.
            if write_request.joined is None:
                return _settled(service, claim, call, result(write_request.said(held.reference)))
            change, requested_at_ms, message = (
                write_request.joined,
                held.requested_at_ms,
                held.message,
            )
        replaced = _Replaced(held)
        also = write_request.also
        if named and not held:
            replaced = _take_the_place_of(service, named)
            if replaced.intent and replaced.was_passed_on and named.kind is Kind.CASE_CREATE:
                also = (*also, *_close_intents(state, named, call.name))
        reference = held.reference if held else new_reference()
        said = write_request.said(reference) + replaced.sentence
        entry = as_entry(call, result(said))
        intent = NewIntent(
            id=held.id if held else write_request.id or new_intent_id(),
            kind=write_request.kind,
            draft=change(held.draft) if held and change else write_request.draft,
            tool=call.name,
            reference=reference,
            fingerprint=mark,
            hold_ms=service.settings.commit_window_ms,
            after=write_request.after,
            said=said,
            dedup_keys=write_request.dedup_keys,
            asks=write_request.asks is not None and not named,
            requested_at_ms=requested_at_ms,
            message=message,
            amends=(held.id, held.fingerprint) if held else None,
        )
        permit = StoredAnswer(claim.key, entry) if claim else None
        match service.journal.accept(state.call_id, [intent, *also], permit, limits):
            case Accepted(due_kinds):
                service.notifier.notify(due_kinds)
                stamp.intents.changed(intent.id, *(item.id for item in also))
                if state.is_reported and write_request.kind is Kind.CASE_CREATE:
                    service.notifier.notify(service.end_of_call.add_case(state, intent.id))
                if write_request.kind is not Kind.CASE_CLOSE and _was_taken_back(
                    service, state, [intent, *also], stamp
                ):
                    return service.answers.replace(claim, as_entry(call, TAKEN_BACK))
                return entry
            case AnsweredBefore(stored):
                return stored
            case Repeated(intent_id):
                earlier = service.journal.get(intent_id)
                identity = known_caller(service, state).identity
                is_theirs = earlier is not None and identity.requested(earlier)
                answer = _repeated(earlier if is_theirs else None, write_request)
                return _settled(service, claim, call, answer)
            case TooLate() if held:
                gone.add((held.id, held.fingerprint))
            case TooMany():
                return _settled(service, claim, call, TOO_MANY)
            case Existing(intent_id) if write_request.asks:
                return _settled(
                    service, claim, call, write_request.asks(service.journal.get(intent_id))
                )
    again = trouble("I could not save that. Please try once more.")
    return service.answers.settle(claim, as_entry(call, again), lasting=False)


# -- corrections -----------------------------------------------------------------------------------


def replaces_of(arguments: Arguments) -> str | None:
    """The reference of the request that this one replaces."""
    return arguments.replaces if isinstance(arguments, WriteArguments) else None


def _not_replaceable(
    service: Service, state: CallState, write_request: WriteRequest, named: Intent | None
) -> Answer | None:
    """Why the request that `replaces` names can't be replaced by this one; None when it can."""
    is_here = named is not None and bool(state.call_id) and named.call_id == state.call_id
    if not named or not is_here or not known_caller(service, state).identity.requested(named):
        return refusal(
            "I know no request with the reference to be replaced in this call. Nothing was saved."
        )
    if named.kind is not write_request.kind:
        return refusal(
            f"Reference {named.reference} is a {described(named)}, which this can't replace. "
            "Nothing was saved."
        )
    return None


def _held(
    service: Service,
    state: CallState,
    call: ToolCall,
    write_request: WriteRequest,
    stamp: MessageStamp,
    named: Intent | None,
) -> Intent | None:
    """The held request that this one amends: the named one, or one that the caller corrected."""
    if not state.call_id or not service.settings.commit_window_ms:
        return None
    if named:
        fresh = service.journal.get(named.id)
        return fresh if fresh and fresh.state is State.HELD else None
    if write_request.adds:
        return None
    same = [
        item
        for item in stamp.intents.all()
        if item.state is State.HELD
        and (item.tool, item.kind) == (call.name, write_request.kind)
        and item.message != stamp.message
    ]
    if not same:
        return None
    nearest = min(same, key=lambda item: abs(item.requested_at_ms - stamp.at_ms))
    first, last = sorted((nearest.requested_at_ms, stamp.at_ms))
    between = service.calls.said_between(state.call_id, first, last)
    is_corrected = correct_only(sense for said in between for sense in said.senses)
    return nearest if is_corrected else None


def _take_the_place_of(service: Service, named: Intent) -> _Replaced:
    """The named request is not held any more: cancel it while nothing can have reached Salesforce.

    That comes before the new one is accepted: if accepting fails, the agent hears that nothing is
    certain, and asks again.
    """
    if named.state is State.CANCELLED:
        return _Replaced()
    became, due_kinds = service.journal.cancel(named.id, BY_CALLER)
    service.notifier.notify(due_kinds)
    return _Replaced(named, was_passed_on=became not in (State.CANCELLED, State.PARKED))


def _close_intents(state: CallState, named: Intent, tool: str) -> tuple[NewIntent, ...]:
    """A case that was opened already is closed, with the reason, once the other is accepted."""
    caller = named.draft
    assert isinstance(caller, FromCaller)
    close_id = new_intent_id()
    close = CloseDraft(
        caller_number=state.number,
        contact_id=caller.contact_id,
        visible_to_contact_id=caller.visible_to_contact_id,
        case_intent=named.id,
    )
    why = CommentDraft(
        caller_number=state.number,
        contact_id=caller.contact_id,
        case_intent=named.id,
        only_after=close_id,
        text="Replaced by another case at the caller's request.",
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


def _was_taken_back(
    service: Service, state: CallState, intents: list[NewIntent], stamp: MessageStamp
) -> bool:
    """The caller's words may be here before the request that they take back."""
    from_ms = stamp.at_ms - CROSSING_MS
    said = service.calls.said_between(
        state.call_id, from_ms, stamp.at_ms + _longest_held_ms(service)
    )
    if not any(_takes_back(item, said, from_ms) for item in said):
        return False
    states = []
    for intent in intents:
        became, due_kinds = service.journal.cancel(intent.id, BY_CALLER)
        service.notifier.notify(due_kinds)
        states.append(became)
    stamp.intents.changed(*(item.id for item in intents))
    return states[0] == State.CANCELLED


def retract(service: Service, state: CallState) -> list[Intent]:
    """The caller's own words take back what was asked for last and is held still.

    All requests of that one message, unless they were voiced after those words; never a closing,
    which takes back itself. Returns what was cancelled.
    """
    if not state.senses & {Sense.TAKES_BACK, Sense.DECLINES}:
        return []
    before_ms = state.said_at_ms + CROSSING_MS
    after_ms = state.said_at_ms - _longest_held_ms(service)
    write_requests = [
        item
        for item in service.journal.of_call(state.call_id)
        if item.message
        and item.kind is not Kind.CASE_CLOSE
        and after_ms <= item.requested_at_ms <= before_ms
    ]
    if not write_requests:
        return []
    write_requests.sort(
        key=lambda item: item.requested_at_ms
    )  # an amended one keeps its place in the journal
    last = write_requests[-1]
    words = Said(state.said_at_ms, state.senses)
    said = service.calls.said_between(
        state.call_id, last.requested_at_ms - CROSSING_MS, words.at_ms
    )
    if not _takes_back(words, said, last.requested_at_ms):
        return []
    cancelled = []
    for request in write_requests:
        if request.message != last.message or request.state not in (State.HELD, State.DUE):
            continue
        became, due_kinds = service.journal.cancel(request.id, BY_CALLER)
        service.notifier.notify(due_kinds)
        if became == State.CANCELLED:
            cancelled.append(request)
    return cancelled


def _takes_back(words: Said, said: list[Said], since_ms: int) -> bool:
    """Words that may answer a question take nothing back if the agent has asked one since then."""
    if Sense.TAKES_BACK in words.senses:
        return True
    return Sense.DECLINES in words.senses and not any(
        Sense.ASKS in item.senses and since_ms <= item.at_ms <= words.at_ms for item in said
    )


def _longest_held_ms(service: Service) -> int:
    """Words that come so much later than a request, by their own times, are not about it."""
    return service.settings.commit_window_ms + MAX_HELD_MS


def _settled(service: Service, claim: Claim | None, call: ToolCall, answer: Answer) -> str:
    return service.answers.settle(claim, as_entry(call, answer))


def _repeated(earlier: Intent | None, write_request: WriteRequest) -> Answer:
    """None for one that this caller may not hear of."""
    if not earlier:
        return result("That was asked for in this call already.")
    if earlier.state is State.PARKED:
        return result("That was asked for already and needs a colleague, who will look at it.")
    return result(write_request.said(earlier.reference))
