"""Where calls are transferred to: the rules in a file of the team's (`TRANSFER_RULES`).

`transfer.example.toml` shows the form: the account's owner, a queue for each issue type, opening
hours.
"""

import re
import tomllib
from datetime import datetime, time
from functools import cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.phone import as_e164
from shared.settings import SettingsError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPENING = 'opening and closing, such as "09:00-17:00"'


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
    """owner: try the account's owner first. queues: issue type → number."""

    model_config = ConfigDict(extra="forbid")

    owner: bool = False
    queues: dict[str, str] = Field(default_factory=dict)
    hours: Hours | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for name, number in self.queues.items():
            if as_e164(number, "ZZ") != number:
                raise ValueError(f"queues.{name} must be a number in the form +14155550100")
        return self


@cache
def read_rules(path: str) -> Rules:
    """Raises SettingsError, which names the file and what is wrong in it, in our words."""
    try:
        return Rules.model_validate(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, UnicodeError):
        problem = "can't be read"
    except tomllib.TOMLDecodeError as trouble:
        at = re.search(r"line \d+", str(trouble))
        problem = f"is not TOML{f' in {at.group()}' if at else ''}"
    except ValidationError as wrong:
        problem = "; ".join(_in_our_words(error) for error in wrong.errors())
    raise SettingsError(f"TRANSFER_RULES: {path}: {problem}; transfer.example.toml shows the form")


def _in_our_words(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"] if not isinstance(part, int))
    where = where.replace("hours.days.", "hours.")
    if error["type"] == "value_error":
        return f"{where} {error['ctx']['error']}".strip()
    if error["type"] == "extra_forbidden":
        return f"{where} is unknown"
    if error["type"] == "missing":
        return f"{where} is missing"
    required = {"owner": "true or false", "hours.timezone": "a time zone, such as America/New_York"}
    if where.startswith("hours."):
        return f"{where} must be {required.get(where, OPENING)}"
    if where.startswith("queues."):
        return f"{where} must be a number in the form +14155550100"
    return f"{where} must be {required.get(where, 'a table')}"
