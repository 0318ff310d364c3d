"""Webhook bodies for tests, and posting them signed."""

import hashlib
import hmac
import json
import time
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.calls.transcript_labels import TranscriptLabels
from tests.conftest import OPS_TOKEN, SECRET

KNOWN = "+14155550101"
SHARED = "+14155550102"
UNKNOWN = "+14155559999"
PREMIUM = "+19005550123"
"""Calls to it cost more, and whoever has it earns by them."""
LABELS = TranscriptLabels(
    "Caller", "Agent", "(The transcript is cut here: the call is too long to store.)"
)
OPERATOR = {"Authorization": f"Bearer {OPS_TOKEN}"}


def message(kind: str, call_id: str = "call-1", number: str = KNOWN, **own: Any) -> dict[str, Any]:
    call: dict[str, Any] = {"id": call_id, "type": "inboundPhoneCall"} if call_id else {}
    customer = {"customer": {"number": number}} if number else {}
    return {"message": {"type": kind, "call": call, **customer, **own}}


def tool_message(*calls: tuple[str, str, Any], **options: Any) -> dict[str, Any]:
    """(id, name, arguments) each, as today's Vapi lists them."""
    listed = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    return message("tool-calls", toolCallList=listed, **options)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {"x-timestamp": timestamp, "x-signature": digest.hexdigest()}


def post(client: FlaskClient, body: Any, path: str = "/webhook/vapi") -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, data=raw, headers=signed(raw))


def ask(client: FlaskClient, tool: str, arguments: Any = None, **options: Any) -> dict[str, Any]:
    """One tool call, and what `results` lists for it. id: made of what is asked unless given."""
    id_ = options.pop("id", f"call_{tool}_{hash(json.dumps(arguments)) & 0xFFFFFF:x}")
    answer = post(client, tool_message((id_, tool, arguments or {}), **options))
    assert answer.status_code == 200
    return only_result(answer)


def only_result(answer: TestResponse) -> dict[str, Any]:
    """What `results` lists for the only tool call of a message."""
    (result,) = answer.get_json()["results"]
    listed: dict[str, Any] = result
    return listed


def say(client: FlaskClient, tool: str, arguments: Any = None, **options: Any) -> str:
    """One tool call, and the sentence that the agent gets, whether it went well or not."""
    return sentence(ask(client, tool, arguments, **options))


def sentence(result: dict[str, Any]) -> str:
    return str(result.get("result") or result["error"])


def reference_in(said: str) -> str:
    """The reference that a sentence ends with."""
    return said.rstrip(".")[-7:]
