"""Controls: rightful callers, who must get service. A server that refuses everything fails them."""

from collections.abc import Callable
from functools import partial

from tests.hostile.attack.attempt import Attempt, Phases
from tests.hostile.attack.builder import Builder
from tests.hostile.attack.canaries import references_in
from tests.hostile.attack.cases import opened_case
from tests.hostile.attack.findings import Channel
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import (
    CASES,
    CREATE,
    LOOKUP,
    STATUS,
    UPDATE,
    VERIFY,
    call_back,
    cancel,
    comment,
    new_case,
)
from tests.hostile.attack.records import Snapshot, text_of
from tests.hostile.attack.wire import tool_calls

Control = Callable[[Attempt, Person], Phases]


def controls(new: Builder) -> None:
    for each in (*CUSTOMERS, *CUSTOMERS[:6]):
        caller = new.customer("the caller", cases=new.rng.choice([1, 2]))
        caller.wants_pin = each is shows_a_pin
        title = (each.__doc__ or "").rstrip(".")
        new.add(title, partial(_play, control=each, caller=caller), caller, control=True)
    for each in STRANGERS:
        caller = new.stranger("the caller")
        title = (each.__doc__ or "").rstrip(".")
        new.add(title, partial(_play, control=each, caller=caller), caller, control=True)


def _play(attempt: Attempt, *, control: Control, caller: Person) -> Phases:
    return control(attempt, caller)


def _number_in(text: str, number: str) -> bool:
    return number.lstrip("0") in text


def _linked(now: Snapshot, caller: Person, sobject: str, field: str) -> bool:
    """Whether one record with the caller's word is linked to their contact."""
    rows = now.with_words(sobject, caller.words)
    return [row[field] for row in rows] == [caller.record_id or None]


def is_greeted(attempt: Attempt, caller: Person) -> Phases:
    """Who shows their number is greeted by name."""
    line = attempt.call(caller)
    attempt.expect(caller.first in line.greet(), "the assistant does not know the name")
    line.start()
    attempt.expect(caller.first in line.ask(LOOKUP), "the lookup does not say the name")
    line.end()
    yield


def learns_of_the_case(attempt: Attempt, caller: Person) -> Phases:
    """A customer learns of their open case."""
    line = attempt.call(caller)
    line.start()
    number = caller.cases[-1].number
    said = line.ask(STATUS, {"caseNumber": number})
    attempt.expect(_number_in(said, number), "the status does not name the case")
    listed = line.ask(CASES)
    for case_file in caller.cases:
        attempt.expect(_number_in(listed, case_file.number), "the list lacks a case")
    attempt.expect("scalated" in listed, "the list does not say how the case stands")
    line.end()
    yield


def opens_a_case(attempt: Attempt, caller: Person) -> Phases:
    """A customer opens a case, which is linked to them, and gets its number in the call."""
    line = attempt.call(caller)
    line.start()
    reference = opened_case(line, "billing")
    attempt.expect(bool(reference), "no reference")
    attempt.later(lambda now: _linked(now, caller, "Case", "ContactId"), "no case of the caller")
    yield
    yield  # the update follows the delivery
    updates = [each for each in attempt.observed if each.channel is Channel.UPDATE]
    attempt.expect(any(reference in each.text for each in updates), "no update into the call")
    said = line.ask(STATUS, {"reference": reference})
    attempt.expect(any(each.isdigit() for each in said), "the new case has no number in the call")
    line.end()
    yield


def adds_a_comment(attempt: Attempt, caller: Person) -> Phases:
    """A customer adds a comment to their case."""
    line = attempt.call(caller)
    line.start()
    line.ask(*comment(caller, caseNumber=caller.case.number))
    attempt.later(
        lambda now: any(
            row["ParentId"] == caller.case.record_id
            for row in now.with_words("CaseComment", caller.words)
        ),
        "no comment on the case",
    )
    line.end()
    yield


def moves(attempt: Attempt, caller: Person) -> Phases:
    """A customer changes their address."""
    line = attempt.call(caller)
    line.start()
    line.ask(UPDATE, {"mailingStreet": f"7 {caller.words} Lane", "mailingCity": "Tahoe"})
    line.end()
    attempt.later(
        lambda now: "Tahoe" in text_of(now.rows["Contact"][caller.record_id]), "no new address"
    )
    yield


def wants_a_call_back(attempt: Attempt, caller: Person) -> Phases:
    """A customer is called back: somebody gets a task."""
    line = attempt.call(caller)
    line.start()
    line.ask(*call_back(caller, when="tomorrow at nine"))
    attempt.later(
        lambda now: bool(now.with_words("Task", caller.words)), "no task for the call back"
    )
    yield
    line.end()
    yield


