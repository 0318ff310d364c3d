"""Dispatch: each tool call of a message is answered once; a redelivery gets the same answer.

In steps: validate the arguments, claim the call, run its handler, store the answer. Writes are
accepted in the order they are listed. A few lookups run side by side, so that one message does not
take the threads of others: in the thread that answers the message, and on a pool of their own.
"""

import hmac
import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from shared.agent.arguments import BadArgumentsError, Given, Problem
from shared.agent.folder import Agent
from shared.agent.tool_files import Verb
from shared.agent.tools import Tool
from shared.calls.tool_calls import ToolCallNote, shown
from shared.deadline import Deadline
from shared.domain.identity import Tier
from shared.journal.answers import Claim
from shared.logs import log
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.store import StoreUnavailableError
from shared.tracing import span
from shared.vapi.answers import Answer, as_entry, refusal, trouble
from shared.vapi.messages import ToolCall
from web.metrics import TOOL_CALLS
from web.pool import Started
from web.tools.registry import LOOKUPS, WRITES
from web.tools.sentences import nothing_saved
from web.tools.submit import Submission, fingerprint_of, submit
from web.tools.texts import arguments_for_operators, within_limits, without_secrets
from web.tools.turn import TOO_MANY_LOOKUPS, Turn

MAX_ID_LENGTH = 512
"""Characters. A tool call with a longer id is answered too, with its exact id, but its answer is
not stored for a redelivery."""

CLAIM_SLACK_MS = 2_000
"""How much longer than a lookup's deadline a redelivery waits before it does the work itself."""


LOOKUPS_AT_A_TIME = 3
"""Of one message. What has to wait for others is not begun in the second half of the deadline: it
would not end in time, and the breaker would take that for a fault of Salesforce."""


@dataclass(eq=False)
class _Step:
    """A tool call on its way. entry: its answer, "" before it has one. why_not: what can't be done
    as asked, in the language of the call once that is known. is_paused: the tool waits. is_alone:
    the message has no other call."""

    call: ToolCall
    tool: Tool | None = None
    given: Given | None = None
    nth: int = 0
    claim: Claim | None = None
    started: Started[Answer] | None = None
    entry: str = ""
    why_not: Callable[[], str] | None = None
    is_paused: bool = False
    is_alone: bool = False

    @property
    def is_at_work(self) -> bool:
        return self.started is not None and not self.started.is_done


def answer_tool_calls(turn: Turn, calls: list[ToolCall]) -> list[str]:
    """The entries for `results`, one per call, in the same order. Raises no errors of its own."""
    settings = turn.service.settings
    whole_s = settings.salesforce.lookup_deadline_ms / 1000
    deadline = Deadline.after(whole_s)
    within = within_limits(calls, settings.calls.max_tool_calls_per_message)
    steps = [_validated(turn, call) for call in within]
    for step in steps:
        step.is_alone = len(calls) == 1
    equal_calls: Counter[str] = Counter()
    for step in steps:
        if step.given:
            content = fingerprint_of(step.call.name, step.given, 0)
            step.nth = equal_calls[content]
            equal_calls[content] += 1
    _claim(turn, steps)
    lookups = [step for step in steps if _looks_up(turn, step)]
    at_once = lookups[:-1][: LOOKUPS_AT_A_TIME - 1]
    for step in steps:
        if step in at_once:
            _start(turn, step, deadline)
        elif step not in lookups and not step.entry:
            _run(turn, step)
    for step in lookups[len(at_once) :]:
        has_time = len(lookups) <= LOOKUPS_AT_A_TIME or deadline.left_s > whole_s / 2
        if not has_time:
            _settle(turn, step, trouble(turn.say("not-found-out")), "away")
        elif (
            step is not lookups[-1]
            and sum(other.is_at_work for other in lookups) < LOOKUPS_AT_A_TIME - 1
        ):
            _start(turn, step, deadline)
        else:
            _finish(turn, step, deadline)
    for step in reversed(lookups):
        if not step.entry:
            _finish(turn, step, deadline)
    # Not stored for a redelivery, so in the one language that can't change between the two.
    sentences = turn.agent.sentences
    too_many = sentences.say(sentences.default, "too-many-calls")
    others = [_Step(call) for call in calls[len(within) :]]
    for step in others:
        step.tool = turn.agent.tools.get(step.call.name)
        _count(step, "refused")
        step.entry = as_entry(step.call, refusal(too_many))
    return [step.entry for step in steps + others]


def store_is_away(agent: Agent, calls: list[ToolCall]) -> list[str]:
    """The entries when Redis does not answer: nothing is claimed to be done. In the default
    language, because nothing is known of the call."""
    say = partial(agent.sentences.say, agent.sentences.default)
    return [as_entry(call, _away(say, agent.tools.get(call.name))) for call in calls]


