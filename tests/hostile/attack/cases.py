"""A case that is opened in a dialogue, and has to be there in the end."""

from tests.hostile.attack.attempt import Attempt
from tests.hostile.attack.canaries import references_in
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person
from tests.hostile.attack.probes import new_case


def opened_case(line: Line, issue: str = "technical") -> str:
    """Open a case. Returns its reference, "" if the server gave none."""
    found = references_in(line.ask(*new_case(line.speaker, issue, onExisting="new")))
    return found[0] if found else ""


def stays(attempt: Attempt, owner: Person) -> None:
    """If the owner's case was accepted, it is there once, and open, whatever others do."""
    if not any(person is owner for _, person in attempt.references):
        return
    words = owner.words
    attempt.later(
        lambda now: len(now.with_words("Case", words)) == 1,
        f"the case of {owner.role} is not there once",
    )
    attempt.later(
        lambda now: not any(row.get("IsClosed") for row in now.with_words("Case", words)),
        f"the case of {owner.role} is closed",
    )
