"""A dialogue while it is played: its calls, what was sent, and what came back."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import EllipsisType
from typing import Any

from tests.hostile.attack.canaries import Said, references_in
from tests.hostile.attack.findings import Channel, Finding, Observed, Verdict
from tests.hostile.attack.interface import Target
from tests.hostile.attack.line import Line
from tests.hostile.attack.persons import Person, national
from tests.hostile.attack.records import Snapshot
from tests.hostile.attack.sink import Sink
from tests.hostile.attack.wire import PHONE_CALL, Sent, Shape, results_in, strings_in, texts_in

Phases = Iterator[None]
Play = Callable[["Attempt"], Phases | None]

UPDATE = "an update into the call"
TRANSFERS = frozenset({"transfer-destination-request", "handoff-destination-request"})


@dataclass
class Dialogue:
    """key: its family and number. play: sends the messages; where it yields, everything that was
    accepted so far is delivered before it goes on."""

    key: str
    title: str
    play: Play
    persons: list[Person]
    is_control: bool = False


@dataclass
class Step:
    number: int
    who: str
    what: str
    answer: str = ""
    status: int = 0


@dataclass
class Check:
    """A condition on the org's records, looked at when the phase is over."""

    holds: Callable[[Snapshot], bool]
    otherwise: str
    step: int


