"""The state of a call: caller, control URL, signs of speech, transcript, what the words mean.

All of it lies in Redis, because any web process may get the next webhook. Keys: the hash
`vs:call:{id}` and others below it (see `scripts/record_event.lua`).
"""

import hashlib
import json
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

import redis

from shared.batches import Batches
from shared.calls.claims import Claim, claims_in
from shared.calls.claims_said import ClaimsSaid
from shared.calls.recent import Recent
from shared.calls.secrets_said import MAX_REMEMBERED, SecretsSaid
from shared.calls.speech import NO_SIGN, sign
from shared.calls.transcript_labels import TranscriptLabels
from shared.calls.words import Sense, senses_of_agent, senses_of_caller
from shared.domain.attestation import Attestation, Attested
from shared.domain.identity import Proof, Tier
from shared.domain.reading import UnreadableError, read_json
from shared.logs import log
from shared.redaction import redact_json
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import now_ms, pairs, translated
from shared.vapi.attestation import read_attestation
from shared.vapi.caller_id import CallerId
from shared.vapi.control import read_url
from shared.vapi.messages import (
    ANSWERED,
    CALLER,
    NOTED,
    OUTBOUND,
    Message,
    Utterance,
    utterance,
)
from shared.vapi.report import call_updates
from shared.vapi.values import first_moment

LIFE_S = 24 * 3600
"""How long a call's state is stored after its last event; a call lasts at most 12 hours."""

REPORTED_LIFE_S = 3600
"""How long it is stored once the report is in the journal: write requests may arrive even later."""

PRECISION_MS = 5_000
"""Events within this time do not write the call's expiry, or the time of its last event, again."""

SIGNS_OF_LIFE = NOTED | ANSWERED
"""The types that only a call sends that lasts or ends."""

SET_ASIDE_S = 3600
MAX_SET_ASIDE = 1000


KEEPS_WORDS: Mapping[str, bool] = MappingProxyType({"": True})
"""The transcript of every call is stored until its report is in the journal."""

MAX_UTTERANCE_LENGTH = 4_000
MAX_UTTERANCES = 4_000
MAX_TRANSCRIPT_BYTES = 1024 * 1024
MAX_SUMMARY_LENGTH = 8_000
"""Limits for the words of one call; lengths are in characters. Vapi's longest call, twelve hours of
speech, has some 700 KB."""


@dataclass(frozen=True)
class CallState:
    """number: E.164, "" when no carrier set one or the call showed two (`has_two_numbers`).
    since_ms: when the call's first event arrived, by the store's clock. began_ms: the earliest of
    the events' own times, else since_ms. asked_before: how many requests for snapshots were sent
    before that event (`Snapshots.since`).

    is_first: this event is the first with the number.
    summary: of the report, for a call whose end was processed. is_reported: by its report.
    is_over: an event has said that the call ended. is_erased: an operator erased the call, so
    nothing is stored of it any more.
    senses: what the caller's words in this event mean; said_at_ms: when they were said.
    assistant_language: the tag that the assistant is set up for. language: the one in which the
    call's last accepted request was answered. Both "" when unknown.
    agent: the name of the agent folder that answers the call, "" for the first one. agents_before:
    those that answered it earlier, and were claimed.
    proof: what the caller has shown about themselves, None for nothing. transfers: how often the
    call was transferred. secrets_said: the entries of SecretsSaid. attestation: the lowest that an
    event showed for the number, None for none.
    """

    call_id: str
    number: str = ""
    direction: str = ""
    control_url: str = field(default="", repr=False)
    since_ms: int = 0
    began_ms: int = 0
    asked_before: int = 0
    is_first: bool = False
    has_two_numbers: bool = False
    summary: str = ""
    is_reported: bool = False
    is_over: bool = False
    is_erased: bool = False
    senses: frozenset[Sense] = frozenset()
    said_at_ms: int = 0
    assistant_language: str = ""
    language: str = ""
    agent: str = ""
    agents_before: tuple[str, ...] = ()
    proof: Proof | None = None
    transfers: int = 0
    secrets_said: tuple[str, ...] = ()
    attestation: Attestation | None = None

    def attested(self, needed: Attestation) -> Attested:
        """The attestation of the number. needed: by a caller who is to be recognised by it."""
        was_dialled = self.direction == OUTBOUND
        return Attested.of_call(self.attestation, needed, was_dialled=was_dialled)


