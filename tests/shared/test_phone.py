"""A number in any spelling: found in texts, and not in other rows of digits."""

import pytest

from shared.phone import finder


@pytest.mark.parametrize(
    "text",
    [
        "+14155550101", "call 4155550101.", "(415) 555-0101", "1-415-555-0101",
        "+1 (415) 555 0101", "415/555.0101", "415\u2011555\u20110101", '"Phone": "415 555 0101"',
        "tel:+1-415-555-0101", "011 1 415 555 0101", "vs:writes:+14155550101:20784",
        "+14155550101;ext=4",
    ],
)  # fmt: skip
def test_it_is_found_however_it_is_written(text: str) -> None:
    assert finder("+14155550101").search(text)


@pytest.mark.parametrize(
    "text", ["94155550101", "41555501011", "+14155550102", "415555 and 0101", "5550101", ""]
)
def test_other_digits_are_not_the_number(text: str) -> None:
    assert not finder("+14155550101").search(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("+442079460110", "020 7946 0110"), ("+442079460110", "+44 (0)20 7946 0110"),
        ("+493012345678", "030 / 12345678"), ("+493012345678", "0049 30 12345678"),
        ("+5491123456789", "011 15-2345-6789"), ("+5491123456789", "+54 9 11 2345-6789"),
        ("+29022222", "+290 22222"),
    ],
)  # fmt: skip
def test_each_country_writes_its_numbers_in_its_way(number: str, text: str) -> None:
    assert finder(number).search(text)


def test_a_short_number_is_found_only_with_its_country_code() -> None:
    assert not finder("+29022222").search("order 22222")