class Attempt:
    """failures: why a control failed. errors: what should never happen, whatever the dialogue."""

    def __init__(self, dialogue: Dialogue, target: Target, sink: Sink, seed: int) -> None:
        self.dialogue, self.target, self.sink = dialogue, target, sink
        self.rng = Random(f"{seed}/{dialogue.key}/ids")
        self.phase = 0
        self.lines: list[Line] = []
        self.steps: list[Step] = []
        self.observed: list[Observed] = []
        self.references: list[tuple[str, Person]] = []
        self.findings: list[Finding] = []
        self.failures: list[str] = []
        self.errors: list[str] = []
        self.checks: list[Check] = []
        self.secrets: dict[str, int] = {}
        self.forged: set[str] = set()
        self.staff_edits: set[tuple[str, str]] = set()
        self._said: dict[Person, list[str]] = {}

    # -- calls -------------------------------------------------------------------------------------

    def call(
        self,
        speaker: Person,
        showing: Person | str | None = None,
        *,
        known_as: Person | EllipsisType | None = ...,
        call_id: str | None = None,
        shape: Shape = PHONE_CALL,
        control_url: str | None = None,
    ) -> Line:
        """showing: whose number, or what instead of it; the speaker's own by default. known_as: by
        default the only customer with that number, if the call looks like a phone call."""
        number = showing.number if isinstance(showing, Person) else showing
        number = speaker.number if number is None else number
        if isinstance(known_as, EllipsisType):
            having = [person for person in self.dialogue.persons if has_number(person, number)]
            known_as = having[0] if len(having) == 1 and shape is PHONE_CALL else None
        name = f"{self.dialogue.key.replace('/', '-')}-{len(self.lines)}"
        line = Line(
            self,
            speaker,
            name=name,
            number=number,
            known_as=known_as,
            call_id=self.new_id() if call_id is None else call_id,
            shape=shape,
            control_url=self.sink.url(name) if control_url is None else control_url,
        )
        self.lines.append(line)
        return line

    def new_id(self, prefix: str = "") -> str:
        made = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return f"{prefix}_{made[:12]}" if prefix else made

    def send(
        self, line: Line, what: str, kind: str, sent: Sent, shows_nothing: str | None = None
    ) -> str:
        """Send a request as if it came from this line, and record what comes back.

        shows_nothing: an answer that this speaker may get.
        """
        step = Step(len(self.steps) + 1, line.speaker.role, what)
        self.steps.append(step)
        line.phases.add(self.phase)
        self._said.setdefault(line.speaker, []).append(texts_in(sent.body.decode(errors="replace")))
        reply = self.target.post(sent)
        step.answer, step.status = reply.text, reply.status
        if reply.status >= 500:
            self.errors.append(f"step {step.number}, {what[:200]}: HTTP {reply.status}")
        if reply.text != shows_nothing:
            self._observe(line, kind, step.number, reply.text)
        return reply.text

    def replay(self, line: Line, sent: Sent, first: str) -> str:
        """Send a captured request again, byte by byte, as somebody who is not known.

        first: the answer to it the first time. The same bytes again show nothing new.
        """
        kind = str(json.loads(sent.body)["message"]["type"])
        return self.send(line, "the same request again", kind, sent, first)

    def said(self, speaker: Person) -> str:
        return "\n".join(self._said.get(speaker, []))

    def _observe(self, line: Line, kind: str, step: int, body: str) -> None:
        said = Said(self.said(line.speaker))

        def observe(channel: Channel, text: str, *spoken: str, colleague: bool = False) -> None:
            self.observed.append(
                Observed(channel, step, line, text, spoken, said, line.known_as, colleague)
            )

        if kind == UPDATE:
            observe(Channel.UPDATE, texts_in(body), *strings_in(body))
        elif kind in TRANSFERS:
            for_caller, for_colleague = parts_of_transfer(body)
            observe(Channel.TRANSFER, "\n".join(for_caller), *for_caller)
            observe(Channel.TRANSFER, for_colleague, for_colleague, colleague=True)
        else:
            results = results_in(body)
            observe(Channel.ANSWER, texts_in(body), *(results or strings_in(body)))
            for reference in references_in("\n".join(results)):
                if reference not in said.references:
                    self.references.append((reference, line.speaker))

    def take_update(self, line: Line, body: str) -> None:
        """What was sent into the call of this line."""
        self.steps.append(Step(len(self.steps) + 1, line.speaker.role, "gets an update", body))
        self._observe(line, UPDATE, len(self.steps), body)

    # -- what staff do, and what has to hold -------------------------------------------------------

    def staff_edit(self, sobject: str, record_id: str, **fields: Any) -> None:
        also = {"Name"} if sobject == "Contact" else set()  # made of the first and the last name
        self.staff_edits |= {(record_id, name) for name in {*fields, *also}}
        self.steps.append(Step(len(self.steps) + 1, "staff", f"edit {sobject} {fields}"))
        self.target.edit(sobject, record_id, **fields)

    def fail(self, text: str) -> None:
        """For a control: it did not get what it has a right to."""
        self.failures.append(f"step {len(self.steps)}: {text}")

    def expect(self, holds: bool, text: str) -> None:
        if not holds:
            self.fail(text)

    def later(self, holds: Callable[[Snapshot], bool], otherwise: str) -> None:
        """Must hold when everything is delivered. If not, a control failed, or an attack worked."""
        self.checks.append(Check(holds, otherwise, len(self.steps)))

    def same(self, answers: list[str], why: str) -> None:
        """Different answers tell an attacker something, even if none has a canary."""
        if len(set(answers)) > 1:
            self.found(Verdict.DISCLOSURE, Channel.ANSWER, why, " / ".join(dict.fromkeys(answers)))

    def found(self, verdict: Verdict, channel: Channel, canary: str, detail: str) -> None:
        self.findings.append(
            Finding(verdict, channel, self.dialogue.key, len(self.steps), canary, detail)
        )

    def secret(self, digits: str) -> str:
        """Digits that must never be stored, such as a PIN or a card number."""
        self.secrets[re.sub(r"\D", "", digits)] = len(self.steps) + 1
        return digits


def has_number(person: Person, number: str) -> bool:
    spellings = {person.number, national(person.number)} & {number}
    others = {str(value) for value in person.others.values()}
    return person.is_customer and (bool(spellings) or bool(others & {number, national(number)}))


def parts_of_transfer(body: str) -> tuple[list[str], str]:
    """What the caller gets to know, and what the colleague is told before."""
    try:
        parsed = json.loads(body)
        for_colleague = str(parsed["destination"]["transferPlan"].pop("message"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return strings_in(body), ""
    return strings_in(json.dumps(parsed)), for_colleague
