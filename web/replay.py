"""Replay protection: a signed message that is sent again reveals nothing new.

A captured message passes authentication once more within VAPI_HMAC_TOLERANCE_S. Messages whose
answer reveals something about a customer, or starts something, are therefore answered once: the
answer is stored under the message's identity (see `authentication.authenticate`), and the very same
message gets the same bytes while Vapi may retry it. After the call has ended, every other such
message gets an empty answer. Tool calls have stored answers of their own, in
shared/journal/answers.py; after the call has ended they look nothing up.
"""

import json
import time
from collections.abc import Callable
from contextlib import suppress

from shared.calls.calls import LIFE_S
from shared.logs import log
from shared.store import StoreUnavailableError
from shared.vapi.messages import Message
from web.metrics import REFUSED
from web.service import Service

ANSWERED_ONCE = frozenset(
    {
        "assistant-request",
        "transfer-destination-request",
        "handoff-destination-request",
        "knowledge-base-request",
    }
)
"""The types whose messages are answered once."""

RETRY_MS = 5 * 60 * 1000
"""How long an answer is stored. Vapi's retries end within two minutes: four attempts of 20 s with
1 + 2 + 4 s between them (`backoffPlan` in agent/assistant.toml)."""

WORK_MS = 10_000
"""Longer than any of these answers takes; Vapi itself waits 7.5 s for an assistant."""


def answer_once(
    service: Service,
    message: Message,
    identity: bytes,
    answer: Callable[[Service, Message], str],
) -> str:
    """The JSON text for a message. Raises what `answer` raises."""
    if message.type not in ANSWERED_ONCE:
        return answer(service, message)
    key = service.answers.message_key(message.conversation_id, identity)
    try:
        claim = service.answers.claim(key, work_ms=WORK_MS)
        if isinstance(claim, str):
            if message.type == "transfer-destination-request":
                service.calls.transferred(message.call_id)
            return claim
        ended = _is_old(message) or service.calls.is_over(message.call_id)
    except StoreUnavailableError:
        return answer(service, message)  # without the store no answer knows the customer
    if ended:
        REFUSED.labels(status="ended", reason="call_is_over").inc()
        log.warning("call_has_ended", message_type=message.type, call_id=message.call_id)
    try:
        text = _empty(service, message) if ended else answer(service, message)
    except Exception:
        with suppress(StoreUnavailableError):
            service.answers.settle(claim, "", lasting=False)
        raise
    try:
        return service.answers.settle(claim, text, ttl_ms=RETRY_MS)
    except StoreUnavailableError:
        return text


def _empty(service: Service, message: Message) -> str:
    """The answer after the call has ended."""
    if message.type == "knowledge-base-request":
        return json.dumps({"documents": []})
    sentences = service.agent_of(message).sentences
    return json.dumps({"error": sentences.say(sentences.default, "call-has-ended")})


def _is_old(message: Message) -> bool:
    """The message's own signed time is further back than the store remembers ended calls.

    Such a message passes authentication only where no timestamp is signed beside the body.
    """
    return message.at_ms is not None and message.at_ms < (time.time() - LIFE_S) * 1000
