"""How long a text is for Salesforce, and when two texts are equal there."""

import html

import pytest

from shared.domain.text import (
    comparable,
    fit,
    fit_comment,
    folded,
    html_bytes,
    stored_length,
)

TEXTS = ["", "plain", "a\nb", "a\r\nb\rc\n\n", "&<>\"'", "é😀", "x" * 300 + "\n" * 300, "\n\r\r\n"]


def stored(text: str) -> str:
    """The text as Salesforce may store it."""
    return "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


@pytest.mark.parametrize("text", TEXTS)
def test_a_line_break_takes_two_characters(text: str) -> None:
    assert stored_length(text) == len(stored(text))


@pytest.mark.parametrize("text", TEXTS)
def test_a_comment_is_counted_as_html(text: str) -> None:
    written = html.escape(stored(text)).replace("&#x27;", "&#39;")
    assert html_bytes(text) == len(written.encode())


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("limit", [10, 50, 300])
def test_what_is_cut_fits_and_ends_with_an_ellipsis(text: str, limit: int) -> None:
    for cut, size in ((fit(text, limit), stored_length), (fit_comment(text, limit), html_bytes)):
        assert size(cut) <= limit
        assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))
        assert size(text) > limit or cut == text


def test_a_cut_wastes_no_more_than_a_word() -> None:
    assert fit("word " * 100, 52) == "word " * 9 + "word…"
    assert html_bytes(fit_comment("&" * 1000, 100)) > 94


@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\rb"])
def test_line_ends_are_folded_to_compare(text: str) -> None:
    assert folded(text) == "a\nb"
    assert folded(None) == ""


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (2, 2.0),
        (True, True),
        (None, ""),
        ("2026-12-01T09:00:00+00:00", "2026-12-01T10:00:00.000+0100"),
        ("2026-12-01T09:00:00Z", "2026-12-01T09:00:00.000+0000"),
        ("10:00:00", "10:00:00.000Z"),
        ("a\nb ", "a\r\nb"),
    ],
)
def test_a_value_is_equal_to_what_salesforce_makes_of_it(ours: object, theirs: object) -> None:
    assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize(
    ("first", "second"),
    [(2, 2.5), (True, False), ("2026-12-01", "2026-12-02"), ("a", "A"), ("x", None)],
)
def test_other_values_are_not_equal(first: object, second: object) -> None:
    assert comparable(first) != comparable(second)


def test_a_text_that_only_looks_like_a_moment_is_compared_as_a_text() -> None:
    assert comparable("2026-13-45T99:99:99Z") == "2026-13-45T99:99:99Z"
