"""A text with its tokens and with the runs of digits in it, written or spoken."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from shared.redaction.kinds import Kind
from shared.redaction.numbers import NumberReader
from shared.redaction.tokens import LABEL, Token, tokens
from shared.redaction.vocabulary import Vocabulary, vocabulary
from shared.unlocked import cached_property

_MAX_FILLERS = 8
"""Words between two digits of a run."""
_MAX_INTERRUPTION = 3
_SHORT = 2
_ENDS_A_RUN = frozenset("+$€£¥@")
_IN_DATES_AND_TIMES = frozenset({":", "/"})


class Break(IntEnum):
    """What stands between two numbers of a run."""

    SPACE = 0
    PAUSE = 1
    LINK = 2
    """A word such as "then"."""
    WORDS = 3
    """Any other words, in `loose_runs`."""
    UTTERANCE = 4


@dataclass(frozen=True, slots=True)
class Number:
    """Digits that belong together: "4111", "four", "double four".

    first, last: its tokens. before: what separates it from the number before it in the run.
    """

    digits: str
    first: int
    last: int
    before: Break
    written: bool

    @property
    def is_short(self) -> bool:
        return len(self.digits) <= _SHORT


Run = list[Number]


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that announce a secret: the tokens from first to before end."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the text that is to be replaced."""

    start: int
    end: int
    kind: Kind


class Document:
    def __init__(self, text: str, starts: Sequence[int] = (0,)) -> None:
        """starts: where each utterance begins in the text."""
        self.text = text
        self.starts = starts
        self.words: Vocabulary = vocabulary()
        self.tokens: list[Token] = tokens(text, starts)
        self.numbers = NumberReader(self.tokens, self.words)
        self.runs: list[Run] = list(self._runs())

    def word(self, at: int) -> str:
        """The word of a token, "" outside the text and for a label."""
        return self.tokens[at].word if 0 <= at < len(self.tokens) else ""

    def after_places(self, at: int) -> int:
        """The token after "on the back of the card", if that begins at this token."""
        return self.words.places.at(self.tokens, at)[1] if at < len(self.tokens) else at

    def span(self, first: int, last: int, kind: Kind) -> Span:
        """From the first token to the last one."""
        return Span(self.tokens[first].start, self.tokens[last].end, kind)

    def is_in(self, name: str, at: int) -> bool:
        """Whether the token is in this list of the vocabulary."""
        return self.word(at) in self.words.words[name]

    @cached_property
    def cues(self) -> dict[str, list[Cue]]:
        """By name, each in order."""
        found: dict[str, list[Cue]] = defaultdict(list)
        end = 0
        for at in self.words.cues.beginnings(self.tokens):
            if at >= end:
                name, end = self.words.cues.at(self.tokens, at)
                if name:
                    found[name].append(Cue(at, end))
        return found

    def follows(self, name: str, at: int, reach: int) -> bool:
        """Whether the token follows a cue within so many tokens."""
        cues = self.cues[name]
        before = bisect_left(cues, at, key=lambda cue: cue.first)
        return before > 0 and cues[before - 1].first >= at - reach

    @cached_property
    def run_of_first(self) -> dict[int, tuple[Run, int]]:
        """Run and place of the number that begins at a token."""
        return {number.first: (run, at) for run in self.runs for at, number in enumerate(run)}

    @cached_property
    def run_of_last(self) -> dict[int, tuple[Run, int]]:
        return {number.last: (run, at) for run in self.runs for at, number in enumerate(run)}

    def loose_runs(self) -> Iterator[Run]:
        """Runs that a few words interrupt, whatever they are: "4111 go ahead 1111"."""
        loose: Run = []
        runs = 0
        for run in self.runs:
            if loose and not self._are_near(loose[-1].last, run[0].first):
                if runs > 1:
                    yield loose
                loose, runs = [], 0
            before = max(run[0].before, Break.WORDS) if loose else run[0].before
            loose += [replace(run[0], before=before), *run[1:]]
            runs += 1
        if runs > 1:
            yield loose

    def _are_near(self, last: int, first: int) -> bool:
        return first - last - 1 <= _MAX_INTERRUPTION and not any(
            map(_ends_a_run, self.tokens[last + 1 : first + 1])
        )

    def _runs(self) -> Iterator[Run]:
        run: Run = []
        fillers = 0
        at = 0
        separation = Break.SPACE
        positions = self.words.words["positions"]
        while at < len(self.tokens):
            token = self.tokens[at]
            if not (run or self.numbers.may_begin[at] or token.word in positions):
                at += 1
                continue
            following = at + 1
            if run and _ends_a_run(token):
                yield run
                run = []
            separation = max(separation, self._pause(token))
            position = self._end_of_position(at)
            digits = None if position else self.numbers.digits_at(at)
            if digits:
                if run and token.part != self.tokens[run[-1].last].part:
                    separation = Break.UTTERANCE
                following = digits.end
                run.append(Number(digits.text, at, following - 1, separation, digits.written))
                fillers, separation = 0, Break.SPACE
            elif run:
                following = position or at + 1
                fillers += following - at
                is_link = position or self.is_in("links", at)
                separation = max(separation, Break.LINK if is_link else Break.PAUSE)
                if fillers > _MAX_FILLERS or not (is_link or self.is_in("hesitations", at)):
                    yield run
                    run = []
            if not run:
                fillers, separation = 0, Break.SPACE
                following = max(following, position)
            at = following
        if run:
            yield run

    @staticmethod
    def _pause(token: Token) -> Break:
        return Break.PAUSE if token.before.strip() or "\n" in token.before else Break.SPACE

    def _end_of_position(self, at: int) -> int:
        """The index after "the next" or "last four", 0 for any other token.

        "next four 1 1 1 1" has four digits, "next four one one one" too.
        """
        if not self.is_in("positions", at):
            return 0
        count = self.numbers.single_at(at + 1)
        if not count or int(count) < 3:
            return at + 1
        digits = 0
        while digits <= int(count) and self.numbers.single_at(at + 2 + digits):
            digits += 1
        return at + 2 if digits in (0, int(count)) else at + 1


def _ends_a_run(token: Token) -> bool:
    return (
        token.word == LABEL
        or token.before in _IN_DATES_AND_TIMES
        or not _ENDS_A_RUN.isdisjoint(token.before)
    )


def is_tight(run: Run, at: int) -> bool:
    """Whether nothing but a space separates the number from the one before, as digit from digit."""
    return at > 0 and run[at].before == Break.SPACE and run[at].is_short and run[at - 1].is_short
