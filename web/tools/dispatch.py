"""The tool calls of one message: each answered once, the same answer for a redelivery.

Lookups run side by side on a pool of their own; writes are accepted in the order they are listed.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.calls.calls import CallState
from shared.journal.answers import Claim
from shared.logs import log
from shared.salesforce.deadline import Deadline
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.store import StoreUnavailableError
from shared.vapi.answers import Answer, as_entry, refusal, trouble
from shared.vapi.messages import ToolCall
from shared.vapi.tools import Arguments, BadArgumentsError, read_arguments
from web import lookups, writes
from web.metrics import TOOL_CALLS
from web.pool import Started
from web.replay import look_up_nothing
from web.service import Service
from web.write_requests import (
    CallIntents,
    MessageStamp,
    WriteRequest,
    accept,
    fingerprint,
    replaces_of,
)

LOOKUPS: dict[str, Callable[[Service, CallState, Any, Deadline], Answer]] = {
    "lookupCustomer": lookups.lookup_customer,
    "getCaseStatus": lookups.get_case_status,
    "retrieveCustomerCase": lookups.retrieve_customer_case,
}
WRITES: dict[str, Callable[[Service, CallState, Any, CallIntents], WriteRequest | Answer]] = {
    "createSalesforceCase": writes.create_case,
    "addCaseComment": writes.add_comment,
    "updateContact": writes.update_contact,
    "cancelCase": writes.cancel_case,
    "requestCallback": writes.request_callback,
}

NOT_SAVED = trouble(
    "I could not save that for certain. Please tell the caller that it is not confirmed."
)
NOT_LOOKED = trouble("I can't look that up right now. Please go on without it.")
NONE_LEFT = trouble(
    "I can't look anything up: today's allowance of requests to Salesforce is used up. "
    "Please go on without it."
)

MAX_ID_LENGTH = 512
"""Characters. A tool call with a longer id is answered too, with its exact id, but its answer is
not stored for a redelivery."""

CLAIM_SLACK_MS = 2_000
"""How much longer than a lookup's deadline a redelivery waits before it does the work itself."""


@dataclass
class _Working:
    """A tool call being answered: its entry, or the lookup that will give it."""

    call: ToolCall
    claim: Claim | None = None
    entry: str = ""
    started: "Started[Answer] | None" = None


@dataclass(frozen=True)
class Asker:
    """Who asks: the conversation ("" when the message names none) and the numbers it shows."""

    conversation_id: str
    shown: tuple[str, ...]


def answer_tool_calls(
    service: Service, state: CallState, calls: list[ToolCall], stamp: MessageStamp, asker: Asker
) -> list[str]:
    """The entries for `results`, one per call and in their order. Raises nothing of its own."""
    deadline = Deadline.after(service.settings.lookup_deadline_ms / 1000)
    equal_calls: Counter[str] = Counter()
    limit = service.settings.max_tool_calls_per_message
    working = [
        _start(service, state, call, equal_calls, deadline, stamp, asker) for call in calls[:limit]
    ]
    entries = [item.entry or _finish(service, item, deadline) for item in working]
    return entries + [_one_too_many(call) for call in calls[limit:]]


def _one_too_many(call: ToolCall) -> str:
    TOOL_CALLS.labels(tool=_name(call), outcome="refused").inc()
    return as_entry(
        call,
        refusal("That is too much at once. Nothing was done for this one. Ask for it by itself."),
    )


def _name(call: ToolCall) -> str:
    return call.name if call.name in LOOKUPS or call.name in WRITES else "unknown"


def store_is_away(calls: list[ToolCall]) -> list[str]:
    """The entries when Redis does not answer: nothing is pretended."""
    return [as_entry(call, _away(call)) for call in calls]


def _away(call: ToolCall) -> Answer:
    return NOT_LOOKED if call.name in LOOKUPS else NOT_SAVED


