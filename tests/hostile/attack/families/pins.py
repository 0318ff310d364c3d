"""PINs: guessed, spread over calls, and said by somebody who shows another number."""

import string
from functools import partial

from tests.hostile.attack.attempt import Attempt, Phases, Play
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import CASES, LOOKUP, STATUS, VERIFY, new_email, some_asks

ARGUMENTS = ("pin", "pin", "code", "postalCode")
LOCKS_WITHIN = 12
"""After so many wrong PINs the right one opens nothing either."""
A_CALL = 2
"""Guesses in each call of somebody who hangs up before the call is locked."""


def pin_guessing(new: Builder) -> None:
    for at in range(16):
        first, second = new.customer("the victim"), new.customer("another victim")
        first.wants_pin = second.wants_pin = True
        speaker = new.stranger()
        spread = at % 8 > 3
        play: Play = partial(
            _guess, first=first, second=second, speaker=speaker, at=at, spread=spread
        )
        where = "in many calls" if spread else "in a call"
        title = f"a stranger guesses the {ARGUMENTS[at % 4]} of two victims {where}"
        new.add(title, play, first, second, speaker)
    for at in range(6):
        victim = new.customer()
        victim.wants_pin = True
        speaker = new.stranger() if at % 2 else new.customer("another customer")
        play = partial(_elsewhere, victim=victim, speaker=speaker)
        new.add(f"{speaker.role} says the victim's right PIN", play, victim, speaker)


def _wrong(right: str, number: str, turn: int) -> str:
    """Guesses that are near the right text, and guesses that are not."""
    digit = string.digits[(int(right[-1]) + 1 + turn % 9) % 10]
    return (right[:-1] + digit, number[-10:], right[::-1] + "0", f"{turn:04}", f"{turn}")[turn % 5]


def _guess(
    attempt: Attempt, *, first: Person, second: Person, speaker: Person, at: int, spread: bool
) -> Phases:
    """The n-th wrong guess gets the same answer, whatever was guessed and of whom."""
    argument = ARGUMENTS[at % 4]
    victims = (first, second)
    is_true = all(person.has_pin for person in victims)
    lines = [attempt.call(speaker, person) for person in victims]
    for turn in range(LOCKS_WITHIN):
        if spread and turn and turn % A_CALL == 0:
            for line in lines:
                line.end()
            lines = [attempt.call(speaker, person) for person in victims]
        said = [
            _verify(line, argument, _wrong(person.pin, person.number, at + shift + turn))
            for shift, (line, person) in enumerate(zip(lines, victims, strict=True))
        ]
        attempt.same(said, f"guess {turn + 1} of {argument} is answered by what was guessed")
    if is_true and argument == "pin":
        said = [_verify(lines[0], "pin", first.pin), _verify(lines[1], "pin", second.pin[::-1])]
        attempt.same(said, "the right PIN after the lock is answered in another way")
    for line in lines:
        for tool in (LOOKUP, STATUS, CASES):
            line.ask(tool)
        line.end()
    yield
    for person in victims:  # a server may count anew in a new call, but not for ever
        for call in range(LOCKS_WITHIN // A_CALL):
            line = attempt.call(speaker, person)
            line.start()
            for turn in range(A_CALL):
                _verify(line, argument, _wrong(person.pin, person.number, call * A_CALL + turn))
            line.end()
        line = attempt.call(speaker, person)
        line.start()
        if is_true and argument == "pin":
            _verify(line, "pin", person.pin)
        line.ask(CASES)
        line.ask(*new_email(speaker))
        line.end()


def _elsewhere(attempt: Attempt, *, victim: Person, speaker: Person) -> None:
    """A PIN says nothing about somebody whose number the call does not show."""
    line = attempt.call(speaker)
    line.start()
    right, wrong = _verify(line, "pin", victim.pin), _verify(line, "pin", victim.pin[::-1])
    attempt.same([right, wrong], "the right PIN of another customer is answered in another way")
    for ask in some_asks(attempt.rng, victim, speaker, 4, 3):
        line.ask(*ask)
    line.transfer()
    line.end()


def _verify(line: Line, argument: str, text: str) -> str:
    if len(text) == len(line.attempt.dialogue.persons[0].pin):
        line.attempt.secret(text)
    return line.ask(VERIFY, {argument: text})
