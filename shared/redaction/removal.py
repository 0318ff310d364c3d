"""Removes card numbers, security codes, SSNs, IBANs, passwords, PINs and national identifiers from
texts.

Takes time linear in the length of a text, and changes nothing in a text that it returned.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate

from shared.redaction.announced import pins, security_codes, social_security_numbers
from shared.redaction.cards import cards
from shared.redaction.document import Document, Span
from shared.redaction.ibans import ibans
from shared.redaction.kinds import DEFAULT, Kind
from shared.redaction.national import german_tax_ids, spanish_ids
from shared.redaction.passwords import passwords
from shared.redaction.replacing import replaced
from shared.redaction.tokens import normal_form

_MAX_ROUNDS = 4
"""What was removed may separate words that a second look takes for a secret."""

_GLUED = re.compile(r"(?<=[^\W\d_])\d+|\d+(?=[^\W\d_])")
"""Digits that are part of a word: "PIN1234"."""

_FINDERS: tuple[tuple[Kind, Callable[[Document], Iterator[Span]]], ...] = (
    (Kind.BANK_ACCOUNT, ibans),
    (Kind.CARD, cards),
    (Kind.SOCIAL_SECURITY, social_security_numbers),
    (Kind.STEUER_ID, german_tax_ids),
    (Kind.DNI, spanish_ids),
    (Kind.SECURITY_CODE, security_codes),
    (Kind.PASSWORD, pins),
    (Kind.PASSWORD, passwords),
)
"""In this order: where two overlap, the first one counts."""


def redact(text: str, kinds: Collection[Kind] = DEFAULT) -> str:
    """The text with a label in place of each secret of these kinds."""
    return redact_across([text], kinds)[0]


def redact_across(texts: Sequence[str], kinds: Collection[Kind] = DEFAULT) -> list[str]:
    """The same for consecutive utterances of one speaker.

    Also finds a number that goes on in the next utterance, and puts a label into each part.
    """
    redacted = list(texts)
    if not redacted:
        return []
    for _ in range(_MAX_ROUNDS):
        before = redacted
        redacted = _one_round(before, kinds)
        if redacted == before:
            break
    return redacted


def redact_values(text: str, matches: Callable[[str], bool], lengths: Collection[int]) -> str:
    """The text without the digits, written or spoken, for which `matches` is true.

    lengths: how many digits such a value has. `matches` is called with these only.
    """
    return redact_values_across([text], matches, lengths)[0]


def redact_values_across(
    texts: Sequence[str],
    matches: Callable[[str], bool],
    lengths: Collection[int],
    word_lengths: Collection[int] = (),
) -> list[str]:
    """The same for consecutive utterances of one speaker, as `redact_across` does it.

    word_lengths: how long a value with letters is, without spaces: "tango seven" is "tango7".
    """
    if not texts:
        return []
    document = _joined(texts)
    longest_first = sorted(set(lengths), reverse=True)
    found = [*_values(document, matches, longest_first)]
    if word_lengths:
        found += _worded_values(document, matches, frozenset(word_lengths))
    return replaced(texts, document, found)


def _one_round(texts: Sequence[str], kinds: Collection[Kind]) -> list[str]:
    document = _joined(texts)
    found: list[Span] = []
    for kind, find in _FINDERS:
        if kind in kinds:
            found += find(document)
    return replaced(texts, document, found) if found else list(texts)


def _joined(texts: Sequence[str]) -> Document:
    starts = list(accumulate((len(text) + 1 for text in texts[:-1]), initial=0))
    return Document("\n".join(texts), starts)


def _values(
    document: Document, matches: Callable[[str], bool], lengths: Sequence[int]
) -> Iterator[Span]:
    for match in _GLUED.finditer(document.text):
        if len(match[0]) in lengths and matches(normal_form(match[0])):
            yield Span(match.start(), match.end(), Kind.PASSWORD)
    for run in document.runs:
        digits = "".join(number.digits for number in run)
        ends = list(accumulate(len(number.digits) for number in run))
        by_end = {end: at for at, end in enumerate(ends)}
        unread = 0
        for at, start in enumerate([0, *ends[:-1]]):
            for length in lengths if start >= unread else ():
                last = by_end.get(start + length)
                if last is not None and matches(digits[start : start + length]):
                    yield document.span(run[at].first, run[last].last, Kind.PASSWORD)
                    unread = start + length
                    break


def _worded_values(
    document: Document, matches: Callable[[str], bool], lengths: frozenset[int]
) -> Iterator[Span]:
    """Values with letters, of whole words. A word for a digit is read in both ways."""
    readings = [_as_digits(document), _as_words(document)]
    longest = max(lengths)
    for first in range(len(document.tokens)):
        for reading in readings:
            value, at = "", first
            while at < len(reading) and len(value) < longest and reading[at] is not None:
                word, end = reading[at] or ("", at + 1)
                value, at = value + word, end
                if word and len(value) in lengths and matches(value):
                    yield document.span(first, at - 1, Kind.PASSWORD)


_Reading = list[tuple[str, int] | None]
"""For each token: what it adds to a value, and the token after it; None ends a value."""


def _as_words(document: Document) -> _Reading:
    return [
        ("" if _is_passed_over(document, at) else token.word, at + 1) if token.word else None
        for at, token in enumerate(document.tokens)
    ]


def _as_digits(document: Document) -> _Reading:
    reading = _as_words(document)
    for at in range(len(reading)):
        if digits := document.numbers.digits_at(at):
            reading[at] = (digits.text, digits.end)
    return reading


def _is_passed_over(document: Document, at: int) -> bool:
    """A letter alone may be one of the value's."""
    word = document.word(at)
    return len(word) > 1 and (document.is_in("hesitations", at) or word in _SEPARATORS)


_SEPARATORS = frozenset({"dash", "hyphen", "minus", "slash", "dot", "point", "space", "underscore"})
"""As `shared/domain/identifiers.py` leaves them out of what was said."""
