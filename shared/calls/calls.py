"""What is known of a call: caller, control URL, signs of speech, transcripts, what words say.

All of it in Redis: any web process may get the next webhook. Keys: `vs:call:{id}` (hash, see
`scripts/hear.lua`) and others below it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import redis

from shared.calls.speech import sign
from shared.calls.words import Sense, senses_of_agent, senses_of_caller
from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, pairs, translated
from shared.vapi.caller_id import CallerId
from shared.vapi.control import read_url
from shared.vapi.messages import (
    ANSWERED,
    CALLER,
    INBOUND,
    NOTED,
    Message,
    Utterance,
    caller_label,
    utterance,
)
from shared.vapi.report import call_updates
from shared.vapi.values import first_moment

_SCRIPTS = Path(__file__).parent / "scripts"

LIFE_S = 24 * 3600
"""How long a call's state is kept after its last event; a call lasts 12 hours at most."""

REPORTED_LIFE_S = 3600
"""How long it is kept once its report is in the journal: a write may be heard of after that."""

SET_ASIDE_S = 3600
MAX_SET_ASIDE = 1000


MAX_UTTERANCE_LENGTH = 4_000
MAX_UTTERANCES = 4_000
MAX_TRANSCRIPT_BYTES = 1024 * 1024
MAX_SUMMARY_LENGTH = 8_000
"""Limits for the words of one call; lengths are in characters. Twelve hours of speech, Vapi's
longest call, are some 700 KB."""

CUT = "(The transcript is cut here: the call is too long to store.)"


@dataclass(frozen=True)
class CallState:
    """number: E.164, "" when no carrier set one or the call showed two (`has_two_numbers`).
    since_ms: the call's first event, by the store's clock. began_ms: the earliest time that an
    event says of itself, else since_ms.

    is_first: the event at hand was the first to tell the number.
    summary: of the report, for a call that was closed. is_reported: its report was read.
    is_over: an event has said that the call ended.
    senses: what the caller's words in the event at hand say; said_at_ms: when they were said.
    """

    call_id: str
    number: str = ""
    direction: str = ""
    control_url: str = ""
    since_ms: int = 0
    began_ms: int = 0
    is_first: bool = False
    has_two_numbers: bool = False
    summary: str = ""
    is_reported: bool = False
    is_over: bool = False
    senses: frozenset[Sense] = frozenset()
    said_at_ms: int = 0


@dataclass(frozen=True)
class Said:
    """What one utterance of the call says, and when (epoch ms, the event's own time)."""

    at_ms: int
    senses: frozenset[Sense] = field(default_factory=frozenset)


