"""Time passes in the store, or something there is lost: only here do tests write its keys."""

import json
from typing import cast

import redis

from shared.domain.kinds import Kind

LONG_AGO = 1
FAR_AHEAD = 2**52


# -- intents ---------------------------------------------------------------------------------------


def commit_windows_end(store: redis.Redis) -> None:
    """Of all intents that are held. What needs a worker needs one now."""
    for key in store.scan_iter("vs:intent:*"):
        store.hset(key, "hold_until", LONG_AGO)
    everything_is_due(store)


def everything_is_due(store: redis.Redis) -> None:
    """What has to be tried again, or is leased, needs a worker now."""
    for kind in Kind:
        intents_are_due(store, *_members(store, f"vs:due:{kind}"), kind=kind)


def intents_are_due(store: redis.Redis, *intent_ids: str, kind: Kind) -> None:
    for intent_id in intent_ids:
        store.zadd(f"vs:due:{kind}", {intent_id: LONG_AGO}, xx=True)


def intent_is_not_due(store: redis.Redis, intent_id: str, kind: Kind) -> None:
    """Its turn does not come in this test."""
    store.zadd(f"vs:due:{kind}", {intent_id: 9e15}, xx=True)


def intent_was_accepted(store: redis.Redis, intent_id: str, ms_earlier: int) -> None:
    store.hincrby(f"vs:intent:{intent_id}", "accepted", -ms_earlier)


def intent_has(store: redis.Redis, intent_id: str, **fields: str | int) -> None:
    """As another version, or another worker, wrote it."""
    for name, value in fields.items():
        store.hset(f"vs:intent:{intent_id}", name, value)


def lease_runs_out(store: redis.Redis, kind: Kind, *intent_ids: str) -> None:
    """Of every batch of the kind; what they had is due."""
    for token in _members(store, f"vs:leases:{kind}"):
        store.zadd(f"vs:leases:{kind}", {token: LONG_AGO})
    intents_are_due(store, *intent_ids, kind=kind)


def waits_end(store: redis.Redis) -> None:
    """Of the org and of all kinds, and with them what had failed."""
    store.delete("vs:waits")


def next_attempt_is_allowed(store: redis.Redis) -> None:
    """The waits are over; the failures still count."""
    for what, text in store.hgetall("vs:waits").items():
        store.hset("vs:waits", what, json.dumps(json.loads(text) | {"until": 0}))


def wake_up_is_lost(store: redis.Redis, *kinds: Kind) -> None:
    """It was sent and woke nobody, so long ago that it counts no more."""
    store.delete(*(f"vs:wakeup:{kind}" for kind in kinds))


def last_ran(store: redis.Redis, what: str, ms_ago: int) -> None:
    """what: "sweep" or "retention"."""
    seconds, micros = store.time()
    store.set(f"vs:{what}:last", seconds * 1000 + micros // 1000 - ms_ago)


def own_writes_are_purged(store: redis.Redis) -> None:
    """What this service wrote to contacts is known no more."""
    store.delete(*store.keys("vs:contact:*"))


# -- calls -----------------------------------------------------------------------------------------


def nobody_speaks(store: redis.Redis, call_id: str = "call-1") -> None:
    """The caller's last sign of speech was long ago."""
    store.hset(f"vs:call:{call_id}", "last_speech_at", LONG_AGO)


def caller_speaks_on(store: redis.Redis, call_id: str = "call-1") -> None:
    """The caller interrupted the agent, and speaks as long as speech can hold back a write."""
    store.hset(f"vs:call:{call_id}", "last_speech_at", FAR_AHEAD)
    store.zadd(f"vs:call:{call_id}:speech", {"I": FAR_AHEAD})


def speech_was(store: redis.Redis, ms_earlier: int, call_id: str = "call-1") -> None:
    """The last sign of speech."""
    store.hincrby(f"vs:call:{call_id}", "last_speech_at", -ms_earlier)


def call_is_quiet(store: redis.Redis, call_id: str, for_ms: int) -> None:
    store.zincrby("vs:calls", -for_ms, call_id)


def call_was_silent(store: redis.Redis, call_id: str, life_ms: int, for_ms: int) -> None:
    """What is stored of the call expires so much earlier than after an event just now."""
    store.pexpire(f"vs:call:{call_id}", life_ms - for_ms)


def every_call_is_quiet(store: redis.Redis) -> None:
    for call_id in _members(store, "vs:calls"):
        store.zadd("vs:calls", {call_id: LONG_AGO})


def call_has(store: redis.Redis, call_id: str, **fields: str | int) -> None:
    """As an older process wrote it."""
    for name, value in fields.items():
        store.hset(f"vs:call:{call_id}", name, value)


def call_is_unreadable(store: redis.Redis, call_id: str) -> None:
    """Something else has its key."""
    store.set(f"vs:call:{call_id}", "x")


# -- what is known of the org ----------------------------------------------------------------------


def everything_of_the_org_expires(store: redis.Redis, what: str = "*") -> None:
    """what: the end of the keys' names."""
    store.delete(*store.keys(f"vs:salesforce:{what}"))


def window_ends(store: redis.Redis, keys: str, use: str) -> None:
    """What was asked for in it counts no more. use: "lookup" or "write"."""
    store.delete(f"{keys}window:{use}")


def breaker_stays_open(store: redis.Redis, keys: str) -> None:
    store.hset(f"{keys}breaker", "until", FAR_AHEAD)


def snapshot_expires(store: redis.Redis, keys: str, number: str) -> None:
    store.delete(f"{keys}snapshot:{number}")


def snapshot_was_taken(store: redis.Redis, keys: str, number: str, ms_earlier: int) -> None:
    key = f"{keys}snapshot:{number}"
    stored = json.loads(str(store.get(key)))
    store.set(key, json.dumps(stored | {"at": stored["at"] - ms_earlier}))


def nobody_has_the_number(store: redis.Redis, keys: str, number: str) -> None:
    """As an answer says that does not expire in this test."""
    store.set(f"{keys}contacts:{number}", json.dumps({"at_ms": FAR_AHEAD, "ids": []}))


def _members(store: redis.Redis, key: str) -> list[str]:
    return cast(list[str], store.zrange(key, 0, -1))


# -- alarms ----------------------------------------------------------------------------------------


def alarm_time_passes(store: redis.Redis, ms: int) -> None:
    """For all alarms, and for what they are found by."""
    for cause, text in store.hgetall("vs:alarms").items():
        alarm = json.loads(text)
        for name in ("since", "seen", "over"):
            if name in alarm:
                alarm[name] -= ms
        for message in alarm.get("left", {}).values():
            message["due"] -= ms
        store.hset("vs:alarms", cause, json.dumps(alarm))
    store.delete("vs:alarms:round")
    if store.exists("vs:alarms:refused"):
        store.hincrby("vs:alarms:refused", "at", -ms)
