"""Finds passwords, which may be words, by what is said before or after them.

"My password is not working" has none: a word after "is" counts, unless it is a state such as
"wrong" (`no_values`). Right after "password", after "to" and after a pause a password is only what
contains a digit.
"""

import re
from collections.abc import Iterator

from shared.redaction.cues import digits_before
from shared.redaction.document import Cue, Document, Span
from shared.redaction.kinds import Kind
from shared.redaction.tokens import LABEL

_MAX_BETWEEN = 12
_MAX_PHRASE = 8
_MAX_WORDS = 8
_MAX_PIECES = 40
_CHUNK = re.compile(r"""[^\s"'“”„‘’<>(){}\[\],;]{1,128}""")
_SYMBOLS_BEFORE = "@#$%^&*_+~|!"
_MIXED = re.compile(r"(?=.*\d)(?=.*[^\W\d_])|.*[#$%^&*!]\w")
_ADDRESS = re.compile(r".+@\w[\w-]*\.\w")
_PAUSES = frozenset(".,;:?!")
_QUOTES = " \t\"'“”„‘’"
_SENTENCE_ENDS = frozenset(".?!;")
_DIGITS = range(4, 21)
_MIN_ADJACENT = 5
"""Characters of a password that follows "password" directly: "2nd" is none."""


def passwords(document: Document) -> Iterator[Span]:
    for cue in document.cues["password"]:
        if span := _after(document, cue) or _before(document, cue):
            yield span


def _after(document: Document, cue: Cue) -> Span | None:
    at = document.after_places(cue.end)
    announced = strict = False
    """announced: by "is" or a colon, so a word counts. strict: only with digits in it."""
    phrase = 0
    """How many tokens of a phrase are read: after "password" "for my account" until "is"."""
    while at < min(cue.end + _MAX_BETWEEN, len(document.tokens)):
        if _has_colon(document, at) or document.is_in("copulas", at):
            announced, phrase = True, 0
        elif not announced and _is_pause(document, at):
            if phrase:
                return None
            strict = True
        if document.is_in("copulas", at) or _is_skipped(document, at):
            pass
        elif announced:
            if not _is_article(document, at):
                return _value(document, at, strict=strict or _is_in_doubt(document, cue))
            strict = True
        elif phrase:
            if phrase > _MAX_PHRASE or document.is_in("phrase_ends", at):
                return None
            phrase += 1
        elif document.is_in("announcing", at):
            strict = True
        elif document.is_in("changes_to", at) and _is_mixed(_chunk(document, at + 1)[2]):
            return _value(document, at + 1, strict=True)
        elif document.is_in("prepositions", at) and not strict:
            phrase = 1
        elif not document.is_in("copulas", at + 1):  # "it is"
            return _adjacent(document, at)
        at += 1
    return None


def _has_colon(document: Document, at: int) -> bool:
    colon = document.tokens[at].before.strip(_QUOTES)
    return colon == "=" or (colon == ":" and not document.word(at - 1).isdecimal())


def _before(document: Document, cue: Cue) -> Span | None:
    """ "hunter2 is my password"."""
    if found := digits_before(document, cue, _DIGITS):
        first, last = found
        return _span(document, document.tokens[first].start, document.tokens[last].end)
    at = cue.first - 1
    if document.is_in("possessives", at):
        at -= 1
    if at < 1 or not (document.is_in("copulas", at) or document.is_in("stands_for", at)):
        return None
    first = last = at - 1
    while first > 0 and document.tokens[first].before and not _is_spaced(document, first):
        first -= 1
    start, end = document.tokens[first].start, document.tokens[last].end
    return _span(document, start, end) if _is_mixed(document.text[start:end]) else None


def _is_spaced(document: Document, at: int) -> bool:
    return any(map(str.isspace, document.tokens[at].before))


def _is_in_doubt(document: Document, cue: Cue) -> bool:
    """ "la clave es" may speak of a key in general, "mi clave es" doesn't."""
    return document.is_in("in_doubt", cue.first) and not document.is_in("owners", cue.first - 1)


def _is_skipped(document: Document, at: int) -> bool:
    return document.is_in("hesitations", at) and len(document.word(at)) > 1


def _is_article(document: Document, at: int) -> bool:
    return document.is_in("articles", at) and len(document.word(at + 1)) != 1


def _adjacent(document: Document, at: int) -> Span | None:
    """The password that follows without "is", in the same sentence."""
    if not _SENTENCE_ENDS.isdisjoint(document.tokens[at].before):
        return None
    _, _, chunk = _chunk(document, at)
    if _is_mixed(chunk) and len(chunk) < _MIN_ADJACENT:
        return None
    return _value(document, at, strict=True)


