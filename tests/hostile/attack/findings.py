"""What was observed, and what the judge finds in it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.hostile.attack.canaries import Said
from tests.hostile.attack.persons import Person
from tests.hostile.attack.rights import Standing

if TYPE_CHECKING:
    from tests.hostile.attack.line import Line


class Channel(StrEnum):
    """Where something can come out, or go wrong."""

    ANSWER = "answers"
    UPDATE = "updates into the call"
    TRANSFER = "transfers"
    LOG = "logs"
    STORE = "store"
    PAGE = "figures and tasks"
    ORG = "records of the org"


class Verdict(StrEnum):
    DISCLOSURE = "disclosure"
    FOREIGN_WRITE = "foreign write"


@dataclass(frozen=True)
class Observed:
    """A text that the caller of a line got, or the colleague who takes the call.

    spoken: the parts of it that an agent reads or says. said: all that the speaker had said in
    this dialogue before. known_as: the customer for whom the speaker could be taken then.
    """

    channel: Channel
    step: int
    line: "Line"
    text: str
    spoken: tuple[str, ...]
    said: Said
    known_as: Person | None
    for_colleague: bool = False

    def standing(self, owner: Person) -> Standing:
        return Standing.RECOGNISED if owner is self.known_as else Standing.NOBODY


@dataclass(frozen=True)
class Finding:
    """dialogue: its key, or "" if it is not known which one. step: 0 if it is not known."""

    verdict: Verdict
    channel: Channel
    dialogue: str
    step: int
    canary: str
    detail: str
