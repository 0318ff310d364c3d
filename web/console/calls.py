"""The pages *Calls* and a single call: its whole story on a time line."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from shared.calls.calls import CallState
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.domain.trace import trace_of_call
from shared.journal.listing import Filter
from shared.vapi.messages import CALLER
from web.console.access import actions, blueprint, sentence_page, service
from web.console.rendering import live_page, page
from web.console.writes import listing, record_url, shown_detail

PAGE = 50
MAX_UNFINISHED = 50


@dataclass(frozen=True)
class Line:
    """An entry of the time line. private: what was said; shown after a reveal only. intent: the
    write that it is about."""

    at_ms: int
    what: str
    text: str = ""
    private: str = ""
    intent: Intent | None = None


@blueprint.get("/calls")
def calls() -> ResponseReturnValue:
    return live_page("calls", _shown_calls, seconds=5)


def _shown_calls() -> dict[str, Any]:
    logs = listing().page(Filter(kind=Kind.CALL_LOG), PAGE, request.args.get("from", "")[:100])
    unfinished = service().calls.unfinished(MAX_UNFINISHED)
    call_ids = [*unfinished, *(log.call_id for log in logs.intents)]
    counts = listing().states_of_calls(call_ids)
    return {"logs": logs, "unfinished": unfinished, "counts": counts}


@blueprint.get("/calls/<call_id>")
def call(call_id: str) -> ResponseReturnValue:
    return _call_page(call_id, is_revealed=False)


@blueprint.post("/calls/<call_id>/reveal")
def reveal_call(call_id: str) -> ResponseReturnValue:
    return _call_page(call_id, is_revealed=True)


def _call_page(call_id: str, *, is_revealed: bool) -> ResponseReturnValue:
    made = service()
    state, intents = made.calls.state(call_id), made.journal.of_call(call_id)
    if not state.since_ms and not intents:
        return sentence_page("There is no such call, or all of it was purged.", 404)
    if is_revealed:
        actions().note("reveal", about=f"call {call_id}"[:200])
    lines = [
        *_of_state(state),
        *_of_utterances(state),
        *_of_tool_calls(call_id),
        *_of_decisions(call_id),
        *(line for intent in intents for line in _of_intent(intent)),
    ]
    return page(
        "call",
        call_id=call_id,
        trace=trace_of_call(call_id),
        state=state,
        lines=sorted(lines, key=attrgetter("at_ms")),
        promised=[intent for intent in intents if intent.said],
        record_url=record_url,
        detail=shown_detail,
        is_revealed=is_revealed,
    )


def _of_state(state: CallState) -> Iterator[Line]:
    if state.since_ms:
        parts = [state.direction, state.language or state.assistant_language, state.agent]
        yield Line(state.began_ms, "The call began", ", ".join(filter(None, parts)), state.number)


def _of_utterances(state: CallState) -> Iterator[Line]:
    """An event that names no time of its own is put at the beginning."""
    for spoken in service().calls.utterances(state.call_id):
        who = "The caller spoke" if spoken.speaker == CALLER else "The agent spoke"
        length = f"{len(spoken.text)} characters"
        yield Line(int(spoken.at_ms) or state.began_ms, who, length, spoken.text)


def _of_decisions(call_id: str) -> Iterator[Line]:
    for decision in service().decisions.of_call(call_id):
        what = "Allowed" if decision.allowed else "Refused"
        evidence = f"evidence: {decision.evidence or 'none'}, tier: {decision.tier}"
        asked = f"{decision.tool or 'the greeting'} ({decision.about})"
        yield Line(decision.at_ms, f"{what}: {asked}", f"{evidence}, needed: {decision.needs}")


def _of_tool_calls(call_id: str) -> Iterator[Line]:
    for made in service().tool_calls.of_call(call_id):
        what = f"Asked: {made.call.tool or 'a tool that does not exist'}"
        answer = made.answer or "no answer is stored"
        yield Line(made.call.at_ms, what, "", f"{made.call.arguments} → {answer}")


def _of_intent(intent: Intent) -> Iterator[Line]:
    asked = f"{intent.tool or 'the service'} asked for {intent.kind}"
    yield Line(intent.accepted_at_ms, f"Accepted: {asked}", intent.reference, intent.said, intent)
    if intent.settled_at_ms:
        text = "" if intent.state is State.DELIVERED else intent.reason
        what = f"{intent.state.capitalize()}: {intent.kind}"
        yield Line(intent.settled_at_ms, what, text, "", intent)
