"""Whether a caller's own words take back what they asked for a moment ago.

The phrases are data, a file per language in `retractions/`. Only what is unmistakable counts: a
clause has to be such a phrase as a whole.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILES = Path(__file__).parent / "retractions"
_PUNCTUATION = re.compile(r"[^\w\s'’]+|…", re.UNICODE)


@dataclass(frozen=True)
class _Language:
    markers: re.Pattern[str]
    fillers: re.Pattern[str]
    phrases: re.Pattern[str]


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(_read(path) for path in sorted(_FILES.glob("*.toml")))


def _read(path: Path) -> _Language:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    fillers = "|".join(map(re.escape, content["fillers"]))
    return _Language(
        markers=re.compile(rf"\b(?:{'|'.join(map(re.escape, content['markers']))})\b"),
        fillers=re.compile(rf"^(?:(?:{fillers})\b\s*)+|(?:\s*\b(?:{fillers}))+$"),
        phrases=re.compile("|".join(f"(?:{phrase})" for phrase in content["phrases"])),
    )


def takes_back(words: str) -> bool:
    """For a final transcript of the caller, in any language that there is a file for."""
    text = " ".join(words.lower().replace("’", "'").split())
    pieces = [piece.strip() for piece in _PUNCTUATION.split(text) if piece.strip()]
    return any(_has_phrase(language, pieces) for language in _languages())


def _has_phrase(language: _Language, pieces: list[str]) -> bool:
    """A phrase stands at the beginning, at the end, or after a word that corrects."""
    corrected = False
    for nth, piece in enumerate(pieces):
        for place, clause in enumerate(language.markers.split(piece)):
            bare = language.fillers.sub("", clause.strip()).strip()
            corrects = corrected or place > 0
            at_an_end = nth == 0 or nth == len(pieces) - 1
            if bare and (corrects or at_an_end) and language.phrases.fullmatch(bare):
                return True
            if bare:
                corrected = False
        corrected = corrected or (language.markers.search(piece) is not None and not bare)
    return False
