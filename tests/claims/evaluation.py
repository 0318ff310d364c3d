"""How many claims the matcher finds, and how many it finds where there are none.

The phrases of `phrases_<language>.toml` were written before the matcher. A digest of each phrase
says in which half it is: one half was looked at while the matcher was written ("tuned"), the other
one only measures it ("held out").
"""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from shared.calls.claims import claims_in

LANGUAGES = ("en", "de", "es")

LEAST_RECALL = 0.9
LEAST_PRECISION = 0.99


@dataclass(frozen=True)
class Spoken:
    """kind: what the phrase claims, "" for none. group: as in the file."""

    text: str
    language: str
    kind: str
    group: str

    @property
    def is_held_out(self) -> bool:
        return hashlib.sha256(self.text.encode()).digest()[0] >= 128

    @property
    def found(self) -> frozenset[str]:
        """The kinds of the claims that the matcher finds in it."""
        return frozenset(
            claim.kind.value for claim in claims_in(self.text, self.language) if claim.kind
        )


@cache
def phrases(language: str) -> tuple[Spoken, ...]:
    return tuple(_read(language))


def _read(language: str) -> Iterator[Spoken]:
    content = tomllib.loads(
        (Path(__file__).parent / f"phrases_{language}.toml").read_text(encoding="utf-8")
    )
    for kind, texts in content["claims"].items():
        yield from (Spoken(text, language, kind, kind) for text in texts)
    for group, texts in content["others"].items():
        yield from (Spoken(text, language, "", group) for text in texts)


@dataclass
class Score:
    """found, missed: claims. wrong: phrases without a claim in which one was found. of_kind: claims
    that were found with the right kind."""

    found: int = 0
    missed: list[Spoken] = field(default_factory=list)
    wrong: list[Spoken] = field(default_factory=list)
    others: int = 0
    of_kind: int = 0

    @property
    def claims(self) -> int:
        return self.found + len(self.missed)

    @property
    def recall(self) -> float:
        return self.found / self.claims

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + len(self.wrong))


def score(language: str, *, held_out: bool) -> Score:
    result = Score()
    for spoken in phrases(language):
        if spoken.is_held_out is not held_out:
            continue
        kinds = spoken.found
        if not spoken.kind:
            result.others += 1
            result.wrong += [spoken] if kinds else []
        elif kinds:
            result.found += 1
            result.of_kind += spoken.kind in kinds
        else:
            result.missed.append(spoken)
    return result


def lines(*, show: bool = False) -> Iterator[str]:
    """show: lists what went wrong in the tuned half, and never in the held-out one."""
    for language in LANGUAGES:
        for held_out in (False, True):
            result = score(language, held_out=held_out)
            yield (
                f"{language} {'held out' if held_out else 'tuned   '}: recall {result.recall:.1%} "
                f"({result.found} of {result.claims}), precision {result.precision:.1%} "
                f"({len(result.wrong)} wrong of {result.others} others), "
                f"kind right {result.of_kind / max(1, result.found):.1%}"
            )
            if show and not held_out:
                yield from (f"  missed ({each.kind}): {each.text}" for each in result.missed)
                yield from (f"  wrong ({each.group}): {each.text}" for each in result.wrong)
