"""Text messages to customers, each sent once at most, and limits on how many are sent.

Twilio has no idempotency key for messages (docs/vendors.md T6), so a message is noted before it is
sent, and what is noted is never sent again. If the process dies in between, nobody gets it: the
caller of `send_once` has to do without.
"""

from typing import Any

import redis

from shared.calls.guesses import DAY_MS, HOUR_MS
from shared.logs import log
from shared.phone import takes_messages
from shared.scripts import load
from shared.settings import REDIS_PREFIX, Settings
from shared.store import translated
from shared.twilio.client import TwilioError
from shared.twilio.messages import send

PER_NUMBER_AND_DAY = 5

NOTED_S = 7 * 24 * 3600
"""Longer than the worker tries to deliver an intent."""


class TextMessages:
    """Every method raises StoreUnavailableError."""

    def __init__(self, settings: Settings, store: redis.Redis, prefix: str = REDIS_PREFIX) -> None:
        self._settings = settings.twilio
        self._regions = settings.twilio.regions or {settings.calls.phone_region}
        self._store: Any = store  # redis-py types replies as bytes | str; ours are str
        self._prefix = prefix
        self._count = load(store, "calls", "count")

    def send_once(self, intent_id: str, number: str, text: str) -> str | None:
        """Twilio's id of the message; None when it was not sent, or when nobody knows.

        number: E.164. None as well without SMS_FROM, for a number of another country or one that
        takes no messages, at a limit, and for an intent whose message was begun before.
        """
        if not self._settings.sms_from or not takes_messages(number, self._regions):
            return None
        with translated():
            begun = f"{self._prefix}message:{intent_id}:begun"
            if not self._store.set(begun, "1", nx=True, ex=NOTED_S):
                return None
            counters = [
                (f"{self._prefix}messages:number:{number}", PER_NUMBER_AND_DAY, DAY_MS),
                (f"{self._prefix}messages:all", self._settings.max_messages_per_hour, HOUR_MS),
            ]
            left = int(self._count(args=[part for counter in counters for part in counter]))
        if left < 0:
            log.warning("message_not_sent", intent_id=intent_id, reason="LIMIT")
            return None
        try:
            return send(self._settings, number, text)
        except TwilioError as error:
            log.warning("message_not_sent", intent_id=intent_id, reason=str(error))
            return None
