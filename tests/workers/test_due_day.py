"""The day that a caller's words name."""

from datetime import date, datetime

import pytest

from shared.agent.salesforce import CallbackMapping
from workers.delivery.due_day import due_day

WEDNESDAY = datetime(2026, 11, 25, 15, 30)  # noqa: DTZ001 - the team's local time
LANGUAGES = CallbackMapping().languages


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("today", 25), ("tomorrow", 26), ("tomorrow after 5", 26), ("first thing tomorrow", 26),
        ("the day after tomorrow", 27), ("Friday", 27), ("on Friday at noon", 27),
        ("next Friday afternoon", 27), ("next Monday", 30), ("Monday morning", 30),
        ("Monday, Nov 30 at 3pm", 30), ("in three days", 28), ("2026-11-28", 28),
        ("maybe tomorrow or Friday", 26), ("morgen früh", 26), ("am Freitag", 27),
        ("nächsten Montag", 30), ("Freitag um 10 Uhr", 27), ("übermorgen", 27), ("mañana", 26),
        ("demain matin", 26), ("lundi prochain", 30),
    ],
)  # fmt: skip
def test_a_day_that_the_words_name(words: str, day: int) -> None:
    assert due_day(words, WEDNESDAY, LANGUAGES) == date(2026, 11, day)


@pytest.mark.parametrize(
    "words",
    [
        "", "as soon as possible", "any time", "at 5", "after 5", "in two hours", "tonight", "May",
        "weekdays between 9 and 5", "+1 415 555 0199", "0199", "so bald wie möglich", "yesterday",
        "2019-03-01", "in the year 3000", "?!", "when I am back " * 50,
    ],
)  # fmt: skip
def test_words_that_name_no_day_to_come_mean_the_day_of_the_request(words: str) -> None:
    assert due_day(words, WEDNESDAY, LANGUAGES) == date(2026, 11, 25)


def test_a_weekday_is_the_next_one_to_come() -> None:
    assert due_day("Wednesday", WEDNESDAY, LANGUAGES) == date(2026, 12, 2)
    assert due_day("Tuesday", WEDNESDAY, LANGUAGES) == date(2026, 12, 1)


def test_a_date_is_read_in_the_first_language_that_knows_it() -> None:
    assert due_day("12/3", WEDNESDAY, ["en"]) == date(2026, 12, 3)
    assert due_day("morgen", WEDNESDAY, ["en"]) == date(2026, 11, 25)
