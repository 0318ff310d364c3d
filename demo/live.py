"""A live call: it sends Vapi's events, asks with tool calls, and records what its caller sees."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from demo.client import Client, UnansweredError
from demo.history.recording import Recording
from demo.history.steps import REPORT
from simulator.vapi.wire import Call

AGAIN_S = 0.3
"""Between two deliveries of a request."""


@dataclass
class Events:
    """Of all calls. took_ms: of each event that was acknowledged."""

    took_ms: list[float] = field(default_factory=list)
    unanswered: int = 0


class LiveCall:
    """number: the caller's. deliveries: how often a tool call or a report is delivered at most,
    until it is answered. Events are delivered once, as Vapi does without a back-off plan."""

    def __init__(
        self,
        client: Client,
        recording: Recording,
        events: Events,
        number: str,
        deliveries: int = 1,
    ) -> None:
        self._client = client
        self._recording = recording
        self._events = events
        self._number = number
        self._deliveries = deliveries
        self._asked = 0
        self.vapi = Call(str(uuid.uuid4()), number, int(time.time() * 1000))

    async def event(self, message: dict[str, Any]) -> None:
        began = time.perf_counter()
        try:
            status, _ = await self._client.post(message)
        except UnansweredError:
            status = 0
        if status == 200:
            self._events.took_ms.append((time.perf_counter() - began) * 1000)
        else:
            self._events.unanswered += 1

    async def ask(self, tool: str, sort: str, arguments: dict[str, Any]) -> str:
        """Call a tool, and deliver it again until it is answered. Returns the answer; "" if there
        was none."""
        self._asked += 1
        request = f"{self.vapi.id}/{self._asked}"
        message = self.vapi.tool_calls((request, tool, arguments))
        self.vapi.note_tool_call(request, tool, arguments)
        for nth in range(self._deliveries):
            await asyncio.sleep(AGAIN_S if nth else 0)
            self._recording.asked(
                request, self.vapi.id, self._number, tool, sort, arguments=arguments
            )
            try:
                status, body = await self._client.post(message)
                result = body["results"][0] if status == 200 else {}
            except (UnansweredError, KeyError, IndexError, TypeError):
                continue
            text = str(result.get("result") or result.get("error") or "")
            if text:
                self._recording.answered(request, sort, text, is_error="error" in result)
            if "result" in result:
                self.vapi.note_result(request, tool, text)
                return text
        return ""

    async def end(self, summary: str, **artifact: Any) -> None:
        """Send the call's report. artifact: more fields of its artifact, besides what was said."""
        request = f"{self.vapi.id}/report"
        message = self.vapi.report("customer-ended-call", summary)
        message["message"]["artifact"] |= artifact
        for nth in range(self._deliveries):
            await asyncio.sleep(AGAIN_S if nth else 0)
            self._recording.asked(request, self.vapi.id, self._number, "", REPORT)
            try:
                status, _ = await self._client.post(message)
            except UnansweredError:
                continue
            if status == 200:
                self._recording.answered(request, REPORT, "")
                return
