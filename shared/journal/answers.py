"""Answers of tool calls, kept so that a redelivered webhook hears the very same bytes."""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import redis

from shared.journal.journal import ANSWER_TTL_MS
from shared.settings import REDIS_PREFIX
from shared.store import translated

POLL_S = 0.02


class Answers:
    """One slot a tool call: first `working:{token}`, then the answer.

    A redelivery repeats the tool-call id (docs/vendors.md V8: the id is stable over retries of one
    delivery, and a second decision of the model gets a new one). Some models count their ids from
    zero, so an answer is also bound to who asked what: to the conversation, the caller's number,
    the tool and its arguments.
    """

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._settle = store.register_script(_SETTLE)

    def key_of(self, conversation_id: str, tool_call_id: str, *asked: object) -> str:
        """asked: JSON values that tell this request from others: numbers shown, tool, arguments."""
        content = json.dumps([tool_call_id, *asked], sort_keys=True, default=str)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return f"{self._prefix}answer:{conversation_id}:{digest}"

    def message_key(self, identity: bytes) -> str:
        """For the answer to a whole message, under the message's identity."""
        return f"{self._prefix}message:{hashlib.sha256(identity).hexdigest()}"

    def claim(self, key: str, *, work_ms: int) -> "Claim | str":
        """A claim: the caller is to work the answer out. Else the answer that is kept already.

        While another delivery of the same tool call is at work, waits for its answer, work_ms at
        the most; one that died meanwhile is replaced by this one. Raises StoreUnavailableError.
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
                return (
                    claim  # this delivery answers past its own deadline; the first to settle wins
                )
            time.sleep(POLL_S)
            with translated():
                stored = self.queue_claim(self._store, claim, work_ms=work_ms)

    def replace(self, claim: "Claim | None", text: str) -> str:
        """Another answer in the place of the one that is kept, for as long; returns what to say."""
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
    ) -> str:
        """Keep an answer, or let go of the claim when it is not lasting; returns what to say.

        That is another text when another delivery has settled the same tool call meanwhile.
        """
        if claim is None:
            return text
        with translated():
            return str(
                self._settle(
                    keys=[claim.key],
                    args=[claim.token, text, ttl_ms if lasting else 0],
                )
            )


_SETTLE = """
-- Keeps an answer unless another one is kept. KEYS 1 slot; ARGV 1 token, 2 text, 3 ms to keep it,
-- or 0 to let go of the claim. Returns the text to be said.
local kept = redis.call('GET', KEYS[1])
if kept and string.sub(kept, 1, 8) ~= 'working:' then return kept end
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
elseif kept == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return ARGV[2]
"""


@dataclass(frozen=True)
class Claim:
    """The right to answer one tool call."""

    key: str
    token: str
