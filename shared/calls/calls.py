"""What is known of a call while it lasts: caller, control URL, transcripts.

All of it in Redis: any web process may get the next webhook. Keys: `vs:call:{id}` (hash, see
`scripts/remember.lua`) and `vs:call:{id}:transcript` (hash: digest → JSON).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from shared.settings import REDIS_PREFIX
from shared.store import translated
from shared.vapi.messages import Message, Utterance

_SCRIPTS = Path(__file__).parent / "scripts"

LIFE_S = 24 * 3600
"""How long a call's state is kept after its last event; a call lasts 12 hours at most."""


@dataclass(frozen=True)
class CallState:
    """number is E.164 or "". since_ms: the call's first event, by the store's clock.

    is_first: the event at hand was the first to tell the number.
    """

    call_id: str
    number: str = ""
    direction: str = ""
    control_url: str = ""
    since_ms: int = 0
    is_first: bool = False


class Calls:
    """Every method raises StoreUnavailableError, and does nothing for a message without call id."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._remember = self._store.register_script((_SCRIPTS / "remember.lua").read_text())

    def remember(self, message: Message, number: str) -> CallState:
        """Note what this message tells of its call, and give back all that is known.

        Later messages may lack what an earlier one had, so only what is there is written.
        """
        call_id = message.call_id
        if not call_id:
            with translated():
                seconds, microseconds = self._store.time()
            return CallState("", number, since_ms=int(seconds) * 1000 + int(microseconds) // 1000)
        seen = {
            "id": call_id,
            "number": number,
            "control_url": message.control_url,
            "direction": message.direction if message.call.get("type") else "",
            "ended": "1" if message.ends_call else "",
        }
        told = [text for name, value in seen.items() if value for text in (name, value)]
        with translated():
            is_first, flat = self._remember(args=[f"{self._prefix}call:{call_id}", LIFE_S, *told])
        kept = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
        return CallState(
            call_id=call_id,
            number=kept.get("number", ""),
            direction=kept.get("direction", ""),
            control_url=kept.get("control_url", ""),
            since_ms=int(kept["since"]),
            is_first=bool(is_first),
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
