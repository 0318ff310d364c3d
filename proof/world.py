"""A small world: who may ask for what, what may fail, and how often."""

import json
from dataclasses import dataclass, replace
from typing import Any

from proof.engine import Call
from proof.state import LONG_MS, NOW_MS, PREFIX, State

HOLD_MS = 1_000
WAKE_UP_MS = 1_000
LEASE_MS = 2_000
DELAY_MS = 1_000
"""Fewer different times make fewer states; the scripts take all of these as arguments."""

CLOCK_STEP_MS = 600_000
MAX_LEASES = 2
MAX_TRIED = 1
CALL = "c1"
NUMBERS_LIMIT = 2
OF_NUMBER = "writes:+1:number:day"
"""What counts the requests of all callers of these worlds."""

DAY_MS = 86_400_000
SPARE_REFERENCES = ("SPA RE1", "SPA RE2")


@dataclass(frozen=True)
class Request:
    """A tool call that asks for a write, and how often it may arrive.

    Each arrival proposes an intent with an id of its own: its name and a number. A request that
    amends keeps the id. needs: the intent without whose record it can't be written. cancels: what
    it takes the place of. also: requests that come with it. gap: it is enabled only once this
    intent exists.
    """

    name: str
    kind: str = "case_create"
    call: str = CALL
    tool: str = "tool"
    tool_call: str = ""
    fingerprint: str = ""
    reference: str = ""
    said: str = ""
    hold_ms: int = HOLD_MS
    after: tuple[str, ...] = ()
    after_call: bool = False
    record: str = ""
    needs: str = ""
    amends: tuple[str, str] | None = None
    cancels: str = ""
    dedup_keys: tuple[str, ...] = ()
    asks: bool = False
    parts: tuple[str, ...] = ()
    also: tuple["Request", ...] = ()
    only_with: str = ""
    times: int = 1

    @property
    def payload(self) -> str:
        return json.dumps({"text": self.name})

    @property
    def answer(self) -> str:
        return f"answer to {self.name}: {self.reference}"

    def id(self, nth: int) -> str:
        return self.amends[0] if self.amends else f"{self.name}{nth}"

    def as_intent(self, nth: int) -> dict[str, Any]:
        """As Journal.accept gives it to the script."""
        return {
            "id": self.id(nth), "kind": self.kind, "schema": 1, "tool": self.tool,
            "reference": self.reference, "fingerprint": self.fingerprint, "payload": self.payload,
            "caller": "+1" if self.reference else "", "hold_ms": self.hold_ms,
            "after": list(self.after), "after_call": self.after_call, "record": self.record,
            "requested_at": 0, "message": self.tool_call, "amends": self.amends or False,
            "said": self.said and f"{self.said} {self.reference}", "org": "org",
            "parts": json.dumps(self.parts) if self.parts else "",
            "dedup_keys": list(self.dedup_keys), "asks": self.asks,
        }  # fmt: skip

    def accept(self, nth: int, *, cancels_open: bool = False, per_call: int = 0) -> Call:
        """The step of the journal that accepts it. cancels_open: what it replaces was open when it
        was read."""
        want: dict[str, Any] = {
            "prefix": PREFIX, "call": self.call, "agent": "agent", "wake_up_ms": WAKE_UP_MS,
            "dedup_ms": DAY_MS, "call_ms": 2 * DAY_MS, "caller_ms": DAY_MS, "caller_limit": 2,
            "spare_references": SPARE_REFERENCES,
            "intents": [request.as_intent(nth) for request in (self, *self.also)],
            "cancels": [],
        }  # fmt: skip
        if self.cancels:
            other = {"id": self.cancels, "as_read": cancels_open, "reason": "REPLACED"}
            want["cancels"] = [other]
        if per_call and self.counts:
            want["counted"] = 1
            want["limits"] = [
                {"name": "call", "key": self.of_call, "most": per_call, "ms": 2 * DAY_MS},
                {"name": "number", "key": OF_NUMBER, "most": NUMBERS_LIMIT, "ms": DAY_MS},
            ]
        if self.tool_call:
            want |= {"answer": self.answer, "answer_ttl_ms": DAY_MS // 2}
            want["answer_key"] = self.answer_key
        return Call("accept", (json.dumps(want),))

    @property
    def counts(self) -> bool:
        """Whether limits count it."""
        return bool(self.tool) and not self.amends

    @property
    def of_call(self) -> str:
        """What counts the requests of its call, without the prefix."""
        return f"call:{self.call}:writes"

    @property
    def answer_key(self) -> str:
        return f"{PREFIX}answer:{self.call}:{self.tool_call}"


@dataclass(frozen=True)
class World:
    """requests: what is asked for. failures: how Salesforce may fail, see deliveries.py.

    faults: how many failures, deaths, lease ends of living workers and clock steps may happen in
    one history. may: steps that happen in this world besides deliveries: see actions.py.
    retractions: intents that the caller may take back. limit: intents of a batch.
    """

    name: str
    requests: tuple[Request, ...]
    failures: tuple[str, ...] = ()
    faults: int = 1
    may: frozenset[str] = frozenset()
    retractions: tuple[str, ...] = ()
    workers: int = 2
    limit: int = 2
    per_call: int = 0

    @property
    def kinds(self) -> tuple[str, ...]:
        with_parts = [item for request in self.requests for item in (request, *request.also)]
        found = {request.kind for request in with_parts}
        if "part refused" in self.failures:
            found.add(PART_KIND)
        if "written, with a link to come" in self.failures:
            found.add(LINK_KIND)
        return tuple(sorted(found))

    def request_of(self, intent_id: str) -> Request:
        """The request that made an intent; a stand-in for those that a delivery made."""
        for request in self.requests:
            for item in (request, *request.also):
                if not item.amends and intent_id.rstrip("0123456789") == item.name:
                    return item
        return Request(intent_id)

    def start(self) -> State:
        """Nothing was asked for yet. The calls last."""
        calls = {request.call for request in self.requests}
        lasts = {f"{PREFIX}call:{call}": ["h", {"id": call}, NOW_MS + LONG_MS] for call in calls}
        return State(lasts, faults=self.faults)

    def with_faults(self, faults: int) -> "World":
        return replace(self, faults=faults)


PART_KIND = "callback"
LINK_KIND = "task_link"
