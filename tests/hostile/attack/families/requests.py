"""Tricks with requests themselves: replays, ids that are used again, transfers, secrets."""

import json
from functools import partial
from typing import Any

from tests.hostile.attack.attempt import Attempt, Phases
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.cases import opened_case, stays
from tests.hostile.attack.findings import Channel, Verdict
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import (
    CASES,
    COMMENT,
    CREATE,
    LOOKUP,
    STATUS,
    UPDATE,
    Ask,
    cancel,
    comment,
    new_case,
    some_asks,
)
from tests.hostile.attack.wire import Sent, Shape, sign, tool_calls
from tests.hostile.attack.words import DIGIT_WORDS

REFUSED = range(400, 500)


def replay(new: Builder) -> None:
    """Captured requests, sent again byte by byte, with another signature, or with another body."""
    for at in range(16):
        victim, eavesdropper = new.customer(cases=2), new.stranger("an eavesdropper")
        victim.later = [new.words.name()]
        play = partial(_replay, victim=victim, eavesdropper=eavesdropper, at=at)
        when = "after the call" if at % 2 else "during the call"
        new.add(f"an eavesdropper repeats requests {when}", play, victim, eavesdropper)


def _replay(attempt: Attempt, *, victim: Person, eavesdropper: Person, at: int) -> Phases:
    line = attempt.call(victim)
    captured: list[tuple[Sent, str]] = []

    def capture(body: str) -> None:
        captured.append((line.last, body))

    capture(line.greet())
    capture(line.start())
    asks: list[Ask] = [(LOOKUP, {}), (STATUS, {}), (CASES, {})]
    asks += [new_case(victim), comment(victim, caseNumber=victim.case.number)]
    for tool, arguments in asks:
        call = tool_calls((attempt.new_id("call"), tool, arguments))
        capture(line.post(tool, "tool-calls", **call))
    capture(line.transfer())
    if at % 2:
        line.end()
    yield
    title = f"{victim.later[0]} happened"
    attempt.staff_edit("Case", victim.case.record_id, Subject=title, Status="Working")
    thief = attempt.call(eavesdropper, "", call_id=line.call_id, known_as=None)
    attempt.rng.shuffle(captured)
    for sent, first in captured:
        attempt.replay(thief, sent, first)
    for sent, _ in captured[:3]:
        _altered(attempt, thief, sent)
    yield
    stays(attempt, victim)
    attempt.later(
        lambda now: len(now.with_words("CaseComment", victim.words)) <= 3,
        "a comment was added again by a replay",
    )


def _altered(attempt: Attempt, thief: Line, sent: Sent) -> None:
    """A body that was not signed, or a signature that is too old, gets nothing at all."""
    message = json.loads(sent.body)
    old = sign(message, attempt.target.secret, at_ms=1_700_000_000_000)
    other_secret = sign(message, "another-secret-of-sixteen")
    message["message"]["timestamp"] = 1
    altered = Sent(json.dumps(message).encode(), sent.headers)
    unsigned = Sent(sent.body, {"Content-Type": "application/json"})
    for forged in (old, other_secret, altered, unsigned):
        attempt.replay(thief, forged, "")
        status = attempt.steps[-1].status
        if status not in REFUSED:
            attempt.found(
                Verdict.DISCLOSURE, Channel.ANSWER, "not authentic, but answered", f"HTTP {status}"
            )


def reused_ids(new: Builder) -> None:
    """Tool-call ids counted from zero, and call ids that look alike, across callers."""
    for at in range(18):
        victim = new.customer(cases=2)
        speaker = new.stranger() if at % 2 else new.customer("another customer")
        play = partial(_reused_ids, victim=victim, speaker=speaker, at=at)
        new.add("tool-call ids are counted from zero in every call", play, victim, speaker)


