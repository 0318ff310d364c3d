"""Vapi's server messages, read tolerantly: nothing in a payload is relied on but JSON itself.

Vapi's own models reject most of what Vapi sends (docs/vendors.md V2), so this one takes what
is there and treats everything as optional. Shapes: docs/vendors.md V1, V6, V10.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.vapi.values import as_epoch_ms as _epoch_ms
from shared.vapi.values import as_object as _object
from shared.vapi.values import as_objects as _objects
from shared.vapi.values import as_text as _text
from shared.vapi.values import one_line

ANSWERED = frozenset(
    {
        "tool-calls",
        "function-call",
        "assistant-request",
        "knowledge-base-request",
        "transfer-destination-request",
        "handoff-destination-request",
        "campaign.predial",
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
        "transfer-update", "language-change-detected", "language-changed",
        "phone-call-control", "assistant.speechStarted", "chat.created", "chat.deleted",
        "session.created", "session.updated", "session.deleted", "call.deleted",
        "call.delete.failed", "call.artifact.upload",
    }
)  # fmt: skip
"""Known types that ask nothing of this server."""

KNOWN = ANSWERED | NOTED | IGNORED

MAX_AHEAD_MS = 5_000
"""A time further ahead of our clock is a mistake, and would outlast all that is said later."""


@dataclass(frozen=True)
class ToolCall:
    """One request of the agent. arguments is None when they could not be read as an object."""

    id: str
    name: str
    arguments: dict[str, Any] | None


INBOUND, OUTBOUND, WEB = "Inbound", "Outbound", "Web"
_DIRECTIONS = {"outboundPhoneCall": OUTBOUND, "webCall": WEB, "vapi.websocketCall": WEB}


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
        """The call's id, or "" when none is named. Vapi's are UUIDs; others are fitted to keys.

        Never from `variableValues`: SIP headers of the caller's own stand there.
        """
        places = (self.call.get("id"), self.call.get("callId"), self.body.get("callId"))
        return safe_id(next(filter(None, map(_text, places)), ""))

    @property
    def provider_call_id(self) -> str:
        """The id that the phone provider gave the call (Twilio's CallSid), or ""."""
        places = (entry.get("phoneCallProviderId") for entry in (self.call, self.body))
        return safe_id(next(filter(None, map(_text, places)), ""))

    @property
    def status(self) -> str:
        return _text(self.body.get("status"))

    @property
    def conversation_id(self) -> str:
        """What tells this conversation from others: of the call, the chat or the session; or ""."""
        if self.call_id:
            return self.call_id
        for name in ("chat", "session"):
            if own := _text(_object(self.body.get(name)).get("id")):
                return f"{name}:{safe_id(own)}"
        return ""

    @property
    def control_url(self) -> str:
        return _text(_object(self.call.get("monitor")).get("controlUrl"))

    @property
    def direction(self) -> str:
        """OUTBOUND for calls that Vapi placed, WEB for what is no phone call, else INBOUND."""
        if not self.call and (self.body.get("chat") or self.body.get("session")):
            return WEB
        return _DIRECTIONS.get(_text(self.call.get("type")), INBOUND)

    @property
    def ends_call(self) -> bool:
        """True for the two messages that say that the call is over; either may come alone."""
        ended = self.type == "status-update" and self.status == "ended"
        return ended or self.type == "end-of-call-report"

    @property
    def at_ms(self) -> int | None:
        """The message's own time; None when it carries none that can be read."""
        return _epoch_ms(self.body.get("timestamp"))

    def when_ms(self) -> int:
        """The message's own time, never far in the future; without one, now. Epoch ms."""
        now_ms = int(time.time() * 1000)
        return min(self.at_ms or now_ms, now_ms + MAX_AHEAD_MS)


def read_message(body: Any) -> Message | None:
    """The message in a parsed request body; None when there is none to speak of.

    `transcript[transcriptType="final"]` is a type of its own in Vapi's enum; it is a transcript. A
    message that lost its type or its envelope on the way is told by what it carries.
    """
    outside = _object(body)
    message = _object(outside.get("message")) if "message" in outside else outside
    kind = _text(message.get("type")) or _evident_type(message)
    if not kind:
        return None
    name, bracket, _ = kind.partition("[")
    if bracket and "final" in kind:
        message = {"transcriptType": "final"} | message
    return Message(name, message)


def _evident_type(message: dict[str, Any]) -> str:
    if any(any(mentions) for mentions in _lists(message)):
        return "tool-calls"
    if _object(message.get("functionCall")):
        return "function-call"
    if _text(message.get("endedReason")) and ("artifact" in message or "analysis" in message):
        return "end-of-call-report"
    return ""


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
_MAX_NAMES = 40


def shape(body: Any) -> str:
    """Which keys a body has, three levels deep, for a log: never a value, nor a key that may be
    one."""
    outside = _object(body)
    message = _object(outside.get("message")) or outside
    parts = {
        "": outside,
        "message": message if message is not outside else {},
        "message.call": _object(message.get("call")),
        "message.artifact": _object(message.get("artifact")),
    }
    said = []
    for place, keys in parts.items():
        names = sorted(key if _NAME.fullmatch(key) else "?" for key in keys)[:_MAX_NAMES]
        if names:
            said.append(f"{place}{{{', '.join(names)}}}")
    return " ".join(said) or type(body).__name__


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


CALLER, CALLEE, AGENT = "Caller", "Callee", "Agent"


def caller_label(direction: str) -> str:
    """What the person on the line is: who was called in a call that Vapi placed."""
    return CALLEE if direction == OUTBOUND else CALLER


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


def _speaker(role: Any) -> str:
    return CALLER if role == "user" else AGENT


# -- ids -------------------------------------------------------------------------------------------


def safe_id(text: str) -> str:
    """An id without the characters that separate the parts of a Redis key or of a URL."""
    quoted = quote(text, safe="")
    return quoted if len(quoted) <= 200 else hashlib.sha256(text.encode()).hexdigest()
