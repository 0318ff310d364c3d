"""Opening hours: `[hours]` of `transfer.toml`."""

import re
from datetime import date, datetime, time
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OPENING = 'opening and closing, such as "09:00-17:00"'
ZONE = "a time zone, such as America/New_York"
HOLIDAYS = (
    'a list of days, such as ["2026-12-24", "12-25"]; one without a year is closed every year'
)

_EVERY_YEAR = re.compile(r"\d{2}-\d{2}")


class Hours(BaseModel):
    """Opening hours of each day, such as "09:00-17:00". A day that is not named is closed.

    holidays: days that are closed although their weekday is not: "2026-12-24", or "12-25" for every
    year.
    """

    model_config = ConfigDict(extra="forbid")

    timezone: str
    days: dict[str, tuple[time, time]] = Field(default_factory=dict)
    holidays: tuple[str, ...] = ()

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
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"must be {ZONE}") from None
        return name

    @field_validator("holidays", mode="before")
    @classmethod
    def _holidays(cls, given: Any) -> Any:
        """TOML has dates of its own; they count as written."""
        if not isinstance(given, list):
            return given
        return tuple(_as_holiday(day) for day in given)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for day, (opens, closes) in self.days.items():
            if opens >= closes:
                raise ValueError(f"{day} must open before it closes")
        return self

    def open_at(self, moment: datetime) -> bool:
        local = moment.astimezone(ZoneInfo(self.timezone))
        if {f"{local:%Y-%m-%d}", f"{local:%m-%d}"} & set(self.holidays):
            return False
        opening = self.days.get(DAYS[local.weekday()])
        return opening is not None and opening[0] <= local.time() < opening[1]


def _as_holiday(given: Any) -> str:
    text = str(given)
    try:
        date.fromisoformat(f"2024-{text}" if _EVERY_YEAR.fullmatch(text) else text)
    except ValueError:
        raise ValueError(f"must be {HOLIDAYS}") from None
    return text
