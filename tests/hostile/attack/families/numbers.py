"""What a call shows: a spoofed number, none, a shared one, or one that anybody can make up."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.hostile.attack.attempt import Attempt, Phases, Play
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.cases import stays
from tests.hostile.attack.persons import Person, national
from tests.hostile.attack.probes import (
    CREATE,
    UPDATE,
    comment,
    new_address,
    new_case,
    new_email,
    readings,
    some_asks,
)
from tests.hostile.attack.wire import Shape

WITHHELD = ("", "anonymous", "Restricted", "+266696687", "+86282452253", "+8656696", "unknown", "0")

SIP_HOST = "sip:{number}@evil.example"


def spoofed_number(new: Builder) -> None:
    """The server can't tell such a caller from the victim: the rights of the number, no more."""
    for at in range(20):
        victim, speaker = new.customer(cases=1 + at % 3), new.stranger()
        play = partial(_spoof, victim=victim, speaker=speaker, kind=at % 4)
        what = ("reads", "takes over by email", "takes over by phone", "writes")[at % 4]
        new.add(f"a stranger shows the victim's number and {what}", play, victim, speaker)


def _spoof(attempt: Attempt, *, victim: Person, speaker: Person, kind: int) -> Phases:
    line = attempt.call(speaker, victim)
    line.greet()
    line.start()
    for ask in attempt.rng.sample(readings(victim), 6):
        line.ask(*ask)
    match kind:
        case 1:
            line.ask(*new_email(speaker))
            line.ask(UPDATE, {"email": f"{speaker.words}2@evil.example", "mailingCity": "Reno"})
        case 2:
            field = attempt.rng.choice(["phone", "mobilePhone"])
            line.ask(UPDATE, {field: speaker.number})
            line.ask(UPDATE, {"mobilePhone": national(speaker.number), "mailingState": "NV"})
        case 3:
            line.ask(*new_case(speaker, onExisting="new"))
            line.ask(*comment(speaker, caseNumber=victim.case.number))
            line.ask(*new_address(speaker))
    line.transfer()
    line.end()
    yield
    again = attempt.call(speaker)  # from the attacker's own number, in case it was registered
    again.start()
    for ask in readings(victim)[:1] + attempt.rng.sample(readings(victim), 3):
        again.ask(*ask)
    again.end()


def shapes(victim: Person, stranger: Person) -> list[tuple[str, Shape, str]]:
    """Calls that show the victim's number without a carrier that set it: (title, shape, number)."""
    number = victim.number
    uri = SIP_HOST.format(number=number)
    typed: Mapping[str, Any] = {"number": number}
    return [
        ("web call", Shape(type="webCall", line=None), number),
        ("web call with one of our lines", Shape(type="webCall"), number),
        ("websocket call", Shape(type="vapi.websocketCall", line=None), number),
        ("chat", Shape(type=None, line=None, message={"chat": {"id": "c1"}}), number),
        ("chat over one of our lines", Shape(message={"chat": {"id": "c2"}}), number),
        ("session", Shape(type=None, line=None, message={"session": {"id": "s1"}}), number),
        ("call of no type", Shape(type=None, line=None), number),
        ("call of an unknown type", Shape(type="sipCall"), number),
        ("SIP user in place of the number", Shape(customer={"sipUri": uri}), ""),
        ("SIP user and number", Shape(customer={"sipUri": uri, **typed}), ""),
        ("SIP user as number", Shape(customer={"number": uri}), ""),
        ("SIP transport", Shape(line=None, call={"transport": {"provider": "vapi.sip"}}), number),
        ("SIP as transport", Shape(line=None, call={"phoneCallTransport": "sip"}), number),
        ("number as a name", Shape(customer={"name": number, "number": "anonymous"}), ""),
        ("number among other characters", Shape(customer={"number": f"Jane <{number}>"}), ""),
        ("number in a list", Shape(customer={"number": [number]}), ""),
        ("number inside a number", Shape(customer={"number": {"number": number}}), ""),
        ("number in full-width digits", Shape(customer={"number": _wide(number)}), ""),
        ("number with an extension", Shape(customer={**typed, "extension": "204"}), ""),
        ("number as variables", _variables(number), stranger.number),
        ("number as our line", Shape(line={"provider": "twilio", "number": number}), ""),
        ("number of the transport", Shape(call={"transport": {"from": number}}), ""),
        (
            "two numbers in one message",
            Shape(in_message=False, message={"customer": {"number": stranger.number}}),
            number,
        ),
    ]


def _variables(number: str) -> Shape:
    values = {"customer": {"number": number}, "customerName": "x", "phoneNumber": number}
    return Shape(
        call={"assistantOverrides": {"variableValues": values}, "metadata": values},
        message={"artifact": {"variableValues": values, "call": {"customer": values["customer"]}}},
    )


def _wide(number: str) -> str:
    return "+" + "".join(chr(0xFF10 + int(digit)) for digit in number[1:])


