"""Vapi's list of calls, as a test fills it: the simulated one, in a process of its own."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT, answers
from tests.calling import KNOWN

KEY = "demo-vapi-key"
SAID = [
    {"role": "bot", "message": "How can I help?", "time": 1},
    {"role": "user", "message": "I was billed twice.", "time": 2},
]


@dataclass(frozen=True)
class Listing:
    url: str

    def put(self, call_id: str, ended_min_ago: float = 20, **own: Any) -> dict[str, Any]:
        """A call of two minutes. Returns its record."""
        record = record_of(call_id, ended_min_ago, **own)
        url = f"{self.url}/_vapi/calls/{call_id}"
        requests.put(url, json=record, timeout=10).raise_for_status()
        return record

    def fault(self, **faults: Any) -> None:
        """Replaces those in force."""
        requests.put(f"{self.url}/_vapi/calls", json=faults, timeout=10).raise_for_status()

    def empty(self) -> None:
        requests.delete(f"{self.url}/_vapi/calls", timeout=10).raise_for_status()


def record_of(call_id: str, ended_min_ago: float = 20, **own: Any) -> dict[str, Any]:
    ended = time.time() - ended_min_ago * 60
    said = own.pop("said", SAID)
    number = own.pop("number", KNOWN)
    return {
        "id": call_id, "type": "inboundPhoneCall", "status": "ended",
        "endedReason": "customer-ended-call", "phoneCallProvider": "twilio",
        "createdAt": iso(ended - 120), "startedAt": iso(ended - 118), "endedAt": iso(ended),
        "updatedAt": iso(ended + 5),
        "analysis": {"summary": "Billed twice for October."},
        "artifact": {"messages": said, "transcript": "AI: How can I help?\nUser: Billed twice."}
        if said else {},
        **({"customer": {"number": number}} if number else {}),
        **own,
    }  # fmt: skip


def asked(id_: str, tool: str, arguments: str = "{}", result: str | None = None) -> list[Any]:
    """A tool call in the history of a call, and its result, None for none."""
    call = {"id": id_, "type": "function", "function": {"name": tool, "arguments": arguments}}
    rows: list[Any] = [{"role": "tool_calls", "toolCalls": [call], "time": 3}]
    if result is not None:
        rows.append({"role": "tool_call_result", "toolCallId": id_, "name": tool, "result": result})
    return rows


def iso(at_s: float) -> str:
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")
    return at.replace("+00:00", "Z")


@contextmanager
def listing_in(folder: Path) -> Iterator[Listing]:
    """Run the simulated Vapi."""
    port = free_port()
    command = [sys.executable, "-m", "simulator", "vapi", "serve", "--port", str(port)]
    process = Process("vapi", command, os.environ, ROOT, folder / "vapi.log")
    process.start()
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/_vapi/control"), for_s=20, what="vapi")
    try:
        yield Listing(url)
    finally:
        process.stop()
