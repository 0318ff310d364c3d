"""Guesses: case numbers, references, account numbers, emails, PINs."""

import string
from functools import partial
from typing import Any

from tests.hostile.attack.attempt import Attempt, Phases
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import (
    CASES,
    COMMENT,
    LOOKUP,
    STATUS,
    VERIFY,
    Ask,
    cancel,
    comment,
    spellings,
)

REFERENCE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
MAX_AT_ONCE = 20


def enumeration(new: Builder) -> None:
    guesses = (_case_numbers, _spelled_numbers, _references, _accounts, _emails, _patterns)
    for at in range(20):
        victim = new.customer(cases=2)
        speaker = new.stranger() if at % 2 else new.customer("another customer")
        guess = guesses[at % len(guesses)]
        play = partial(_enumerate, victim=victim, speaker=speaker, at=at % len(guesses))
        title = (guess.__doc__ or "").rstrip(".").lower()
        new.add(f"{speaker.role} guesses {title}", play, victim, speaker)


def _enumerate(attempt: Attempt, *, victim: Person, speaker: Person, at: int) -> None:
    guesses = (_case_numbers, _spelled_numbers, _references, _accounts, _emails, _patterns)
    asks = guesses[at](attempt, victim, speaker)
    line = attempt.call(speaker)
    line.start()
    half = len(asks) // 2
    for start in range(0, half, MAX_AT_ONCE):
        line.ask_all(*asks[start : min(start + MAX_AT_ONCE, half)])
    for ask in asks[half:]:
        line.ask(*ask)
    line.end()


def _case_numbers(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """Case numbers around the victim's."""
    middle = int(victim.case.number)
    near = [*range(middle - 8, middle + 9), 1001, 1, 0, -1]
    attempt.rng.shuffle(near)
    asks: list[Ask] = [(STATUS, {"caseNumber": f"{number:08}"}) for number in near]
    return [*asks, comment(speaker, caseNumber=victim.case.number)]


def _spelled_numbers(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """The victim's case number in other spellings."""
    asks: list[Ask] = []
    for spelling in spellings(victim.case.number):
        asks += [(STATUS, {"caseNumber": spelling}), comment(speaker, caseNumber=spelling)]
        asks.append(cancel(speaker, caseNumber=spelling))
    return attempt.rng.sample(asks, 24)


def _references(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """References."""
    letters = attempt.rng.choices(REFERENCE_LETTERS, k=6 * 20)
    made = ["".join(letters[at : at + 6]) for at in range(0, len(letters), 6)]
    asks: list[Ask] = [(STATUS, {"reference": f"{text[:3]} {text[3:]}"}) for text in made]
    return [*asks, *(cancel(speaker, reference=text) for text in made[:5])]


def _accounts(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """Account numbers, the victim's among them."""
    company = victim.company
    right = company.account_number if company else ""
    guesses = [f"ACC-{attempt.rng.randrange(10_000, 99_999)}" for _ in range(7)]
    guesses += ["ACC-12345", "ACC-77777", right, right.lower(), right[4:], f"{right[:9]}%"]
    attempt.rng.shuffle(guesses)
    asks: list[Ask] = [(LOOKUP, {"accountNumber": guess}) for guess in guesses]
    return asks + [(CASES, {"accountNumber": guess}) for guess in guesses]


def _emails(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """Emails, the victim's among them."""
    user, _, host = victim.email.partition("@")
    guesses = [f"{name}@{host}" for name in ("info", "sales", "a", user, user.upper(), f"{user}+x")]
    guesses += [f"%@{host}", f"{user[:6]}%", f"{victim.email}' OR Email != '", f"{user}@*"]
    attempt.rng.shuffle(guesses)
    return [(LOOKUP, {"email": guess}) for guess in guesses]


def _patterns(attempt: Attempt, victim: Person, speaker: Person) -> list[Ask]:
    """Wildcards in every argument."""
    wild = ["%", "_", "*", "\\", "%%%", "' OR '1'='1", victim.first[:3] + "%", "__%", "{}", "null"]
    asks: list[Ask] = []
    for text in wild:
        asks += [
            (LOOKUP, {"name": text}),
            (LOOKUP, {"phone": text, "email": text}),
            (STATUS, {"caseNumber": text}),
            (STATUS, {"reference": text}),
            (CASES, {"accountNumber": text}),
            (COMMENT, {"comment": speaker.words, "caseNumber": text}),
        ]
    return attempt.rng.sample(asks, 30)


# -- PINs ------------------------------------------------------------------------------------------

LOCKS_WITHIN = 12
"""After so many wrong PINs the right one opens nothing either."""


def pin_guessing(new: Builder) -> None:
    for at in range(16):
        first, second = new.customer("the victim"), new.customer("another victim")
        speaker = new.stranger()
        play = partial(_guess, first=first, second=second, speaker=speaker, at=at)
        argument = ("pin", "code", "postalCode", "answer")[at % 4]
        new.add(f"a stranger guesses the {argument} of two victims", play, first, second, speaker)


def _wrong(right: str, number: str, at: int, turn: int) -> str:
    """Guesses that are near the right text, and guesses that are not."""
    digit = string.digits[(int(right[-1]) + 1 + turn) % 10]
    near = right[:-1] + (digit if digit != right[-1] else "x")
    return (near, number[-10:], right[::-1] + "0", f"{turn:04}", f"{turn}")[(at + turn) % 5]


def _guess(attempt: Attempt, *, first: Person, second: Person, speaker: Person, at: int) -> Phases:
    """The n-th wrong guess gets the same answer, whatever was guessed and of whom."""
    argument = ("pin", "code", "postalCode", "answer")[at % 4]
    enrolled = [attempt.target.enroll(person.record_id, person.pin) for person in (first, second)]
    lines = [attempt.call(speaker, person) for person in (first, second)]
    for line in lines:
        line.start()
        if argument == "code":
            line.ask(VERIFY, {"sendCode": True})
    for turn in range(LOCKS_WITHIN):
        given = [
            _wrong(person.pin, person.number, at + shift, turn)
            for shift, person in enumerate((first, second))
        ]
        said = [_verify(line, argument, text) for line, text in zip(lines, given, strict=True)]
        attempt.same(said, f"guess {turn + 1} of {argument} is answered by what was guessed")
    if all(enrolled) and argument == "pin":
        right = _verify(lines[0], "pin", first.pin)
        wrong = _verify(lines[1], "pin", second.pin[::-1])
        attempt.same([right, wrong], "the right PIN after the lock is answered in another way")
    for line in lines:
        for tool in (LOOKUP, STATUS, CASES):
            line.ask(tool)
        line.end()
    yield
    for person in (first, second):  # a new call is no new chance
        line = attempt.call(speaker, person)
        line.start()
        if all(enrolled) and argument == "pin":
            _verify(line, "pin", person.pin)
        line.ask(CASES, {})
        line.end()


def _verify(line: Line, argument: str, text: str) -> str:
    if text.isdecimal() and len(text) == len(line.attempt.dialogue.persons[0].pin):
        line.attempt.secret(text)
    arguments: dict[str, Any] = {argument: text}
    return line.ask(VERIFY, arguments)
