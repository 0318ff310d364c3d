"""Dispatch: each tool call of a message is answered once; a redelivery gets the same answer.

In steps: validate the arguments, claim the call, run its handler, store the answer. Lookups run
side by side on a pool of their own; writes are accepted in the order they are listed.
"""

from collections import Counter
from dataclasses import dataclass

from shared.agent.arguments import BadArgumentsError, Given
from shared.agent.folder import Agent
from shared.agent.problems import sentence_of
from shared.agent.tools import Tool
from shared.deadline import Deadline
from shared.journal.answers import Claim
from shared.logs import log
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.store import StoreUnavailableError
from shared.vapi.answers import Answer, as_entry, refusal, trouble
from shared.vapi.messages import ToolCall
from web.metrics import TOOL_CALLS
from web.pool import Started
from web.replay import CALL_HAS_ENDED
from web.tools.registry import LOOKUPS, WRITES
from web.tools.submit import Submission, fingerprint_of, submit
from web.tools.turn import Turn

NOT_SAVED = trouble(
    "I could not save that for certain. Please tell the caller that it is not confirmed."
)
NOT_FOUND_OUT = trouble("I can't look that up right now. Please go on without it.")
TOO_MANY = refusal("That is too much at once. Nothing was done for this one. Ask for it by itself.")
NO_SUCH_TOOL = refusal("That is nothing I can do here.")
ENDED = refusal(CALL_HAS_ENDED)

MAX_ID_LENGTH = 512
"""Characters. A tool call with a longer id is answered too, with its exact id, but its answer is
not stored for a redelivery."""

CLAIM_SLACK_MS = 2_000
"""How much longer than a lookup's deadline a redelivery waits before it does the work itself."""


@dataclass
class _Step:
    """A tool call on its way. entry: its answer, "" before it has one."""

    call: ToolCall
    tool: Tool | None = None
    given: Given | None = None
    nth: int = 0
    claim: Claim | None = None
    started: Started[Answer] | None = None
    entry: str = ""


def answer_tool_calls(turn: Turn, calls: list[ToolCall]) -> list[str]:
    """The entries for `results`, one per call, in the same order. Raises no errors of its own."""
    settings = turn.service.settings
    deadline = Deadline.after(settings.salesforce.lookup_deadline_ms / 1000)
    limit = settings.calls.max_tool_calls_per_message
    steps = [_validated(turn, call) for call in calls[:limit]]
    equal_calls: Counter[str] = Counter()
    for step in steps:
        if step.given:
            content = fingerprint_of(step.call.name, step.given, 0)
            step.nth = equal_calls[content]
            equal_calls[content] += 1
    _claim(turn, steps)
    for step in steps:
        if not step.entry:
            _run(turn, step, deadline)
    for step in steps:
        if step.started:
            _finish(turn, step, deadline)
    return [step.entry for step in steps] + [_refused(call, TOO_MANY) for call in calls[limit:]]


def store_is_away(agent: Agent, calls: list[ToolCall]) -> list[str]:
    """The entries when Redis does not answer: nothing is claimed to be done."""
    return [as_entry(call, _away(agent.tools.get(call.name))) for call in calls]


def _validated(turn: Turn, call: ToolCall) -> _Step:
    tool = turn.service.agent.tools.get(call.name)
    if tool is None:
        return _Step(call, entry=_refused(call, NO_SUCH_TOOL, tool="unknown"))
    nothing = "" if tool.is_lookup else " Nothing was saved."
    if call.arguments is None:
        unread = "I could not read the arguments of that request."
        return _Step(call, entry=_refused(call, refusal(f"{unread}{nothing}")))
    try:
        region = turn.service.settings.calls.phone_region
        given = tool.arguments.read(call.arguments, region)
    except BadArgumentsError as bad:
        said = refusal(f"{sentence_of(bad.problems)}{nothing}")
        return _Step(call, entry=_refused(call, said))
    return _Step(call, tool, given)