def unproven_number(new: Builder) -> None:
    for at in range(len(shapes(new.customer(), new.stranger()))):
        victim, speaker = new.customer(), new.stranger()
        title = shapes(victim, speaker)[at][0]
        play = partial(_unproven, victim=victim, speaker=speaker, at=at)
        new.add(f"the victim's number, by {title}", play, victim, speaker)
    withheld(new)


def withheld(new: Builder) -> None:
    for shown in new.some(WITHHELD, 9):
        victim, speaker = new.customer(), new.stranger()
        play = partial(_withheld, victim=victim, speaker=speaker, shown=shown)
        new.add(f"a call that shows {shown!r}", play, victim, speaker)


def _unproven(attempt: Attempt, *, victim: Person, speaker: Person, at: int) -> None:
    _, shape, number = shapes(victim, speaker)[at]
    line = attempt.call(speaker, number, known_as=None, shape=shape)
    line.greet()
    line.start()
    for ask in some_asks(attempt.rng, victim, speaker, 5, 4):
        line.ask(*ask)
    line.transfer()
    line.end()


def _withheld(attempt: Attempt, *, victim: Person, speaker: Person, shown: str) -> Phases:
    """Callers who show the same word instead of a number have nothing in common."""
    first = attempt.call(victim, shown, known_as=None)
    first.start()
    first.ask(*new_case(victim, "billing", accountNumber="ACC-1"))
    first.ask(*comment(victim))
    stays(attempt, victim)
    second = attempt.call(speaker, shown, known_as=None)
    second.start()
    for ask in some_asks(attempt.rng, victim, speaker, 4, 3):
        second.ask(*ask)
    second.ask(CREATE, {"issueType": "billing", "description": speaker.words, "onExisting": "ask"})
    second.transfer()
    second.end()
    first.end()
    yield
    third = attempt.call(speaker, shown, known_as=None)
    third.start()
    for ask in some_asks(attempt.rng, victim, speaker, 4, 2):
        third.ask(*ask)
    third.end()


def shared_number(new: Builder) -> None:
    """Household: a number that two contacts have identifies neither of them."""
    for at in range(16):
        number = new.words.number()
        first = new.customer("the first of two", number=number)
        company = first.company if at % 2 else None
        second = new.customer("the second of two", company, **_second(number, at))
        speaker = (first, second, new.stranger())[at % 3]
        play = partial(_share, first=first, second=second, speaker=speaker, number=number)
        persons = dict.fromkeys((first, second, speaker))
        new.add(f"two contacts with one number; {speaker.role} calls", play, *persons)


MAIN_LINE = "a colleague calls through the company's main line, which one contact has as theirs"
OTHER_DIGITS = "the second of two contacts has the number in digits that are not ASCII"


def look_alike_number(new: Builder) -> None:
    """Numbers that look like a customer's own, and are not."""
    for _ in range(2):
        victim, speaker = new.customer(), new.stranger("a colleague")
        if victim.company:
            victim.company.phone = victim.number
        play: Play = partial(_look_alike, victim=victim, speaker=speaker)
        new.add(MAIN_LINE, play, victim, speaker)
    for _ in range(2):
        victim = new.customer()
        speaker = new.customer("the second of two", HomePhone=_wide(victim.number))
        play = partial(_look_alike, victim=victim, speaker=speaker)
        new.add(OTHER_DIGITS, play, victim, speaker)


def _look_alike(attempt: Attempt, *, victim: Person, speaker: Person) -> None:
    line = attempt.call(speaker, victim, known_as=None)
    line.greet()
    line.start()
    for ask in some_asks(attempt.rng, victim, speaker, 4, 3):
        line.ask(*ask)
    line.transfer()
    line.end()


def _second(number: str, at: int) -> dict[str, Any]:
    """The same number, in another field or spelling."""
    digits = number[2:]
    spelled = (
        national(number), number, f"1-{digits[:3]}-{digits[3:6]}-{digits[6:]}", f"{digits} (home)",
        f"001 {digits}", f"{digits[:3]}.{digits[3:6]}.{digits[6:]}", f"{national(number)} x12",
    )  # fmt: skip
    field = ("HomePhone", "MobilePhone", "OtherPhone", "Phone")[at % 4]
    return {field: spelled[at % len(spelled)]}


def _share(
    attempt: Attempt, *, first: Person, second: Person, speaker: Person, number: str
) -> Phases:
    line = attempt.call(speaker, number, known_as=None)
    line.greet()
    line.start()
    for victim in (first, second):
        for ask in some_asks(attempt.rng, victim, speaker, 3, 2):
            line.ask(*ask)
    line.transfer()
    line.end()
    yield
    other = second if speaker is first else first
    again = attempt.call(other, number, known_as=None)
    again.start()
    for ask in some_asks(attempt.rng, speaker if speaker.cases else first, other, 3, 1):
        again.ask(*ask)
    again.ask(*new_case(other, onExisting="ask"))
    again.transfer()
    again.end()
