"""Messages as Vapi sends them, and their signature: the HTTP contract, seen from outside."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

TIMEOUT_S = 30.0

OUR_LINE = {"provider": "twilio", "number": "+14155550100"}


@dataclass(frozen=True)
class Reply:
    status: int
    text: str


@dataclass(frozen=True)
class Sent:
    """A request as it was sent, so that it can be sent again."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Shape:
    """How the envelope of a call looks.

    type: call.type; None leaves it out. line: our telephone line; None for none. customer: instead
    of {"number": ...}. in_call, in_message: where the customer is shown. call, message: further
    parts, which replace those of the same name; a value of None removes the part.
    """

    type: str | None = "inboundPhoneCall"
    line: Mapping[str, Any] | None = field(default_factory=lambda: OUR_LINE)
    customer: Mapping[str, Any] | None = None
    in_call: bool = True
    in_message: bool = True
    call: Mapping[str, Any] = field(default_factory=dict)
    message: Mapping[str, Any] = field(default_factory=dict)


PHONE_CALL = Shape()


def envelope(
    shape: Shape, kind: str, call_id: str, number: str, control_url: str, own: Mapping[str, Any]
) -> dict[str, Any]:
    """{"message": ...} of this kind. call_id and number: "" for none."""
    customer = dict(shape.customer) if shape.customer is not None else {"number": number}
    shows = shape.customer is not None or bool(number)
    call: dict[str, Any] = {"id": call_id, "orgId": "8c1d1f4a-6b0a-4a51-9a10-7f8b5e2f0a11"}
    if shape.type:
        call["type"] = shape.type
    if shape.line and "provider" in shape.line:
        call["phoneCallProvider"] = shape.line["provider"]
    if control_url:
        call["monitor"] = {"controlUrl": control_url}
    if shows and shape.in_call:
        call["customer"] = customer
    message: dict[str, Any] = {"type": kind, "timestamp": int(time.time() * 1000)}
    message["call"] = _without_none(call | dict(shape.call))
    if shape.line:
        message["phoneNumber"] = dict(shape.line)
    if shows and shape.in_message:
        message["customer"] = customer
    return {"message": _without_none(message | dict(own) | dict(shape.message))}


def _without_none(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None}


def tool_calls(*calls: tuple[str, str, Any]) -> dict[str, Any]:
    """What a tool-calls message has of its own. calls: (id, name, arguments) each."""
    listed = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    return {"toolCallList": listed, "toolCalls": listed}


def sign(message: Mapping[str, Any], secret: str, at_ms: int | None = None) -> Sent:
    """The request with Vapi's own HMAC: sha256 over "timestamp.body", in hex."""
    body = json.dumps(message, ensure_ascii=False).encode(errors="surrogatepass")
    timestamp = str(int(time.time() * 1000) if at_ms is None else at_ms)
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return Sent(
        body,
        {
            "Content-Type": "application/json",
            "x-timestamp": timestamp,
            "x-signature": digest.hexdigest(),
        },
    )


_sessions = threading.local()


def post(url: str, sent: Sent) -> Reply:
    """Each thread has its own connection."""
    session: requests.Session | None = getattr(_sessions, "session", None)
    if session is None:
        session = _sessions.session = requests.Session()
    answer = session.post(url, data=sent.body, headers=dict(sent.headers), timeout=TIMEOUT_S)
    return Reply(answer.status_code, answer.text)


def texts_in(body: str) -> str:
    """All strings of a JSON text, a line each; the text itself if it is not JSON."""
    return "\n".join(strings_in(body))


def strings_in(body: str) -> list[str]:
    try:
        return _strings(json.loads(body))
    except ValueError:
        return [body] if body else []


def _strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for part in value.values() for text in _strings(part)]
        case list():
            return [text for part in value for text in _strings(part)]
        case bool() | None:
            return []
        case _:
            return [str(value)]


def results_in(body: str) -> list[str]:
    """What each tool call of an answer got: its result or its error."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return []
    entries = parsed.get("results") if isinstance(parsed, dict) else None
    if entries is None and isinstance(parsed, dict) and "result" in parsed:
        entries = [parsed]  # the answer to a function-call
    return [
        str(entry.get("result") or entry.get("error") or "")
        for entry in entries or []
        if isinstance(entry, dict)
    ]
