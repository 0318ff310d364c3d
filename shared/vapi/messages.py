"""Reads Vapi's server messages tolerantly: nothing is relied on except that the body is JSON.

Vapi's own models reject most of what Vapi sends (docs/vendors.md V2), so every field is optional
here. Shapes: docs/vendors.md V1, V6, V10.
"""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.domain.text import one_line
from shared.redaction import DEFAULT, Kind, clean, redact
from shared.unlocked import cached_property
from shared.vapi.json_text import as_json, is_deeper, read_json
from shared.vapi.values import as_epoch_ms as _epoch_ms
from shared.vapi.values import as_object as _object
from shared.vapi.values import as_objects as _objects
from shared.vapi.values import as_text as _text

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
"""The types whose response Vapi reads and this server sends (docs/vendors.md V3)."""

NOTED = frozenset(
    {"status-update", "end-of-call-report", "transcript", "speech-update", "user-interrupted"}
)
"""The types that report something about their call. Each shows that the call exists."""

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
"""Known types that this server does not use."""

KNOWN = ANSWERED | NOTED | IGNORED

SAID = frozenset(
    {
        "timestamp", "type", "status", "role", "turn", "transcript", "transcriptType", "artifact",
        "conversation", "messages", "messagesOpenAIFormatted",
    }
)  # fmt: skip
"""The fields of a message that say what happened in the call. All others are about the call."""

MAX_AHEAD_MS = 5_000
"""A time further ahead of our clock is wrong, and would order later events before it."""


MAX_DEPTH = 50
"""Of a tool call's arguments. Deeper ones could be read, and not written again: Python's limit
counts the functions that are running as well."""


@dataclass(frozen=True)
class ToolCall:
    """One request of the agent. arguments: None when they can't be read as an object."""

    id: str
    name: str
    arguments: dict[str, Any] | None


_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
"""Not "multi" or "auto", which detect the language."""

INBOUND, OUTBOUND, WEB = "Inbound", "Outbound", "Web"
_DIRECTIONS = {"outboundPhoneCall": OUTBOUND, "webCall": WEB, "vapi.websocketCall": WEB}


@dataclass(frozen=True)
class Message:
    """A server message. `body` is the JSON object under "message"; the rest is read from it,
    once. removes: the kinds of secrets that are not read."""

    type: str
    body: dict[str, Any]
    removes: frozenset[Kind] = DEFAULT

    def without_secrets(self, text: str) -> str:
        return redact(clean(text), self.removes)

    @cached_property
    def call(self) -> dict[str, Any]:
        return _object(self.body.get("call"))

    @cached_property
    def call_id(self) -> str:
        """The call's id, or "" when the message names none. Escaped for use in keys.

        Never read from `variableValues`, which contains SIP headers that the caller controls.
        """
        places = (self.call.get("id"), self.call.get("callId"), self.body.get("callId"))
        return safe_id(next(filter(None, map(_text, places)), ""))

    @cached_property
    def provider_call_id(self) -> str:
        """The id that the phone provider gave the call (Twilio's CallSid), or ""."""
        places = (holder.get("phoneCallProviderId") for holder in (self.call, self.body))
        return safe_id(next(filter(None, map(_text, places)), ""))

    @property
    def status(self) -> str:
        return _text(self.body.get("status"))

    @property
    def conversation_id(self) -> str:
        """The id of the call, or else of the chat or the session; "" without any."""
        if self.call_id:
            return self.call_id
        for name in ("chat", "session"):
            if own := _text(_object(self.body.get(name)).get("id")):
                return f"{name}:{safe_id(own)}"
        return ""

    @property
    def control_url(self) -> str:
        return _text(_object(self.call.get("monitor")).get("controlUrl"))

    @cached_property
    def assistant_language(self) -> str:
        """The tag of the language that the call's assistant is set up for; "" when unknown. What
        our answer to the assistant-request changed comes first."""
        holders = (
            _object(self.call.get("assistantOverrides")),
            _object(self.body.get("assistant")),
            _object(self.call.get("assistant")),
        )
        for holder in holders:
            for part in ("transcriber", "voice"):
                tag = _text(_object(holder.get(part)).get("language"))
                if _LANGUAGE_TAG.fullmatch(tag):
                    return tag
        return ""

    @property
    def assistant_id(self) -> str:
        """The id of the saved assistant that talks, or ""."""
        places = (
            self.body.get("assistantId"),
            _object(self.body.get("assistant")).get("id"),
            self.call.get("assistantId"),
        )
        return next(filter(None, map(_text, places)), "")

    @property
    def own_number(self) -> str:
        """The number of ours that was dialled, or that the call was placed from; "" without one."""
        holders = (self.body.get("phoneNumber"), self.call.get("phoneNumber"))
        return next(filter(None, (_text(_object(each).get("number")) for each in holders)), "")

    @cached_property
    def direction(self) -> str:
        """OUTBOUND for calls that Vapi placed, WEB for other than phone calls, else INBOUND."""
        if not self.call and (self.body.get("chat") or self.body.get("session")):
            return WEB
        return _DIRECTIONS.get(_text(self.call.get("type")), INBOUND)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the model gave a handoff tool; {} when it gave nothing that can be read."""
        return _arguments(self.body.get("parameters")) or {}

    @property
    def ends_call(self) -> bool:
        """True for the two messages that end a call. Either may come without the other."""
        ended = self.type == "status-update" and self.status == "ended"
        return ended or self.type == "end-of-call-report"

    @cached_property
    def at_ms(self) -> int | None:
        """The message's own time, epoch ms; None without a readable one."""
        return _epoch_ms(self.body.get("timestamp"))

    @cached_property
    def facts(self) -> bytes:
        """A digest of all that the message says about its call, without what happened in it: the
        same for most events of a call. Of a message that is nested too deeply to be written again,
        a digest like no other."""
        shown = {name: value for name, value in self.body.items() if name not in SAID}
        try:
            return hashlib.blake2b(as_json(shown), digest_size=16).digest()
        except RecursionError:
            return secrets.token_bytes(16)

    def when_ms(self) -> int:
        """The message's own time, or now without one; never far in the future. Epoch ms."""
        now_ms = int(time.time() * 1000)
        return min(self.at_ms or now_ms, now_ms + MAX_AHEAD_MS)