class Calls:
    """Every method raises StoreUnavailableError, and does nothing for a message without call id."""

    def __init__(self, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._record_event = self._store.register_script(
            (_SCRIPTS / "record_event.lua").read_text()
        )

    def record_event(self, message: Message, caller_id: CallerId) -> CallState:
        """Note all that this message tells of its call, and give back what is known of the call.

        One round trip. The same message twice, or messages in another order, come to the same.
        """
        call_id = message.call_id or self._by_provider(message.provider_call_id)
        if not call_id:
            with translated():
                at_ms = now_ms(self._store)
            return CallState("", caller_id.number, direction=message.direction, since_ms=at_ms)
        fields = {
            "id": call_id,
            "direction": message.direction if message.call.get("type") else "",
            "ended": "1" if message.ends_call else "",
            "over": "1" if message.ends_call else "",
        }
        control = read_url(message.control_url) if message.control_url else None
        said = _shortened(utterance(message)) if message.type == "transcript" else None
        text = json.dumps(asdict(said)) if said else ""
        at_ms = message.when_ms()
        senses: frozenset[Sense] = frozenset()
        if said:
            read = senses_of_caller if said.speaker == CALLER else senses_of_agent
            senses = read(said.text)
        event = {
            "prefix": self._prefix,
            "id": call_id,
            "life_ms": LIFE_S * 1000,
            "reported_life_ms": REPORTED_LIFE_S * 1000,
            "fields": {name: value for name, value in fields.items() if value},
            "control_url": str(control) if control else "",
            "control_origin": control.origin if control else "",
            "speech": sign(message, senses),
            "speech_at": at_ms,
            "utterance": text,
            "is_sign_of_life": message.type in NOTED | ANSWERED,
            "digest": hashlib.sha256(text.encode()).hexdigest()[:32],
            "senses": "".join(sorted(senses)),
            "number": caller_id.number,
            "shown": list(caller_id.shown),
            "at": first_moment(message.at_ms) or 0,
            "update": json.dumps(call_updates(message)) if message.type == "status-update" else "",
            "update_at": f"{message.status}@{at_ms}",
            "provider_id": message.provider_call_id,
            "max_utterances": MAX_UTTERANCES,
            "max_transcript_bytes": MAX_TRANSCRIPT_BYTES,
        }
        with translated():
            is_first, is_second, flat = self._record_event(args=[json.dumps(event)])
        if is_second:
            log.warning("two_caller_numbers", call_id=call_id, message_type=message.type)
        state = _state(call_id, pairs(flat))
        return replace(state, is_first=bool(is_first), senses=senses, said_at_ms=at_ms)

    def said_between(self, call_id: str, from_ms: int, to_ms: int) -> list[Said]:
        """What was said then that bears on a request, by the events' own times, in their order."""
        if not call_id:
            return []
        with translated():
            rows = self.queue_said_between(self._store, call_id, from_ms, to_ms)
        return self.read_said(rows)

    def queue_said_between(self, pipe: Any, call_id: str, from_ms: int, to_ms: int) -> Any:
        """`said_between` as one command of a pipeline; `read_said` reads its reply."""
        key = f"{self._prefix}call:{call_id}:senses"
        return pipe.zrange(key, from_ms, to_ms, byscore=True, withscores=True)

    def read_said(self, rows: Any) -> list[Said]:
        if isinstance(rows, Exception):
            with translated():
                raise rows
        return [
            Said(int(at_ms), frozenset(map(Sense, name.partition("@")[0]))) for name, at_ms in rows
        ]

    def quiet(self, for_ms: int, limit: int) -> list[str]:
        """Calls that nothing was heard of for so long and that were not closed out yet."""
        with translated():
            before = now_ms(self._store) - for_ms
            ids = self._store.zrange(
                f"{self._prefix}calls", "-inf", before, byscore=True, offset=0, num=limit
            )
        return [str(item) for item in ids]

    def _by_provider(self, provider_call_id: str) -> str:
        """The call that the phone provider knows by this id; this id itself for a new one."""
        if not provider_call_id:
            return ""
        with translated():
            known = self._store.get(f"{self._prefix}call-of:{provider_call_id}")
        return str(known or provider_call_id)

    def updates(self, call_id: str) -> dict[str, str]:
        """What the call's status updates told of a transfer and of its end, the latest of each
        (see `call_updates`)."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call:{call_id}:updates")
        said: dict[str, str] = {}
        for _, text in sorted(stored.items(), key=lambda item: _at_ms(item[0])):
            said |= json.loads(text)
        return said

    def state(self, call_id: str) -> CallState:
        """What is known of a call, without an event at hand."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call:{call_id}")
        return _state(call_id, stored)

    def closed(self, call_id: str, summary: str, *, reported: bool) -> None:
        """The call's close-out is in the journal: it is over, and not to be closed again unless
        something more is heard of it.

        reported: by its report, so that the journal has the transcript and nothing more of it will
        come; what was kept of its speech goes now.
        """
        if call_id:
            key = f"{self._prefix}call:{call_id}"
            closed = {"closed": "1", "summary": summary[:MAX_SUMMARY_LENGTH]}
            if reported:
                closed |= {"reported": "1", "ended": "1"}
            with translated():
                pipe = self._store.pipeline(transaction=False)
                pipe.hsetnx(key, "ended", "quiet")
                pipe.hset(key, mapping=closed)
                pipe.expire(key, REPORTED_LIFE_S if reported else LIFE_S)
                if reported:
                    pipe.delete(f"{key}:transcript", f"{key}:speech", f"{key}:updates")
                    pipe.hdel(key, "transcript_bytes", "transcript_cut")
                pipe.zrem(f"{self._prefix}calls", call_id)
                pipe.zrem(f"{self._prefix}calls:unclosed", call_id)
                pipe.execute()

    def set_aside(self, call_id: str) -> None:
        """It could not be closed: it is tried again in an hour, and does not hold up the others."""
        unclosed = f"{self._prefix}calls:unclosed"
        with translated():
            at_ms = now_ms(self._store)
            pipe = self._store.pipeline(transaction=False)
            pipe.zadd(f"{self._prefix}calls", {call_id: at_ms + SET_ASIDE_S * 1000}, xx=True)
            pipe.zadd(unclosed, {call_id: at_ms}, nx=True)
            pipe.zremrangebyrank(unclosed, 0, -MAX_SET_ASIDE - 1)
            pipe.execute()

    def unclosed(self) -> int:
        """How many calls could not be closed."""
        with translated():
            return int(self._store.zcard(f"{self._prefix}calls:unclosed"))

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
            stored = self._store.hmget(f"{self._prefix}call:{call_id}", *names)
        return {name: value or "" for name, value in zip(names, stored, strict=True)}

    def live_control_urls(self, call_ids: Iterable[str]) -> dict[str, str]:
        """Where calls that still last can be spoken to; without those that never said so, and those
        whose caller is nobody in particular (two numbers)."""
        ids = list(dict.fromkeys(item for item in call_ids if item))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                key = f"{self._prefix}call:{call_id}"
                pipe.hmget(key, "control_url", "ended", "two_numbers")
            rows = pipe.execute()
        return {
            id_: url
            for id_, (url, ended, two_numbers) in zip(ids, rows, strict=True)
            if url and not ended and not two_numbers
        }

    def with_two_numbers(self, call_ids: Iterable[str]) -> set[str]:
        """Those of the calls that showed two different numbers for their caller."""
        ids = [item for item in dict.fromkeys(call_ids) if item]
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hexists(f"{self._prefix}call:{call_id}", "two_numbers")
            rows = pipe.execute()
        return {item for item, has_two in zip(ids, rows, strict=True) if has_two}

    def count_with_two_numbers(self) -> int:
        """How many calls have shown two numbers so far."""
        with translated():
            return int(self._store.get(f"{self._prefix}calls:two_numbers") or 0)

    def is_over(self, call_id: str) -> bool:
        """An event has said that the call ended; False for an unknown call."""
        if not call_id:
            return False
        with translated():
            return bool(self._store.hexists(f"{self._prefix}call:{call_id}", "over"))

    def count_call_updates(self, outcome: str) -> None:
        """outcome: "told", "failed", or "refused" for a host that is not allowed."""
        with translated():
            self._store.hincrby(f"{self._prefix}call_updates", outcome, 1)

    def call_update_counts(self) -> dict[str, int]:
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call_updates")
        return {str(name): int(count) for name, count in stored.items()}

    def transcript(self, call_id: str, direction: str = INBOUND) -> str:
        """The stored utterances, a line each, in the order of their own times. If some could not
        be stored, the last line says so."""
        labels = {CALLER: caller_label(direction)}
        with translated():
            stored = self._store.hvals(f"{self._prefix}call:{call_id}:transcript")
            is_cut = self._store.hexists(f"{self._prefix}call:{call_id}", "transcript_cut")
        said = []
        for text in stored:
            try:
                said.append(read_json(Utterance, text))
            except UnreadableError:
                log.warning("utterance_unreadable", call_id=call_id)
        said.sort(key=lambda item: item.at_ms)
        lines = [f"{labels.get(item.speaker, item.speaker)}: {item.text}" for item in said]
        return "\n".join([*lines, CUT] if is_cut else lines)


def _shortened(said: Utterance | None) -> Utterance | None:
    if said is None or len(said.text) <= MAX_UTTERANCE_LENGTH:
        return said
    return replace(said, text=f"{said.text[: MAX_UTTERANCE_LENGTH - 1]}…")


def _at_ms(name: str) -> float:
    """Of an update as it is kept, "{status}@{time}"."""
    return float(name.rpartition("@")[2])


def _number(text: str | None) -> int:
    """Of a hash that anything may have written to; 0 for what is no number."""
    return int(text) if text and text.isdecimal() else 0


def _state(call_id: str, stored: dict[str, str]) -> CallState:
    has_two_numbers = "two_numbers" in stored
    return CallState(
        call_id=call_id,
        number="" if has_two_numbers else stored.get("number", ""),
        has_two_numbers=has_two_numbers,
        direction=stored.get("direction", ""),
        control_url=stored.get("control_url", ""),
        since_ms=_number(stored.get("since")),
        began_ms=_number(stored.get("began")) or _number(stored.get("since")),
        summary=stored.get("summary", ""),
        is_reported=stored.get("reported") == "1",
        is_over="over" in stored,
    )
