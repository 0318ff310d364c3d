"""What is known of a call while it lasts: caller, control URL, transcripts, who it turned out.

All of it in Redis: any web process may get the next webhook. Keys: `vs:call:{id}` (hash: number,
direction, control_url, customers, ended) and `vs:call:{id}:transcript` (hash: digest → JSON).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import translated
from shared.vapi.messages import Message, Utterance

LIFE_S = 24 * 3600
"""How long a call's state is kept after its last event; a call lasts 12 hours at most."""


@dataclass(frozen=True)
class CallState:
    """number is E.164 or "". customers: JSON objects, or None when nobody has looked yet."""

    call_id: str
    number: str = ""
    direction: str = ""
    control_url: str = ""
    customers: list[dict[str, Any]] | None = None


class Calls:
    """Every method raises StoreUnavailableError, and does nothing for a message without call id."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix

    def remember(self, message: Message, number: str) -> CallState:
        """Note what this message tells of its call, and give back all that is known.

        Later messages may lack what an earlier one had, so only what is there is written.
        """
        call_id = message.call_id
        if not call_id:
            return CallState("", number)
        seen = {
            "number": number,
            "control_url": message.control_url,
            "direction": message.direction if message.call.get("type") else "",
            "ended": "1" if message.ends_call else "",
        }
        key = f"{self._prefix}call:{call_id}"
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.hset(key, mapping={"id": call_id} | {k: v for k, v in seen.items() if v})
            pipe.expire(key, LIFE_S)
            pipe.hgetall(key)
            kept = pipe.execute()[-1]
        found = json.loads(kept.get("customers") or "{}")
        same = found.get("number") == kept.get("number")  # else it was found for another number
        return CallState(
            call_id=call_id,
            number=kept.get("number", ""),
            direction=kept.get("direction", ""),
            control_url=kept.get("control_url", ""),
            customers=found["customers"] if found and same else None,
        )

    def live_control_url(self, call_id: str) -> str:
        """Where a call that still lasts can be spoken to; "" when it is over or never said so."""
        if not call_id:
            return ""
        with translated():
            control_url, ended = self._store.hmget(
                f"{self._prefix}call:{call_id}", "control_url", "ended"
            )
        return control_url or "" if not ended else ""

    def over(self, call_ids: Iterable[str]) -> set[str]:
        """Those of the calls that are over, or that nothing is known of any more."""
        ids = list(dict.fromkeys(call_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hmget(f"{self._prefix}call:{call_id}", "id", "ended")
            rows = pipe.execute()
        return {one for one, (known, ended) in zip(ids, rows, strict=True) if ended or not known}

    def keep_customers(self, call_id: str, number: str, customers: list[dict[str, Any]]) -> None:
        """Everybody who has the caller's number, as just found in Salesforce."""
        if call_id:
            with translated():
                self._store.hset(
                    f"{self._prefix}call:{call_id}",
                    "customers",
                    json.dumps({"number": number, "customers": customers}),
                )

    def keep_utterance(self, call_id: str, said: Utterance) -> None:
        """Once, however often it arrives: speaker, time and words tell utterances apart."""
        if not call_id:
            return
        text = json.dumps(asdict(said))
        key = f"{self._prefix}call:{call_id}:transcript"
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.hset(key, hashlib.sha256(text.encode()).hexdigest()[:32], text)
            pipe.expire(key, LIFE_S)
            pipe.execute()

    def transcript(self, call_id: str) -> str:
        """The kept utterances, a line each, in the order of their own times."""
        with translated():
            kept = self._store.hvals(f"{self._prefix}call:{call_id}:transcript")
        said = sorted((Utterance(**json.loads(text)) for text in kept), key=lambda u: u.at_ms)
        return "\n".join(f"{one.speaker}: {one.text}" for one in said)
