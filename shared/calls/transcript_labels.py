"""How a transcript names who speaks, and says that it is cut: in the language of its readers."""

from dataclasses import dataclass
from typing import Self

from shared.agent.sentences import Sentences
from shared.vapi.messages import CALLER, OUTBOUND


@dataclass(frozen=True)
class TranscriptLabels:
    """person: who is on the line, the caller or the callee. cut: the line where a transcript ends
    that was too long to store."""

    person: str
    agent: str
    cut: str

    @classmethod
    def of_call(cls, sentences: Sentences, direction: str) -> Self:
        """In the default language. direction: who called whom; inbound when not known."""
        return cls(
            person=sentences.for_staff("record-speaker", speaker=PERSONS.get(direction, "caller")),
            agent=sentences.for_staff("record-speaker", speaker="agent"),
            cut=sentences.for_staff("record-transcript-cut"),
        )

    def of(self, speaker: str) -> str:
        """speaker: as an utterance names it."""
        return self.person if speaker == CALLER else self.agent


PERSONS = {OUTBOUND: "callee"}
"""Who is on the line in a call that Vapi placed; else it is the caller."""
