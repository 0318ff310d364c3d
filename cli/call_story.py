"""One call's whole story on a time line, as commands print it."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from cli.intent_lines import as_object
from cli.times import local
from shared.calls.calls import Calls, CallState
from shared.calls.decisions import Decision, Decisions
from shared.calls.tool_calls import Answered, ToolCalls
from shared.domain.intent import Intent
from shared.domain.kinds import State
from shared.domain.trace import trace_of_call
from shared.journal.journal import Journal


@dataclass(frozen=True)
class Line:
    """at_ms: epoch ms. about: ids and codes. private: what was said, or a number."""

    at_ms: int
    what: str
    about: str = ""
    private: str = ""

    def text(self, *, reveal: bool) -> str:
        """With the time by this machine's clock."""
        private = f"“{self.private}”" if reveal and self.private else ""
        return "  ".join(filter(None, (local(self.at_ms), self.what, self.about, private)))


def story_of(
    call_id: str, calls: Calls, journal: Journal, decisions: Decisions, tool_calls: ToolCalls
) -> list[Line]:
    """Empty when nothing is stored of the call. Raises StoreUnavailableError."""
    state, intents = calls.state(call_id), journal.of_call(call_id)
    if state.is_erased or not (state.since_ms or intents):
        return []
    lines = [
        *_of_state(state),
        *(
            Line(int(said.at_ms) or state.began_ms, f"{said.speaker.lower()} spoke", "", said.text)
            for said in calls.utterances(call_id)
        ),
        *map(_of_tool_call, tool_calls.of_call(call_id)),
        *map(_of_decision, decisions.of_call(call_id)),
        *(line for intent in intents for line in _of_intent(intent)),
    ]
    return sorted(lines, key=attrgetter("at_ms"))


def _of_state(state: CallState) -> Iterator[Line]:
    if state.since_ms:
        trace = f"trace {trace_of_call(state.call_id)}"
        parts = (state.direction, state.language or state.assistant_language, state.agent, trace)
        yield Line(state.began_ms, "call began", " ".join(filter(None, parts)), state.number)


def _of_decision(decision: Decision) -> Line:
    outcome = "allowed" if decision.allowed else "refused"
    about = f"{decision.tool} {decision.about}: {decision.evidence}, {decision.tier}"
    return Line(decision.at_ms, outcome, f"{about}, needs {decision.needs}".strip())


def _of_tool_call(made: Answered) -> Line:
    answer = made.answer or "no answer is stored"
    return Line(made.call.at_ms, "asked", made.call.tool, f"{made.call.arguments} → {answer}")


def _of_intent(intent: Intent) -> Iterator[Line]:
    about = " ".join(filter(None, (str(intent.kind), intent.tool, intent.reference, intent.id)))
    yield Line(intent.accepted_at_ms, "accepted", about, intent.said)
    if not intent.settled_at_ms:
        yield Line(intent.accepted_at_ms, f"still {intent.state}", about)
    elif intent.state is State.DELIVERED:
        receipt = intent.receipt
        record = f"{receipt.record_id} {receipt.number or ''}".strip() if receipt else ""
        yield Line(intent.settled_at_ms, "delivered", f"{intent.kind} {record}")
    else:
        detail = " ".join(str(as_object(intent)["detail"]).split())
        why = " ".join(filter(None, (intent.reason, detail)))
        yield Line(intent.settled_at_ms, str(intent.state), f"{intent.kind} {why}")
