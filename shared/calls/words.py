"""What words of the caller mean for a request that the agent has just sent.

They may take the request back, correct it, or add another one. The phrases are data, one file per
language in `phrases/`. Only unmistakable words take back or correct. Ambiguous words do neither, so
two requests stay two.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from shared.calls.by_language import ByLanguage

_PUNCTUATION = re.compile(r"[^\w\s'’]+|…", re.UNICODE)

_WORD = re.compile(r"\w+")


class Sense(StrEnum):
    """What one utterance means. The value is its letter in Redis (scripts/record_event.lua)."""

    TAKES_BACK = "R"
    DECLINES = "D"
    """Takes back, unless it answers the agent's question."""
    CORRECTS = "C"
    ADDS = "A"
    ASKS = "Q"
    """The agent asks a question."""


@dataclass(frozen=True)
class _Language:
    correcting: frozenset[str]
    adding: frozenset[str]
    markers: re.Pattern[str]
    leading: re.Pattern[str]
    weak: frozenset[str]
    leads: frozenset[str]
    after_no: frozenset[str]
    alone: frozenset[str]
    at_end: re.Pattern[str]
    anywhere: re.Pattern[str]
    adds: re.Pattern[str]
    fillers: re.Pattern[str]
    first_of_fillers: frozenset[str]
    last_of_fillers: frozenset[str]
    takes_back: re.Pattern[str]
    declines: re.Pattern[str]
    requests: re.Pattern[str]

    def bare(self, clause: str) -> str:
        """Without fillers at its ends. Most clauses have none."""
        words = _WORD.findall(clause)
        if words and (words[0] in self.first_of_fillers or words[-1] in self.last_of_fillers):
            return self.fillers.sub("", clause.strip()).strip()
        return clause.strip()


def _read(path: Path) -> _Language:
    content = tomllib.loads(path.read_text(encoding="utf-8"))

    def one_of(name: str) -> str:
        longest_first = sorted(content[name], key=len, reverse=True)
        return "|".join(map(re.escape, longest_first))

    def phrases(name: str) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{phrase})" for phrase in content[name]))

    def first_words(*names: str) -> frozenset[str]:
        listed = (phrase for name in names for phrase in content.get(name, ()))
        return frozenset(_WORD.findall(phrase)[0] for phrase in listed)

    return _Language(
        correcting=first_words("markers", "corrects_alone", "corrects_at_end", "corrects_anywhere"),
        adding=first_words("adds"),
        markers=re.compile(rf"\b(?:{one_of('markers')})\b"),
        leading=re.compile(rf"(?P<marker>{one_of('markers')})\b\s*"),
        weak=frozenset(content["weak_markers"]),
        leads=frozenset(content["leading_markers"]),
        after_no=frozenset(content["after_no"]),
        alone=frozenset(content.get("corrects_alone", ())),
        at_end=re.compile(rf"(?:^|\s)(?:{one_of('corrects_at_end')})$"),
        anywhere=re.compile(rf"\b(?:{one_of('corrects_anywhere')})\b"),
        adds=re.compile(rf"\b(?:{one_of('adds')})\b"),
        fillers=re.compile(
            rf"^(?:(?:{one_of('fillers')})\b\s*)+|(?:\s*\b(?:{one_of('fillers')}))+$"
        ),
        first_of_fillers=first_words("fillers"),
        last_of_fillers=frozenset(_WORD.findall(filler)[-1] for filler in content["fillers"]),
        takes_back=phrases("takes_back"),
        declines=phrases("declines"),
        requests=re.compile(rf"(?:{one_of('requests')})\b"),
    )


def senses_of_caller(words: str, language: str = "") -> frozenset[Sense]:
    """The senses of a caller's final transcript.

    language: the tag that the transcriber is set to; "" when it is not known. Then every language
    that has a file counts.
    """
    text = " ".join(words.lower().replace("’", "'").split())
    pieces = [piece.strip() for piece in _PUNCTUATION.split(text) if piece.strip()]
    said = set(_WORD.findall(text))
    found: set[Sense] = set()
    for spoken in _LANGUAGES.spoken(language):
        may_correct = not said.isdisjoint(spoken.correcting)
        found |= _taken_back(spoken, pieces, has_markers=may_correct)
        if may_correct and _corrects(spoken, pieces):
            found.add(Sense.CORRECTS)
        if not said.isdisjoint(spoken.adding) and spoken.adds.search(text):
            found.add(Sense.ADDS)
    return frozenset(found)


def senses_of_agent(words: str) -> frozenset[Sense]:
    return frozenset({Sense.ASKS}) if "?" in words else frozenset()


def correct_only(senses: Iterable[Sense]) -> bool:
    """Whether an utterance with these senses corrects the request before it and adds none."""
    given = set(senses)
    return Sense.CORRECTS in given and Sense.ADDS not in given


def _corrects(language: _Language, pieces: list[str]) -> bool:
    return any(
        piece in language.alone
        or _begins_with_correction(language, piece)
        or language.at_end.search(piece) is not None
        or language.anywhere.search(piece) is not None
        for piece in pieces
    )


def _begins_with_correction(language: _Language, piece: str) -> bool:
    rest = language.bare(piece)
    while found := language.leading.match(rest):
        marker, rest = found["marker"], language.bare(rest[found.end() :])
        if marker in language.weak or (marker in language.leads and not rest):
            continue
        following = rest.partition(" ")[0]
        if marker != "no" or not following or following in language.after_no:
            return True
    return False


def _taken_back(language: _Language, pieces: list[str], *, has_markers: bool) -> set[Sense]:
    """Finds phrases at the beginning, at the end, or after a marker, unless a request follows.

    has_markers: whether the pieces may have any.
    """
    found: set[Sense] = set()
    corrected = False
    for nth, piece in enumerate(pieces):
        bare = ""
        clauses = language.markers.split(piece) if has_markers else [piece]
        for place, clause in enumerate(clauses):
            bare = language.bare(clause)
            corrects = corrected or place > 0
            at_an_end = nth == 0 or nth == len(pieces) - 1
            if bare and (corrects or at_an_end) and language.takes_back.fullmatch(bare):
                found.add(Sense.TAKES_BACK)
            elif bare and (corrects or at_an_end) and language.declines.fullmatch(bare):
                found.add(Sense.DECLINES)
            elif bare and language.requests.match(bare):
                found.clear()
            if bare:
                corrected = False
        if has_markers and not corrected:
            is_marker = piece in language.alone or (not bare and language.markers.search(piece))
            corrected = bool(is_marker)
    return found


_LANGUAGES = ByLanguage(Path(__file__).parent / "phrases", _read)
