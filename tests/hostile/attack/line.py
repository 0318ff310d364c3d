"""A call, or a chat, as an attacker uses it: each method sends one message."""

import json
from typing import TYPE_CHECKING, Any

from tests.hostile.attack.persons import Person
from tests.hostile.attack.rights import Standing
from tests.hostile.attack.wire import Sent, Shape, envelope, results_in, sign, tool_calls

if TYPE_CHECKING:
    from tests.hostile.attack.attempt import Attempt


class Line:
    """speaker: who really is on it. number: what it shows. known_as: the customer for whom a server
    may take the speaker; None for nobody."""

    def __init__(
        self,
        attempt: "Attempt",
        speaker: Person,
        *,
        name: str,
        number: str,
        known_as: Person | None,
        call_id: str,
        shape: Shape,
        control_url: str,
    ) -> None:
        self.attempt, self.speaker, self.name = attempt, speaker, name
        self.number, self.known_as = number, known_as
        self.call_id, self.shape, self.control_url = call_id, shape, control_url
        self.phases: set[int] = set()
        self.transcript: list[dict[str, Any]] = []

    def standing(self, owner: Person) -> Standing:
        return Standing.RECOGNISED if owner is self.known_as else Standing.NOBODY

    def message(self, kind: str, **own: Any) -> dict[str, Any]:
        return envelope(self.shape, kind, self.call_id, self.number, self.control_url, own)

    def post(self, what: str, kind: str, **own: Any) -> str:
        """Send a message of this kind. Returns the body of the answer."""
        self.last = sign(self.message(kind, **own), self.attempt.target.secret)
        return self.attempt.send(self, what, kind, self.last)

    last: Sent
    """The last request."""

    def start(self) -> str:
        return self.post("starts", "status-update", status="in-progress")

    def greet(self) -> str:
        return self.post("assistant-request", "assistant-request")

    def transfer(self) -> str:
        return self.post("asks for a transfer", "transfer-destination-request")

    def ask(self, tool: str, arguments: Any = None, id: str = "") -> str:  # noqa: A002
        """One tool call. Returns what the agent gets to say."""
        given = {} if arguments is None else arguments
        shown = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        call = (id or self.attempt.new_id("call"), tool, given)
        body = self.post(f"{tool} {shown}", "tool-calls", **tool_calls(call))
        return "\n".join(results_in(body))

    def ask_as_before(self, tool: str, arguments: Any) -> str:
        """The same in Vapi's older message, which has no id."""
        call = {"name": tool, "parameters": arguments}
        shown = json.dumps(arguments, ensure_ascii=False)
        body = self.post(f"function-call {tool} {shown}", "function-call", functionCall=call)
        return "\n".join(results_in(body))

    def ask_all(self, *asks: tuple[str, Any]) -> list[str]:
        """All tool calls in one message."""
        calls = [(self.attempt.new_id("call"), tool, arguments) for tool, arguments in asks]
        named = ", ".join(tool for tool, _ in asks)
        return results_in(self.post(f"at once: {named}", "tool-calls", **tool_calls(*calls)))

    def say(self, text: str, role: str = "user") -> str:
        spoken = {"role": "user" if role == "user" else "bot", "message": text}
        self.transcript.append(spoken | {"time": len(self.transcript) * 1000})
        return self.post(
            f"says as {role}: {text}",
            "transcript",
            role=role,
            transcriptType="final",
            transcript=text,
        )

    def end(self, summary: str = "", **own: Any) -> str:
        """The end-of-call report. The summary always has the speaker's word."""
        artifact = own.pop("artifact", {"messages": self.transcript})
        return self.post(
            "ends",
            "end-of-call-report",
            endedReason="customer-ended-call",
            analysis={"summary": f"{summary} {self.speaker.words}".strip()},
            artifact=artifact,
            **own,
        )