def _validated(turn: Turn, call: ToolCall) -> _Step:
    tool = turn.agent.tools.get(call.name)
    if tool is None:
        return _Step(call, why_not=lambda: turn.say("no-such-tool"))
    if call.arguments is None:
        return _Step(call, tool, why_not=lambda: _unread(turn, tool))
    try:
        settings = turn.service.settings.calls
        given = tool.arguments.read(call.arguments, settings.phone_region, settings.redacted)
    except BadArgumentsError as bad:
        problems = bad.problems
        return _Step(call, tool, why_not=lambda: _wrong(turn, tool, problems))
    return _Step(call, tool, without_secrets(turn, tool, given))


def _unread(turn: Turn, tool: Tool) -> str:
    why = turn.say("arguments-unreadable")
    return why if tool.is_lookup else nothing_saved(turn, why)


def _wrong(turn: Turn, tool: Tool, problems: tuple[Problem, ...]) -> str:
    why = turn.wrong_arguments(tool.name, tool.verb, problems)
    return why if tool.is_lookup else nothing_saved(turn, why)


def _claim(turn: Turn, steps: list[_Step]) -> None:
    """The right to answer each call, or the answer that an earlier delivery stored. A call without
    an id is known by its message and its place there."""
    claimable = [
        (place, step)
        for place, step in enumerate(steps)
        if turn.conversation_id and len(step.call.id) <= MAX_ID_LENGTH
    ]
    answers = turn.service.answers

    def key(place: int, step: _Step, lost_rights: list[Any]) -> str:
        return answers.key_of(
            turn.conversation_id,
            step.call.id or f"{turn.message_id}:{place}",
            turn.shown,
            step.call.name,
            _identifying(turn, step),
            *lost_rights,
        )

    keys = [key(place, step, _lost_rights(turn, step)) for place, step in claimable]
    tools = {
        step.call.id: step.tool.name if step.tool else "" for _, step in claimable if step.call.id
    }
    work_ms = turn.service.settings.salesforce.lookup_deadline_ms + CLAIM_SLACK_MS
    notes = [_note(turn, step, key) for (_, step), key in zip(claimable, keys, strict=True)]
    try:
        claimed = turn.claim_answers(keys, tools, notes, work_ms=work_ms)
    except StoreUnavailableError:
        for step in steps:
            _store_away(turn, step)
        return
    except Exception:
        for step in steps:
            _failed(turn, step)
        return
    for (_, step), claim in zip(claimable, claimed, strict=True):
        if isinstance(claim, str):
            _count(step, "redelivered")
            step.entry = claim
        else:
            step.claim = claim
    # Neither is what was asked before the rights were lost answered anew: it may be a replay.
    again = [
        (step, key(place, step, []))
        for place, step in claimable
        if step.claim and _lost_rights(turn, step)
    ]
    with suppress(StoreUnavailableError):
        stored = answers.are_stored([earlier for _, earlier in again]) if again else []
        for (step, _), is_stored in zip(again, stored, strict=True):
            if is_stored:
                step.why_not = partial(turn.say, "not-found-out")


def _note(turn: Turn, step: _Step, answer_key: str) -> ToolCallNote:
    """The tool call as operators see it: without arguments if no tool has its name, or if they
    could not be read."""
    arguments = arguments_for_operators(step.tool, step.given) if step.tool and step.given else {}
    name = step.tool.name if step.tool else ""
    return ToolCallNote(turn.happened_at_ms, name, shown(arguments), answer_key)


def _identifying(turn: Turn, step: _Step) -> Any:
    """The arguments that distinguish this call from another one. A keyed digest stands for those of
    a tool that compares secrets: a short PIN could be found from a plain one."""
    arguments = step.call.arguments
    if step.tool is None or step.tool.verb is not Verb.VERIFY:
        return arguments
    secret = turn.service.settings.vapi.server_secrets[0].encode()
    content = json.dumps(arguments, sort_keys=True, default=str).encode()
    return hmac.digest(secret, content, "sha256").hex()


def _looks_up(turn: Turn, step: _Step) -> bool:
    """Whether there is something to look up. In a call that is over there is not, nor for a tool
    that waits."""
    if step.entry or step.why_not or not step.tool or not step.tool.is_lookup:
        return False
    if turn.state.is_over:
        step.why_not = lambda: turn.say("call-has-ended")
        return False
    step.is_paused = turn.stops.must_wait(turn.source(step.tool.name))
    return not step.is_paused


def _lost_rights(turn: Turn, step: _Step) -> list[Any]:
    """What makes a stored answer of a lookup one that the caller may not hear any more: a transfer,
    a second number, a number that is no evidence, a lock. A write, or an answer that verifies, is
    done once all the same."""
    if step.tool is None or not step.tool.is_lookup or step.tool.verb is Verb.VERIFY:
        return []
    state = turn.state
    is_locked = state.proof is not None and state.proof.tier is Tier.UNKNOWN
    lost: list[Any] = [state.transfers, state.has_two_numbers, is_locked]
    if state.attestation and not turn.attested.counts:
        lost.append(state.attestation)
    return lost if any(lost) else []


