"""Date literals (TODAY, LAST_N_DAYS:n …) as spans of time. Source: SOQL Reference, "Date Formats
and Date Literals". The org's time zone is UTC, its week starts on Sunday, its fiscal year in
January.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]


def span(name: str, count: int | None, now: datetime) -> Span:
    """[start, end) of a literal of the sets below; count: the n of a counted one."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if count is None:
        return _PLAIN[name](today)
    return _COUNTED[name](today, count)


def _days(first: int, after: int) -> Callable[[datetime], Span]:
    return lambda today: (today + timedelta(days=first), today + timedelta(days=after))


def _week(today: datetime, shift: int) -> datetime:
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    return sunday + timedelta(weeks=shift)


def _month(today: datetime, shift: int) -> datetime:
    months = today.year * 12 + today.month - 1 + shift
    return today.replace(year=months // 12, month=months % 12 + 1, day=1)


def _quarter(today: datetime, shift: int) -> datetime:
    first = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
    return _month(first, shift * 3)


def _year(today: datetime, shift: int) -> datetime:
    return today.replace(year=today.year + shift, month=1, day=1)


Start = Callable[[datetime, int], datetime]


def _one(start: Start, shift: int) -> Callable[[datetime], Span]:
    return lambda today: (start(today, shift), start(today, shift + 1))


_UNITS: dict[str, Start] = {
    "WEEK": _week,
    "MONTH": _month,
    "QUARTER": _quarter,
    "YEAR": _year,
    "FISCAL_QUARTER": _quarter,
    "FISCAL_YEAR": _year,
}

_PLAIN: dict[str, Callable[[datetime], Span]] = {
    "TODAY": _days(0, 1),
    "YESTERDAY": _days(-1, 0),
    "TOMORROW": _days(1, 2),
    "LAST_90_DAYS": _days(-90, 1),
    "NEXT_90_DAYS": _days(1, 91),
}
_COUNTED: dict[str, Callable[[datetime, int], Span]] = {
    # "starts n days before the current day and continues up to the current second": today is in.
    "LAST_N_DAYS": lambda today, n: (today - timedelta(days=n), today + timedelta(days=1)),
    "NEXT_N_DAYS": lambda today, n: (today + timedelta(days=1), today + timedelta(days=n + 1)),
    "N_DAYS_AGO": lambda today, n: (today - timedelta(days=n), today - timedelta(days=n - 1)),
}


def _add_unit(unit: str, start: Start) -> None:
    for word, shift in (("LAST", -1), ("THIS", 0), ("NEXT", 1)):
        _PLAIN[f"{word}_{unit}"] = _one(start, shift)
    _COUNTED[f"LAST_N_{unit}S"] = lambda today, n: (start(today, -n), start(today, 0))
    _COUNTED[f"NEXT_N_{unit}S"] = lambda today, n: (start(today, 1), start(today, n + 1))
    _COUNTED[f"N_{unit}S_AGO"] = lambda today, n: (start(today, -n), start(today, 1 - n))


for _name, _start in _UNITS.items():
    _add_unit(_name, _start)

PLAIN_LITERALS = frozenset(_PLAIN)
COUNTED_LITERALS = frozenset(_COUNTED)
