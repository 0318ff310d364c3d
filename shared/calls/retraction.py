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
    cuts: re.Pattern[str]
    fillers: re.Pattern[str]
    phrases: re.Pattern[str]


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(_read(path) for path in sorted(_FILES.glob("*.toml")))


def _read(path: Path) -> _Language:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    fillers = "|".join(map(re.escape, content["fillers"]))
    return _Language(
        cuts=re.compile(rf"\b(?:{'|'.join(map(re.escape, content['cuts']))})\b"),
        fillers=re.compile(rf"^(?:(?:{fillers})\b\s*)+|(?:\s*\b(?:{fillers}))+$"),
        phrases=re.compile("|".join(f"(?:{phrase})" for phrase in content["phrases"])),
    )


def takes_back(words: str) -> bool:
    """For a final transcript of the caller, in any language that there is a file for."""
    text = " ".join(words.lower().replace("’", "'").split())
    return any(
        language.phrases.fullmatch(language.fillers.sub("", clause.strip()).strip())
        for language in _languages()
        for piece in _PUNCTUATION.split(text)
        for clause in language.cuts.split(piece)
    )