def shows_a_pin(attempt: Attempt, caller: Person) -> Phases:
    """A customer with a PIN learns what their case is about, and changes their email."""
    if not caller.has_pin:
        return  # the server knows no PINs
    line = attempt.call(caller)
    line.start()
    line.ask(VERIFY, {"pin": attempt.secret(caller.pin)})
    said = line.ask(STATUS, {"caseNumber": caller.case.number})
    attempt.expect(caller.case.title.split()[0] in said, "the status lacks the subject")
    email = f"{caller.words}@new.example"
    line.ask(UPDATE, {"email": email})
    attempt.later(
        lambda now: now.rows["Contact"][caller.record_id]["Email"] == email, "no new email"
    )
    line.end()
    yield


def takes_a_case_back(attempt: Attempt, caller: Person) -> Phases:
    """A customer takes back what they asked for a moment ago."""
    line = attempt.call(caller)
    line.start()
    reference = opened_case(line)
    attempt.expect(bool(reference), "no reference")
    line.ask(*cancel(caller, reference=reference))
    attempt.later(
        lambda now: all(row["IsClosed"] for row in now.with_words("Case", caller.words)),
        "the case is open",
    )
    line.end()
    yield


def is_recorded(attempt: Attempt, caller: Person) -> Phases:
    """The call of a customer is recorded once."""
    line = attempt.call(caller)
    line.start()
    line.say(f"I only wanted to say {caller.words}")
    line.end("called")
    line.end("called")
    attempt.later(lambda now: _linked(now, caller, "Task", "WhoId"), "not one task of the caller")
    yield


def is_put_through(attempt: Attempt, caller: Person) -> Phases:
    """A customer is put through, and the colleague knows who it is."""
    line = attempt.call(caller)
    line.start()
    said = line.transfer()
    attempt.expect("+1" in said, "no number to put the caller through to")
    attempt.expect(caller.last in said, "the colleague is not told who it is")
    line.end()
    yield


def gets_the_same_answer(attempt: Attempt, caller: Person) -> Phases:
    """A message that is delivered twice gets the same answer, and has one effect."""
    line = attempt.call(caller)
    line.start()
    tool, arguments = new_case(caller, "account")
    first = line.post("once", "tool-calls", **tool_calls(("call_0", tool, arguments)))
    again = line.post("twice", "tool-calls", **tool_calls(("call_0", tool, arguments)))
    attempt.expect(first == again and bool(references_in(first)), "another answer")
    attempt.later(lambda now: _linked(now, caller, "Case", "ContactId"), "not one case")
    line.end()
    yield


def corrects(attempt: Attempt, caller: Person) -> Phases:
    """A customer corrects what they asked for."""
    line = attempt.call(caller)
    line.start()
    reference = opened_case(line)
    text = f"{caller.words} was meant as a bill"
    wanted = {"issueType": "billing", "description": text, "replaces": reference}
    line.ask(CREATE, wanted)
    line.end()
    attempt.later(
        lambda now: any(
            "meant as a bill" in text_of(row) for row in now.with_words("Case", caller.words)
        ),
        "the correction is not there",
    )
    yield


def stranger_opens_a_case(attempt: Attempt, caller: Person) -> Phases:
    """A stranger opens a case, which is nobody's, and learns of it in the call."""
    line = attempt.call(caller)
    line.start()
    reference = opened_case(line)
    attempt.expect(bool(reference), "no reference")
    attempt.later(lambda now: _linked(now, caller, "Case", "ContactId"), "no case of nobody")
    yield
    said = line.ask(STATUS, {"reference": reference})
    attempt.expect(any(letter.isdigit() for letter in said), "the number of the case is not said")
    line.end()
    yield


def stranger_is_answered(attempt: Attempt, caller: Person) -> Phases:
    """A stranger gets an assistant, honest answers and a transfer."""
    line = attempt.call(caller)
    attempt.expect("assistant" in line.greet(), "no assistant")
    line.start()
    for tool in (LOOKUP, STATUS, CASES):
        attempt.expect(bool(line.ask(tool)), f"no answer to {tool}")
    attempt.expect("+1" in line.transfer(), "no number to put the caller through to")
    line.end()
    yield


def stranger_wants_a_call_back(attempt: Attempt, caller: Person) -> Phases:
    """A stranger is called back: somebody gets a task."""
    line = attempt.call(caller)
    line.start()
    line.ask(*call_back(caller))
    attempt.later(lambda now: bool(now.with_words("Task", caller.words)), "no task")
    yield


CUSTOMERS: tuple[Control, ...] = (
    is_greeted, learns_of_the_case, shows_a_pin, opens_a_case, adds_a_comment, moves,
    wants_a_call_back, takes_a_case_back, is_recorded, is_put_through, gets_the_same_answer,
    corrects,
)  # fmt: skip
STRANGERS: tuple[Control, ...] = (
    stranger_opens_a_case, stranger_is_answered, stranger_wants_a_call_back,
)  # fmt: skip