@dataclass(frozen=True)
class LiveCall:
    """A call that still lasts. language, agent: as in CallState."""

    control_url: str = field(repr=False)
    language: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Said:
    """What an utterance of the call means, and when it was said (epoch ms, the event's time)."""

    at_ms: int
    senses: frozenset[Sense] = field(default_factory=frozenset)


class Calls:
    """Every method raises StoreUnavailableError, and ignores a message without a call id."""

    def __init__(
        self,
        store: redis.Redis,
        prefix: str = REDIS_PREFIX,
        *,
        checks_claims: bool = True,
        correct_after_ms: int = 0,
    ) -> None:
        """checks_claims: what the agent claims to have done is recorded. correct_after_ms: how long
        after such a claim a worker looks whether the agent has to be corrected; 0 for never."""
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._checks_claims = checks_claims
        self._correct_after_ms = correct_after_ms
        self.claims_said = ClaimsSaid(store, prefix)
        self._recent: Recent[CallState] = Recent(PRECISION_MS)
        self._batches = Batches(store)
        self._record_event = load(store, "calls", "record_event")
        self._add_speech = load(store, "calls", "add_speech")
        self._replace_utterances = load(store, "calls", "replace_utterances")
        self._prove = load(store, "calls", "prove")
        self._transferred = load(store, "calls", "transferred")
        self._remember_secret = load(store, "calls", "remember_secret")

    def record_repeat(self, message: Message) -> CallState | None:
        """Record an event that says about its call only what this process recorded a moment ago,
        and about the present at most that the caller speaks: two of three events.

        Returns the call's state; None, and nothing is recorded, for any other event, which
        `record_event` records. No round trip, or a short one for a sign of speech.
        """
        if not message.call_id or _says_more(message):
            return None
        known = self._recent.find(_facts(message), _own_time(message))
        if known is None:
            return None
        spoken = sign(message)
        if spoken != NO_SIGN:
            key = f"{self._prefix}call:{known.call_id}"
            with translated():
                is_added = self._batches.run(
                    self._add_speech, [key, spoken, message.when_ms(), LIFE_S * 1000, PRECISION_MS]
                )
            if not is_added:
                return None
        return known

    def record_event(
        self,
        message: Message,
        caller_id: CallerId,
        agent: str = "",
        keeps_words: Mapping[str, bool] = KEEPS_WORDS,
        *,
        moves: bool = False,
    ) -> CallState:
        """Record what this message says about its call. Returns the call's state.

        agent: the agent folder that the message names, "" for none. moves: a call that another
        folder answers goes over to it. keeps_words: by the name of a folder, whether the words of
        its calls are stored; "" stands for every other name.

        One round trip. Idempotent, and independent of the order in which messages arrive.
        """
        call_id = message.call_id or self._by_provider(message.provider_call_id)
        attestation = read_attestation(message)
        if not call_id:
            with translated():
                at_ms = now_ms(self._store)
                asked_before = _number(self._store.get(f"{self._prefix}snapshots"))
            return CallState(
                "",
                caller_id.number,
                direction=message.direction,
                since_ms=at_ms,
                asked_before=asked_before,
                assistant_language=message.assistant_language,
                agent=agent,
                attestation=attestation,
            )
        at_ms = message.when_ms()
        direction = message.direction if message.call.get("type") else ""
        fields = {
            "id": call_id,
            "direction": direction,
            "ended": "1" if message.ends_call else "",
            "over": "1" if message.ends_call else "",
            "assistant_language": message.assistant_language,
        }
        control = read_url(message.control_url) if message.control_url else None
        words = _words(message)
        text = _stored(words)
        senses: frozenset[Sense] = frozenset()
        claims: tuple[Claim, ...] = ()
        if words and words.speaker == CALLER:
            senses = senses_of_caller(words.text, message.assistant_language)
        elif words:
            senses = senses_of_agent(words.text)
            if self._checks_claims:
                claims = claims_in(words.text, message.assistant_language)
        event = {
            "prefix": self._prefix,
            "id": call_id,
            "life_ms": LIFE_S * 1000,
            "reported_life_ms": REPORTED_LIFE_S * 1000,
            "precision_ms": PRECISION_MS,
            "fields": {name: value for name, value in fields.items() if value},
            "control_url": str(control) if control else "",
            "control_origin": control.origin if control else "",
            "speech": sign(message, senses),
            "speech_at": at_ms,
            "utterance": text,
            "is_sign_of_life": message.type in SIGNS_OF_LIFE,
            "digest": _digest(text) if text else "",
            "senses": "".join(sorted(senses)),
            "claims": [claim.phrase for claim in claims],
            "correct_after_ms": self._correct_after_ms,
            "number": caller_id.number,
            "shown": list(caller_id.shown),
            "attestation": attestation or "",
            "at": first_moment(message.at_ms) or 0,
            "update": json.dumps(call_updates(message)) if message.type == "status-update" else "",
            "update_at": f"{message.status}@{at_ms}",
            "provider_id": message.provider_call_id,
            "agent": agent,
            "moves": moves,
            "keeps_words": dict(keeps_words),
            "max_utterances": MAX_UTTERANCES,
            "max_transcript_bytes": MAX_TRANSCRIPT_BYTES,
        }
        with translated():
            is_first, is_second, flat = self._batches.run(self._record_event, [json.dumps(event)])
        if is_second:
            log.warning("two_caller_numbers", call_id=call_id, message_type=message.type)
        state = _state(call_id, pairs(flat), bool(is_first), senses, said_at_ms=at_ms)
        if message.call_id and not _says_more(message):
            self._recent.note(_facts(message), _own_time(message), replace(state, is_first=False))
        return state

    def said_between(self, call_id: str, from_ms: int, to_ms: int) -> list[Said]:
        """The utterances in that time that bear on a request, in the order of their own times."""
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
        """Calls without an event for that long, whose end was not processed yet."""
        with translated():
            before = now_ms(self._store) - for_ms
            ids = self._store.zrange(
                f"{self._prefix}calls", "-inf", before, byscore=True, offset=0, num=limit
            )
        return [str(call_id) for call_id in ids]

    def _by_provider(self, provider_call_id: str) -> str:
        """The call's id, from its id at the phone provider; the provider's id for a new call."""
        if not provider_call_id:
            return ""
        with translated():
            known = self._store.get(f"{self._prefix}call-of:{provider_call_id}")
        return str(known or provider_call_id)

    def updates(self, call_id: str) -> dict[str, str]:
        """What the call's status updates said about a transfer and its end, the latest of each
        (see `call_updates`)."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call:{call_id}:updates")
        merged: dict[str, str] = {}
        for _, text in sorted(stored.items(), key=lambda update: _at_ms(update[0])):
            merged |= json.loads(text)
        return merged

    def state(self, call_id: str) -> CallState:
        """The state of a call, without an event."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call:{call_id}")
        return _state(call_id, stored)

    def closed(self, call_id: str, summary: str, *, reported: bool) -> None:
        """The end of the call is in the journal. It is not processed again, unless another event
        arrives.

        reported: the end came from the report, so the journal has the transcript and no more of it
        will come. The stored speech is deleted now.
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
                    pipe.expire(f"{key}:tool-calls", REPORTED_LIFE_S)
                    pipe.hdel(key, "transcript_bytes", "transcript_cut")
                pipe.zrem(f"{self._prefix}calls", call_id)
                pipe.zrem(f"{self._prefix}calls:unclosed", call_id)
                pipe.execute()

    def set_aside(self, call_id: str) -> None:
        """The end of the call could not be processed. Tries again in an hour, after other calls."""
        unclosed = f"{self._prefix}calls:unclosed"
        with translated():
            at_ms = now_ms(self._store)
            pipe = self._store.pipeline(transaction=False)
            pipe.zadd(f"{self._prefix}calls", {call_id: at_ms + SET_ASIDE_S * 1000}, xx=True)
            pipe.zadd(unclosed, {call_id: at_ms}, nx=True)
            pipe.zremrangebyrank(unclosed, 0, -MAX_SET_ASIDE - 1)
            pipe.execute()

    def unclosed(self) -> int:
        """How many calls could not be processed at their end."""
        with translated():
            return int(self._store.zcard(f"{self._prefix}calls:unclosed"))

    def lasting(self) -> int:
        """How many calls last, or have an end that is not in the journal yet."""
        with translated():
            soon = now_ms(self._store) + PRECISION_MS  # later ones were set aside
            return int(self._store.zcount(f"{self._prefix}calls", "-inf", soon))

    def prove(self, call_id: str, proof: Proof, transfers: int) -> bool:
        """Remember what the caller has shown, until the call ends or is transferred. Returns
        whether it counts: not after another transfer than those, and not after a lock."""
        key = f"{self._prefix}call:{call_id}"
        with translated():
            proof_text = json.dumps(asdict(proof))
            return bool(self._prove(args=[key, proof_text, transfers, LIFE_S * 1000]))

    def transferred(self, call_id: str) -> None:
        """Whoever speaks from now on has shown nothing. A lock stays."""
        with translated():
            self._transferred(args=[f"{self._prefix}call:{call_id}", LIFE_S * 1000])

    def remember_secret(self, call_id: str, key: bytes, entry: str) -> tuple[str, ...]:
        """Remember what was said, and remove it from the words that are stored already.

        Returns all entries of the call, also those of tool calls that are answered meanwhile.
        """
        of_call = f"{self._prefix}call:{call_id}"
        with translated():
            entries = self._remember_secret(args=[of_call, entry, MAX_REMEMBERED, LIFE_S * 1000])
            stored = self._store.hgetall(f"{of_call}:transcript")
        secrets = SecretsSaid(key, tuple(entries))
        self._clean(call_id, secrets, stored)
        self._clean_updates(call_id, secrets)
        return secrets.entries

    def clean_event(self, message: Message, call_id: str, secrets: SecretsSaid) -> None:
        """Remove what was said from the words of a message that was just recorded."""
        if message.type == "status-update":
            self._clean_updates(call_id, secrets)
        elif text := _stored(_words(message)):
            self._clean(call_id, secrets, {_digest(text): text})

    def _clean_updates(self, call_id: str, secrets: SecretsSaid) -> None:
        key = f"{self._prefix}call:{call_id}:updates"
        with translated():
            stored = self._store.hgetall(key)
        cleaned = {
            name: json.dumps(redact_json(json.loads(text), secrets.remove_from))
            for name, text in stored.items()
        }
        changed = [part for pair in cleaned.items() if stored[pair[0]] != pair[1] for part in pair]
        if changed:
            with translated():
                self._replace_utterances(args=[key, *changed])

    def _clean(self, call_id: str, secrets: SecretsSaid, stored: Mapping[str, str]) -> None:
        """stored: digest → utterance (JSON). Each speaker's utterances are read as one text."""
        said: dict[str, list[tuple[str, Utterance]]] = {}
        for name, text in stored.items():
            try:
                words = read_json(Utterance, text)
            except UnreadableError:
                continue  # `transcript` leaves it out
            said.setdefault(words.speaker, []).append((name, words))
        cleaned = {}
        for utterances in said.values():
            utterances.sort(key=lambda entry: entry[1].at_ms)
            without = secrets.remove_across([words.text for _, words in utterances])
            for (name, words), text in zip(utterances, without, strict=True):
                if text != words.text:
                    cleaned[name] = _stored(replace(words, text=text))
        if cleaned:
            pairs_ = [part for pair in cleaned.items() for part in pair]
            with translated():
                key = f"{self._prefix}call:{call_id}:transcript"
                self._replace_utterances(args=[key, *pairs_])

    def note(self, call_id: str, **marks: str) -> None:
        """Set fields of a call that do not come from an event of Vapi's."""
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.hset(f"{self._prefix}call:{call_id}", mapping=marks)
            pipe.pexpire(f"{self._prefix}call:{call_id}", LIFE_S * 1000)
            pipe.execute()

    def noted(self, call_id: str, *names: str) -> dict[str, str]:
        """Such fields; "" for a field that is not set."""
        with translated():
            stored = self._store.hmget(f"{self._prefix}call:{call_id}", *names)
        return {name: value or "" for name, value in zip(names, stored, strict=True)}

    def queue_language(self, pipe: Any, call_id: str, language: str) -> None:
        """Note the language in which the call is answered, as a command of a pipeline."""
        pipe.hset(f"{self._prefix}call:{call_id}", "language", language)

    def live_calls(self, call_ids: Iterable[str]) -> dict[str, LiveCall]:
        """Calls that still last, by id. Omits calls without a control URL, and calls that showed
        two numbers, whose caller is unknown."""
        ids = list(dict.fromkeys(call_id for call_id in call_ids if call_id))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                key = f"{self._prefix}call:{call_id}"
                pipe.hmget(key, "control_url", "ended", "two_numbers", "language", "agent")
            rows = pipe.execute()
        return {
            id_: LiveCall(url, language or "", agent or "")
            for id_, (url, ended, two_numbers, language, agent) in zip(ids, rows, strict=True)
            if url and not ended and not two_numbers
        }

    def with_two_numbers(self, call_ids: Iterable[str]) -> set[str]:
        """The calls that showed two different numbers for their caller."""
        ids = [call_id for call_id in dict.fromkeys(call_ids) if call_id]
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hexists(f"{self._prefix}call:{call_id}", "two_numbers")
            rows = pipe.execute()
        return {call_id for call_id, has_two in zip(ids, rows, strict=True) if has_two}

    def attestations(self) -> dict[str, int]:
        """How many calls first showed each attestation so far."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}calls:attestations")
        return {str(level): int(count) for level, count in stored.items()}

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
        """outcome: "sent", "failed", or "refused" for a host that is not allowed."""
        with translated():
            self._store.hincrby(f"{self._prefix}call_updates", outcome, 1)

    def call_update_counts(self) -> dict[str, int]:
        with translated():
            stored = self._store.hgetall(f"{self._prefix}call_updates")
        return {str(name): int(count) for name, count in stored.items()}

    def transcript(self, call_id: str, labels: TranscriptLabels) -> str:
        """The stored utterances, one per line, in the order of their own times. If some could not
        be stored, the last line says so."""
        with translated():
            is_cut = self._store.hexists(f"{self._prefix}call:{call_id}", "transcript_cut")
        lines = [
            f"{labels.of(spoken.speaker)}: {spoken.text}" for spoken in self.utterances(call_id)
        ]
        return "\n".join([*lines, labels.cut] if is_cut else lines)

    def utterances(self, call_id: str) -> list[Utterance]:
        """What is stored of the transcript, in the order of the utterances' own times."""
        with translated():
            stored = self._store.hvals(f"{self._prefix}call:{call_id}:transcript")
        utterances = []
        for text in stored:
            try:
                utterances.append(read_json(Utterance, text))
            except UnreadableError:
                log.warning("utterance_unreadable", call_id=call_id)
        return sorted(utterances, key=lambda spoken: spoken.at_ms)

    def unfinished(self, limit: int) -> dict[str, int]:
        """Calls whose end is not in the journal yet, by id, with the time of their last event; the
        newest first."""
        with translated():
            rows = self._store.zrevrange(f"{self._prefix}calls", 0, limit - 1, withscores=True)
        return {call_id: int(at_ms) for call_id, at_ms in rows}


