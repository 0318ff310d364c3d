"""The day that a caller means: "tomorrow", "next Monday", "am Freitag".

dateparser reads the words. It reads a whole text or nothing, so shorter and shorter parts of it are
tried. Only a day counts: "at five" and "soon" name none. Decision 25 has the reasons.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from dateparser.date import DateDataParser

MAX_AHEAD = timedelta(days=183)
"""A later day is more likely a misunderstanding."""

MAX_WORDS = 16
MAX_PART = 5
_WORD = re.compile(r"[\w.:/'-]+")
_SAYS_SOMETHING = re.compile(r"[^\W\d_]{3}|\d[./-]\d")
"""A part without a word or a date, such as "5 0", names no day."""


def due_day(words: str, requested_at: datetime, languages: Sequence[str]) -> date:
    """The day of a call-back, on or after the day of the request.

    requested_at: the local time of the request, without a time zone. languages: ISO 639 codes; the
    first in which the words name a day counts. Of several days, the first one.
    """
    today = requested_at.date()
    settings = {
        "RELATIVE_BASE": requested_at,
        "PREFER_DATES_FROM": "future",
        "RETURN_AS_TIMEZONE_AWARE": False,
        "RETURN_TIME_AS_PERIOD": True,
        "PARSERS": ["relative-time", "absolute-time"],
    }
    for language in languages:
        parser = DateDataParser(languages=[language], settings=settings)
        for parts in _parts(_WORD.findall(words)[:MAX_WORDS]):
            days = [day for part in parts if (day := _day(parser, part)) is not None]
            if found := [day for day in days if today <= day <= today + MAX_AHEAD]:
                return min(found)
    return today


def _parts(words: list[str]) -> Iterator[list[str]]:
    """All of the words, then parts of them: those of one length together, the longest first."""
    lengths = dict.fromkeys([len(words), *range(min(MAX_PART, len(words)), 0, -1)])
    for length in lengths:
        starts = range(len(words) - length + 1)
        parts = (" ".join(words[start : start + length]) for start in starts)
        yield [part for part in parts if _SAYS_SOMETHING.search(part)]


def _day(parser: DateDataParser, text: str) -> date | None:
    found = parser.get_date_data(text)
    is_day = found.period in {"day", "week"}
    return found.date_obj.date() if found.date_obj and is_day else None
