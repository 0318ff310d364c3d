"""What an agent says it has done: claims in its final transcripts, which the ledger holds against
what was accepted.

The phrases are data, one file per language in `claim_phrases/` (see en.toml). A question, an offer,
an announcement, a condition and a denial claim nothing, nor does a report about earlier. What this
finds and misses is measured by `tests/claims` and stated in docs/promises.md.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from shared.calls.by_language import ByLanguage

_SENTENCE = re.compile(r"(?<=[.!?…;])\s+")
_NOT_WORDS = re.compile(r"[.!?…;:\"“”„«»()¡¿]+")
_WORD = re.compile(r"[\w']+")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

MAX_CLAUSE = 400
"""Characters of a clause that are looked at. Nobody says more between two pauses."""


class ClaimKind(StrEnum):
    """What is claimed, in the order in which a clause is compared with the phrases."""

    CALL_BACK = "call_back"
    CANCELLED = "cancelled"
    COMMENTED = "commented"
    CHANGED = "changed"
    OPENED = "opened"
    DONE = "done"
    """Something was saved, passed on or settled, and the words do not say what."""


@dataclass(frozen=True)
class Claim:
    """phrase: the id of the phrase that matched, such as "en.opened.active", and nothing that was
    said. at_ms: when it was said (epoch ms), 0 when unknown."""

    phrase: str
    at_ms: int = 0

    @property
    def kind(self) -> ClaimKind | None:
        """None for a phrase of another version."""
        name = self.phrase.split(".")[1:2]
        return next((kind for kind in ClaimKind if [kind.value] == name), None)


@dataclass(frozen=True)
class _Phrase:
    """is_promise: that somebody will do something; else that something was done."""

    id: str
    pattern: re.Pattern[str]
    is_promise: bool


@dataclass(frozen=True)
class _Language:
    marks: frozenset[str]
    cuts: re.Pattern[str]
    fillers: re.Pattern[str]
    asks: re.Pattern[str]
    confirms: re.Pattern[str]
    reports: re.Pattern[str]
    before: re.Pattern[str]
    past: re.Pattern[str]
    after: re.Pattern[str]
    phrases: tuple[_Phrase, ...]


def claims_in(words: str, language: str = "") -> tuple[Claim, ...]:
    """The claims in an agent's final transcript, one of each kind at most.

    language: the tag that the transcriber is set to; "" when it is not known. Then every language
    that has a file counts.
    """
    found: dict[ClaimKind | None, Claim] = {}
    text = " ".join(words.lower().replace("’", "'").split())
    for spoken in _spoken(language, text):
        for clause in _clauses(spoken, text):
            if claim := _claim(spoken, clause):
                found.setdefault(claim.kind, claim)
    return tuple(found.values())


def said_at(claims: tuple[Claim, ...], at_ms: int) -> list[Claim]:
    return [replace(claim, at_ms=at_ms) for claim in claims]


def _spoken(tag: str, text: str) -> list[_Language]:
    languages = _LANGUAGES.spoken(tag)
    if len(languages) == 1:
        return languages
    words = set(_WORD.findall(text))
    return [each for each in languages if not words.isdisjoint(each.marks)] or languages


def _clauses(language: _Language, text: str) -> Iterator[str]:
    """Those that may claim something, without punctuation but commas."""
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence]
    questions = [sentence.rstrip(" \"”'").endswith("?") for sentence in sentences]
    bare = [" ".join(_NOT_WORDS.sub(" ", sentence).split()) for sentence in sentences]
    confirmed = [
        place
        for place, sentence in enumerate(bare)
        if questions[place] and language.confirms.fullmatch(sentence)
    ]
    first = confirmed[-1] + 1 if confirmed else 0
    for sentence, is_question in list(zip(bare, questions, strict=True))[first:]:
        if is_question or language.reports.search(sentence):
            continue
        for clause in language.cuts.split(sentence):
            stripped = language.fillers.sub("", clause.strip(" ,"))[:MAX_CLAUSE]
            if stripped and not language.asks.match(stripped):
                yield stripped


def _claim(language: _Language, clause: str) -> Claim | None:
    for phrase in language.phrases:
        match = phrase.pattern.search(clause)
        if not match or language.before.search(clause, 0, match.end()):
            continue
        if phrase.is_promise and language.after.search(clause, match.end()):
            continue
        if not phrase.is_promise and language.past.search(clause):
            continue
        return Claim(phrase.id)
    return None


def _read(path: Path) -> _Language:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    words: dict[str, str] = {}
    for name, text in content["words"].items():
        words[name] = _filled(text, words)

    def any_of(name: str) -> str:
        return "|".join(f"(?:{text})" for text in content[name])

    return _Language(
        marks=frozenset(content["marks"]),
        cuts=re.compile("|".join(content["cuts"])),
        fillers=re.compile(rf"^(?:(?:{any_of('fillers')})\b[\s,]*)+"),
        asks=re.compile(rf"(?:{any_of('asks')})\b"),
        confirms=re.compile(any_of("confirms")),
        reports=re.compile(any_of("reports")),
        before=re.compile(any_of("before")),
        past=re.compile(any_of("past")),
        after=re.compile(any_of("after")),
        phrases=tuple(_phrases(path.stem, content, words)),
    )


def _phrases(language: str, content: dict[str, Any], words: dict[str, str]) -> Iterator[_Phrase]:
    for kind in ClaimKind:
        for tense in ("done", "promised"):
            for name, text in content[tense].get(kind, {}).items():
                yield _Phrase(
                    f"{language}.{kind}.{name}",
                    re.compile(_filled(text, words)),
                    is_promise=tense == "promised",
                )


def _filled(text: str, words: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: f"(?:{words[found[1]]})", text)


_LANGUAGES = ByLanguage(Path(__file__).parent / "claim_phrases", _read)
