"""Vapi's messages as they are today, and what becomes of them when any value is another one."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

CALL: dict[str, Any] = {
    "id": "call-1", "orgId": "org-1", "type": "inboundPhoneCall", "status": "ringing",
    "createdAt": "2026-11-22T09:59:58.000Z", "phoneCallProvider": "twilio",
    "phoneCallProviderId": "CA0123456789abcdef0123456789abcdef",
    "customer": {"number": "+14155550101"}, "assistantId": "a-1", "phoneNumberId": "p-1",
    "monitor": {"controlUrl": "https://x.vapi.ai/c/control", "listenUrl": "wss://x.vapi.ai/c"},
    "transport": {"provider": "twilio", "callSid": "CA0123456789abcdef0123456789abcdef"},
    "assistantOverrides": {"variableValues": {"customerName": "Eve"}, "metadata": {"site": "1"}},
}  # fmt: skip
MESSAGES = [
    {"role": "system", "message": "You answer the phone.", "time": 1763800000000},
    {"role": "bot", "message": "How can I help?", "time": 1763800001000, "duration": 900},
    {"role": "user", "message": "I was billed twice.", "time": 1763800004000},
    {"role": "tool_calls", "toolCalls": [
        {"id": "call_1", "type": "function",
         "function": {"name": "lookupCustomer", "arguments": "{}"}}]},
    {"role": "tool_call_result", "toolCallId": "call_1", "result": "Jane"},
]  # fmt: skip
REPORT: dict[str, Any] = {
    "type": "end-of-call-report", "timestamp": 1763805700000, "call": CALL,
    "customer": {"number": "+14155550101", "name": "Jane"}, "assistantVersion": "v3",
    "phoneNumber": {"provider": "twilio", "number": "+14155550100"},
    "endedReason": "assistant-forwarded-call", "cost": 0.1234, "costs": [{"type": "stt"}],
    "startedAt": "2026-11-22T10:00:00.000Z", "endedAt": "2026-11-22T10:02:00.000Z",
    "durationMs": 120000, "durationSeconds": 120, "summary": "", "transcript": "",
    "destination": {"type": "number", "number": "+14155550190"},
    "compliance": {"recordingConsent": {
        "type": "verbal", "grantedAt": "2026-11-22T10:00:05.000Z"}},
    "analysis": {"summary": "Billed twice.", "successEvaluation": "true",
                 "structuredData": {"mood": "calm"}, "structuredDataMulti": [{"a": {"b": 1}}]},
    "artifact": {
        "messages": MESSAGES, "messagesOpenAIFormatted": [{"role": "user", "content": "Hi"}],
        "transcript": "AI: How can I help?\nUser: I was billed twice.",
        "recordingUrl": "https://storage.vapi.ai/call-1-mono.wav",
        "stereoRecordingUrl": "https://storage.vapi.ai/call-1-stereo.wav",
        "recording": {"stereoUrl": "https://storage.vapi.ai/call-1-stereo.wav", "mono": {
            "combinedUrl": "https://storage.vapi.ai/call-1-mono.wav"}},
        "presignedMonoUrl": "https://x.example/1.wav?X-Amz-Signature=abc",
        "structuredOutputs": {
            "so-1": {"name": "Appointment Booked", "result": True},
            "so-2": {"name": "CSAT", "result": 8},
            "so-3": {"name": "Details", "result": {"plan": "gold", "parts": [1, 2]}}},
        "scorecards": {"sc-1": {"name": "Support QA", "score": 70, "scoreNormalized": 70,
                                "metricPoints": {"so-1": 70}}},
        "transfers": [{"destination": {"type": "number", "number": "+14155550190"},
                       "mode": "warm-transfer-say-message", "status": "no-answer"}],
        "assistantActivations": [{"assistantName": "Front desk", "assistantVersion": "v3"},
                                 {"assistantName": "Billing"}],
        "variableValues": {"customerName": "Jane", "call": {"id": "call-9"}},
        "performanceMetrics": {"turnLatencies": [{"turnLatency": 900}]},
    },
}  # fmt: skip
BARE_REPORT: dict[str, Any] = {
    "type": "end-of-call-report", "call": CALL, "endedReason": "customer-ended-call",
    "analysis": {}, "artifact": {
        "messages": MESSAGES,
        "structuredOutputs": {"so-1": {"name": "Call Summary", "result": {"summary": "Billed."}}}},
}  # fmt: skip
"""Transcript and summary have to be found elsewhere."""

OTHERS: list[dict[str, Any]] = [
    {"type": "status-update", "status": "in-progress", "timestamp": 1763800000000, "call": CALL},
    {"type": "status-update", "status": "ended", "endedReason": "customer-ended-call",
     "timestamp": 1763800000000, "call": CALL,
     "inboundPhoneCallDebuggingArtifacts": {"error": "x", "assistantRequestError": "y"}},
    {"type": "status-update", "status": "forwarding", "timestamp": 1763800000000, "call": CALL,
     "destination": {"type": "number", "number": "+14155550190"}, "messages": MESSAGES,
     "summary": "Wants a person.", "transcript": "User: A person, please."},
    {"type": "tool-calls", "timestamp": 1763800000000, "call": CALL,
     "toolCallList": [{"id": "call_1", "type": "function", "function": {
         "name": "getCaseStatus", "arguments": {"caseNumber": "1"}}}],
     "toolCalls": [{"id": "call_1", "function": {"name": "getCaseStatus", "arguments": "{}"}}],
     "toolWithToolCallList": [{"type": "function", "function": {"name": "getCaseStatus"},
                               "toolCall": {"id": "call_1", "parameters": {}}}]},
    {"type": "function-call", "timestamp": 1763800000000, "call": CALL,
     "functionCall": {"name": "getCaseStatus", "parameters": {"caseNumber": "1"}}},
    {"type": "transcript", "transcriptType": "final", "role": "user", "timestamp": 1763800000000,
     "transcript": "Never mind.", "call": CALL},
    {"type": "speech-update", "role": "user", "status": "started", "timestamp": 1763800000000,
     "turn": 1, "call": CALL},
    {"type": "user-interrupted", "turnId": "t-1", "timestamp": 1763800000000, "call": CALL},
    {"type": "assistant-request", "timestamp": 1763800000000, "call": CALL,
     "customer": {"number": "anonymous"}},
    {"type": "transfer-destination-request", "timestamp": 1763800000000, "call": CALL},
    {"type": "handoff-destination-request", "parameters": {"to": "x"}, "call": CALL},
    {"type": "knowledge-base-request", "messages": MESSAGES, "call": CALL},
    {"type": "campaign.predial", "campaignId": "c-1", "contact": {"number": "+1"}},
    {"type": "conversation-update", "messages": MESSAGES, "call": CALL},
    {"type": "tool-calls", "chat": {"id": "chat-1"}, "toolCallList": [
        {"id": "call_2", "name": "lookupCustomer", "arguments": {}}]},
]  # fmt: skip


def nested(value: Any, depth: int, key: str = "") -> Any:
    """In so many lists, or in so many objects under this key."""
    for _ in range(depth):
        value = {key: value} if key else [value]
    return value


ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e300, -1e18, 10**30, "", " ", "x", "\x00", "+1", "9" * 400,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z", "https://[", "https://a:b@c/d",
    [], [[]], [None], [1, "a", {}], ["x"] * 50, {}, {"a": 1}, {"": None}, {"id": {}},
    {"number": []}, {"role": []}, {"name": {"deep": [{}]}}, [{"role": []}], [{"name": 1}],
    float("inf"), float("nan"),
    nested("x", 500), nested("x", 500, "a"), nested("x", 500, "summary"),
]  # fmt: skip
"""Values of every JSON type, and some that look like what belongs there."""


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each value inside another one, and of that one itself."""
    if at:
        yield at
    if isinstance(value, list):
        value = dict(enumerate(value))
    for key, inside in value.items() if isinstance(value, dict) else ():
        yield from paths(inside, (*at, key))


def spoiled(payload: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The payload with another value at one place."""
    copied: Any = copy.deepcopy(payload)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return dict(copied)


def odd_values() -> st.SearchStrategy[Any]:
    made: st.SearchStrategy[Any] = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inside: (
            st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=10), inside, max_size=3)
        ),
        max_leaves=5,
    )
    return st.sampled_from(ODD) | made
