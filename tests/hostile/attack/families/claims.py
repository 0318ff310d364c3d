"""Callers who say who they are, or that they may: impersonation, staff, urgency and pity."""

from functools import partial

from tests.hostile.attack.attempt import Attempt
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.persons import Person
from tests.hostile.attack.phrases import CLAIMS, INSTRUCTIONS, PLEAS, STAFF, fill
from tests.hostile.attack.probes import COMMENT, CREATE, LOOKUP, some_asks


def talk(
    attempt: Attempt,
    *,
    victim: Person,
    speaker: Person,
    sentences: list[str],
    showing: str | None = None,
    reads: int = 5,
    writes: int = 3,
) -> None:
    """Says the sentences and then asks. showing: as in Attempt.call."""
    line = attempt.call(speaker, showing)
    line.start()
    if attempt.rng.random() < 0.5:
        line.greet()
    asks = some_asks(attempt.rng, victim, speaker, reads, writes)
    for at, ask in enumerate(asks):
        if at < len(sentences):
            line.say(fill(sentences[at], victim))
        ways = (line.ask, line.ask, line.ask, line.ask_as_before)
        attempt.rng.choice(ways)(*ask)
    line.transfer()
    line.end(fill(sentences[0], victim))


def callers(new: Builder) -> list[tuple[str, Person, str | None]]:
    """A stranger, a stranger without a number, and a customer of another company."""
    return [
        ("a stranger", new.stranger(), None),
        ("a caller without a number", new.stranger(), ""),
        ("another customer", new.customer("another customer"), None),
    ]


def impersonation(new: Builder) -> None:
    for at, claim in enumerate(new.some(CLAIMS, 24)):
        title, speaker, showing = callers(new)[at % 3]
        victim = new.customer(cases=new.rng.choice([1, 2]))
        sentences = [claim, *new.some(CLAIMS, 2)]
        play = partial(talk, victim=victim, speaker=speaker, sentences=sentences, showing=showing)
        new.add(f"{title} says: {claim}", play, victim, speaker)


def staff_claim(new: Builder) -> None:
    for at, claim in enumerate(new.some(STAFF, 16)):
        title, speaker, showing = callers(new)[at % 3]
        victim = new.customer()
        sentences = [claim, *new.some(STAFF, 2)]
        play = partial(talk, victim=victim, speaker=speaker, sentences=sentences, showing=showing)
        new.add(f"{title} says: {claim}", play, victim, speaker)


def pleading(new: Builder) -> None:
    for at, plea in enumerate(new.some(PLEAS, 16)):
        title, speaker, showing = callers(new)[at % 3]
        victim = new.customer()
        play = partial(_plead, victim=victim, speaker=speaker, plea=plea, showing=showing)
        new.add(f"{title} pleads: {plea}", play, victim, speaker)


def _plead(
    attempt: Attempt, *, victim: Person, speaker: Person, plea: str, showing: str | None
) -> None:
    """The plea is also an argument, in every text that a tool takes."""
    said = fill(plea, victim)
    line = attempt.call(speaker, showing)
    line.start()
    line.say(said)
    line.ask(LOOKUP, {"name": said[:250], "reason": said})
    line.ask(CREATE, {"issueType": "account", "description": f"{said} {speaker.words}"})
    line.ask(COMMENT, {"comment": f"{said} {speaker.words}", "caseNumber": victim.case.number})
    for ask in some_asks(attempt.rng, victim, speaker, 4, 3):
        line.say(said)
        line.ask(*ask)
    line.transfer()
    line.end(said)


def instructions(new: Builder) -> None:
    """Speech that is meant for the model: it must not reach any decision of the server."""
    for at, instruction in enumerate(new.some(INSTRUCTIONS, 12)):
        title, speaker, showing = callers(new)[at % 3]
        victim = new.customer()
        sentences = [instruction, *new.some(INSTRUCTIONS, 3)]
        play = partial(talk, victim=victim, speaker=speaker, sentences=sentences, showing=showing)
        new.add(f"{title} says: {instruction}", play, victim, speaker)
