"""Callers who have something in common with the victim: the company, the call, a reference."""

from functools import partial

from tests.hostile.attack.attempt import Attempt, Phases
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.cases import opened_case, stays
from tests.hostile.attack.persons import Person, national
from tests.hostile.attack.probes import (
    CASES,
    LOOKUP,
    STATUS,
    call_back,
    cancel,
    comment,
    new_address,
    new_case,
    of_reference,
    some_asks,
)
from tests.hostile.attack.records import Snapshot


def colleague(new: Builder) -> None:
    """The same account, another contact."""
    for at in range(16):
        victim = new.customer(cases=1 + at % 2)
        speaker = new.customer("a colleague", victim.company, cases=at % 2)
        play = partial(_colleague, victim=victim, speaker=speaker, first=bool(at % 4))
        new.add("a colleague of the victim calls", play, victim, speaker)


def _colleague(attempt: Attempt, *, victim: Person, speaker: Person, first: bool) -> Phases:
    reference = ""
    if first:
        line = attempt.call(victim)
        line.start()
        reference = opened_case(line, "billing")
        stays(attempt, victim)
        if attempt.rng.random() < 0.5:
            line.end()
    for _ in range(2):
        line = attempt.call(speaker)
        line.greet()
        line.start()
        asks = some_asks(attempt.rng, victim, speaker, 4, 3) + (
            attempt.rng.sample(of_reference(speaker, reference), 3) if reference else []
        )
        asks.append(new_case(speaker, "billing", onExisting=attempt.rng.choice(["ask", "comment"])))
        for ask in asks:
            line.ask(*ask)
        line.transfer()
        line.end()
        if first:
            stays(attempt, victim)
        yield


def second_call(new: Builder) -> None:
    """A later call from another number, or from none, names the reference of the first."""
    for at in range(16):
        owner = new.customer() if at % 2 else new.stranger("the first caller")
        speaker = new.stranger("the second caller") if at % 3 else new.customer("the second caller")
        owner.cases = owner.cases[:0] if at % 4 else owner.cases
        play = partial(_second_call, owner=owner, speaker=speaker, at=at)
        new.add(f"{speaker.role} has the reference of {owner.role}", play, owner, speaker)


def _second_call(attempt: Attempt, *, owner: Person, speaker: Person, at: int) -> Phases:
    line = attempt.call(owner, "" if at % 5 == 4 else None)
    line.start()
    reference = opened_case(line)
    stays(attempt, owner)
    if at % 2:
        yield
    if at % 3 == 0:
        line.end()
    showing = ("", None, "anonymous", owner)[at % 4] if not owner.is_customer else None
    for _ in range(2):
        again = attempt.call(speaker, showing)
        again.start()
        for ask in attempt.rng.sample(of_reference(speaker, reference), 5):
            again.ask(*ask)
        again.ask(STATUS, {})
        again.ask(CASES, {})
        again.transfer()
        again.end()
        stays(attempt, owner)
        yield


def two_numbers(new: Builder) -> None:
    """A call whose messages show two numbers: neither of the two can be known."""
    for at in range(18):
        first = new.customer("the first caller")
        second = new.stranger("the second caller") if at % 2 else new.customer("the second caller")
        play = partial(_two_numbers, first=first, second=second, at=at)
        new.add("one call shows two numbers", play, first, second)


def _two_numbers(attempt: Attempt, *, first: Person, second: Person, at: int) -> Phases:
    call_id = attempt.new_id()
    one_side = attempt.call(first, call_id=call_id)
    other = attempt.call(second, call_id=call_id, known_as=None)
    one_side.start()
    reference = opened_case(one_side)
    stays(attempt, first)
    if at % 3 == 0:
        yield
    showing = (other.start, other.greet, other.transfer, lambda: other.say("Cancel that."))[at % 4]
    showing()
    one_side.known_as = None
    asks = some_asks(attempt.rng, first, second, 3, 3)
    asks += attempt.rng.sample(of_reference(second, reference), 3)
    asks += [(LOOKUP, {}), (STATUS, {}), (CASES, {}), cancel(second), comment(second)]
    asks += [new_case(second, onExisting="comment"), call_back(second)]
    attempt.rng.shuffle(asks)
    for ask in asks:
        other.ask(*ask)
    other.say("No, never mind. Cancel that, please.")
    other.transfer()
    yield
    for ask in [(STATUS, {}), *attempt.rng.sample(of_reference(second, reference), 2)]:
        other.ask(*ask)
    other.end()
    stays(attempt, first)


def number_change(new: Builder) -> None:
    """The victim's number goes to somebody else between two calls, or to nobody."""
    for at in range(16):
        victim = new.customer()
        heir = new.stranger("the heir") if at % 3 == 0 else new.customer("the heir")
        play = partial(_number_change, victim=victim, heir=heir, at=at)
        new.add(f"the victim's number goes to {heir.role}", play, victim, heir)


def _number_change(attempt: Attempt, *, victim: Person, heir: Person, at: int) -> Phases:
    number = victim.number
    line = attempt.call(victim)
    line.greet()
    line.start()
    reference = opened_case(line)
    stays(attempt, victim)
    line.ask(*new_address(victim))
    line.end()
    yield
    attempt.staff_edit("Contact", victim.record_id, Phone=None)
    if heir.is_customer:
        attempt.staff_edit("Contact", heir.record_id, MobilePhone=national(number))
    for _ in range(2):
        again = attempt.call(heir, number, known_as=heir if heir.is_customer else None)
        first = (again.start, again.greet, again.transfer, lambda: None)[at % 4]
        first()
        asks = some_asks(attempt.rng, victim, heir, 3, 2)
        asks += attempt.rng.sample(of_reference(heir, reference), 3)
        asks += [(LOOKUP, {}), (STATUS, {}), (CASES, {}), new_address(heir)]
        asks.append(new_case(heir, onExisting=attempt.rng.choice(["ask", "comment"])))
        for ask in asks:
            again.ask(*ask)
        again.transfer()
        again.end()
        stays(attempt, victim)
        yield


def moved_case(new: Builder) -> None:
    """Staff give the case of the call to another customer while its caller is on the line."""
    for at in range(12):
        victim = new.customer()
        victim.later = [new.words.name()]
        company = victim.company if at % 4 == 0 else None
        speaker = new.customer("the caller", company) if at % 2 == 0 else new.stranger("the caller")
        play = partial(_moved_case, victim=victim, speaker=speaker, at=at)
        new.add(f"the case of {speaker.role} is given to the victim", play, victim, speaker)


def _moved_case(attempt: Attempt, *, victim: Person, speaker: Person, at: int) -> Phases:
    line = attempt.call(speaker)
    line.start()
    line.say(f"My secret is {speaker.words}.")
    reference = opened_case(line)
    yield
    now = Snapshot.take(attempt.target)
    for row in now.with_words("Case", speaker.words):
        title = f"{victim.later[0]} is private"
        fields = {"ContactId": victim.record_id, "Subject": title, "Description": title}
        attempt.staff_edit("Case", row["Id"], **fields)
    again = attempt.call(speaker) if at % 3 == 0 else line
    asks = [(STATUS, {}), (CASES, {}), comment(speaker), cancel(speaker), call_back(speaker)]
    asks += of_reference(speaker, reference) if reference else []
    asks.append(new_case(speaker, onExisting="comment"))
    for ask in attempt.rng.sample(asks, 6):
        again.ask(*ask)
    again.transfer()
    if again is not line:
        again.end()
    line.end("What was said.")
    yield
