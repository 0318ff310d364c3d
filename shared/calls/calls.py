"""What is known of a call: caller, control URL, signs of speech, transcripts, what was taken back.

All of it in Redis: any web process may get the next webhook. Keys: `vs:call:{id}` (hash, see
`scripts/hear.lua`) and others below it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import redis

from shared.calls.retraction import takes_back
from shared.calls.speech import sign
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, pairs, translated
from shared.vapi.control import read_url
from shared.vapi.messages import ANSWERED, CALLER, NOTED, Message, Utterance, utterance

_SCRIPTS = Path(__file__).parent / "scripts"

LIFE_S = 24 * 3600
"""How long a call's state is kept after its last event; a call lasts 12 hours at most."""


MAX_UTTERANCE_LENGTH = 4_000
MAX_UTTERANCES = 4_000
MAX_TRANSCRIPT_BYTES = 1024 * 1024
MAX_SUMMARY_LENGTH = 8_000
"""Limits for the words of one call; lengths are in characters. Twelve hours of speech, Vapi's
longest call, are some 700 KB."""

CUT = "(The transcript is cut here: the call is too long to store.)"


@dataclass(frozen=True)
class CallState:
    """number is E.164 or "". since_ms: the call's first event, by the store's clock.

    is_first: the event at hand was the first to tell the number.
    summary: of the report, for a call that was closed.
    retracted_at_ms: in the event at hand the caller took something back, at that time of theirs.
    is_over: an event has said that the call ended.
    """

    call_id: str
    number: str = ""
    direction: str = ""
    control_url: str = ""
    since_ms: int = 0
    is_first: bool = False
    summary: str = ""
    retracted_at_ms: int | None = None
    is_over: bool = False


