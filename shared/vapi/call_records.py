"""Reads what Vapi's list of calls says about a call, as tolerantly as its messages.

A record has what an end-of-call report has: times, reason, artifact, analysis (docs/vendors.md
V27). So a record of a call that ended is read as if it were that call's report.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.vapi.messages import Message, ToolCall, read_tool_call
from shared.vapi.values import as_epoch_ms, as_object, as_objects, as_text, first_moment

MAX_TOOL_CALLS = 500
"""More are not looked at. A call lasts 12 hours at most."""

NO_RESULT = ("no result returned", "ok, no result returned", "tool result still pending")
"""How a result begins that no server sent (docs/vendors.md V37)."""


@dataclass(frozen=True)
class MadeToolCall:
    """A tool call in the history of a call. result: what the model got, "" for nothing that a
    server sent. at_ms: when the model decided it, 0 when unknown."""

    call: ToolCall
    at_ms: int = 0
    result: str = ""

    @property
    def asked(self) -> str:
        """The same for two calls that ask the same of the same tool."""
        return json.dumps([self.call.name, self.call.arguments], sort_keys=True)


@dataclass(frozen=True)
class CallRecord:
    """body: the record as Vapi lists it."""

    body: dict[str, Any]

    @cached_property
    def report(self) -> Message:
        """The record as an end-of-call report, with the time of its last change."""
        at_ms = first_moment(self.body.get("endedAt"), self.body.get("updatedAt"))
        body = {"type": "end-of-call-report", "call": self.body}
        return Message("end-of-call-report", body | ({"timestamp": at_ms} if at_ms else {}))

    @property
    def call_id(self) -> str:
        return self.report.call_id

    @property
    def created_ms(self) -> int:
        """0 for a record without a readable time."""
        return as_epoch_ms(self.body.get("createdAt")) or 0

    @property
    def ended_ms(self) -> int | None:
        """None for a call that has not ended, as far as the list says."""
        status = as_text(self.body.get("status"))
        if status != "ended" and (status or not self.body.get("endedAt")):
            return None
        return self.report.at_ms or self.created_ms

    @cached_property
    def assistant_ids(self) -> frozenset[str]:
        """The saved assistants that took part."""
        artifact = as_object(self.body.get("artifact"))
        activations = as_objects(artifact.get("assistantActivations"))
        holders = [self.body, *activations, *self.messages]
        return frozenset(filter(None, (as_text(each.get("assistantId")) for each in holders)))

    @property
    def had_an_assistant(self) -> bool:
        """False for a call that ended before an assistant was chosen."""
        names = ("assistantId", "assistant", "squadId", "squad", "workflowId", "workflow")
        return any(self.body.get(name) for name in names)

    @property
    def has_words(self) -> bool:
        """False when Vapi stores no words of the call, or nobody said any."""
        said = (as_text(row.get("role")) in ("user", "bot", "assistant") for row in self.messages)
        artifact = as_object(self.body.get("artifact"))
        return any(said) or bool(as_text(artifact.get("transcript")))

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The history, as Vapi has it."""
        artifact = as_object(self.body.get("artifact"))
        return as_objects(artifact.get("messages")) or as_objects(self.body.get("messages"))

    def tool_calls(self) -> list[MadeToolCall]:
        """In the order in which the model decided them."""
        results = {
            as_text(row.get("toolCallId")): _result(row.get("result"))
            for row in self.messages
            if as_text(row.get("role")) == "tool_call_result"
        }
        made = list(self._made(results))
        return made[:MAX_TOOL_CALLS]

    def _made(self, results: dict[str, str]) -> Iterator[MadeToolCall]:
        for row in self.messages:
            if as_text(row.get("role")) == "tool_calls":
                for listed in as_objects(row.get("toolCalls")):
                    call = read_tool_call(listed)
                    at_ms = first_moment(row.get("time")) or 0
                    yield MadeToolCall(call, at_ms, results.get(call.id, ""))


def _result(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value) if value is not None else ""
    return "" if text.strip().lower().startswith(NO_RESULT) else text.strip()
