"""How much callers may take of what all of them share: writes, and requests to Salesforce.

A number can be forged, so what is used up from a number counts apart for callers who have proved
who they are: they are served when somebody else has used up the rest. All callers without a number
are one caller here. Nothing can tell them apart, and they take nothing from anybody else.

A limit counts from the first use on, for an hour or a day.
"""

from dataclasses import dataclass
from typing import Any

import redis

from shared.journal.results import Limit
from shared.scripts import load
from shared.settings import REDIS_PREFIX, CallSettings
from shared.store import translated

HOUR_MS, DAY_MS = 3_600_000, 24 * 3_600_000
OF_A_CALL_MS = 2 * DAY_MS
"""Longer than any call."""

TAKEN_PER_NUMBER_AND_DAY = 3
"""How often a number may see that a new phone number is on file elsewhere."""

PER_CALL_REACHED = -1
"""What count.lua returns when its first counter is used up."""

LOOKUPS_PER_CALL, LOOKUPS_PER_NUMBER = "lookups_per_call", "lookups_per_number_and_hour"


@dataclass(frozen=True)
class Asker:
    """Who asks, as far as limits tell callers apart.

    conversation_id: of a call, a chat or a session; "" when a message names none. number: "" when
    no carrier set one. has_proved: they have shown more than their number in this call.
    """

    conversation_id: str = ""
    number: str = ""
    has_proved: bool = False

    @property
    def share(self) -> str:
        """Whose share they use up: "+14155550101:number", or ":number" without one."""
        return f"{self.number}:{'proof' if self.has_proved else 'number'}"


def write_limits(settings: CallSettings, asker: Asker) -> tuple[Limit, ...]:
    """What bounds the next write request of this caller."""
    limits = []
    if asker.conversation_id:
        key = f"call:{asker.conversation_id}:writes"
        limits.append(Limit("writes_per_call", key, settings.max_writes_per_call, OF_A_CALL_MS))
    of_hour, of_day = (f"writes:{asker.share}:{span}" for span in ("hour", "day"))
    if not asker.number:
        most = settings.max_writes_without_number_per_hour
        return (*limits, Limit("writes_without_number_per_hour", of_hour, most, HOUR_MS))
    per_hour, per_day = (
        settings.max_writes_per_number_and_hour,
        settings.max_writes_per_number_and_day,
    )
    return (
        *limits,
        Limit("writes_per_number_and_hour", of_hour, per_hour, HOUR_MS),
        Limit("writes_per_number_and_day", of_day, per_day, DAY_MS),
    )


def missed_call_limits(settings: CallSettings, number: str) -> tuple[Limit, ...]:
    """What bounds the call-backs and voicemails of calls that reached nobody."""
    most = settings.max_missed_calls_per_number_and_hour
    if not number:
        return write_limits(settings, Asker())
    return (Limit("missed_calls_per_number_and_hour", f"missed:{number}", most, HOUR_MS),)


class Usage:
    """What callers have used up of lookups. Every method raises StoreUnavailableError."""

    def __init__(
        self, store: redis.Redis, settings: CallSettings, prefix: str = REDIS_PREFIX
    ) -> None:
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._settings = settings
        self._prefix = prefix
        self._count = load(store, "calls", "count")

    def take_lookup(self, asker: Asker, *, is_proof: bool = False) -> str:
        """Count one request to Salesforce. Returns the name of the limit that is reached, "" when
        it may be sent.

        is_proof: the caller is about to prove who they are. That counts for the call alone:
        otherwise whoever forges a number could keep its owner from it.
        """
        most = self._settings.max_lookups_per_number_and_hour
        counters: list[tuple[str, int, int]] = []
        if asker.conversation_id:
            of_call = f"{self._prefix}call:{asker.conversation_id}:lookups"
            counters.append((of_call, self._settings.max_lookups_per_call, OF_A_CALL_MS))
        if not is_proof or not asker.conversation_id:
            counters.append((f"{self._prefix}lookups:{asker.share}", most, HOUR_MS))
        with translated():
            left = int(self._count(args=[part for counter in counters for part in counter]))
        if left >= 0:
            return ""
        is_of_call = bool(asker.conversation_id) and left == PER_CALL_REACHED
        return LOOKUPS_PER_CALL if is_of_call else LOOKUPS_PER_NUMBER

    def may_see_taken_numbers(self, number: str) -> bool:
        """Whether callers from this number may still see that another number is on file."""
        with translated():
            seen = int(self._store.get(self._taken(number)) or 0)
        return seen < TAKEN_PER_NUMBER_AND_DAY

    def saw_taken_number(self, number: str) -> None:
        with translated():
            self._count(args=[self._taken(number), TAKEN_PER_NUMBER_AND_DAY, DAY_MS])

    def _taken(self, number: str) -> str:
        return f"{self._prefix}taken-numbers:{number}"