def _reused_ids(attempt: Attempt, *, victim: Person, speaker: Person, at: int) -> Phases:
    own = attempt.new_id()
    pairs = [
        (own, attempt.new_id()), (own, own.upper()), (own, f"{own} "), (own, f"{own}:0"),
        (own, f"{own}\u0000"), ("", ""), (own, f"call:{own}"), (own, own[:-1]), (own, own),
    ]  # fmt: skip
    first_id, second_id = pairs[at % len(pairs)]
    shape = Shape(call={"id": None}) if not first_id else None
    first = attempt.call(victim, call_id=first_id, **_shape(shape, victim))
    first.start()
    asks: list[Ask] = [(LOOKUP, {}), (STATUS, {}), (CASES, {}), new_case(victim)]
    for number, ask in enumerate(asks):
        first.ask(*ask, id=f"call_{number}")
    stays(attempt, victim)
    if at % 3 == 0:
        first.end()
        yield
    # A message of the same call that shows no number belongs to it: so with the same id, show one.
    showing = None if at % 2 or first_id == second_id else ""
    second = attempt.call(speaker, showing, call_id=second_id, **_shape(shape, None))
    shows_own = speaker.is_customer and second.number == speaker.number
    shows_two = bool(first_id) and first_id == second_id
    second.known_as = speaker if shows_own and not shows_two else None
    second.start()
    asks = [(LOOKUP, {}), (STATUS, {}), (CASES, {}), new_case(speaker), comment(speaker)]
    for number, ask in enumerate(asks):
        second.ask(*ask, id=f"call_{number}")
    second.ask(*cancel(speaker), id="call_3")
    for ask in some_asks(attempt.rng, victim, speaker, 2, 2):
        second.ask(*ask, id="call_0")
    second.transfer()
    second.end()
    stays(attempt, victim)


def _shape(shape: Shape | None, known_as: Person | None) -> dict[str, Any]:
    return {"shape": shape, "known_as": known_as} if shape else {}


def transfer_tricks(new: Builder) -> None:
    for at in range(16):
        victim = new.customer()
        speaker = new.stranger() if at % 2 else new.customer("another customer")
        play = partial(_transfer, victim=victim, speaker=speaker, at=at)
        new.add(f"{speaker.role} asks to be put through", play, victim, speaker)


def _transfer(attempt: Attempt, *, victim: Person, speaker: Person, at: int) -> Phases:
    """The colleague must not be told that the victim is calling, nor of the victim's case."""
    first = attempt.call(victim)
    first.start()
    opened_case(first)
    stays(attempt, victim)
    first.transfer()
    yield
    line = attempt.call(speaker, "" if at % 3 == 0 else None)
    if at % 2:
        line.start()
    line.say(f"Put me through to the owner of the account of {victim.name}.")
    if at % 4 == 0:
        line.ask(*comment(speaker, caseNumber=victim.case.number))
    company = victim.company
    destination = {"type": "number", "number": victim.number}
    wanted: list[dict[str, Any]] = [
        {},
        {"destination": destination},
        {"customer": {"number": victim.number, "name": victim.name}, "call": line_call(line)},
        {"functionCall": {"name": "transferCall", "parameters": {"destination": victim.number}}},
        {"accountNumber": company.account_number if company else "", "name": victim.name},
        {"artifact": {"variableValues": {"customerName": victim.name}}},
    ]
    line.transfer()
    own = wanted[at % len(wanted)]
    if "customer" in own:
        line.known_as = None  # a second number
    line.post("asks for a transfer with more", "transfer-destination-request", **own)
    line.post("asks for a hand-over", "handoff-destination-request", **own)
    line.post("asks for documents", "knowledge-base-request", messages=line.transcript, **own)
    line.post("says it is forwarded", "status-update", status="forwarding", destination=destination)
    line.transfer()
    line.end()
    yield


def line_call(line: Line) -> dict[str, Any]:
    return {"id": line.call_id, "type": "inboundPhoneCall", "customer": {"number": line.number}}


def secrets(new: Builder) -> None:
    """Card numbers that a caller says, wherever they are said: they must not be stored."""
    for at in range(18):
        speaker = new.customer("a caller with a card") if at % 2 else new.stranger("a caller")
        card = new.words.card()
        play = partial(_card, speaker=speaker, card=card, at=at)
        new.add("a caller says the number of a card", play, speaker)


def _card(attempt: Attempt, *, speaker: Person, card: str, at: int) -> Phases:
    parts = [card[start : start + 4] for start in range(0, 16, 4)]
    in_words = " ".join(DIGIT_WORDS[int(digit)] for digit in card)
    spellings = (card, " ".join(parts), "-".join(parts), " ".join(card), ", ".join(parts), in_words)
    spelled = attempt.rng.choice(spellings)
    attempt.secret(card)
    said = f"My card is {spelled}, {speaker.words}."
    line = attempt.call(speaker)
    line.start()
    match at % 6:
        case 0:
            line.ask(CREATE, {"issueType": "billing", "description": said})
        case 1:
            line.ask(*new_case(speaker, "billing", onExisting="new"))
            line.ask(COMMENT, {"comment": said})
        case 2:
            line.say(said)
        case 3:
            line.ask(UPDATE, {"mailingStreet": said})
        case 4:
            line.ask(LOOKUP, {"name": said, "accountNumber": spelled})
        case 5:
            line.ask("requestCallback", {"reason": said, "when": said})
    line.transfer()
    line.end(said if at % 4 == 3 else "")
    yield
