"""Trace ids: one id for what happens because of one request, in every process and log line.

The form is that of W3C Trace Context (https://www.w3.org/TR/trace-context/): 32 lower-case hex
digits, not all zero.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

_TRACE = re.compile(r"(?!0{32})[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    r"-(?P<parent>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)

MAX_TRACEPARENT = 512
"""Characters. A later version of the header may be longer than today's 55."""


@dataclass(frozen=True)
class Parent:
    """What a traceparent header says of the request: its trace, the sender's span, and whether the
    sender records it."""

    trace: str
    span: str
    is_recorded: bool


def new_trace() -> str:
    return secrets.token_hex(16)


def is_trace(text: str) -> bool:
    return _TRACE.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def trace_of_call(call_id: str) -> str:
    """The trace of everything in a call; "" without a call.

    Vapi's call ids are UUIDs: such an id without its hyphens is a trace id already, so it takes no
    memory, and leads back to the call. Of any other id it is a digest.
    """
    if not call_id:
        return ""
    digits = call_id.replace("-", "")
    if _UUID.fullmatch(call_id) and is_trace(digits):
        return digits
    return hashlib.sha256(f"trace {call_id}".encode()).hexdigest()[:32]


def call_of_trace(trace: str) -> str:
    """The call id, a UUID, whose trace this is, if there is such a call."""
    parts = (trace[:8], trace[8:12], trace[12:16], trace[16:20], trace[20:])
    return "-".join(parts)


def read_traceparent(header: str | None) -> Parent | None:
    """None without a well-formed header."""
    found = _TRACEPARENT.fullmatch(header) if header and len(header) <= MAX_TRACEPARENT else None
    if not found or (found["version"] == "00" and found["more"]):
        return None
    return Parent(found["trace"], found["parent"], bool(int(found["flags"], 16) & 1))


def as_traceparent(trace: str, span: str, *, is_recorded: bool) -> str:
    """The header. span: 16 hex digits."""
    return f"00-{trace}-{span}-{'01' if is_recorded else '00'}"