def _start(
    service: Service,
    state: CallState,
    call: ToolCall,
    equal_calls: Counter[str],
    deadline: Deadline,
    stamp: MessageStamp,
    asker: Asker,
) -> _Working:
    if call.name not in LOOKUPS and call.name not in WRITES:
        TOOL_CALLS.labels(tool="unknown", outcome="refused").inc()
        return _Working(call, entry=as_entry(call, refusal("That is nothing I can do here.")))
    try:
        arguments = _read(service, call)
    except BadArgumentsError as bad:
        TOOL_CALLS.labels(tool=call.name, outcome="refused").inc()
        nothing = "" if call.name in LOOKUPS else " Nothing was saved."
        return _Working(call, entry=as_entry(call, refusal(f"{bad}{nothing}")))
    plain = fingerprint(call.name, arguments, 0)
    equal_calls[plain] += 1
    try:
        claim = None
        if 0 < len(call.id) <= MAX_ID_LENGTH and asker.conversation_id:
            key = service.answers.key_of(
                asker.conversation_id, call.id, asker.shown, call.name, call.arguments
            )
            work_ms = service.settings.lookup_deadline_ms + CLAIM_SLACK_MS
            claimed = service.answers.claim(key, work_ms=work_ms)
            if isinstance(claimed, str):
                TOOL_CALLS.labels(tool=call.name, outcome="redelivered").inc()
                return _Working(call, entry=claimed)
            claim = claimed
        if call.name in LOOKUPS:
            look = look_up_nothing if state.is_over else LOOKUPS[call.name]
            try:
                started = service.lookups.start(lambda: look(service, state, arguments, deadline))
            except SalesforceError as busy:
                return _Working(
                    call, claim, entry=_settled(service, call, claim, _no_look(call, busy), "away")
                )
            return _Working(call, claim, started=started)
        nth = equal_calls[plain] - 1
        return _Working(call, entry=_write(service, state, call, claim, nth, arguments, stamp))
    except StoreUnavailableError:
        TOOL_CALLS.labels(tool=call.name, outcome="away").inc()
        return _Working(call, entry=as_entry(call, _away(call)))
    except Exception:
        return _Working(call, entry=_unforeseen(call))


def _unforeseen(call: ToolCall) -> str:
    """A defect of ours. Vapi must hear something all the same, or the model makes it up."""
    log.exception("tool_call_failed", tool=call.name, tool_call_id=call.id)
    TOOL_CALLS.labels(tool=call.name, outcome="failed").inc()
    return as_entry(call, _away(call))


def _read(service: Service, call: ToolCall) -> Arguments:
    if call.arguments is None:
        raise BadArgumentsError("I could not read the arguments of that request.")
    return read_arguments(call.name, call.arguments, service.settings.phone_region)


def _write(
    service: Service,
    state: CallState,
    call: ToolCall,
    claim: Claim | None,
    nth: int,
    arguments: Arguments,
    stamp: MessageStamp,
) -> str:
    write_request = WRITES[call.name](service, state, arguments, stamp.intents)
    if isinstance(write_request, Answer):
        TOOL_CALLS.labels(
            tool=call.name, outcome="refused" if write_request.is_error else "done"
        ).inc()
        return service.answers.settle(
            claim, as_entry(call, write_request), lasting=write_request.lasting
        )
    mark = fingerprint(call.name, arguments, nth, write_request.target)
    entry = accept(service, state, call, claim, mark, write_request, stamp, replaces_of(arguments))
    TOOL_CALLS.labels(tool=call.name, outcome="accepted").inc()
    return entry


def _finish(service: Service, item: _Working, deadline: Deadline) -> str:
    assert item.started
    try:
        answer, outcome = item.started.result(deadline), "done"
    except SalesforceError as error:
        answer, outcome = _no_look(item.call, error), "away"
    except StoreUnavailableError:
        answer, outcome = NOT_LOOKED, "away"
    except Exception:
        return _unforeseen(item.call)
    return _settled(service, item.call, item.claim, answer, outcome)


def _no_look(call: ToolCall, error: SalesforceError) -> Answer:
    log.warning("lookup_failed", tool=call.name, code=error.code, failure=error.failure)
    spent = error.failure is FailureClass.DAILY_LIMIT or error.code == "DAILY_ALLOWANCE"
    return NONE_LEFT if spent else NOT_LOOKED


def _settled(
    service: Service, call: ToolCall, claim: Claim | None, answer: Answer, outcome: str
) -> str:
    TOOL_CALLS.labels(tool=call.name, outcome=outcome).inc()
    entry = as_entry(call, answer)
    try:
        return service.answers.settle(claim, entry, lasting=answer.lasting)
    except StoreUnavailableError:
        return entry