def read_message(body: Any, removes: frozenset[Kind] = DEFAULT) -> Message | None:
    """The message in a parsed request body; None when the body contains none.

    `transcript[transcriptType="final"]` is a type of its own in Vapi's enum: it is a transcript.
    A message without type or envelope is recognised by its fields.
    """
    envelope = _object(body)
    message = _object(envelope.get("message")) if "message" in envelope else envelope
    kind = _text(message.get("type")) or _evident_type(message)
    if not kind:
        return None
    name, bracket, _ = kind.partition("[")
    if bracket and "final" in kind:
        message = {"transcriptType": "final"} | message
    return Message(name, message, removes)


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
    """The keys of a body, three levels deep, for a log. No value, and no key that may be one."""
    envelope = _object(body)
    message = _object(envelope.get("message")) or envelope
    parts = {
        "": envelope,
        "message": message if message is not envelope else {},
        "message.call": _object(message.get("call")),
        "message.artifact": _object(message.get("artifact")),
    }
    described = []
    for place, keys in parts.items():
        names = sorted(key if _NAME.fullmatch(key) else "?" for key in keys)[:_MAX_NAMES]
        if names:
            described.append(f"{place}{{{', '.join(names)}}}")
    return " ".join(described) or type(body).__name__


# -- tool calls ------------------------------------------------------------------------------------


def tool_calls(message: Message) -> list[ToolCall]:
    """Every tool call of the message once, in order, from any of the seven shapes.

    The same call is in several lists of one message. Its first mention counts; later ones only fill
    in arguments that the first lacks.
    """
    found: dict[str, ToolCall] = {}
    for mentions in _lists(message.body):
        without_id = 0
        for mention in mentions:
            call = read_tool_call(mention)
            key = call.id
            if not key:
                # Only its place identifies it, which is the same in each list.
                key = f"\0{without_id}"
                without_id += 1
            if key not in found:
                found[key] = call
            elif not found[key].arguments and call.arguments:
                found[key] = ToolCall(call.id, found[key].name or call.name, call.arguments)
    return list(found.values())


def function_call(message: Message) -> ToolCall:
    """The call of a legacy `function-call` message.

    The message has no call id. An id made of the message's time and content is the same for a
    redelivery and differs for the next call. Without a time the two look alike, and the id is "".
    """
    call = read_tool_call(_object(message.body.get("functionCall")))
    at = message.body.get("timestamp")
    if at is None or isinstance(at, dict | list):
        return call
    content = json.dumps([at, call.name, call.arguments], sort_keys=True, default=str)
    id_ = "function-call-" + hashlib.sha256(content.encode()).hexdigest()[:32]
    return ToolCall(id_, call.name, call.arguments)


def _lists(body: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    yield [call for call in _objects(body.get("toolCallList")) if call]
    yield [call for call in _objects(body.get("toolCalls")) if call]
    paired = []
    for pair in _objects(body.get("toolWithToolCallList")):
        if call := _object(pair.get("toolCall")):
            name = _text(pair.get("name")) or _text(_object(pair.get("function")).get("name"))
            paired.append({"name": name} | call if name else call)
    yield paired


_ABSENT = object()


def read_tool_call(mention: dict[str, Any]) -> ToolCall:
    """One mention of a tool call, in whatever shape."""
    id_ = _text(mention.get("id"))
    function = _object(mention.get("function"))
    name = _text(function.get("name")) or _text(mention.get("name"))
    for holder in (function, mention):
        for key in ("arguments", "parameters"):
            value = holder.get(key, _ABSENT)
            if value is not _ABSENT and value is not None:
                return ToolCall(id_, name, _arguments(value))
    return ToolCall(id_, name, {})


def _arguments(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        if not value.strip():
            return {}
        try:
            value = read_json(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) and not is_deeper(value, MAX_DEPTH) else None


# -- utterances ------------------------------------------------------------------------------------


CALLER, AGENT = "Caller", "Agent"


@dataclass(frozen=True)
class Utterance:
    """One final transcript. speaker: CALLER or AGENT. at_ms: 0 when unknown."""

    speaker: str = ""
    text: str = ""
    at_ms: int = 0


def utterance(message: Message) -> Utterance | None:
    """The words of a final transcript, without secrets; None for a partial or an empty one."""
    if message.body.get("transcriptType") != "final":
        return None
    text = one_line(message.without_secrets(_text(message.body.get("transcript"))))
    if not text:
        return None
    return Utterance(_speaker(message.body.get("role")), text, message.at_ms or 0)


def _speaker(role: Any) -> str:
    return CALLER if role == "user" else AGENT


# -- ids -------------------------------------------------------------------------------------------


_SAFE_ID = re.compile(r"[A-Za-z0-9_.~-]{0,200}")
"""What `quote` leaves as it is, as a UUID."""


def safe_id(text: str) -> str:
    """An id without the characters that separate the parts of a Redis key or a URL."""
    if _SAFE_ID.fullmatch(text):
        return text
    quoted = quote(text, safe="")
    return quoted if len(quoted) <= 200 else hashlib.sha256(text.encode()).hexdigest()
