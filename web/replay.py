"""A signed message that is sent again tells nothing new (replay protection).

Whoever has captured a message can send it once more within VAPI_HMAC_TOLERANCE_S. The answers that
tell something of a customer, or that start something, are kept under the message's identity (see
`authentication.authenticate`): the very same message hears the same bytes for the time of Vapi's
retries. Once the call is over, any other such message hears nothing. Tool calls have kept answers
of their own (shared/journal/answers.py); of a call that is over they look nothing up.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from shared.calls.calls import LIFE_S, CallState
from shared.logs import log
from shared.salesforce.deadline import Deadline
from shared.store import StoreUnavailableError
from shared.vapi.answers import Answer, refusal
from shared.vapi.messages import Message
from web.metrics import REFUSED
from web.service import Service

OVER = "This call has ended."

NOTHING = {
    "assistant-request": json.dumps({"error": OVER}),
    "transfer-destination-request": json.dumps({"error": OVER}),
    "handoff-destination-request": json.dumps({"error": OVER}),
    "knowledge-base-request": json.dumps({"documents": []}),
}
"""What such a message hears of a call that is over."""

KEEP_MS = 5 * 60 * 1000
"""Vapi's retries end within two minutes: four tries of 20 s with back-off (vapi/assistant.toml)."""

WORK_MS = 10_000
"""Longer than any of these answers takes; Vapi itself waits 7.5 s for an assistant."""


def answer_once(
    service: Service,
    message: Message,
    identity: bytes,
    answer: Callable[[Service, Message], str],
) -> str:
    """The JSON text for a message. Raises what `answer` raises."""
    if message.type not in NOTHING:
        return answer(service, message)
    key = service.answers.message_slot(identity)
    try:
        claim = service.answers.claim(key, work_ms=WORK_MS)
        if isinstance(claim, str):
            return claim
        over = _is_old(message) or service.calls.is_over(message.call_id)
    except StoreUnavailableError:
        return answer(service, message)  # which knows nobody then, and says so
    if over:
        REFUSED.labels(status="over").inc()
        log.warning("call_is_over", message_type=message.type, call_id=message.call_id)
    try:
        text = NOTHING[message.type] if over else answer(service, message)
    except Exception:
        with suppress(StoreUnavailableError):
            service.answers.settle(claim, "", lasting=False)
        raise
    try:
        return service.answers.settle(claim, text, keep_ms=KEEP_MS)
    except StoreUnavailableError:
        return text


def _is_old(message: Message) -> bool:
    """Longer ago, by its own signed time, than is known which calls are over. Only where no
    timestamp is signed beside the body does such a message get here at all."""
    return message.at_ms is not None and message.at_ms < (time.time() - LIFE_S) * 1000


def look_up_nothing(_: Service, __: CallState, ___: Any, ____: Deadline) -> Answer:
    """The lookup of every tool in a call that is over."""
    return refusal(OVER)
