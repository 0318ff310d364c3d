"""Removes card numbers, security codes, SSNs, IBANs, passwords and PINs from texts.

Takes time linear in the length of a text, and changes nothing in a text that it returned.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import accumulate

from shared.redaction.announced import pins, security_codes, social_security_numbers
from shared.redaction.cards import cards
from shared.redaction.document import Document, Span
from shared.redaction.ibans import ibans
from shared.redaction.kinds import ALL, Kind
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
    (Kind.SECURITY_CODE, security_codes),
    (Kind.PASSWORD, pins),
    (Kind.PASSWORD, passwords),
)
"""In this order: where two overlap, the first one counts."""


def redact(text: str, region: str = "US", kinds: Collection[Kind] = ALL) -> str:
    """The text with a label in place of each secret of these kinds.

    region: of the callers; social security numbers are those of the US.
    """
    return redact_across([text], region, kinds)[0]


def redact_across(
    texts: Sequence[str], region: str = "US", kinds: Collection[Kind] = ALL
) -> list[str]:
    """The same for consecutive utterances of one speaker.

    Also finds a number that goes on in the next utterance, and puts a label into each part.
    """
    redacted = list(texts)
    if not redacted:
        return []
    for _ in range(_MAX_ROUNDS):
        before = redacted
        redacted = _one_round(before, region, kinds)
        if redacted == before:
            break
    return redacted


def redact_values(text: str, matches: Callable[[str], bool], lengths: Collection[int]) -> str:
    """The text without the digits, written or spoken, for which `matches` is true.

    lengths: how many digits such a value has. `matches` is called with these only.
    """
    document = Document(text)
    longest_first = sorted(set(lengths), reverse=True)
    return replaced([text], document, _values(document, matches, longest_first))[0]


def _one_round(texts: Sequence[str], region: str, kinds: Collection[Kind]) -> list[str]:
    starts = list(accumulate((len(text) + 1 for text in texts[:-1]), initial=0))
    document = Document("\n".join(texts), starts)
    found: list[Span] = []
    for kind, find in _FINDERS:
        if kind in kinds and (kind is not Kind.SOCIAL_SECURITY or region == "US"):
            found += find(document)
    return replaced(texts, document, found) if found else list(texts)


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