def _run(turn: Turn, step: _Step) -> None:
    try:
        if step.why_not:
            _settle(turn, step, refusal(step.why_not()), "refused")
            return
        if step.is_paused:
            _settle(turn, step, trouble(turn.say("lookup-paused")), "paused")
            return
        assert step.tool
        assert step.given
        with _span(step.tool):
            _write(turn, step, step.tool, step.given)
    except StoreUnavailableError:
        _store_away(turn, step)
    except Exception:
        _failed(turn, step)


def _start(turn: Turn, step: _Step, deadline: Deadline) -> None:
    try:
        step.started = turn.service.lookups.start(_lookup(turn, step, deadline), turn.asker.share)
    except SalesforceError as busy:
        _settle(turn, step, _not_found_out(turn, step, busy), "away")


def _lookup(turn: Turn, step: _Step, deadline: Deadline) -> Callable[[], Answer]:
    assert step.tool
    assert step.given
    tool, look = step.tool, partial(LOOKUPS[step.tool.verb], turn, step.tool, step.given, deadline)

    def lookup() -> Answer:
        with _span(tool):
            return look()

    return lookup


def _finish(turn: Turn, step: _Step, deadline: Deadline) -> None:
    lookups = turn.service.lookups
    try:
        if step.started:
            answer, outcome = step.started.result(deadline), "done"
        else:
            answer, outcome = lookups.run(_lookup(turn, step, deadline), turn.asker.share), "done"
    except SalesforceError as error:
        answer, outcome = _not_found_out(turn, step, error), "away"
    except StoreUnavailableError:
        answer, outcome = trouble(turn.say("not-found-out")), "away"
    except Exception:
        _failed(turn, step)
        return
    _settle(turn, step, answer, outcome)


def _write(turn: Turn, step: _Step, tool: Tool, given: Given) -> None:
    request = WRITES[tool.verb](turn, tool, given)
    if isinstance(request, Answer):
        entry = as_entry(step.call, request)
        step.entry = turn.service.answers.settle(
            step.claim, entry, lasting=request.lasting, then=turn.queue_decisions
        )
        _count(step, "refused" if request.is_error else "done")
        return
    speaks = tool.speaks and step.is_alone
    step.entry = submit(Submission(turn, step.call, step.claim, given, step.nth, request, speaks))
    _count(step, "accepted")


def _span(tool: Tool) -> AbstractContextManager[None]:
    return span(f"tool call {tool.name}", {"tool": tool.name})


def _settle(turn: Turn, step: _Step, answer: Answer, outcome: str) -> None:
    """A lookup's answer, or a refusal, is given also when it can't be stored."""
    _count(step, outcome)
    # How Vapi says the messages of several calls is not documented.
    step.entry = as_entry(step.call, replace(answer, spoken=answer.spoken and step.is_alone))
    try:
        step.entry = turn.service.answers.settle(
            step.claim, step.entry, lasting=answer.lasting, then=turn.queue_decisions
        )
    except StoreUnavailableError:
        return


def _not_found_out(turn: Turn, step: _Step, error: SalesforceError) -> Answer:
    is_spent = error.failure is FailureClass.DAILY_LIMIT or error.code == "DAILY_ALLOWANCE"
    log.warning(
        "lookup_failed",
        tool=step.call.name,
        code=error.code,
        failure=error.failure,
        reason="today's API requests are spent" if is_spent else "",
    )
    if error.code == TOO_MANY_LOOKUPS:
        return refusal(turn.say("too-many-lookups"))
    return trouble(turn.say("not-found-out"))


def _store_away(turn: Turn, step: _Step) -> None:
    if not step.entry and not step.why_not:
        _count(step, "away")
        step.entry = as_entry(step.call, _away(turn.say, step.tool))


def _failed(turn: Turn, step: _Step) -> None:
    """A defect of ours. Vapi gets an answer all the same, or the model makes one up."""
    if not step.entry and not step.why_not:
        log.exception("tool_call_failed", tool=step.call.name, tool_call_id=step.call.id)
        _count(step, "failed")
        step.entry = as_entry(step.call, _away(turn.say, step.tool))


def _away(say: Callable[[str], str], tool: Tool | None) -> Answer:
    return trouble(say("not-found-out" if tool and tool.is_lookup else "not-saved"))


def _count(step: _Step, outcome: str) -> None:
    """A name that is no tool's could be anything."""
    tool = step.tool.name if step.tool else "unknown"
    TOOL_CALLS.labels(tool=tool, outcome=outcome).inc()