def _says_more(message: Message) -> bool:
    """Whether a message is more than a sign that its call lasts, or that the caller speaks: it
    needs an answer, or has final words or a change of status."""
    if message.type == "transcript":
        return message.body.get("transcriptType") == "final"
    return message.type in ANSWERED or message.type in ("status-update", "end-of-call-report")


def _facts(message: Message) -> Hashable:
    """The same for all events of a call that say the same about it."""
    return message.facts, message.type in SIGNS_OF_LIFE


def _own_time(message: Message) -> float:
    """The time that counts for when the call began; infinity without one."""
    return first_moment(message.at_ms) or math.inf


def _words(message: Message) -> Utterance | None:
    return _shortened(utterance(message)) if message.type == "transcript" else None


def _stored(words: Utterance | None) -> str:
    """An utterance as it is stored; "" for none."""
    return json.dumps(vars(words)) if words else ""


def _digest(text: str) -> str:
    """The name of a stored utterance."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _shortened(words: Utterance | None) -> Utterance | None:
    if words is None or len(words.text) <= MAX_UTTERANCE_LENGTH:
        return words
    return replace(words, text=f"{words.text[: MAX_UTTERANCE_LENGTH - 1]}…")


def _at_ms(name: str) -> float:
    """The time in the stored name of an update, "{status}@{time}"."""
    return float(name.rpartition("@")[2])


def _number(text: str | None) -> int:
    """A number from a hash that anything may have written to; 0 for any other text."""
    return int(text) if text and text.isdecimal() else 0


def _state(
    call_id: str,
    stored: dict[str, str],
    is_first: bool = False,
    senses: frozenset[Sense] = frozenset(),
    said_at_ms: int = 0,
) -> CallState:
    has_two_numbers = "two_numbers" in stored
    return CallState(
        call_id=call_id,
        number="" if has_two_numbers else stored.get("number", ""),
        has_two_numbers=has_two_numbers,
        direction=stored.get("direction", ""),
        control_url=stored.get("control_url", ""),
        since_ms=_number(stored.get("since")),
        began_ms=_number(stored.get("began")) or _number(stored.get("since")),
        asked_before=_number(stored.get("asked_before")),
        summary=stored.get("summary", ""),
        is_reported=stored.get("reported") == "1",
        is_first=is_first,
        is_over="over" in stored,
        is_erased="erased" in stored,
        senses=senses,
        said_at_ms=said_at_ms,
        assistant_language=stored.get("assistant_language", ""),
        language=stored.get("language", ""),
        agent=stored.get("agent", ""),
        agents_before=tuple(filter(None, stored.get("agents_before", "").split("/"))),
        proof=_proof(call_id, stored.get("proof", ""), stored.get("agent", "")),
        transfers=_number(stored.get("transfers")),
        secrets_said=tuple(stored.get("secrets_said", "").split()),
        attestation=_attestation(stored.get("attestation", "")),
    )


_ATTESTATIONS: Mapping[str, Attestation] = {level.value: level for level in Attestation}


def _attestation(stored: str) -> Attestation | None:
    """None as well for a level of another version."""
    return _ATTESTATIONS.get(stored)


def _proof(call_id: str, stored: str, agent: str) -> Proof | None:
    """None where another agent folder took it. Too many wrong answers count in all of them."""
    try:
        proof = read_json(Proof, stored) if stored else None
    except UnreadableError:
        log.warning("proof_unreadable", call_id=call_id)
        return None
    if proof and proof.agent != agent and proof.tier is not Tier.UNKNOWN:
        return None
    return proof
