"""Finds national identifiers that show themselves by their form and check digits.

German tax numbers (Identifikationsnummer, 11 digits: section 139b of the Abgabenordnung, ISO 7064
MOD 11,10) and Spanish ones (DNI and NIE: a letter for the number modulo 23). Both are found without
words that announce them.
"""

import re
from collections import Counter
from collections.abc import Iterator

from shared.redaction.document import Break, Document, Run, Span
from shared.redaction.kinds import Kind

_TAX_ID_SIZE = 11
_MAX_FILLERS = 2
_MAX_TOKENS = 16

_DNI = re.compile(r"(?:[0-9]|[xyz])[0-9]{7}[a-z]")
_BEGINS_A_DNI = re.compile(r"(?:[0-9]|[xyz])(?:[0-9]{0,7}|[0-9]{7}[a-z])")
_LETTERS = "trwagmyfpdxbnjzsqvhlcke"
_FIRST = {"x": "0", "y": "1", "z": "2"}
_BETWEEN = re.compile(r"[ \t\u00a0.,;:/–—‐‑-]*")


def german_tax_ids(document: Document) -> Iterator[Span]:
    """Eleven digits in any groups that nothing but a pause, words or the text's end borders."""
    for run in document.runs:
        starts = [at for at in range(len(run)) if _begins(document, run, at)]
        for at in starts:
            size, last = 0, at - 1
            while size < _TAX_ID_SIZE and last + 1 < len(run):
                last += 1
                size += len(run[last].digits)
            digits = "".join(number.digits for number in run[at : last + 1])
            if size == _TAX_ID_SIZE and _ends(run, last) and _is_german_tax_id(digits):
                yield document.span(run[at].first, run[last].last, Kind.STEUER_ID)


def _begins(document: Document, run: Run, at: int) -> bool:
    before = document.tokens[run[at].first].before
    return not before.endswith("+") and (at == 0 or run[at].before >= Break.PAUSE)


def _ends(run: Run, last: int) -> bool:
    return last + 1 == len(run) or run[last + 1].before >= Break.PAUSE


def _is_german_tax_id(digits: str) -> bool:
    """Of the first ten digits one is there twice or three times, and every other once at most."""
    often = [count for count in Counter(digits[:-1]).values() if count > 1]
    if digits[0] == "0" or often not in ([2], [3]):
        return False
    product = 10
    for digit in map(int, digits[:-1]):
        total = (digit + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def spanish_ids(document: Document) -> Iterator[Span]:
    at = 0
    while at < len(document.tokens):
        last = _last_of_dni(document, at) if _may_begin_a_dni(document, at) else None
        if last is not None:
            yield document.span(at, last, Kind.DNI)
        at = at + 1 if last is None else last + 1


def _may_begin_a_dni(document: Document, at: int) -> bool:
    """False for plain words, as nearly all are."""
    word = document.tokens[at].word
    return document.numbers.may_begin[at] or len(word) == 1 or not word.isalpha()


def _last_of_dni(document: Document, first: int) -> int | None:
    """The last token of the DNI or NIE that begins at a token."""
    run, nth = document.run_of_first.get(first, ([], 0))
    if nth and run[nth].before == Break.SPACE:
        return None  # within a longer number
    found, fillers, at = "", 0, first
    while at < min(first + _MAX_TOKENS, len(document.tokens)):
        if at > first and not _is_close(document, at):
            return None
        digits = document.numbers.digits_at(at)
        if digits or _is_part(document, at):
            found += digits.text if digits else document.word(at)
        elif found and fillers < _MAX_FILLERS and _is_filler(document, at):
            fillers += 1
        else:
            return None
        at = digits.end if digits else at + 1
        if not _BEGINS_A_DNI.fullmatch(found):
            return None
        if _DNI.fullmatch(found):
            number = _FIRST.get(found[0], found[0]) + found[1:-1]
            return at - 1 if _LETTERS[int(number) % len(_LETTERS)] == found[-1] else None
    return None


def _is_part(document: Document, at: int) -> bool:
    """Digits with letters, or a letter alone. "a", "e" and "y" are words too, so a letter alone has
    to be a capital."""
    token = document.tokens[at]
    if len(token.word) > 1:
        return any(map(str.isdecimal, token.word))
    return document.text[token.start : token.end].isupper()


def _is_filler(document: Document, at: int) -> bool:
    return document.is_in("before_letters", at) or (
        document.is_in("hesitations", at) and len(document.word(at)) > 1
    )


def _is_close(document: Document, at: int) -> bool:
    token = document.tokens[at]
    is_next_utterance = token.part != document.tokens[at - 1].part
    before = token.before.replace("\n", "") if is_next_utterance else token.before
    return _BETWEEN.fullmatch(before) is not None
