"""The journal: the durable record of every intent, and the only place its state changes.

Each transition is one Lua script in `scripts/`; `SCHEMA.md` says what lies where. Every method
raises StoreUnavailableError when Redis does not answer; a transition may then have happened.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import redis

from shared.domain.drafts import FromCaller, shortened
from shared.domain.intent import (
    Cancelled,
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    Parked,
    PartRefused,
    Receipt,
    TryAgain,
)
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError, read_json, read_record
from shared.domain.reference import new_reference
from shared.journal.results import (
    Acceptance,
    Accepted,
    AnsweredBefore,
    Existing,
    Lease,
    Limits,
    Repeated,
    Settled,
    StoredAnswer,
    Summary,
    TooLate,
    TooMany,
    Wait,
)
from shared.journal.rows import read_row
from shared.settings import REDIS_PREFIX
from shared.store import (
    MemoryGauge,
    StoreFullError,
    allowed_when_full,
    now_ms,
    pairs,
    script,
    translated,
)

LEASE_MS = 20_000
"""How long a silent worker keeps its intents; one at work extends its lease (Journal.extend)."""

MAX_LEASES = 2
"""Batches of one kind at work at a time, in the whole fleet. With eight kinds that leaves a worker
of 18 threads two for retention and quiet calls when Salesforce hangs."""

MAX_TRIED = 10
"""The size of a batch that finds out whether a kind works again."""

WAKE_UP_MS = 5_000
"""After so long a doorbell that woke nobody counts as lost, and the sweep rings again."""

ANSWER_TTL_MS = (12 * 60 + 10) * 60 * 1000
"""The life of a call (Vapi's maxDurationSeconds is at most 12 h) and 10 minutes."""

SPARE_REFERENCES = 5
"""With a million references given, one in a thousand new ones is taken."""

SWEEP_LIMIT = 500
PURGE_LIMIT = 500

CALLER_TTL_MS = 24 * 3600 * 1000
CALLER_LIMIT = 50
"""A caller's last intents are known by their number so long, and so many of them."""

CALL_TTL_MS = 48 * 3600 * 1000
"""How long a call's list of intents is kept after its last one: twice as long as its state."""

MISSING_FIELDS_MS = 10 * 60 * 1000
"""How long a kind goes without a field the org lacks; then it is tried once more."""

_SCRIPTS = Path(__file__).parent / "scripts"
_COMMON = (_SCRIPTS / "_common.lua").read_text()


class Journal:
    """All of it goes through one Redis client; safe to share between threads."""

    def __init__(
        self,
        store: redis.Redis,
        prefix: str = REDIS_PREFIX,
        *,
        dedup_ms: int = 24 * 3600 * 1000,
        org: str = "",
    ) -> None:
        """subject_ms: how long an intent is remembered by what it is about, across calls.

        org: the org that what is accepted or replayed is for; "" when nobody told.
        """
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._dedup_ms = dedup_ms
        self.org = org
        self._memory = MemoryGauge(store)
        self._accept = self._script("accept", when_full=False)
        self._lease = self._script("lease")
        self._extend = self._script("extend")
        self._settle = self._script("settle")
        self._cancel = self._script("cancel")
        self._sweep = self._script("sweep")
        self._replay = self._script("replay")
        self._purge = self._script("purge")
        self._release_holds = self._script("release_holds")
        self._summary = self._script("summary")
        self._listed = self._script("listed")

    def _script(self, name: str, *, when_full: bool = True) -> Any:
        """when_full: it frees memory, so it runs although the store's memory is spent."""
        text = (_SCRIPTS / f"{name}.lua").read_text()
        return self._store.register_script(script(_COMMON + text, when_full=when_full))

    # -- accepting -------------------------------------------------------------------------------

    def accept(
        self,
        call_id: str,
        intents: Sequence[NewIntent],
        answer: StoredAnswer | None = None,
        limits: Limits | None = None,
        *,
        read_after: Callable[[Any], None] = lambda _: None,
        replies: list[Any] | None = None,
    ) -> Acceptance:
        """Record the intents and the answer in one atomic step: all of it, or nothing.

        A repeat of the same tool call, or of the same request within the call, records nothing.
        Raises StoreFullError before the store is full: delivering and purging need the rest.

        read_after: adds commands to the pipeline, to be run right after this step in the same round
        trip; their replies are appended to `replies`.
        """
        if self._memory.is_full():
            raise StoreFullError("FULL")
        want: dict[str, Any] = {
            "prefix": self._prefix,
            "call": call_id,
            "wake_up_ms": WAKE_UP_MS,
            "dedup_ms": max(1, self._dedup_ms),
            "call_ms": CALL_TTL_MS,
            "caller_ms": CALLER_TTL_MS,
            "caller_limit": CALLER_LIMIT,
            "spare_references": [new_reference() for _ in range(SPARE_REFERENCES)],
            "intents": [
                {
                    "id": intent.id,
                    "kind": intent.kind,
                    "schema": intent.draft.schema,
                    "tool": intent.tool,
                    "reference": intent.reference,
                    "fingerprint": intent.fingerprint,
                    "payload": json.dumps(intent.draft.as_json()),
                    "caller": _caller(intent),
                    "hold_ms": intent.hold_ms,
                    "after": list(intent.after),
                    "after_call": intent.after_call,
                    "record": intent.draft.record(intent.id),
                    "requested_at": intent.requested_at_ms,
                    "message": intent.message,
                    "amends": intent.amends or False,  # null is true to Lua
                    "said": intent.said,
                    "org": self.org,
                    "dedup_keys": [self._dedup_key(item) for item in intent.dedup_keys],
                    "asks": intent.asks and self._dedup_ms > 0,
                }
                for intent in intents
            ],
        }
        if limits:
            want["limits"] = {"call": limits.per_call, "number": limits.per_number_and_day}
        if answer:
            want |= {"answer": answer.text, "answer_ttl_ms": ANSWER_TTL_MS}
            if answer.key:
                want["answer_key"] = answer.key
        with translated():
            pipe = self._store.pipeline(transaction=False)
            pipe.evalsha(self._accept.sha, 0, json.dumps(want))
            read_after(pipe)
            reply, *others = pipe.execute(raise_on_error=False)
            if isinstance(reply, redis.exceptions.NoScriptError):
                reply = self._accept(args=[json.dumps(want)])  # that loads the script
                pipe.reset()
                read_after(pipe)
                others = pipe.execute(raise_on_error=False)
            if isinstance(reply, Exception):
                raise reply
        if replies is not None:
            replies += others
        match reply[0]:
            case "answered":
                return AnsweredBefore(reply[1])
            case "repeated":
                return Repeated(reply[1])
            case "existing":
                return Existing(reply[1])
            case "too_late":
                return TooLate()
            case "too_many":
                return TooMany()
            case _:
                return Accepted(tuple(Kind(kind) for kind in reply[2:]), reply[1])

    def release_holds(self, call_id: str) -> tuple[Kind, ...]:
        """What the call has held is due now; returns the kinds to ring for."""
        with translated():
            kinds = self._release_holds(args=[self._prefix, call_id, WAKE_UP_MS])
        return tuple(Kind(kind) for kind in kinds)

    def cancel(self, intent_id: str, reason: str) -> tuple[str, tuple[Kind, ...]]:
        """Take an intent back while nothing of it can have reached Salesforce.

        Returns "cancelled" or the state that forbids it ("leased", "delivered", "parked",
        "unsure", "" when unknown), and the kinds to ring for.
        """
        with translated():
            reply = self._cancel(args=[self._prefix, intent_id, reason, WAKE_UP_MS])
        return reply[0], tuple(Kind(kind) for kind in reply[1:])

    # -- delivering ------------------------------------------------------------------------------

    def lease(self, kind: Kind, *, limit: int, max_bytes: int) -> Lease:
        """What is due of a kind, oldest first; an empty lease when nothing is, or it has to wait.

        The doorbell of the kind counts as answered: what is accepted from here on rings again.
        """
        token = secrets.token_hex(8)
        with translated():
            self._store.delete(f"{self._prefix}wakeup:{kind}")
            rows = self._lease(
                args=[
                    self._prefix,
                    kind,
                    limit,
                    max_bytes,
                    LEASE_MS,
                    token,
                    MAX_LEASES,
                    MAX_TRIED,
                ]
            )
        return Lease(kind, token, tuple(read_row(id_, pairs(flat)) for id_, flat in rows))

    def extend(self, lease: Lease) -> int:
        """Another LEASE_MS for what is still this worker's; returns how many that are."""
        ids = [intent.id for intent in lease.intents]
        with translated():
            return int(self._extend(args=[self._prefix, lease.kind, LEASE_MS, lease.token, *ids]))

    def settle(self, lease: Lease, outcomes: Iterable[Outcome]) -> Settled:
        """Write down what became of leased intents; those not this worker's any more are left.

        Where it is not for one worker to tell, this step decides: whether a record that is refused
        again and again parks, and whether its kind waits.
        """
        intents = {item.id: item for item in lease.intents}
        with translated():
            at_ms = self.now_ms()
            reply = self._settle(
                args=[
                    self._prefix,
                    lease.token,
                    WAKE_UP_MS,
                    json.dumps([_as_settled(outcome, at_ms, intents) for outcome in outcomes]),
                    lease.kind,
                    CALL_TTL_MS,
                    MISSING_FIELDS_MS,
                ]
            )
        states, paused, due_kinds = reply
        return Settled(
            {id_: State(state) for id_, state in pairs(states).items()},
            paused=paused == "paused",
            due_kinds=tuple(Kind(kind) for kind in due_kinds),
        )

    def sweep(self) -> tuple[Kind, ...]:
        """The kinds that have work and no doorbell out; note that a sweep ran."""
        with translated():
            kinds = self._sweep(args=[self._prefix, WAKE_UP_MS, SWEEP_LIMIT, *Kind])
        return tuple(Kind(kind) for kind in kinds)

    # -- settling by hand, and forgetting --------------------------------------------------------

    def pause(self, kind: Kind) -> bool:
        """Nothing of the kind is leased until resume; False when it was paused already."""
        with translated():
            return bool(allowed_when_full(self._store, "SADD", f"{self._prefix}paused", kind))

    def resume(self, kind: Kind) -> bool:
        """Ends a pause, and a wait of the kind; False when there was neither."""
        with translated():
            pipe = self._store.pipeline()
            pipe.srem(f"{self._prefix}paused", kind)
            pipe.hdel(f"{self._prefix}waits", kind)
            return any(pipe.execute())

    def paused(self) -> set[Kind]:
        """The kinds that a person paused."""
        with translated():
            return {Kind(kind) for kind in self._store.smembers(f"{self._prefix}paused")}

    def replay(
        self, intent_ids: Iterable[str], draft: dict[str, Any] | None = None
    ) -> tuple[int, tuple[Kind, ...]]:
        """Parked intents are due again, read before they are written; with another draft, if given.

        They are for this org from now on, whatever they were accepted for.

        Returns how many were parked, and the kinds to ring for. Others are left as they are.
        """
        return self._by_hand("replay", intent_ids, json.dumps(draft) if draft else "")

    def discard(self, intent_ids: Iterable[str]) -> int:
        """Parked intents are cancelled; returns how many were parked."""
        return self._by_hand("discard", intent_ids, "")[0]

    def _by_hand(
        self, verb: str, intent_ids: Iterable[str], payload: str
    ) -> tuple[int, tuple[Kind, ...]]:
        with translated():
            reply = self._replay(
                args=[self._prefix, verb, WAKE_UP_MS, payload, self.org, *intent_ids]
            )
        return int(reply[0]), tuple(Kind(kind) for kind in reply[1:])

    def purge(self, *, data_after_ms: int, receipt_after_ms: int) -> int:
        """What was delivered or cancelled loses its draft, later its receipt: one step.

        Returns how many lost something; run it again until none does.
        """
        with translated():
            return int(
                self._purge(args=[self._prefix, data_after_ms, receipt_after_ms, PURGE_LIMIT])
            )

    # -- reading ---------------------------------------------------------------------------------

    def get(self, intent_id: str) -> Intent | None:
        """None when there is none, or none that can be read."""
        return next(iter(self._readable([intent_id])), None)

    def get_many(self, intent_ids: Iterable[str]) -> dict[str, Intent]:
        """The intents that exist, by id; those that can't be read among them, and marked."""
        ids = list(dict.fromkeys(intent_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for intent_id in ids:
                pipe.hgetall(f"{self._prefix}intent:{intent_id}")
            rows = pipe.execute(raise_on_error=False)
        return {id_: read_row(id_, stored) for id_, stored in zip(ids, rows, strict=True) if stored}

    def _readable(self, intent_ids: Iterable[str]) -> list[Intent]:
        """For a call: what can't be read is for an operator, and spoils nobody's answer."""
        return [item for item in self.get_many(intent_ids).values() if not item.unreadable]

    def by_reference(self, reference: str) -> Intent | None:
        with translated():
            intent_id = self._store.get(f"{self._prefix}reference:{reference}")
        intent = self.get(intent_id) if intent_id else None
        return intent if intent and self.is_for_this_org(intent) else None

    def missing_fields(self, kind: Kind) -> frozenset[str]:
        """The optional fields that the org turned out not to have, in deliveries of the kind."""
        with translated():
            return frozenset(self._store.smembers(f"{self._prefix}missing:{kind}"))

    def by_fingerprint(self, call_ids: Iterable[str], fingerprint: str) -> dict[str, str]:
        """The id of the intent with this fingerprint of each call that has one, by call id."""
        ids = list(dict.fromkeys(item for item in call_ids if item))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                pipe.hget(f"{self._prefix}call:{call_id}:requests", fingerprint)
            return {id_: found for id_, found in zip(ids, pipe.execute(), strict=True) if found}

    def may_be_written(self, intent_ids: Iterable[str]) -> set[str]:
        """Those of which a record may be in Salesforce already, or is about to be."""
        ids = list(dict.fromkeys(intent_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for intent_id in ids:
                pipe.hmget(f"{self._prefix}intent:{intent_id}", "state", "in_doubt")
            rows = pipe.execute()
        return {
            id_
            for id_, (state, in_doubt) in zip(ids, rows, strict=True)
            if state in {State.LEASED, State.DELIVERED} or in_doubt == "1"
        }

    def about(self, dedup_keys: Iterable[str]) -> Intent | None:
        """The last intent about one of these subjects that may still come to something."""
        with translated():
            keys = [f"{self._prefix}dedup:{self._dedup_key(key)}" for key in dedup_keys]
            ids = [self._store.get(key) for key in keys]
        found = [
            intent
            for intent in self._readable(item for item in ids if item)
            if intent.state not in {State.CANCELLED, State.PARKED}
        ]
        return max(found, key=lambda row: row.accepted_at_ms, default=None)

    def of_call(self, call_id: str) -> list[Intent]:
        """The call's intents, in the order they were accepted."""
        return self._listed_in(f"call:{call_id}:intents") if call_id else []

    def of_calls(self, call_ids: Iterable[str]) -> dict[str, list[Intent]]:
        """The intents of each call, by call id, in one round trip."""
        ids = [call_id for call_id in dict.fromkeys(call_ids) if call_id]
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for call_id in ids:
                self.queue_of_call(pipe, call_id)
            replies = pipe.execute(raise_on_error=False)
        return {
            call_id: self.read_of_call(reply, call_id)
            for call_id, reply in zip(ids, replies, strict=True)
        }

    def of_caller(self, number: str) -> list[Intent]:
        """What was accepted from this number (E.164) within a day, oldest first."""
        intents = self._listed_in(f"caller:{number}:intents") if number else []
        return [intent for intent in intents if self.is_for_this_org(intent)]

    def _listed_in(self, name: str) -> list[Intent]:
        with translated():
            reply = self._listed(args=[self._prefix, name])
        return self._read_listed(reply, name)

    def queue_of_call(self, pipe: Any, call_id: str) -> None:
        """`of_call` as one command of a pipeline; `read_of_call` reads its reply."""
        self._queue_listed(pipe, f"call:{call_id}:intents")

    def read_of_call(self, reply: Any, call_id: str) -> list[Intent]:
        return [intent for intent in self._read_listed(reply, f"call:{call_id}:intents") if call_id]

    def queue_of_caller(self, pipe: Any, number: str) -> None:
        """`of_caller` as one command of a pipeline; `read_of_caller` reads its reply."""
        self._queue_listed(pipe, f"caller:{number}:intents")

    def read_of_caller(self, reply: Any, number: str) -> list[Intent]:
        intents = self._read_listed(reply, f"caller:{number}:intents") if number else []
        return [intent for intent in intents if self.is_for_this_org(intent)]

    def _queue_listed(self, pipe: Any, name: str) -> None:
        pipe.evalsha(self._listed.sha, 0, self._prefix, name)

    def _read_listed(self, reply: Any, name: str) -> list[Intent]:
        if isinstance(reply, redis.exceptions.NoScriptError):
            return self._listed_in(name)  # that loads the script
        if isinstance(reply, Exception):
            with translated():
                raise reply
        intents = [read_row(intent_id, pairs(flat)) for intent_id, flat in reply]
        return [intent for intent in intents if not intent.unreadable]

    def newest(self, limit: int) -> list[Intent]:
        """Newest first."""
        with translated():
            ids = self._store.zrevrange(f"{self._prefix}intents", 0, limit - 1)
        return list(self.get_many(ids).values())

    def payloads_due(self, kind: Kind, limit: int) -> list[dict[str, Any]]:
        """The drafts, as kept, of what is due of a kind and not leased; oldest first."""
        with translated():
            due = f"{self._prefix}due:{kind}"
            ids = self._store.zrange(due, "-inf", self.now_ms(), byscore=True, offset=0, num=limit)
        return [item.payload for item in self._readable(ids)]

    def parked(self, limit: int) -> list[Intent]:
        """Longest parked first."""
        with translated():
            ids = self._store.zrange(f"{self._prefix}parked", 0, limit - 1)
        return list(self.get_many(ids).values())

    def summary(self, *, data_after_ms: int = 0, receipt_after_ms: int = 0) -> Summary:
        """What is open, parked and late, in one step. The times are those of `forget`."""
        with translated():
            found = self._summary(args=[self._prefix, data_after_ms, receipt_after_ms, *Kind])
        return read_json(Summary, found)

    def counts(self) -> dict[str, int]:
        """How many intents there are, how many are parked, and per kind how many are open."""
        found = self.summary()
        counts = {"accepted": found.accepted, "parked": found.parked}
        return counts | {f"open_{kind}": open_.total for kind, open_ in found.kinds.items()}

    def waits(self) -> dict[str, Wait]:
        """What has to wait now or waited last: "org" or a kind → why and until when."""
        with translated():
            stored = self._store.hgetall(f"{self._prefix}waits")
        waits = {}
        for what, text in stored.items():
            try:
                wait = json.loads(text)
                waits[what] = read_record(Wait, wait | {"until_ms": wait.get("until", 0)})
            except (ValueError, TypeError, AttributeError, UnreadableError):
                continue  # as the scripts do
        return waits

    def last_sweep_age_ms(self) -> int | None:
        """None when no sweep has ever run."""
        age_ms = self.summary().swept_ms_ago
        return age_ms if age_ms >= 0 else None

    def now_ms(self) -> int:
        """The store's clock, which every transition uses; epoch ms."""
        return now_ms(self._store)

    def is_for_this_org(self, intent: Intent) -> bool:
        """False for what was accepted while the service worked with another org: its record ids
        and numbers mean nothing here, or something else."""
        return not (self.org and intent.org) or intent.org == self.org

    def _dedup_key(self, key: str) -> str:
        return f"{self.org}:{key}" if self.org else key


def _caller(intent: NewIntent) -> str:
    """Whose wish it is, by number; what is recorded besides is nobody's wish."""
    return (
        intent.draft.caller_number
        if isinstance(intent.draft, FromCaller) and intent.reference
        else ""
    )


def _as_settled(outcome: Outcome, at_ms: int, intents: dict[str, Intent]) -> dict[str, Any]:
    match outcome:
        case Delivered(intent_id, record_id, number):
            receipt = asdict(Receipt(record_id, number, at_ms))
            intent = intents[intent_id]
            return {
                "id": intent_id,
                "outcome": "delivered",
                "receipt": json.dumps(receipt),
                "also": [_recorded(item) for item in outcome.also],
                "payload": json.dumps(shortened(intent.kind, intent.payload)),
            }
        case TryAgain():
            return {
                "id": outcome.intent_id,
                "outcome": "again",
                "reason": outcome.reason,
                "detail": outcome.detail,
                "delay_ms": outcome.delay_ms,
                "scope": outcome.scope,
                "failures_in_a_row": outcome.failures_in_a_row,
                "in_doubt": outcome.in_doubt,
                "rest_ms": outcome.rest_ms,
                "omit_fields": json.dumps(outcome.omit_fields),
                "missing": list(outcome.missing),
                "limit": outcome.limit,
                "target": outcome.target,
            }
        case PartRefused():
            return {
                "id": outcome.intent_id,
                "outcome": "part_refused",
                "reason": outcome.reason,
                "detail": outcome.detail,
                "delay_ms": outcome.delay_ms,
                "in_doubt": outcome.in_doubt,
                "rest": json.dumps(outcome.rest.as_json()),
                "part": _recorded(outcome.part),
            }
        case Parked():
            return {
                "id": outcome.intent_id,
                "outcome": "parked",
                "reason": outcome.reason,
                "detail": outcome.detail,
                "follows": outcome.follows,
            }
        case Cancelled(intent_id, reason):
            return {"id": intent_id, "outcome": "cancelled", "reason": reason}


def _recorded(intent: NewIntent) -> dict[str, Any]:
    """An intent that an outcome brings along; the call is that of the one it comes from."""
    return {
        "id": intent.id,
        "kind": intent.kind,
        "schema": intent.draft.schema,
        "tool": intent.tool,
        "reference": intent.reference,
        "said": intent.said,
        "payload": json.dumps(intent.draft.as_json()),
        "record": intent.draft.record(intent.id),
        "after": list(intent.after),
    }
