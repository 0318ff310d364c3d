"""Vapi's server messages, read tolerantly: nothing in a payload is relied on but JSON itself.

Vapi's own models reject most of what Vapi sends (docs/vendors.md V2), so this one takes what
is there and treats everything as optional. Shapes: docs/vendors.md V1, V6, V10.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

ANSWERED = frozenset(
    {
        "tool-calls",
        "function-call",
        "assistant-request",
        "knowledge-base-request",
        "transfer-destination-request",
        "handoff-destination-request",
    }
)
"""The types whose response Vapi reads and this server gives (docs/vendors.md V3)."""

NOTED = frozenset(
    {"status-update", "end-of-call-report", "transcript", "speech-update", "user-interrupted"}
)
"""The types that say something of their call; whatever names a call is a sign of its life."""

IGNORED = frozenset(
    {
        "conversation-update", "hang", "assistant.started", "model-output",
        "voice-input", "voice-request", "call.endpointing.request",
        "campaign.predial", "transfer-update", "language-change-detected", "language-changed",
        "phone-call-control", "assistant.speechStarted", "chat.created", "chat.deleted",
        "session.created", "session.updated", "session.deleted", "call.deleted",
        "call.delete.failed", "call.artifact.upload",
    }
)  # fmt: skip
"""Known types that ask nothing of this server."""

KNOWN = ANSWERED | NOTED | IGNORED

MOST_AHEAD_MS = 5_000
"""A time further ahead of our clock is a mistake, and would outlast all that is said later."""


@dataclass(frozen=True)
class ToolCall:
    """One request of the agent. arguments is None when they could not be read as an object."""

    id: str
    name: str
    arguments: dict[str, Any] | None


@dataclass(frozen=True)
class Message:
    """A server message. `body` is the JSON object under "message"; the rest is read from it."""

    type: str
    body: dict[str, Any]

    @property
    def call(self) -> dict[str, Any]:
        return _object(self.body.get("call"))

    @property
    def call_id(self) -> str:
        """The call's id, or "" when none is named. Vapi's are UUIDs; others are fitted to keys."""
        return safe_id(_text(self.call.get("id")))

    @property
    def caller_number(self) -> str:
        """As Vapi wrote it, "" when unknown: message.customer, else message.call.customer."""
        for holder in (self.body, self.call):
            if number := _text(_object(holder.get("customer")).get("number")):
                return number
        return ""

    @property
    def control_url(self) -> str:
        return _text(_object(self.call.get("monitor")).get("controlUrl"))

    @property
    def direction(self) -> str:
        """ "Outbound" for calls that Vapi placed, else "Inbound"."""
        return "Outbound" if self.call.get("type") == "outboundPhoneCall" else "Inbound"

    @property
    def ends_call(self) -> bool:
        """True for the two messages that say that the call is over; either may come alone."""
        ended = self.type == "status-update" and self.body.get("status") == "ended"
        return ended or self.type == "end-of-call-report"

    @property
    def at_ms(self) -> int | None:
        """The message's own time; None when it carries none that can be read."""
        return _epoch_ms(self.body.get("timestamp"))

    def when_ms(self) -> int:
        """The message's own time, never far in the future; without one, now. Epoch ms."""
        now_ms = int(time.time() * 1000)
        return min(self.at_ms or now_ms, now_ms + MOST_AHEAD_MS)


def read_message(body: Any) -> Message | None:
    """The message in a parsed request body; None when there is none to speak of.

    `transcript[transcriptType="final"]` is a type of its own in Vapi's enum; it is a transcript.
    """
    message = _object(_object(body).get("message"))
    kind = _text(message.get("type"))
    if not kind:
        return None
    name, bracket, _ = kind.partition("[")
    if bracket and "final" in kind:
        message = {"transcriptType": "final"} | message
    return Message(name, message)


# -- tool calls ------------------------------------------------------------------------------------


def tool_calls(message: Message) -> list[ToolCall]:
    """Every tool call of the message once, in order, from whichever of the seven shapes it came.

    The same call stands in several lists of one message: the first mention counts, and a later one
    only fills in the arguments that the first did not carry.
    """
    found: dict[str, ToolCall] = {}
    for mentions in _lists(message.body):
        without_id = 0
        for item in mentions:
            call = _read_call(item)
            key = call.id
            if not key:
                # Told from others by its place alone, which is the same in each list.
                key = f"\0{without_id}"
                without_id += 1
            if key not in found:
                found[key] = call
            elif not found[key].arguments and call.arguments:
                found[key] = ToolCall(call.id, found[key].name or call.name, call.arguments)
    return list(found.values())


