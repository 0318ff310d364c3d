"""Answers of tool calls, stored so that a redelivered webhook gets the same bytes again."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from shared.journal.journal import ANSWER_TTL_MS
from shared.scripts import load, run_in_pipeline
from shared.settings import REDIS_PREFIX
from shared.store import translated

POLL_S = 0.02


@dataclass(frozen=True)
class Asked:
    """Where a tool call was asked. conversation: the id of its call, or of its chat or session with
    that word before it. tool: "" for a name that is no tool's."""

    conversation: str
    tool: str


class Answers:
    """One key per tool call holds first `working:{token}` (a claim), then the answer: an
    idempotency key with single flight.

    A redelivery repeats the tool-call id (docs/vendors.md V8: retries of one delivery have the same
    id, a second decision of the model gets a new one). Some models count their ids from zero, so
    the key also covers the conversation, the caller's number, the tool and its arguments.
    """

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._settle = load(store, "journal", "settle_answer")

    def key_of(self, conversation_id: str, tool_call_id: str, *asked: object) -> str:
        """asked: JSON values that distinguish this request: numbers shown, tool, arguments."""
        content = json.dumps([tool_call_id, *asked], sort_keys=True, default=str)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return f"{self._prefix}answer:{conversation_id}:{digest}"

    def queue_asked(self, pipe: Any, tool_call_id: str, asked: Asked) -> None:
        """Note where a tool call was asked, as a command of a pipeline; `asked` finds it."""
        text = f"{asked.tool} {asked.conversation}"
        pipe.set(self._asked_key(tool_call_id), text, px=ANSWER_TTL_MS)

    def asked(self, tool_call_id: str) -> Asked | None:
        """The last conversation in which a tool call had this id; None for an unknown id."""
        with translated():
            text = self._store.get(self._asked_key(tool_call_id))
        tool, _, conversation = (text or "").partition(" ")
        return Asked(conversation, tool) if conversation else None

    def _asked_key(self, tool_call_id: str) -> str:
        digest = hashlib.sha256(tool_call_id.encode()).hexdigest()[:32]
        return f"{self._prefix}tool-call:{digest}"

    def message_key(self, conversation_id: str, identity: bytes) -> str:
        """The key of the answer to a whole message. identity: of that message."""
        return f"{self._prefix}message:{conversation_id}:{hashlib.sha256(identity).hexdigest()}"

    def are_stored(self, keys: Sequence[str]) -> list[bool]:
        """For each key, whether it has an answer or somebody is working on one."""
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for key in keys:
                pipe.exists(key)
            return [bool(found) for found in pipe.execute()]

    def claim(self, key: str, *, work_ms: int) -> "Claim | str":
        """A Claim when the caller has to work the answer out; else the stored answer.

        While another delivery of the same tool call works on it, waits for its answer, for at most
        work_ms. Takes over when that delivery dies. Raises StoreUnavailableError.
        """
        claim = self.new_claim(key)
        with translated():
            return self.read_claim(
                self.queue_claim(self._store, claim, work_ms=work_ms), claim, work_ms=work_ms
            )

    def new_claim(self, key: str) -> "Claim":
        return Claim(key, f"working:{secrets.token_hex(8)}")

    def queue_claim(self, pipe: Any, claim: "Claim", *, work_ms: int) -> Any:
        """The claim as one command of a pipeline; `read_claim` reads its reply."""
        return pipe.set(claim.key, claim.token, nx=True, get=True, px=work_ms)

    def read_claim(self, stored: Any, claim: "Claim", *, work_ms: int) -> "Claim | str":
        """As `claim`."""
        give_up = time.monotonic() + work_ms / 1000
        while True:
            if isinstance(stored, Exception):
                with translated():
                    raise stored
            if stored is None:
                return claim
            if not str(stored).startswith("working:"):
                return str(stored)
            if time.monotonic() > give_up:
                return claim  # past this delivery's own deadline; the first to settle wins
            time.sleep(POLL_S)
            with translated():
                stored = self.queue_claim(self._store, claim, work_ms=work_ms)

    def replace(self, claim: "Claim | None", text: str) -> str:
        """Replace the stored answer without changing when it expires. Returns the new answer."""
        if claim:
            with translated():
                self._store.set(claim.key, text, keepttl=True)
        return text

    def settle(
        self,
        claim: "Claim | None",
        text: str,
        *,
        lasting: bool = True,
        ttl_ms: int = ANSWER_TTL_MS,
        then: Callable[[Any], None] = lambda _: None,
    ) -> str:
        """Store an answer, or drop the claim if the answer is not lasting. Returns what to say.

        That is another text when another delivery settled the same tool call first. then: adds
        commands to the pipeline, in the same round trip.
        """
        if claim is None:
            return text
        args = [claim.token, text, str(ttl_ms if lasting else 0)]
        with translated():
            said, *_ = run_in_pipeline(self._store, self._settle, args, then, keys=[claim.key])
        return str(said)


@dataclass(frozen=True)
class Claim:
    """The right to answer one tool call."""

    key: str
    token: str
