"""How long a text is for Salesforce, and when two texts are equal there."""

import html

import pytest

from shared.domain.text import fit, fit_comment, folded, html_bytes, stored_length

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
