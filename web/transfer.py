"""transfer-destination-request: to whom a call goes, by rules, and what that person is told.

The rules are a file that a team can review (`TRANSFER_RULES`, see `transfer.example.toml`): the
account's owner, a queue for the kind of issue, opening hours. `FALLBACK_PHONE_NUMBER` is for
everything else.
"""

import json
import tomllib
from datetime import datetime, time
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.calls.calls import CallState
from shared.domain.drafts import CommentDraft
from shared.domain.intent import Intent
from shared.phone import as_e164
from shared.settings import SettingsError
from shared.vapi.messages import INBOUND, WEB
from web.caller import Caller, known_caller
from web.lookups import last_case_of_call
from web.service import Service

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_SO_FAR = 3_000
NOBODY = "Nobody can take this call now. Offer that somebody calls back."
NO_PHONE = (
    "This conversation is not a phone call, so it can't be transferred to a phone. Offer that "
    "somebody calls back, and ask for the number."
)
"""Vapi would drop the caller (docs/vendors.md V18)."""


class Hours(BaseModel):
    """A day's opening as "09:00-17:00"; a day that is not named is closed."""

    model_config = ConfigDict(extra="forbid")

    timezone: str
    days: dict[str, tuple[time, time]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _days(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        days = {day: tuple(str(given[day]).split("-")) for day in DAYS if day in given}
        return {name: value for name, value in given.items() if name not in DAYS} | {"days": days}

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except ZoneInfoNotFoundError:
            raise ValueError("is no time zone, such as America/New_York") from None
        return name

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for day, (opens, closes) in self.days.items():
            if opens >= closes:
                raise ValueError(f"{day}: closes before it opens")
        return self

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(self.timezone))
        opening = self.days.get(DAYS[local.weekday()])
        return opening is not None and opening[0] <= local.time() < opening[1]


class Rules(BaseModel):
    """owner: the account's owner is asked first. queues: issue type → number."""

    model_config = ConfigDict(extra="forbid")

    owner: bool = False
    queues: dict[str, str] = Field(default_factory=dict)
    hours: Hours | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for name, number in self.queues.items():
            if as_e164(number, "ZZ") != number:
                raise ValueError(f"queues.{name} is no number in the form +14155550100")
        return self


@cache
def read_rules(path: str) -> Rules:
    """Raises SettingsError, which names the file and what is wrong in it."""
    try:
        return Rules.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as trouble:
        raise SettingsError(f"TRANSFER_RULES: {path}: {trouble}") from trouble
    except ValidationError as wrong:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong.errors())
        raise SettingsError(f"TRANSFER_RULES: {path}: {told}") from wrong


def answer_transfer(service: Service, state: CallState, now: datetime) -> str:
    """The destination, with a line for the caller and one for whoever answers; or a refusal."""
    if state.direction == WEB:
        return json.dumps({"error": NO_PHONE})
    path, fallback = service.settings.transfer_rules, service.settings.fallback_phone_number
    rules = read_rules(path) if path else Rules()
    caller = known_caller(service, state)
    case_intent = last_case_of_call(service.journal.of_call(state.call_id))
    number, whom = _destination(rules, fallback, caller, case_intent, now)
    if not number:
        return json.dumps({"error": NOBODY})
    _bring_up_to_date(service, state, case_intent, whom)
    return json.dumps(
        {
            "destination": {
                "type": "number",
                "number": number,
                "message": f"I am connecting you with {whom}. One moment, please.",
                "transferPlan": {
                    "mode": "warm-transfer-say-message",
                    "message": _context(caller, case_intent),
                },
            }
        }
    )


def _destination(
    rules: Rules,
    fallback: str | None,
    caller: Caller,
    case_intent: Intent | None,
    now: datetime,
) -> tuple[str, str]:
    """Number and whom it reaches, in words; "" for nobody."""
    if rules.hours is None or rules.hours.open_at(now):
        contact = caller.contact
        if rules.owner and contact and contact.owner_phone:
            return contact.owner_phone, contact.owner_name or "your account manager"
        issue_type = str(case_intent.payload.get("issue_type", "")) if case_intent else ""
        for name in (issue_type, "default"):
            if name in rules.queues:
                return rules.queues[name], "a colleague"
    return fallback or "", "a colleague"


def _context(caller: Caller, case_intent: Intent | None) -> str:
    contact = caller.contact
    who = "A caller who is not known by their number"
    if contact:
        who = contact.name + (f" of {contact.account_name}" if contact.account_name else "")
    if not case_intent:
        return f"{who} wants to talk to somebody."
    number = case_intent.receipt.number if case_intent.receipt else None
    case = f"case {number}" if number else f"a case with reference {case_intent.reference}"
    issue_type = case_intent.payload.get("issue_type", "")
    return f"{who} wants to talk to somebody about {case}, {issue_type}."


def _bring_up_to_date(
    service: Service, state: CallState, case_intent: Intent | None, whom: str
) -> None:
    """What is held goes to Salesforce at once, and the case gets what was said so far."""
    service.doorbell.ring(service.journal.let_go(state.call_id))
    if not case_intent:
        return
    so_far = service.calls.transcript(state.call_id, state.direction or INBOUND)[-MOST_SO_FAR:]
    comment = CommentDraft(
        caller_number=state.number,
        contact_id=known_caller(service, state).identity.contact_id_to_write,
        case_intent=case_intent.id,
        text=f"The call is being transferred to {whom}. What was said so far:\n{so_far}",
    )
    fingerprint = f"transfer:{case_intent.id}"
    service.doorbell.ring(service.closing.comment(state, comment, fingerprint))