def function_call(message: Message) -> ToolCall:
    """The call of a legacy `function-call` message.

    It has no id. One made of the message's own time and content is the same for a redelivery and
    another for the next call; without a time there is no telling them apart, and the id is "".
    """
    call = _read_call(_object(message.body.get("functionCall")))
    if message.body.get("timestamp") is None:
        return call
    content = json.dumps(
        [message.body["timestamp"], call.name, call.arguments], sort_keys=True, default=str
    )
    made = "function-call-" + hashlib.sha256(content.encode()).hexdigest()[:32]
    return ToolCall(made, call.name, call.arguments)


def _lists(body: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    yield [item for item in _objects(body.get("toolCallList")) if item]
    yield [item for item in _objects(body.get("toolCalls")) if item]
    paired = []
    for pair in _objects(body.get("toolWithToolCallList")):
        if call := _object(pair.get("toolCall")):
            name = _text(pair.get("name")) or _text(_object(pair.get("function")).get("name"))
            paired.append({"name": name} | call if name else call)
    yield paired


_ABSENT = object()


def _read_call(item: dict[str, Any]) -> ToolCall:
    function = _object(item.get("function"))
    name = _text(function.get("name")) or _text(item.get("name"))
    for holder in (function, item):
        for key in ("arguments", "parameters"):
            value = holder.get(key, _ABSENT)
            if value is not _ABSENT and value is not None:
                return ToolCall(_text(item.get("id")), name, _arguments(value))
    return ToolCall(_text(item.get("id")), name, {})


def _arguments(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


# -- what is kept of a call ------------------------------------------------------------------------


CALLER, AGENT = "Caller", "Agent"


@dataclass(frozen=True)
class Utterance:
    """One final transcript. speaker: CALLER or AGENT; at_ms orders them, 0 when unknown."""

    speaker: str = ""
    text: str = ""
    at_ms: int = 0


def utterance(message: Message) -> Utterance | None:
    """The words of a final transcript; None for a partial one and for an empty one."""
    text = one_line(_text(message.body.get("transcript")))
    if message.body.get("transcriptType") != "final" or not text:
        return None
    return Utterance(_speaker(message.body.get("role")), text, message.at_ms or 0)


@dataclass(frozen=True)
class EndOfCall:
    """What an end-of-call report tells. Times are ISO 8601 UTC or None."""

    ended_reason: str
    summary: str
    transcript: str
    started_at: str | None
    ended_at: str | None
    duration_s: int | None


def end_of_call(message: Message) -> EndOfCall:
    """Reads the message level first, then `artifact`, `analysis`, `call` (docs/vendors.md V10)."""
    body, call = message.body, message.call
    artifact, analysis = _object(body.get("artifact")), _object(body.get("analysis"))
    started_ms = _epoch_ms(body.get("startedAt") or call.get("startedAt"))
    ended_ms = _epoch_ms(body.get("endedAt") or call.get("endedAt"))
    duration_s = _number(body.get("durationSeconds"))
    if duration_s is None and (duration_ms := _number(body.get("durationMs"))) is not None:
        duration_s = duration_ms / 1000
    if duration_s is None and started_ms is not None and ended_ms is not None:
        duration_s = (ended_ms - started_ms) / 1000
    transcript = _text(body.get("transcript")) or _text(artifact.get("transcript"))
    if not transcript:
        transcript = _spoken(_objects(body.get("messages")) or _objects(artifact.get("messages")))
    return EndOfCall(
        ended_reason=_text(body.get("endedReason")) or _text(call.get("endedReason")),
        summary=_text(body.get("summary")) or _text(analysis.get("summary")),
        transcript=transcript,
        started_at=_iso(started_ms),
        ended_at=_iso(ended_ms),
        duration_s=max(0, round(duration_s)) if duration_s is not None else None,
    )


def _spoken(messages: list[dict[str, Any]]) -> str:
    lines = [
        f"{_speaker(item.get('role'))}: {text}"
        for item in messages
        if item.get("role") in {"user", "bot", "assistant"}
        and (text := one_line(_text(item.get("message")) or _text(item.get("content"))))
    ]
    return "\n".join(lines)


def _speaker(role: Any) -> str:
    return CALLER if role == "user" else AGENT


# -- single values ---------------------------------------------------------------------------------


def safe_id(text: str) -> str:
    """An id without the characters that separate the parts of a Redis key or of a URL."""
    quoted = quote(text, safe="")
    return quoted if len(quoted) <= 200 else hashlib.sha256(text.encode()).hexdigest()


def one_line(text: str) -> str:
    return " ".join(text.split())


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e15 else None


def _epoch_ms(value: Any) -> int | None:
    """Vapi writes times as epoch ms, in older captures as ISO 8601 (docs/vendors.md V1)."""
    number = _number(value)
    if number is not None:
        return int(number)
    try:
        at = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _iso(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return None