class Calls:
    """Every method raises StoreUnavailableError, and does nothing for a message without call id."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._hear = self._store.register_script((_SCRIPTS / "hear.lua").read_text())

    def hear(self, message: Message, number: str) -> CallState:
        """Note all that this message tells of its call, and give back what is known of the call.

        One round trip. The same message twice, or messages in another order, come to the same.
        """
        call_id = message.call_id
        if not call_id:
            with translated():
                return CallState("", number, since_ms=now_ms(self._store))
        fields = {
            "id": call_id,
            "number": number,
            "direction": message.direction if message.call.get("type") else "",
            "ended": "1" if message.ends_call else "",
            "over": "1" if message.ends_call else "",
        }
        control = read_url(message.control_url) if message.control_url else None
        said = _shortened(utterance(message)) if message.type == "transcript" else None
        text = json.dumps(asdict(said)) if said else ""
        at_ms = message.when_ms()
        retracts = said is not None and said.speaker == CALLER and takes_back(said.text)
        event = {
            "prefix": self._prefix,
            "id": call_id,
            "life_ms": LIFE_S * 1000,
            "fields": {name: value for name, value in fields.items() if value},
            "control_url": str(control) if control else "",
            "control_origin": control.origin if control else "",
            "speech": sign(message),
            "speech_at": at_ms,
            "utterance": text,
            "is_sign_of_life": message.type in NOTED | ANSWERED,
            "digest": hashlib.sha256(text.encode()).hexdigest()[:32],
            "retraction": retracts,
            "max_utterances": MAX_UTTERANCES,
            "max_transcript_bytes": MAX_TRANSCRIPT_BYTES,
        }
        with translated():
            is_first, flat = self._hear(args=[json.dumps(event)])
        state = _state(call_id, pairs(flat))
        return replace(state, is_first=bool(is_first), retracted_at_ms=at_ms if retracts else None)

    def retracted_between(self, call_id: str, from_ms: int, to_ms: int) -> bool:
        """The caller took something back then, by the events' own times."""
        if not call_id:
            return False
        with translated():
            key = f"{self._prefix}call:{call_id}:retractions"
            return bool(self._store.zcount(key, from_ms, to_ms))

    def quiet(self, for_ms: int, most: int) -> list[str]:
        """Calls that nothing was heard of for so long and that were not closed out yet."""
        with translated():
            before = now_ms(self._store) - for_ms
            ids = self._store.zrange(
                f"{self._prefix}calls", "-inf", before, byscore=True, offset=0, num=most
            )
        return [str(one) for one in ids]

    def state(self, call_id: str) -> CallState:
        """What is known of a call, without an event at hand."""
        with translated():
            kept = self._store.hgetall(f"{self._prefix}call:{call_id}")
        return _state(call_id, kept)

    def closed(self, call_id: str, summary: str) -> None:
        """The call's close-out is in the journal: it is over, and not to be closed again."""
        if call_id:
            closed = {"ended": "1", "closed": "1", "summary": summary[:MAX_SUMMARY_LENGTH]}
            with translated():
                pipe = self._store.pipeline(transaction=False)
                pipe.hset(f"{self._prefix}call:{call_id}", mapping=closed)
                pipe.pexpire(f"{self._prefix}call:{call_id}", LIFE_S * 1000)
                pipe.zrem(f"{self._prefix}calls", call_id)
                pipe.execute()

    def note(self, call_id: str, **marks: str) -> None:
        """Marks of a call that no event of Vapi's tells."""
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.hset(f"{self._prefix}call:{call_id}", mapping=marks)
            pipe.pexpire(f"{self._prefix}call:{call_id}", LIFE_S * 1000)
            pipe.execute()

    def noted(self, call_id: str, *names: str) -> dict[str, str]:
        """Such marks; "" for one that was not made."""
        with translated():
            kept = self._store.hmget(f"{self._prefix}call:{call_id}", *names)
        return {name: value or "" for name, value in zip(names, kept, strict=True)}

    def live_control_urls(self, call_ids: Iterable[str]) -> dict[str, str]:
        """Where calls that still last can be spoken to; without those that never said so."""
        ids = list(dict.fromkeys(one for one in call_ids if one))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hmget(f"{self._prefix}call:{call_id}", "control_url", "ended")
            rows = pipe.execute()
        return {id_: url for id_, (url, ended) in zip(ids, rows, strict=True) if url and not ended}

    def is_over(self, call_id: str) -> bool:
        """An event has said that the call ended; False for an unknown call."""
        if not call_id:
            return False
        with translated():
            return bool(self._store.hexists(f"{self._prefix}call:{call_id}", "over"))

    def count_news(self, outcome: str) -> None:
        """outcome: "told", "failed", or "refused" for a host that is not allowed."""
        with translated():
            self._store.hincrby(f"{self._prefix}news", outcome, 1)

    def news_counts(self) -> dict[str, int]:
        with translated():
            kept = self._store.hgetall(f"{self._prefix}news")
        return {str(name): int(count) for name, count in kept.items()}

    def over(self, call_ids: Iterable[str]) -> set[str]:
        """Those of the calls that are over, or that nothing is known of any more."""
        ids = list(dict.fromkeys(call_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hmget(f"{self._prefix}call:{call_id}", "id", "ended")
            rows = pipe.execute()
        return {one for one, (known, ended) in zip(ids, rows, strict=True) if ended or not known}

    def transcript(self, call_id: str) -> str:
        """The stored utterances, a line each, in the order of their own times. If some could not
        be stored, the last line says so."""
        with translated():
            kept = self._store.hvals(f"{self._prefix}call:{call_id}:transcript")
            is_cut = self._store.hexists(f"{self._prefix}call:{call_id}", "transcript_cut")
        said = sorted((Utterance(**json.loads(text)) for text in kept), key=lambda u: u.at_ms)
        lines = [f"{one.speaker}: {one.text}" for one in said]
        return "\n".join([*lines, CUT] if is_cut else lines)


def _shortened(said: Utterance | None) -> Utterance | None:
    if said is None or len(said.text) <= MAX_UTTERANCE_LENGTH:
        return said
    return replace(said, text=f"{said.text[: MAX_UTTERANCE_LENGTH - 1]}…")


def _state(call_id: str, kept: dict[str, str]) -> CallState:
    return CallState(
        call_id=call_id,
        number=kept.get("number", ""),
        direction=kept.get("direction", ""),
        control_url=kept.get("control_url", ""),
        since_ms=int(kept.get("since", 0)),
        summary=kept.get("summary", ""),
        is_over="over" in kept,
    )
