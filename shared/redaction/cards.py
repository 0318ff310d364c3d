"""Finds payment card numbers among the digits of a text.

Order and tracking numbers contain the digits of a card by chance. So a card number has to begin and
end where the caller pauses, and not amid equal groups of a longer number. Its own groups are those
of a card, unless it is all that was said.
"""

from collections.abc import Iterator
from itertools import accumulate, pairwise

from shared.redaction.document import Break, Document, Run, Span, is_tight
from shared.redaction.issuers import Luhn, lengths
from shared.redaction.kinds import Kind

_MIN_DIGITS = 12
_MAX_DIGITS = 19
_MAX_UTTERANCES = 3
_MAX_E164_DIGITS = 15
_CUE_REACH = 12
"""Tokens between "card" and the number."""
_GROUP_STARTS = {14: {0, 4, 8, 10, 12}, 15: {0, 4, 8, 10, 12}}
"""Where a group of three digits or more may begin. At a multiple of four for other lengths."""
_EXPIRY_SIZES = frozenset({4, 6, 7, 8})
"""Digits of an expiry date, perhaps with a security code after it."""
_CODE_SIZES = frozenset({1, 2, 3})
"""Digits of a security code, or of an amount that follows."""


def cards(document: Document) -> Iterator[Span]:
    for run in document.runs:
        yield from _Search(document, run).found()
    for run in document.loose_runs():
        yield from _Search(document, run, loose=True).found()


def _may_be_card(digits: str) -> bool:
    """Whether it may be another card, perhaps with a digit that was not understood."""
    return len(digits) in lengths(digits[:4])


