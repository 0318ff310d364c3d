"""Plays dialogues against a target, phase by phase, and hands everything to the judge.

Dialogues run side by side, because each has persons and records of its own. When all of them have
come to the end of a phase, everything accepted is delivered before the next one begins.
"""

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from tests.hostile.attack import judge
from tests.hostile.attack.attempt import Attempt, Dialogue, Phases
from tests.hostile.attack.canaries import Canaries
from tests.hostile.attack.findings import Channel, Finding, Verdict
from tests.hostile.attack.interface import Target
from tests.hostile.attack.persons import Person
from tests.hostile.attack.records import Snapshot, text_of
from tests.hostile.attack.setup import create_records, show_canaries
from tests.hostile.attack.sink import Sink
from tests.hostile.attack.words import Words, words_in
from tests.hostile.attack.writes import Ledger, foreign_writes

AT_ONCE = 8
MAX_PHASES = 8
OVER = object()


@dataclass
class Outcome:
    """What a run found.

    attempts: every dialogue, with its steps. limits: what the server's documentation states as a
    limit, by the title of the dialogue that shows it.
    """

    seed: int
    attempts: list[Attempt]
    limits: Mapping[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def dialogues(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if not attempt.dialogue.is_control]

    @property
    def controls(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.dialogue.is_control]

    def attempt(self, key: str) -> Attempt | None:
        return next((each for each in self.attempts if each.dialogue.key == key), None)

    def of(self, verdict: Verdict) -> list[Finding]:
        """The first of each kind in a dialogue, without those that the documentation states."""
        found: dict[tuple[str, str, str], Finding] = {}
        for finding in self.findings:
            if finding.verdict is verdict and not self.limit_of(finding):
                found.setdefault((finding.dialogue, finding.channel, finding.canary), finding)
        return list(found.values())

    def limit_of(self, finding: Finding) -> str:
        attempt = self.attempt(finding.dialogue)
        return self.limits.get(attempt.dialogue.title, "") if attempt else ""

    @property
    def errors(self) -> list[str]:
        return [
            f"{attempt.dialogue.key}: {error}"
            for attempt in self.attempts
            for error in attempt.errors
        ]


def run(
    target: Target,
    dialogues: Sequence[Dialogue],
    seed: int,
    words: Words,
    limits: Mapping[str, str] | None = None,
) -> Outcome:
    """Play all dialogues once. words: those that made the dialogues. limits: as in Outcome."""
    bystanders = show_canaries(target, words, Random(f"{seed}/bystanders"))
    create_records(target, dialogues)
    with Sink() as sink:
        attempts = [Attempt(dialogue, target, sink, seed) for dialogue in dialogues]
        outcome = Outcome(seed, attempts, limits or {})
        ledger = Ledger(attempts, bystanders)
        _play(target, sink, outcome, ledger)
        target.settle()  # for the last updates
        _take_updates(sink, attempts)
    canaries = all_canaries(attempts, bystanders, Snapshot.take(target))
    for attempt in attempts:
        outcome.findings += judge.texts(attempt, canaries)
    outcome.findings += judge.pages(Channel.LOG, target.logs(), canaries)
    outcome.findings += judge.pages(Channel.PAGE, target.pages(), canaries)
    outcome.findings += judge.store(target.stored(), attempts)
    return outcome


def _play(target: Target, sink: Sink, outcome: Outcome, ledger: Ledger) -> None:
    """All phases of all dialogues, with a look at the org after each phase."""
    attempts = outcome.attempts
    going: dict[int, Phases] = {}

    def play_phase(at: int) -> bool:
        """Whether the dialogue goes on after this phase."""
        if at not in going:
            going[at] = attempts[at].dialogue.play(attempts[at]) or iter(())
        return next(going[at], OVER) is not OVER

    before = Snapshot.take(target)
    at_work = list(range(len(attempts)))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for phase in range(MAX_PHASES):
            for at in at_work:
                attempts[at].phase = phase
            goes_on = list(pool.map(lambda at: _safely(play_phase, at, attempts), at_work))
            target.settle()
            _take_updates(sink, attempts)
            after = Snapshot.take(target)
            outcome.findings += foreign_writes(before, after, ledger, phase)
            _look_at_checks(outcome, after)
            before = after
            at_work = [at for at, again in zip(at_work, goes_on, strict=True) if again]
            if not at_work:
                return
    for at in at_work:
        attempts[at].errors.append(f"has more than {MAX_PHASES} phases")


def _safely(step: Callable[[int], bool], at: int, attempts: list[Attempt]) -> bool:
    """A dialogue that breaks is an error of the suite or of the server, and stops no other."""
    try:
        return step(at)
    except Exception:
        attempts[at].errors.append(traceback.format_exc(limit=-3))
        return False


def _take_updates(sink: Sink, attempts: Iterable[Attempt]) -> None:
    lines = {line.name: (attempt, line) for attempt in attempts for line in attempt.lines}
    for name, text in sink.take():
        if name in lines:
            attempt, line = lines[name]
            attempt.take_update(line, text)


def _look_at_checks(outcome: Outcome, now: Snapshot) -> None:
    for attempt in outcome.attempts:
        for check in attempt.checks:
            if check.holds(now):
                continue
            if attempt.dialogue.is_control:
                attempt.failures.append(f"step {check.step}: {check.otherwise}")
                continue
            key = attempt.dialogue.key
            outcome.findings.append(
                Finding(
                    Verdict.FOREIGN_WRITE, Channel.ORG, key, check.step, check.otherwise, "the org"
                )
            )
        attempt.checks.clear()
        attempt.staff_edits.clear()


def all_canaries(attempts: list[Attempt], bystanders: list[Person], end: Snapshot) -> Canaries:
    """Those from the beginning, and what was learned in the dialogues: references, case numbers."""
    canaries = Canaries()
    canaries.add_persons("", bystanders)
    authors: dict[str, tuple[str, Person]] = {}
    for attempt in attempts:
        key = attempt.dialogue.key
        canaries.add_persons(key, attempt.dialogue.persons)
        for reference, person in attempt.references:
            canaries.add_reference(key, reference, person)
        authors |= {person.words: (key, person) for person in attempt.dialogue.persons}
    for row in end.all("Case"):
        for word in words_in(text_of(row)) & authors.keys():
            key, person = authors[word]
            canaries.add_case_number(key, row["CaseNumber"], person, in_dialogue=True)
    return canaries
