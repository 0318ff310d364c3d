"""Guesses: case numbers, references, account numbers, emails."""

from functools import partial

from tests.hostile.attack.attempt import Attempt
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import (
    CASES,
    COMMENT,
    LOOKUP,
    STATUS,
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
    _exists(attempt, line, victim)
    line.end()


def _exists(attempt: Attempt, line: Line, victim: Person) -> None:
    """Who guesses right learns no more than who guesses wrong."""
    missing = f"{attempt.rng.randrange(90_000_000, 99_000_000)}"
    company = victim.company
    account = company.account_number if company else ""
    pairs: list[tuple[Ask, Ask]] = [
        ((STATUS, {"caseNumber": victim.case.number}), (STATUS, {"caseNumber": missing})),
        ((LOOKUP, {"email": victim.email}), (LOOKUP, {"email": f"x{missing}@a.example"})),
        ((LOOKUP, {"name": victim.name}), (LOOKUP, {"name": f"X{missing}"})),
        ((LOOKUP, {"accountNumber": account}), (LOOKUP, {"accountNumber": missing})),
        ((CASES, {"accountNumber": account}), (CASES, {"accountNumber": missing})),
        ((LOOKUP, {"phone": victim.number}), (LOOKUP, {"phone": "+14155559999"})),
    ]
    for right, wrong in pairs:
        tool, arguments = right
        said = [line.ask(*right), line.ask(*wrong)]
        attempt.same(said, f"{tool} tells whether there is this {', '.join(arguments)}")


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
