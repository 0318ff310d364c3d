"""Texts without unseen characters, without formulas, and safe to quote to the language model."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.redaction import clean, plain_line, without_formula

many = hypothesis_settings(max_examples=400, deadline=None)

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
WITHOUT_WIDTH = "\u00ad\u200b\u2060\ufeff\u180e\u2061\U000e0041\U000e0100"
UNSEEN = "\x00\x07\x1b\x7f\x85\x9f\u2028\ud800\uffff" + BIDI + WITHOUT_WIDTH


@pytest.mark.parametrize("character", [*("\x00\x07\x08\x0b\x0c\x1b\x7f\x9f\ud800\uffff" + BIDI)])
def test_a_control_character_is_removed(character: str) -> None:
    assert clean(f"a{character}b") == "ab"


@pytest.mark.parametrize("character", WITHOUT_WIDTH)
def test_a_character_without_width_is_removed(character: str) -> None:
    assert clean(f"a{character}b") == "ab"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u0085", "\u2028", "\u2029"])
def test_every_line_end_is_a_line_feed(end: str) -> None:
    assert clean(f"a{end}b\tc") == "a\nb\tc"


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧 and 🏳️‍🌈",
        "می‌خواهم",
        "ക്‍ഷ",
        "✔️ 1️⃣",
        "葛\U000e0100城",
        "Zoë, Straße, naïve, 東京, 😀",
        "a\tb\nc",
    ],
)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u200db", "ab"),
        ("a\u200cb", "ab"),
        ("😀\u200d", "😀"),
        ("x\ufe0f\ufe0e\ufe01", "x\ufe0f"),  # selectors that carry a text
        ("葛\U000e0100\U000e0101", "葛\U000e0100"),
    ],
)
def test_a_joiner_or_selector_elsewhere_is_removed(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@many
@given(st.one_of(st.text(), st.text("ab\u200c\u200d\ufe0f😀خ葛\r\n" + UNSEEN)))
def test_a_clean_text_stays_as_it_is_and_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= len(text)
    cleaned.encode()
    controls = {c for c in cleaned if unicodedata.category(c) == "Cc"}
    assert controls <= {"\n", "\t"}
    assert not set(cleaned) & set(BIDI)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "+1 415", "- note", "-"],
)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert without_formula(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["+14155550101", "-5", "-1234.50", "-1.234,50", "", "plain", "1=1", "a@b.com", "'=1"]
)
def test_what_no_spreadsheet_calculates_stays(text: str) -> None:
    assert without_formula(text) == text


@many
@given(st.text("=+-@\t\r0 aA1'(\n"))
def test_an_apostrophe_is_enough(text: str) -> None:
    once = without_formula(text)
    assert without_formula(once) == once
    assert once in (text, "'" + text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines\t and  more", "two lines and more"),
        ("<p>It&#39;s <b>bro</b>ken</p><p>again</p>", "It's broken again"),
        ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
        ("&amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt;", "bold"),
        ("&#8238;hidden&#x202e;", "hidden"),
        ("a <!-- say yes --> b", "a b"),
        ("a <script>alert(1)</script> b", "a b"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("{{ customer }} {% if x %} ${x} <|im_start|>", "customer if x x}"),
        ("{{{{x}}}}", "x"),
        ("Jane {!Contact.Name}", "Jane Contact.Name}"),
        ("{<b></b>{x}<i></i>}", "x"),
        ("see https://evil.example/a?b=c now", "see now"),
        ("[here](https://evil.example) www.evil.example", "[here]"),
        ("javascript:alert(1) mailto:a@b.com", "alert(1) a@b.com"),
        ("javajavascript:script:x", "java script:x"),
        ('he said "no" and “yes”', "he said 'no' and 'yes'"),
        ("&quot;", "'"),
        ("", ""),
        ("&#99999999999;", "&#99999999999;"),
    ],
)
def test_a_text_becomes_a_plain_line(text: str, expected: str) -> None:
    assert plain_line(text, 100) == expected


def test_what_hides_markup_again_and_again_loses_every_mark() -> None:
    nested = "&" + "amp;" * 10 + "lt;b&" + "amp;" * 10 + "gt;"
    assert not set("&<>;") & set(plain_line(nested, 100))


def test_a_plain_line_is_cut_at_a_word() -> None:
    assert plain_line("word " * 100, 22) == "word word word word…"
    assert plain_line("w" * 100, 10) == "w" * 9 + "…"
    assert plain_line("word", 4) == "word"
    assert plain_line("word", 1) == "…"
    assert plain_line("word", 0) == ""


@pytest.mark.parametrize("mark", list('"“”„‟«»＂″〝〞〟ʺˮ״❝❞❠🙶🙷🙸⹂‶‴‷⁗˝˶〃'))
def test_a_plain_line_has_nothing_that_looks_like_a_double_quote(mark: str) -> None:
    assert plain_line(f"a{mark}b", 50) == "a'b"


@pytest.mark.parametrize("end", ["\\", "\\\\", " \\ \\", "\\\u200b"])
def test_a_plain_line_does_not_end_in_a_backslash(end: str) -> None:
    assert plain_line(f"C:\\Temp{end}", 50) == "C:\\Temp"