class _Search:
    def __init__(self, document: Document, run: Run, *, loose: bool = False) -> None:
        """loose: other words interrupt the run. Then only groups of a card count."""
        self._document = document
        self._run = run
        self._loose = loose
        self._digits = "".join(number.digits for number in run)
        self._unread = 0
        """The first number after the last card found."""

    def found(self) -> Iterator[Span]:
        if len(self._digits) < _MIN_DIGITS:
            return
        self._measure()
        at = 0
        while at < len(self._run):
            last = self._card_at(at) if self._may_start(at) else None
            if last is None:
                at += 1
            else:
                first, end = self._run[at].first, self._run[last].last
                yield self._document.span(first, end, Kind.CARD)
                at = self._unread = last + 1

    def _measure(self) -> None:
        ends = list(accumulate(len(number.digits) for number in self._run))
        self._starts = [0, *ends[:-1]]
        self._by_end = {end: at for at, end in enumerate(ends)}
        self._luhn = Luhn(self._digits)
        self._after_cue = self._document.follows("card", self._run[0].first, _CUE_REACH)
        self._groups = [at for at in range(len(self._run)) if not is_tight(self._run, at)]
        """The first number of each group, which has no pause in it."""
        bounds = [*(self._starts[at] for at in self._groups), len(self._digits)]
        self._sizes = [end - start for start, end in pairwise(bounds)]
        self._group_of = dict(zip(self._groups, range(len(self._groups)), strict=True))
        self._gaps = [self._gap(at) for at in self._groups]

    def _gap(self, at: int) -> str:
        """What separates a group from the one before it."""
        tokens = self._document.tokens
        start = tokens[self._run[at - 1].last].end if at else 0
        return self._document.text[start : tokens[self._run[at].first].start] if at else ""

    def _may_start(self, at: int) -> bool:
        if at == self._unread:
            return True
        if is_tight(self._run, at):
            return at - 1 == self._unread and self._is_no_digit(at - 1)
        return not self._is_amid_groups(self._group_of[at])

    def _is_after_words(self, at: int) -> bool:
        """Whether nothing, or words, are before a number that may start a card."""
        return at == self._unread or self._run[at].before >= Break.LINK

    def _is_no_digit(self, at: int) -> bool:
        """Whether the word is none for a digit, as "one" in "use this one", and groups follow."""
        number = self._run[at]
        digits = self._sizes[self._group_of[at]] - len(number.digits) if at in self._group_of else 0
        is_ambiguous = self._document.is_in("ambiguous", number.first)
        return is_ambiguous and number.first == number.last and digits in (4, 14, 15, 16, 19)

    def _is_amid_groups(self, group: int) -> bool:
        """Whether the groups before are part of the same number."""
        before = 0
        while group > 0 and before <= _MAX_DIGITS and self._continues(group, group + 1):
            group -= 1
            before += self._sizes[group]
        start = self._starts[self._groups[group]]
        return before > 0 and not _may_be_card(self._digits[start : start + before])

    def _continues(self, group: int, other: int) -> bool:
        """Whether a group follows the one before as an equal, and in the way that another does."""
        return (
            0 < other < len(self._groups)
            and self._sizes[group] == self._sizes[group - 1]
            and self._gaps[group] == self._gaps[other]
        )

    def _card_at(self, at: int) -> int | None:
        start = self._starts[at]
        sizes = lengths(self._digits[start : start + 4], after_cue=self._after_cue)
        rest = len(self._digits) - start
        for size in (rest, *sizes) if rest in sizes else sizes:
            last = self._by_end.get(start + size)
            if (
                last is not None
                and self._luhn.passes(start, start + size)
                and self._may_end(at, last)
                and self._is_grouped(at, last, size)
                and not self._is_other_number(at, size)
                and self._part(last) - self._part(at) < _MAX_UTTERANCES
            ):
                return last
        return None

    def _part(self, at: int) -> int:
        return self._document.tokens[self._run[at].last].part

    def _may_end(self, at: int, last: int) -> bool:
        tail = self._tail(at, last + 1)
        if not tail:
            return True
        if self._loose or _may_be_card(tail):
            return not is_tight(self._run, last + 1)
        is_expiry = len(tail) in _EXPIRY_SIZES and "01" <= tail[:2] <= "12"
        return self._is_after_words(at) and (is_expiry or len(tail) in _CODE_SIZES)

    def _is_before_words(self, at: int, last: int) -> bool:
        """Whether nothing, or words, follow a card."""
        following = last + 1
        return following == len(self._run) or (
            self._run[following].before >= Break.LINK and not self._tail(at, following)
        )

    def _tail(self, at: int, following: int) -> str:
        """The digits that go on after the card without a change, at least some of them."""
        if following == len(self._run):
            return ""
        end = following
        if is_tight(self._run, following):
            while end < len(self._run) and is_tight(self._run, end):
                end += 1
                if self._starts[end - 1] - self._starts[following] > _MAX_DIGITS:
                    break
        else:
            group = self._group_of[following]
            is_single = self._groups[group - 1] <= at
            while not is_single and group < len(self._groups) and self._continues(group, group - 1):
                group += 1
                if group - self._group_of[following] > _MAX_DIGITS:
                    break
            end = self._groups[group] if group < len(self._groups) else len(self._run)
        return "".join(number.digits for number in self._run[following:end])

    def _is_grouped(self, at: int, last: int, size: int) -> bool:
        """Whether it is all that was said, or its groups are those of a card.

        If words interrupt it, a single digit does not count as a group: "IMEI one is 352..., IMEI
        two is 864...".
        """
        if not self._loose and self._is_after_words(at) and self._is_before_words(at, last):
            return True
        allowed = _GROUP_STARTS.get(size)
        for number in range(at + 1, last + 1):
            start = self._starts[number] - self._starts[at]
            is_inside = is_tight(self._run, number) if self._loose else self._run[number].is_short
            if not is_inside and (start % 4 if allowed is None else start not in allowed):
                return False
        return True

    def _is_other_number(self, at: int, size: int) -> bool:
        """Whether it is a phone number, or what follows a decimal point."""
        before = self._document.tokens[self._run[at].first].before
        is_phone = size <= _MAX_E164_DIGITS and before.endswith("+")
        return is_phone or (at > 0 and before in (".", ",") and len(self._run[at].digits) == size)
