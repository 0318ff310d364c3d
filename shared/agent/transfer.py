"""Where calls are transferred to: `transfer.toml` of the agent folder.

The account's owner, a queue for each issue type, opening hours, and what a call outside them gets.
"""

import tomllib
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.phone import as_e164

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPENING = 'opening and closing, such as "09:00-17:00"'
DESTINATION = "a number such as +14155550100, or an address such as sip:support@example.com"
FILE = "transfer.toml"


class Hours(BaseModel):
    """Opening hours of each day, such as "09:00-17:00". A day that is not named is closed."""

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
            raise ValueError("must be a time zone, such as America/New_York") from None
        return name

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for day, (opens, closes) in self.days.items():
            if opens >= closes:
                raise ValueError(f"{day} must open before it closes")
        return self

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(self.timezone))
        opening = self.days.get(DAYS[local.weekday()])
        return opening is not None and opening[0] <= local.time() < opening[1]


class Rules(BaseModel):
    """owner: try the account's owner first. queues: issue type → number or SIP address.

    caller_id: the number that the colleague's phone shows; "" for Vapi's choice. mode: how Vapi
    transfers (docs/vendors.md V26). closed: what a call outside the hours gets before the assistant
    answers: the assistant, the fallback number, or a sentence.
    """

    model_config = ConfigDict(extra="forbid")

    owner: bool = False
    queues: dict[str, str] = Field(default_factory=dict)
    caller_id: Annotated[str, StringConstraints(pattern=r"^(\+[1-9]\d{6,14})?$")] = ""
    mode: Literal["warm-transfer-say-message", "warm-transfer-experimental", "blind-transfer"] = (
        "warm-transfer-say-message"
    )
    closed: Literal["assistant", "transfer", "sentence"] = "assistant"
    hours: Hours | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for name, number in self.queues.items():
            if not is_sip(number) and as_e164(number, "ZZ") != number:
                raise ValueError(f"queues.{name} must be {DESTINATION}")
        return self

    @model_validator(mode="after")
    def _closed_when(self) -> Self:
        if self.closed != "assistant" and self.hours is None:
            raise ValueError("closed needs [hours]")
        return self

    def is_open(self, moment: datetime) -> bool:
        return self.hours is None or self.hours.open_at(moment)


def is_sip(destination: str) -> bool:
    return destination.startswith(("sip:", "sips:")) and "@" in destination


def read_rules(folder: Path) -> Rules:
    """The rules of an agent folder; the defaults for a folder without the file. Raises AgentError,
    which names what is wrong in our words."""
    path = folder / FILE
    if not path.exists():
        return Rules()
    try:
        text = path.read_text(encoding="utf-8-sig")
        return Rules.model_validate(tomllib.loads(text))
    except (OSError, UnicodeError):
        wrong = Mistake(
            FILE, 0, "can't be read", "save it as UTF-8, for the service's user to read"
        )
        raise AgentError([wrong], folder) from None
    except tomllib.TOMLDecodeError as trouble:
        raise AgentError([not_toml(FILE, text, trouble)], folder) from None
    except ValidationError as refused:
        raise AgentError(list(_mistakes(text, refused)), folder) from None


def _mistakes(text: str, refused: ValidationError) -> Iterator[Mistake]:
    lines = lines_of(text)
    for error in refused.errors(include_url=False, include_input=False):
        path = tuple(str(part) for part in error["loc"] if not isinstance(part, int))
        path = tuple(part for part in path if part != "days")
        where = ".".join(path)
        own = str(error.get("ctx", {}).get("error", ""))
        named = next((name for name in lines if own.startswith(".".join(name) + " ")), path)
        problem, remedy = _in_our_words(error, where, own)
        yield Mistake(FILE, line_of(lines, named), problem, remedy)


def _in_our_words(error: Any, where: str, own: str) -> tuple[str, str]:
    if own:
        return f"{where} {own}".strip(), "agent/transfer.toml shows the form"
    if error["type"] == "extra_forbidden":
        return f"{where} is unknown", "remove it, or mend the spelling"
    if error["type"] == "missing":
        return f"{where} is missing", f"add {where.rpartition('.')[2]}"
    if error["type"] == "literal_error":
        return f"{where} has another value", f"use {error['ctx']['expected']}"
    required = {
        "owner": "true or false",
        "caller_id": "a number such as +14155550100",
        "hours.timezone": "a time zone, such as America/New_York",
    }
    if where.startswith("hours."):
        return f"{where} has another form", f"write {required.get(where, OPENING)}"
    if where.startswith("queues."):
        return f"{where} has another form", f"write {DESTINATION}"
    return f"{where} has another form", f"write {required.get(where, 'a table')}"
