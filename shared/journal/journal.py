"""The journal: the durable record of every intent, and the only place where its state changes.

It is a transactional outbox in Redis. The web process records an intent together with the answer to
the agent; workers deliver it to Salesforce afterwards. Workers hold intents by a lease with a
fencing token. What Salesforce refuses for good is parked: the dead letters of this service.

Each transition is one Lua script in `scripts/`; `SCHEMA.md` lists the keys. Every method raises
StoreUnavailableError when Redis does not answer; the transition may have happened all the same.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import redis

from shared.domain.drafts import FromCaller, shortened
from shared.domain.intent import (
    Cancelled,
    Cancelling,
    Delivered,
    Intent,
    NewIntent,
    Outcome,
    Parked,
    PartRefused,
    TryAgain,
)
from shared.domain.kinds import Kind, State
from shared.domain.reading import UnreadableError, read_json, read_record
from shared.domain.reference import new_reference
from shared.domain.trace import call_of_trace, trace_of_call
from shared.journal.promises import Promises
from shared.journal.replicas import NotConfirmedError, Replicas
from shared.journal.results import (
    Acceptance,
    Accepted,
    AnsweredBefore,
    CallErased,
    Existing,
    Lease,
    Limit,
    Repeated,
    Reworded,
    Settled,
    Stops,
    StoredAnswer,
    Summary,
    TooLate,
    TooMany,
    Wait,
)
from shared.journal.rows import read_payload, read_row
from shared.scripts import load
from shared.settings import REDIS_PREFIX
from shared.store import (
    MemoryGauge,
    StoreFullError,
    StoreUnavailableError,
    allowed_when_full,
    now_ms,
    pairs,
    translated,
)
from shared.tracing import current_trace

LEASE_MS = 20_000
"""How long a silent worker keeps its intents. A working one extends its lease (Journal.extend)."""

MAX_LEASES = 2
"""The default number of batches of one kind in progress at a time, in the whole fleet. When
Salesforce hangs, nine kinds then leave two of a worker's 20 threads for retention and quiet
calls."""

MAX_TRIED = 10
"""The size of the batch that tests whether a kind works again."""

WAKE_UP_MS = 5_000
"""A wake-up that woke no worker counts as lost after this time, and the sweep sends another."""

ANSWER_TTL_MS = (12 * 60 + 10) * 60 * 1000
"""The life of a call (Vapi's maxDurationSeconds is at most 12 h) and 10 minutes."""

SPARE_REFERENCES = 5
"""Alternatives for references that are taken. Of a million references, one in a thousand is."""

SWEEP_LIMIT = 500
PURGE_LIMIT = 500

CALLER_TTL_MS = 24 * 3600 * 1000
CALLER_LIMIT = 50
"""How long, and how many of, a caller's last intents are found by their number: so many of those
who have proved who they are, and of all others."""

CALL_TTL_MS = 48 * 3600 * 1000
"""How long a call's list of intents is stored after its last intent: twice as long as its state."""

MISSING_FIELDS_MS = 10 * 60 * 1000
"""How long deliveries of a kind omit a field that the org lacks; then one includes it again."""


class Journal:
    """Uses one Redis client. Safe to share between threads."""

    def __init__(
        self,
        store: redis.Redis,
        prefix: str = REDIS_PREFIX,
        *,
        dedup_ms: int = 24 * 3600 * 1000,
        org: str = "",
        max_leases: int = MAX_LEASES,
        confirm_replicas: int = 0,
    ) -> None:
        """dedup_ms: how long a dedup key finds its intent, across calls. max_leases: batches of one
        kind in progress at a time.

        org: the org that new and replayed intents are for; "" when it is not known.
        confirm_replicas: a step that somebody relies on raises NotConfirmedError unless this many
        replicas of the store have it.
        """
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._dedup_ms = dedup_ms
        self._max_leases = max_leases
        self.org = org
        self._memory = MemoryGauge(store)
        self.promises = Promises(store, prefix)
        self._replicas = Replicas(store, prefix, confirm_replicas)
        self._accept = load(store, "journal", "accept")
        self._lease = load(store, "journal", "lease")
        self._extend = load(store, "journal", "extend")
        self._settle = load(store, "journal", "settle")
        self._cancel = load(store, "journal", "cancel")
        self._reword = load(store, "journal", "reword")
        self._sweep = load(store, "journal", "sweep")
        self._replay = load(store, "journal", "replay")
        self._purge = load(store, "journal", "purge")
        self._release_holds = load(store, "journal", "release_holds")
        self._summary = load(store, "journal", "summary")
        self._listed = load(store, "journal", "listed")
        self._refuse_lookup = load(store, "journal", "refuse_lookup")

    # -- accepting -------------------------------------------------------------------------------

    def accept(
        self,
        call_id: str,
        intents: Sequence[NewIntent],
        answer: StoredAnswer | None = None,
        limits: Sequence[Limit] = (),
        *,
        agent: str = "",
        is_proven: bool = False,
        cancels: Sequence[Cancelling] = (),
        read_after: Callable[[Any], None] = lambda _: None,
        replies: list[Any] | None = None,
    ) -> Acceptance:
        """Record the intents and the answer in one atomic step: all of it, or nothing.

        Idempotent: the same tool call again, or the same request again within the call, records
        nothing. Raises StoreFullError before the store's memory is full, because delivery and
        retention need the rest of it. The intents belong to the current trace, else to their
        call's.

        limits: what bounds new requests; an amendment is none. agent: the agent folder of the tool,
        or of the call. is_proven: the caller has shown more than their number. cancels: what the
        request replaces, cancelled in the same step; TooLate when one of them has changed.
        read_after: adds commands to the pipeline, which run right after this step in the same round
        trip. Their replies are appended to `replies`.
        """
        if self._memory.is_full():
            raise StoreFullError("FULL")
        request: dict[str, Any] = {
            "prefix": self._prefix,
            "call": call_id,
            "agent": agent,
            "trace": _stored_trace(call_id),
            "wake_up_ms": WAKE_UP_MS,
            "dedup_ms": max(1, self._dedup_ms),
            "call_ms": CALL_TTL_MS,
            "caller_ms": CALLER_TTL_MS,
            "caller_limit": CALLER_LIMIT,
            "is_proven": is_proven,
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
                    "parts": json.dumps(intent.parts) if intent.parts else "",
                    "org": self.org,
                    "dedup_keys": [self._dedup_key(key) for key in intent.dedup_keys],
                    "asks": intent.asks and self._dedup_ms > 0,
                }
                for intent in intents
            ],
            "cancels": [
                {"id": other.intent_id, "as_read": other.is_open, "reason": other.reason}
                for other in cancels
            ],
        }
        if counted := sum(map(_counts, intents)):
            request |= {
                "counted": counted,
                "limits": [
                    {"name": it.name, "key": it.key, "most": it.most, "ms": it.lasts_ms}
                    for it in limits
                ],
            }
        if answer:
            request |= {"answer": answer.text, "answer_ttl_ms": ANSWER_TTL_MS}
            if answer.key:
                request["answer_key"] = answer.key
        try:
            reply, *others = self._replicas.run(self._accept, [json.dumps(request)], read_after)
        except NotConfirmedError as unconfirmed:
            if answer and answer.key and unconfirmed.reply[0] == "accepted":
                with suppress(StoreUnavailableError), translated():
                    self._store.delete(answer.key)  # so that a redelivery asks the journal again
            raise
        if replies is not None:
            replies += others
        match reply[0]:
            case "answered":
                return AnsweredBefore(reply[1])
            case "erased":
                return CallErased()
            case "repeated":
                return Repeated(reply[1])
            case "existing":
                return Existing(reply[1])
            case "too_late":
                return TooLate()
            case "too_many":
                return TooMany(reply[1])
            case _:
                return Accepted(tuple(Kind(kind) for kind in reply[2:]), reply[1])

    def release_holds(self, call_id: str) -> tuple[Kind, ...]:
        """Make the call's held intents due now. Returns the kinds to notify."""
        (kinds,) = self._replicas.run(self._release_holds, [self._prefix, call_id, WAKE_UP_MS])
        return tuple(Kind(kind) for kind in kinds)

    def cancel(self, intent_id: str, reason: str) -> tuple[str, tuple[Kind, ...]]:
        """Cancel an intent, unless any part of it may have reached Salesforce.

        Returns "cancelled" or the state that forbids it ("leased", "delivered", "parked",
        "in_doubt"; "" for an unknown intent), and the kinds to notify.
        """
        (reply,) = self._replicas.run(self._cancel, [self._prefix, intent_id, reason, WAKE_UP_MS])
        return reply[0], tuple(Kind(kind) for kind in reply[1:])

    def reword(self, reworded: Iterable[Reworded]) -> int:
        """Give intents other words, unless they have changed or any part of them may have reached
        Salesforce. Returns how many got them."""
        args: list[str] = []
        for it in reworded:
            args += [it.intent_id, json.dumps(it.before), json.dumps(it.payload), it.said]
        if not args:
            return 0
        (count,) = self._replicas.run(self._reword, [self._prefix, *args])
        return int(count)

    # -- delivering ------------------------------------------------------------------------------

    def lease(self, kind: Kind, *, limit: int, max_bytes: int) -> Lease:
        """Lease due intents of a kind, oldest first.

        The lease is empty when no intent is due, or when the kind or the org has to wait. It has no
        intent of a tool that has to wait.

        Clears the kind's wake-up first, so an intent accepted after that sends a new wake-up.
        """
        token = secrets.token_hex(8)
        with translated():
            self._store.delete(f"{self._prefix}wakeup:{kind}")
        args = [
            self._prefix,
            kind,
            limit,
            max_bytes,
            LEASE_MS,
            token,
            self._max_leases,
            MAX_TRIED,
        ]
        try:
            (rows,) = self._replicas.run(self._lease, args)
        except NotConfirmedError as unconfirmed:
            if unconfirmed.reply:
                raise
            rows = []
        return Lease(kind, token, tuple(read_row(id_, pairs(flat)) for id_, flat in rows))

    def extend(self, lease: Lease) -> int:
        """Extend the lease by LEASE_MS. Returns how many of its intents this worker still holds."""
        ids = [intent.id for intent in lease.intents]
        with translated():
            return int(self._extend(args=[self._prefix, lease.kind, LEASE_MS, lease.token, *ids]))

    def settle(self, lease: Lease, outcomes: Iterable[Outcome]) -> Settled:
        """Record the outcomes of leased intents. Skips intents that this worker no longer holds.

        Two decisions need the outcomes of all workers, so this step takes them: whether a record
        that keeps being refused parks, and whether its source waits.
        """
        intents = {intent.id: intent for intent in lease.intents}
        with translated():
            reply = self._settle(
                args=[
                    self._prefix,
                    lease.token,
                    WAKE_UP_MS,
                    json.dumps([_as_settled(outcome, intents) for outcome in outcomes]),
                    lease.kind,
                    CALL_TTL_MS,
                    MISSING_FIELDS_MS,
                ]
            )
        states, stopped, due_kinds = reply
        return Settled(
            {id_: State(state) for id_, state in pairs(states).items()},
            stopped=tuple(stopped),
            due_kinds=tuple(Kind(kind) for kind in due_kinds),
        )

    def sweep(self) -> tuple[Kind, ...]:
        """The kinds that have due intents and no wake-up on its way. Records that a sweep ran."""
        with translated():
            kinds = self._sweep(args=[self._prefix, WAKE_UP_MS, SWEEP_LIMIT, *Kind])
        return tuple(Kind(kind) for kind in kinds)

    # -- by hand, and retention ------------------------------------------------------------------

    def pause(self, name: str) -> bool:
        """Lease nothing of a kind, or of a tool, until `resume`. False when it was paused already.

        name: a kind, or a tool with its agent folder, such as "agent/requestReturn".
        """
        with translated():
            return bool(allowed_when_full(self._store, "SADD", f"{self._prefix}paused", name))

    def resume(self, name: str) -> bool:
        """End a pause of a kind or a tool, and its wait. False when there was neither."""
        with translated():
            pipe = self._store.pipeline()
            pipe.srem(f"{self._prefix}paused", name)
            pipe.hdel(f"{self._prefix}waits", name)
            pipe.delete(f"{self._prefix}failing:{name}")
            *ended, _ = pipe.execute()
            return any(ended)

    def paused(self) -> set[str]:
        """The kinds and tools that an operator paused."""
        with translated():
            return set(self._store.smembers(f"{self._prefix}paused"))

    def refuse_lookup(self, tool: str, conversation: str, reason: str, *, delay_ms: int) -> bool:
        """Salesforce refused the query of a lookup tool, which waits from the second conversation
        on. True when it starts to wait."""
        with translated():
            return bool(
                self._refuse_lookup(args=[self._prefix, tool, conversation, reason, delay_ms])
            )

    def lookup_works(self, tool: str) -> None:
        """Salesforce answered the query of a lookup tool: its wait is over. A pause stays."""
        with translated():
            pipe = self._store.pipeline()
            pipe.hdel(f"{self._prefix}waits", tool)
            pipe.delete(f"{self._prefix}failing:{tool}")
            pipe.execute()

    def replay(
        self, intent_ids: Iterable[str], draft: dict[str, Any] | None = None
    ) -> tuple[int, tuple[Kind, ...]]:
        """Make parked intents due again, in doubt: the worker reads before it writes.

        draft: replaces theirs, if given. From now on they are for this journal's org, whatever org
        they were accepted for. Skips intents that are not parked.

        Returns how many were parked, and the kinds to notify.
        """
        return self._by_hand("replay", intent_ids, json.dumps(draft) if draft else "")

    def discard(self, intent_ids: Iterable[str], *, is_kept_by_hand: bool = False) -> int:
        """Cancel parked intents. Returns how many were parked.

        is_kept_by_hand: a person did what they promise. Otherwise the promise stays broken, and a
        person is asked to call back (shared/calls/made_good.py).
        """
        return self._by_hand("kept_by_hand" if is_kept_by_hand else "discard", intent_ids, "")[0]

    def _by_hand(
        self, verb: str, intent_ids: Iterable[str], payload: str
    ) -> tuple[int, tuple[Kind, ...]]:
        (reply,) = self._replicas.run(
            self._replay, [self._prefix, verb, WAKE_UP_MS, payload, self.org, *intent_ids]
        )
        return int(reply[0]), tuple(Kind(kind) for kind in reply[1:])

    def purge(self, *, data_after_ms: int, receipt_after_ms: int) -> int:
        """Retention in one step: delivered and cancelled intents lose their draft, later the rest.

        data_after_ms, receipt_after_ms: counted from when the intent settled. Returns how many
        intents lost something; run it again until none does.
        """
        with translated():
            return int(
                self._purge(args=[self._prefix, data_after_ms, receipt_after_ms, PURGE_LIMIT])
            )

    # -- reading ---------------------------------------------------------------------------------

    def get(self, intent_id: str) -> Intent | None:
        """None for an unknown intent, and for one that this version can't read."""
        return next(iter(self._readable([intent_id])), None)

    def get_many(self, intent_ids: Iterable[str]) -> dict[str, Intent]:
        """The intents that exist, by id. Those that this version can't read say so themselves."""
        ids = list(dict.fromkeys(intent_ids))
        with translated():
            pipe = self._store.pipeline(transaction=False)
            for intent_id in ids:
                pipe.hgetall(f"{self._prefix}intent:{intent_id}")
            rows = pipe.execute(raise_on_error=False)
        return {id_: read_row(id_, stored) for id_, stored in zip(ids, rows, strict=True) if stored}

    def _readable(self, intent_ids: Iterable[str]) -> list[Intent]:
        """Without intents that this version can't read: an operator sees to them, not a call."""
        return [intent for intent in self.get_many(intent_ids).values() if not intent.unreadable]

    def by_reference(self, reference: str) -> Intent | None:
        with translated():
            intent_id = self._store.get(f"{self._prefix}reference:{reference}")
        intent = self.get(intent_id) if intent_id else None
        return intent if intent and self.is_for_this_org(intent) else None

    def by_case_number(self, number: str) -> Intent | None:
        """The intent that created the case with this number; None when none did, or long ago."""
        with translated():
            intent_id = self._store.get(f"{self._prefix}case-number:{number}")
        intent = self.get(intent_id) if intent_id else None
        return intent if intent and self.is_for_this_org(intent) else None

    def by_trace(self, trace: str, limit: int) -> list[Intent]:
        """The intents of a trace, newest first, but for the trace that is a call's id without its
        hyphens: `of_call` finds those."""
        with translated():
            ids = self._store.zrevrange(f"{self._prefix}trace:{trace}", 0, limit - 1)
        return list(self.get_many(ids).values())

    def missing_fields(self, kind: Kind) -> frozenset[str]:
        """The optional fields that deliveries of the kind omit, because the org lacks them."""
        with translated():
            return frozenset(self._store.smembers(f"{self._prefix}missing:{kind}"))

    def about(self, dedup_keys: Iterable[str]) -> Intent | None:
        """The newest intent with one of these dedup keys, unless it is cancelled or parked."""
        with translated():
            keys = [f"{self._prefix}dedup:{self._dedup_key(key)}" for key in dedup_keys]
            ids = [self._store.get(key) for key in keys]
        found = [
            intent
            for intent in self._readable(intent_id for intent_id in ids if intent_id)
            if intent.state not in {State.CANCELLED, State.PARKED}
        ]
        return max(found, key=lambda intent: intent.accepted_at_ms, default=None)

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
        """The intents accepted from this number (E.164) within a day, oldest first."""
        intents = self._listed_in(*_lists_of(number)) if number else []
        return self._of_caller(intents)

    def _of_caller(self, intents: list[Intent]) -> list[Intent]:
        found = [intent for intent in intents if self.is_for_this_org(intent)]
        return sorted(found, key=lambda intent: intent.accepted_at_ms)

    def _listed_in(self, *names: str) -> list[Intent]:
        with translated():
            reply = self._listed(args=[self._prefix, *names])
        return self._read_listed(reply, *names)

    def queue_of_call(self, pipe: Any, call_id: str) -> None:
        """Queue `of_call` as one command of a pipeline; `read_of_call` reads its reply."""
        self._queue_listed(pipe, f"call:{call_id}:intents")

    def read_of_call(self, reply: Any, call_id: str) -> list[Intent]:
        return [intent for intent in self._read_listed(reply, f"call:{call_id}:intents") if call_id]

    def queue_of_caller(self, pipe: Any, number: str) -> None:
        """`of_caller` as one command of a pipeline; `read_of_caller` reads its reply."""
        self._queue_listed(pipe, *_lists_of(number))

    def read_of_caller(self, reply: Any, number: str) -> list[Intent]:
        return self._of_caller(self._read_listed(reply, *_lists_of(number)) if number else [])

    def _queue_listed(self, pipe: Any, *names: str) -> None:
        pipe.evalsha(self._listed.sha, 0, self._prefix, *names)

    def _read_listed(self, reply: Any, *names: str) -> list[Intent]:
        if isinstance(reply, redis.exceptions.NoScriptError):
            return self._listed_in(*names)  # loads the script
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

    def payloads_due(self, kind: Kind, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """The stored drafts of a kind's intents that are due and not leased, oldest first, each
        after the time of its acceptance (epoch ms)."""
        with translated():
            due = f"{self._prefix}due:{kind}"
            ids = self._store.zrange(due, "-inf", self.now_ms(), byscore=True, offset=0, num=limit)
            pipe = self._store.pipeline(transaction=False)
            for intent_id in ids:
                pipe.hmget(f"{self._prefix}intent:{intent_id}", "accepted", "payload")
            rows = [row for row in pipe.execute(raise_on_error=False) if isinstance(row, list)]
        return [
            (int(accepted), payload)
            for accepted, text in rows
            if str(accepted).isdecimal() and (payload := read_payload(text)) is not None
        ]

    def parked(self, limit: int) -> list[Intent]:
        """Longest parked first."""
        with translated():
            ids = self._store.zrange(f"{self._prefix}parked", 0, limit - 1)
        return list(self.get_many(ids).values())

    def summary(self, *, data_after_ms: int = 0, receipt_after_ms: int = 0) -> Summary:
        """What is open, parked and late, in one step. The arguments are those of `purge`."""
        with translated():
            found = self._summary(args=[self._prefix, data_after_ms, receipt_after_ms, *Kind])
        return read_json(Summary, found)

    def counts(self) -> dict[str, int]:
        """How many intents exist ("accepted"), are parked ("parked"), and are open per kind."""
        found = self.summary()
        counts = {"accepted": found.accepted, "parked": found.parked}
        return counts | {f"open_{kind}": open_.total for kind, open_ in found.kinds.items()}

    def queue_stops(self, pipe: Any) -> None:
        """Queue what `read_stops` reads, as three commands of a pipeline."""
        pipe.hgetall(f"{self._prefix}waits")
        pipe.smembers(f"{self._prefix}paused")
        pipe.time()

    def read_stops(self, waits: Any, paused: Any, time: Any) -> Stops:
        """Empty when the store did not say."""
        if any(isinstance(reply, Exception) for reply in (waits, paused, time)):
            return Stops()
        seconds, micros = time
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        return Stops(frozenset(paused), _waits(waits), now_ms)

    def waits(self) -> dict[str, Wait]:
        """The current or last wait of "org", of each kind and of each tool: its reason and its
        end."""
        with translated():
            return _waits(self._store.hgetall(f"{self._prefix}waits"))

    def last_sweep_age_ms(self) -> int | None:
        """None when no sweep has ever run."""
        age_ms = self.summary().swept_ms_ago
        return age_ms if age_ms >= 0 else None

    def now_ms(self) -> int:
        """The store's clock, which every transition uses; epoch ms."""
        return now_ms(self._store)

    def is_for_this_org(self, intent: Intent) -> bool:
        """False for an intent of another org, whose record ids and numbers mean nothing here."""
        return not (self.org and intent.org) or intent.org == self.org

    def _dedup_key(self, key: str) -> str:
        return f"{self.org}:{key}" if self.org else key


def _lists_of(number: str) -> tuple[str, str]:
    """What was accepted from a number: of callers who have proved who they are, and of others."""
    return f"caller:{number}:proven", f"caller:{number}:intents"


def _counts(intent: NewIntent) -> bool:
    """Whether limits count it: not what comes along with a request, such as the reason of a close,
    and not what amends one."""
    return bool(intent.tool or intent.fingerprint) and not intent.amends


def _stored_trace(call_id: str) -> str:
    """The trace of what is accepted now; "" where the call's id says it."""
    trace = current_trace() or trace_of_call(call_id)
    return "" if call_id and call_of_trace(trace) == call_id else trace


def _caller(intent: NewIntent) -> str:
    """The caller's number, for an intent that the caller asked for; "" for any other."""
    return (
        intent.draft.caller_number
        if isinstance(intent.draft, FromCaller) and intent.reference
        else ""
    )


def _waits(stored: dict[str, str]) -> dict[str, Wait]:
    waits = {}
    for what, text in stored.items():
        try:
            wait = json.loads(text)
            waits[what] = read_record(Wait, wait | {"until_ms": wait.get("until", 0)})
        except (ValueError, TypeError, AttributeError, UnreadableError):
            continue  # the scripts ignore it as well
    return waits


def _as_settled(outcome: Outcome, intents: dict[str, Intent]) -> dict[str, Any]:
    match outcome:
        case Delivered(intent_id, record_id, number, contact_id):
            intent = intents[intent_id]
            return {
                "id": intent_id,
                "outcome": "delivered",
                "receipt": json.dumps(
                    {"record_id": record_id, "number": number, "contact_id": contact_id}
                ),
                "number": number or "",
                "also": [_recorded(new) for new in outcome.also],
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
    """An intent that comes with an outcome. It belongs to the call of the intent it comes from."""
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
