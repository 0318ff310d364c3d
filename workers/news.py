"""News for a call that still lasts: the agent learns what became of a promise."""

from shared.calls.calls import Calls
from shared.domain.intent import Intent
from shared.logs import log
from shared.settings import Settings
from shared.vapi.control import ControlRefusedError, add_message

MOST_TOLD = 5
"""A drain that parks more has met something larger than a call; each telling may take seconds."""


def tell_parked(calls: Calls, settings: Settings, parked: list[Intent]) -> None:
    """A write parked: whoever is still on the line is told, once. After the call it is a broken
    promise, which operators see until someone settles it."""
    for intent in parked[:MOST_TOLD]:
        url = calls.live_control_url(intent.call_id) if intent.reference else ""
        if not url:
            continue
        text = (
            f"What was noted with reference {intent.reference} could not be saved. Tell the caller "
            "that a colleague will look at it."
        )
        try:
            add_message(url, text, settings.vapi_control_hosts)
            log.info("call_told", call_id=intent.call_id, intent_id=intent.id)
        except ControlRefusedError as refused:
            log.warning("call_not_told", call_id=intent.call_id, reason=str(refused))
