"""Server messages as Vapi sends them, and the headers that authenticate them.

Shapes: Vapi's OpenAPI description and captured bodies (docs/vendors.md V1, V6). Signing: the HMAC
plan of a credential with Vapi's defaults, a plain secret, or a bearer token.
"""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

COST = 0.0421
"""Of each call, in dollars."""


@dataclass
class Call:
    """A phone call as Vapi knows it. started_ms: epoch ms. messages: its history so far."""

    id: str
    caller: str
    started_ms: int
    control_url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)

    def _snapshot(self) -> dict[str, Any]:
        """The call as it was created; its status never changes."""
        call: dict[str, Any] = {
            "id": self.id,
            "orgId": "8c1d1f4a-6b0a-4a51-9a10-7f8b5e2f0a11",
            "type": "inboundPhoneCall",
            "status": "ringing",
            "createdAt": _iso(self.started_ms),
            "updatedAt": _iso(self.started_ms),
            "phoneCallProvider": "twilio",
            "phoneCallTransport": "pstn",
            "phoneNumberId": "4f9c0d6e-93a3-4c3b-8f0e-2b1d5f6a7c88",
            "assistantId": "1d2f6c0b-7c11-4f0e-a2f5-5f7f0d9b3e21",
            "transport": {"provider": "twilio", "callSid": f"CA{self.id.replace('-', '')}"},
        }
        if self.control_url:
            call["monitor"] = {"controlUrl": self.control_url}
        if self.caller:
            call["customer"] = {"number": self.caller}
        return call

    def envelope(self, kind: str, **own: Any) -> dict[str, Any]:
        """{"message": {...}} with what Vapi adds to most types."""
        message: dict[str, Any] = {
            "timestamp": int(time.time() * 1000),
            "type": kind,
            "call": self._snapshot(),
            "phoneNumber": {
                "provider": "twilio",
                "number": "+14155550100",
                "twilioAccountSid": "AC00000000000000000000000000000000",
                "twilioAuthToken": "never-to-be-logged",
            },
            **own,
        }
        if self.caller:
            message["customer"] = {"number": self.caller}
        return {"message": message}

    def record(self, reason: str = "", summary: str = "") -> dict[str, Any]:
        """The call as Vapi's list of calls has it. reason: "" while it lasts."""
        now_ms = int(time.time() * 1000)
        known = self._snapshot() | {
            "phoneCallProviderId": f"CA{self.id.replace('-', '')}",
            "startedAt": _iso(self.started_ms),
            "updatedAt": _iso(now_ms),
            "messages": self.messages,
        }
        if not reason:
            return known | {"status": "in-progress"}
        return known | {
            "status": "ended",
            "endedAt": _iso(now_ms),
            "endedReason": reason,
            "cost": COST,
            "analysis": self._analysis(summary),
            "artifact": self._artifact(),
        }

    def tool_calls(self, *calls: tuple[str, str, Any]) -> dict[str, Any]:
        """calls: (id, name, arguments). The message lists them three times, as Vapi sends it."""
        listed = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id_, name, arguments in calls
        ]
        paired = [
            {
                "type": "function",
                "function": {"name": name, "parameters": {}},
                "toolCall": tool_call,
            }
            for (_, name, _), tool_call in zip(calls, listed, strict=True)
        ]
        return self.envelope(
            "tool-calls", toolCalls=listed, toolCallList=listed, toolWithToolCallList=paired
        )

    def note_tool_call(self, id_: str, name: str, arguments: Any) -> None:
        """Add the model's decision to the history, where arguments are always text."""
        function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
        self._note("tool_calls", toolCalls=[{"id": id_, "type": "function", "function": function}])

    def note_result(self, id_: str, name: str, result: str) -> None:
        """Add what the model got for a tool call to the history."""
        self._note("tool_call_result", toolCallId=id_, name=name, result=result)

    def _note(self, role: str, **own: Any) -> None:
        now_ms = int(time.time() * 1000)
        since_s = (now_ms - self.started_ms) / 1000
        self.messages.append({"role": role, "time": now_ms, "secondsFromStart": since_s, **own})

    def transcript(self, role: str, text: str) -> dict[str, Any]:
        self._note("user" if role == "user" else "bot", message=text)
        return self.envelope("transcript", role=role, transcriptType="final", transcript=text)

    def partial(self, text: str, role: str = "user") -> dict[str, Any]:
        return self.envelope("transcript", role=role, transcriptType="partial", transcript=text)

    def speech(self, status: str, role: str = "user") -> dict[str, Any]:
        return self.envelope("speech-update", role=role, status=status)

    def interrupted(self) -> dict[str, Any]:
        return self.envelope("user-interrupted")

    def status(self, status: str, **own: Any) -> dict[str, Any]:
        return self.envelope("status-update", status=status, **own)

    def report(self, reason: str, summary: str) -> dict[str, Any]:
        ended_ms = int(time.time() * 1000)
        return self.envelope(
            "end-of-call-report",
            endedReason=reason,
            startedAt=_iso(self.started_ms),
            endedAt=_iso(ended_ms),
            durationMs=ended_ms - self.started_ms,
            durationSeconds=(ended_ms - self.started_ms) / 1000,
            analysis=self._analysis(summary),
            artifact=self._artifact(),
            cost=COST,
        )

    def _analysis(self, summary: str) -> dict[str, Any]:
        return {"summary": summary, "successEvaluation": "true"}

    def _artifact(self) -> dict[str, Any]:
        speakers = {"user": "User", "bot": "AI"}
        transcript = "".join(
            f"{speakers[row['role']]}: {row['message']}\n"
            for row in self.messages
            if row["role"] in speakers
        )
        return {
            "messages": self.messages,
            "transcript": transcript,
            "recordingUrl": f"https://storage.vapi.ai/{self.id}-mono.wav",
        }


def _iso(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


def proof(body: bytes, secret: str, how: str) -> dict[str, str]:
    """The headers that authenticate Vapi. how: "hmac" (Vapi's defaults), "secret" or "bearer"."""
    if how == "secret":
        return {"X-Vapi-Secret": secret}
    if how == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    timestamp = str(int(time.time() * 1000))
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {"x-timestamp": timestamp, "x-signature": signed.hexdigest()}


def as_bytes(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode()
