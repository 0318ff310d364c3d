"""Whatever a text is, it can be redacted and quoted, and nothing that must go gets through."""

import re

from hypothesis import strategies as st

from shared.redaction import ALL, Kind, clean, plain_line, redact, redact_across
from tests.fuzz.running import for_all
from tests.redaction.spelling import cards, spelled

AROUND_SECRETS = (
    "my password is pin the number security code on back four 1 4111 1111 de89 DE oh double , . uh "
    "and then hunter2 social 123-45-6789 card visa twenty y once mil ciento for of : = 12 account "
    "forty hundred no it last next ist mein Passwort clave es la + $ 00 vier 86095742719 12345678Z "
    "X 1234567 L letra "
    f"{Kind.CARD.label} {Kind.PASSWORD.label}"
).split()
any_texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from(AROUND_SECRETS), max_size=40).map(" ".join),
    st.lists(st.sampled_from(AROUND_SECRETS), max_size=20).map("".join),
)
kinds = st.sets(st.sampled_from(sorted(ALL)))


def test_any_text_is_redacted_once_and_stays_so() -> None:
    def check(drawn: tuple[str, set[Kind]]) -> None:
        text, some = drawn
        once = redact(text, some)
        assert redact(once, some) == once
        assert len(once) <= 4 * len(text) + 40

    for_all(st.tuples(any_texts, kinds), check, count=400)


def test_any_utterances_are_redacted_once_and_stay_so() -> None:
    def check(texts: list[str]) -> None:
        once = redact_across(texts, ALL)
        assert len(once) == len(texts)
        assert redact_across(once, ALL) == once

    for_all(st.lists(any_texts, max_size=6), check, count=150)


def test_a_card_number_is_removed_from_any_text() -> None:
    """Unless the text around it makes it part of a longer number."""

    def check(drawn: tuple[str, str, str]) -> None:
        before, number, after = drawn
        said = f"{before}. My card is {number}. Thanks. {after}"
        assert number not in redact(said)

    texts = st.text(alphabet=st.characters(exclude_categories=["N"]))
    for_all(st.tuples(texts, cards().flatmap(spelled), texts), check, count=150)


MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\$\{|<\||\|>|<[a-zA-Z/!]|://|javascript:|[\"“”\n\r]", re.I)
PIECES = (
    *("{", "}", "{{", "}}", "%", "$", "#", "@", "<", ">", "<|", "|>", "<b>", "</b>", "<!--", "-->"),
    *("<script>", "</script>", "&", ";", "&amp;", "&lt;", "&gt;", "&quot;", "&#x7b;", "lt", "amp"),
    *("http", "https://x.y", "javascript:", "java", "script:", "www.", ":", "/", "//", "(", ")"),
    *("[", "]", '"', "“", "b", "!", " ", "\n", "\\", "\u202e", "\u200b", "\u200d"),
)


def test_no_text_gets_a_mark_through() -> None:
    def check(drawn: tuple[str, int]) -> None:
        text, max_length = drawn
        line = plain_line(text, max_length)
        assert len(line) <= max_length
        assert not MARKS.search(line)
        assert clean(line) == line

    texts = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
    for_all(st.tuples(texts, st.integers(0, 60)), check, count=600)