def _claim(turn: Turn, steps: list[_Step]) -> None:
    """The right to answer each call, or the answer that an earlier delivery stored."""
    claimable = [
        step
        for step in steps
        if not step.entry and turn.conversation_id and 0 < len(step.call.id) <= MAX_ID_LENGTH
    ]
    answers = turn.service.answers
    keys = [
        answers.key_of(
            turn.conversation_id, step.call.id, turn.shown, step.call.name, step.call.arguments
        )
        for step in claimable
    ]
    work_ms = turn.service.settings.salesforce.lookup_deadline_ms + CLAIM_SLACK_MS
    try:
        claimed = turn.claim_answers(keys, work_ms=work_ms)
    except StoreUnavailableError:
        for step in steps:
            _store_away(step)
        return
    except Exception:
        for step in steps:
            _failed(step)
        return
    for step, claim in zip(claimable, claimed, strict=True):
        if isinstance(claim, str):
            _count(step, "redelivered")
            step.entry = claim
        else:
            step.claim = claim


def _run(turn: Turn, step: _Step, deadline: Deadline) -> None:
    assert step.tool
    assert step.given
    try:
        if step.tool.is_lookup:
            _start(turn, step, step.tool, step.given, deadline)
        else:
            _write(turn, step, step.tool, step.given)
    except StoreUnavailableError:
        _store_away(step)
    except Exception:
        _failed(step)


def _start(turn: Turn, step: _Step, tool: Tool, given: Given, deadline: Deadline) -> None:
    if turn.state.is_over:
        _settle(turn, step, ENDED, "done")
        return
    look_up = LOOKUPS[tool.verb]
    try:
        step.started = turn.service.lookups.start(lambda: look_up(turn, tool, given, deadline))
    except SalesforceError as busy:
        _settle(turn, step, _not_found_out(step, busy), "away")


def _finish(turn: Turn, step: _Step, deadline: Deadline) -> None:
    assert step.started
    try:
        answer, outcome = step.started.result(deadline), "done"
    except SalesforceError as error:
        answer, outcome = _not_found_out(step, error), "away"
    except StoreUnavailableError:
        answer, outcome = NOT_FOUND_OUT, "away"
    except Exception:
        _failed(step)
        return
    _settle(turn, step, answer, outcome)


def _write(turn: Turn, step: _Step, tool: Tool, given: Given) -> None:
    request = WRITES[tool.verb](turn, tool, given)
    if isinstance(request, Answer):
        entry = as_entry(step.call, request)
        step.entry = turn.service.answers.settle(step.claim, entry, lasting=request.lasting)
        _count(step, "refused" if request.is_error else "done")
        return
    step.entry = submit(Submission(turn, step.call, step.claim, given, step.nth, request))
    _count(step, "accepted")


def _settle(turn: Turn, step: _Step, answer: Answer, outcome: str) -> None:
    """A lookup's answer is given also when it can't be stored."""
    _count(step, outcome)
    step.entry = as_entry(step.call, answer)
    try:
        step.entry = turn.service.answers.settle(step.claim, step.entry, lasting=answer.lasting)
    except StoreUnavailableError:
        return


def _not_found_out(step: _Step, error: SalesforceError) -> Answer:
    is_spent = error.failure is FailureClass.DAILY_LIMIT or error.code == "DAILY_ALLOWANCE"
    log.warning(
        "lookup_failed",
        tool=step.call.name,
        code=error.code,
        failure=error.failure,
        reason="today's API requests are spent" if is_spent else "",
    )
    return NOT_FOUND_OUT


def _store_away(step: _Step) -> None:
    if not step.entry:
        _count(step, "away")
        step.entry = as_entry(step.call, _away(step.tool))


def _failed(step: _Step) -> None:
    """A defect of ours. Vapi gets an answer all the same, or the model makes one up."""
    if not step.entry:
        log.exception("tool_call_failed", tool=step.call.name, tool_call_id=step.call.id)
        _count(step, "failed")
        step.entry = as_entry(step.call, _away(step.tool))


def _away(tool: Tool | None) -> Answer:
    return NOT_FOUND_OUT if tool and tool.is_lookup else NOT_SAVED


def _refused(call: ToolCall, answer: Answer, *, tool: str = "") -> str:
    TOOL_CALLS.labels(tool=tool or call.name, outcome="refused").inc()
    return as_entry(call, answer)


def _count(step: _Step, outcome: str) -> None:
    TOOL_CALLS.labels(tool=step.call.name, outcome=outcome).inc()