def _chunk(document: Document, at: int) -> tuple[int, int, str]:
    """Start, end and text of what stands between spaces, with its symbols."""
    if at >= len(document.tokens) or document.word(at) == LABEL:
        return 0, 0, ""
    token = document.tokens[at]
    start = token.start - len(token.before) + len(token.before.rstrip(_SYMBOLS_BEFORE))
    match = _CHUNK.match(document.text, start)
    end = match.end() if match else token.end
    text = document.text[start:end].rstrip(".:?…")
    return start, max(start + len(text), token.end), text


def _is_mixed(chunk: str) -> bool:
    return _MIXED.match(chunk) is not None and _ADDRESS.match(chunk) is None


def _value(document: Document, first: int, *, strict: bool) -> Span | None:
    """The password that begins at a token. strict: it needs digits in it."""
    start, end, chunk = _chunk(document, first)
    if not chunk:
        return None
    is_mixed = _is_mixed(chunk)
    if not is_mixed and _is_state(document, first):
        follows = _is_mixed(_chunk(document, first + 1)[2]) and not _is_pause(document, first + 1)
        return _value(document, first + 1, strict=True) if follows else None
    at = _token_from(document, end, first + 1)
    pieces = _Pieces(document, first, is_mixed=is_mixed)
    last = pieces.last_from(at)
    if document.is_in("units", last + 1) and document.numbers.digits_at(last):
        return None
    if strict and not is_mixed and pieces.digits < _DIGITS.start:
        return None
    return _span(document, start, max(end, document.tokens[last].end))


def _is_pause(document: Document, at: int) -> bool:
    return not _PAUSES.isdisjoint(document.tokens[at].before)


def _span(document: Document, start: int, end: int) -> Span:
    return Span(start, end, Kind.PASSWORD)


def _token_from(document: Document, start: int, at: int) -> int:
    while at < len(document.tokens) and document.tokens[at].start < start:
        at += 1
    return at


def _is_state(document: Document, at: int) -> bool:
    if document.is_in("no_values", at):
        return True
    return document.is_in("no_values_alone", at) and (
        at + 1 == len(document.tokens)
        or _is_pause(document, at + 1)
        or document.is_in("stops", at + 1)
        or document.is_in("no_values", at + 1)
    )


class _Pieces:
    """Reads the words of a password: "blue elephant seven", "capital H u n t e r two"."""

    def __init__(self, document: Document, first: int, *, is_mixed: bool) -> None:
        self._document = document
        self._first = first
        self._is_mixed = is_mixed
        self._is_wordy = not is_mixed and not self._is_piece(first)
        """Whether a plain word may follow."""
        self.digits = 0

    def last_from(self, at: int) -> int:
        """The last token, if the password goes on at this token."""
        document = self._document
        last = at - 1
        number = document.numbers.digits_at(self._first)
        if number and not self._is_mixed:
            self.digits = len(number.text)
            last = max(last, number.end - 1)
            at = max(at, number.end)
        words = 1
        while at < len(document.tokens) and at < self._first + _MAX_PIECES:
            token = document.tokens[at]
            pauses = _PAUSES.intersection(token.before)
            digits = document.numbers.digits_at(at)
            end = digits.end if digits else at + 1
            if token.word == LABEL or pauses - {","}:
                break
            if _is_skipped(document, at) and self._is_piece(at + 1):
                pass
            elif digits and not (self._is_mixed and digits.written and len(digits.text) > 2):
                self.digits += len(digits.text)
                self._is_wordy = False
            elif self._is_piece(at) and not digits:
                self._is_wordy = document.is_in("spelling", at)
            elif self._is_wordy and not pauses and words < _MAX_WORDS and not self._stops(at):
                words += 1
            else:
                break
            last = end - 1
            at = end
        return self._trimmed(last)

    def _is_piece(self, at: int) -> bool:
        word = self._document.word(at)
        return (
            len(word) == 1
            or self._document.is_in("spelling", at)
            or self._document.numbers.digits_at(at) is not None
        )

    def _stops(self, at: int) -> bool:
        return self._document.is_in("stops", at)

    def _trimmed(self, last: int) -> int:
        """Without the words at the end that belong to what follows."""
        document = self._document
        while last > self._first and (
            self._stops(last) or document.is_in("articles", last) or _is_skipped(document, last)
        ):
            last -= 1
        return last
