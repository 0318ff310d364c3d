"""Case numbers as callers say them and as orgs write them."""

import pytest

from shared.domain.case_numbers import candidates, normal_form, same_number

FORMATS = {
    "{00000000}": "00001042",
    "{00000}": "01042",
    "{0}": "1042",
    "CS-{00000}": "CS-01042",
    "Case {0000000}": "Case 0001042",
    "T{000000}-A": "T001042-A",
    "{YYYY}-{0000}": "2026-1042",
    "{00000}/{YY}": "01042/26",
}
SPOKEN = ["1042", "01042", "00001042", "1 0 4 2", "case number 1042"]


@pytest.mark.parametrize("number", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("spoken", SPOKEN)
def test_a_number_is_found_however_many_zeros_are_said(number: str, spoken: str) -> None:
    """The org's newest case, which is the example, has another number in the same format."""
    example = number.replace("1042", "2077")
    if number != "01042/26":  # its counter is not the last of its digits: only all of them will do
        assert number in candidates(spoken, example)
        assert same_number(spoken, number)


@pytest.mark.parametrize("number", FORMATS.values(), ids=FORMATS)
def test_a_number_said_in_full_is_found(number: str) -> None:
    example = number.replace("1042", "2077")
    for spoken in (number, number.lower(), " ".join(number), number.replace("-", " dash ")):
        assert number in candidates(spoken, example)
        assert same_number(spoken, number)


def test_another_year_is_found_when_it_is_said() -> None:
    assert "2025-0042" in candidates("2025-0042", "2026-0107")
    assert "2026-0042" in candidates("42", "2026-0107")


@pytest.mark.parametrize("example", [None, "00002077", "CS-02077"])
def test_digits_alone_find_a_number_without_prefix_too(example: str | None) -> None:
    """Orgs change their format: older cases keep their numbers."""
    assert {"1042", "01042", "00001042"} <= set(candidates("1042", example))


def test_a_prefix_that_was_said_is_meant_where_the_org_has_one() -> None:
    assert same_number("CS 1042", "CS-01042")
    assert same_number("my case is CS 1042", "CS-01042")
    assert not same_number("AB 1042", "CS-01042")
    assert "CS-01042" not in candidates("AB 1042", "CS-02077")
    assert not {"1042", "00001042"} & set(candidates("CS 1042", "CS-02077"))
    assert same_number("it is 1042", "00001042")  # no letters in this org's numbers
    assert "00001042" in candidates("it is 1042", "00002077")


@pytest.mark.parametrize(
    ("text", "other"),
    [("1042", "00001043"), ("42", "00001042"), ("10420", "00001042"), ("1042", "CS-11042"),
     ("", "00001042"), ("CS", "CS-01042"), ("1042", "")],
)  # fmt: skip
def test_another_number_is_another_case(text: str, other: str) -> None:
    assert not same_number(text, other)


@pytest.mark.parametrize("spoken", ["", "mine", "CS", "1" * 31, "ABCDEFGHIJK1", "١٢٣"])
def test_what_is_no_case_number_has_no_candidates(spoken: str) -> None:
    assert normal_form(spoken) is None
    assert candidates(spoken, "CS-02077") == []


def test_candidates_are_few_and_no_longer_than_a_case_number() -> None:
    for example in (None, *FORMATS.values(), "X" * 25 + "00001"):
        for spoken in (*SPOKEN, "CS1042", "9" * 30):
            found = candidates(spoken, example)
            assert len(found) <= 24
            assert all(len(row) <= 30 for row in found)


def test_zero_is_a_number() -> None:
    assert normal_form("0000") == "0"
    assert same_number("0", "00000000")
