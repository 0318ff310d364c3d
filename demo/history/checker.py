"""Decides from a recording what became of each promise. It does no I/O and reads no clock."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field
from enum import StrEnum

from demo.history.orders import CALL_LOG, out_of_order
from demo.history.steps import (
    FOUND,
    LOOKUP,
    REFUSED,
    REPORT,
    STATUS,
    Accepted,
    Answered,
    Settled,
    Step,
)
from demo.history.view import History
from shared.domain.intent import BY_CALLER
from shared.domain.kinds import State

CASE_CREATE = "case_create"


class Problem(StrEnum):
    """LOST: a promise that is neither in the org, nor parked, nor taken back; or a reported call of
    which the org has no record.
    DOUBLED: in the org more than once, or promised more than once for one request.
    STALE: an answer without what the caller had been promised before it, or a record with an
    earlier value than the last one promised.
    OUT_OF_ORDER: before its cause. MIXED_UP: promised in one call, and done for another.
    UNASKED: answered, settled or in the org, although nobody asked for it or it was taken back.
    """

    LOST = "lost"
    DOUBLED = "doubled"
    STALE = "stale"
    OUT_OF_ORDER = "out of order"
    MIXED_UP = "mixed up"
    UNASKED = "unasked"


@dataclass(frozen=True)
class Finding:
    """about: a reference, a request, a call, a key or a record."""

    problem: Problem
    about: str
    text: str

    def __str__(self) -> str:
        return f"{self.problem}: {self.about}: {self.text}"


@dataclass
class Result:
    """What became of a caller's requests. promised = fulfilled + parked + taken_back + lost.

    calls: those that were reported. unrecorded: those of them that the org has no record of, and
    whose log did not park either.
    """

    promised: int = 0
    fulfilled: int = 0
    parked: int = 0
    taken_back: int = 0
    lost: int = 0
    refused: int = 0
    unanswered: int = 0
    calls: int = 0
    unrecorded: int = 0

    def __add__(self, other: "Result") -> "Result":
        return Result(
            *(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True))
        )


@dataclass(frozen=True)
class Verdict:
    """callers: the result of each caller. ack_ms, lookup_ms: how long callers waited for each
    promise and for each answer to a lookup, from the last delivery of the request."""

    findings: list[Finding]
    callers: dict[str, Result]
    ack_ms: list[float] = field(repr=False)
    lookup_ms: list[float] = field(repr=False)

    def of(self, problem: Problem) -> list[str]:
        """What the findings of this kind are about."""
        return [found.about for found in self.findings if found.problem is problem]

    @property
    def total(self) -> Result:
        return sum(self.callers.values(), Result())


def p99(values: Iterable[float]) -> float:
    """The value that 99 per cent do not exceed; nan without values."""
    ranked = sorted(values)
    return ranked[-(len(ranked) // 100) - 1] if ranked else float("nan")


def check(steps: Iterable[Step]) -> Verdict:
    """The verdict on a complete recording, whose last steps are what journal and org show."""
    history = History(steps)
    findings = [
        *_doubled(history),
        *_stale_answers(history),
        *_unasked(history),
        *_mixed_up(history),
    ]
    findings += (Finding(Problem.OUT_OF_ORDER, *wrong) for wrong in out_of_order(history))
    callers = _results(history, findings)
    ack_ms: list[float] = []
    lookup_ms: list[float] = []
    for request, answer, took_s in history.waits():
        if isinstance(answer, Accepted):
            ack_ms.append(took_s * 1000)
        elif request.sort in (LOOKUP, STATUS):
            lookup_ms.append(took_s * 1000)
    return Verdict(findings, callers, ack_ms, lookup_ms)


def _results(history: History, findings: list[Finding]) -> dict[str, Result]:
    """The result of each caller. Appends to findings what was lost or has an earlier value."""
    callers: dict[str, Result] = defaultdict(Result)
    for reference in history.promises:
        result = callers[history.request_of(reference).caller]
        result.promised += 1
        match _outcome(history, reference):
            case Finding() as found:
                findings.append(found)
                result.lost += 1
            case State.PARKED:
                result.parked += 1
            case State.CANCELLED:
                result.taken_back += 1
            case _:
                result.fulfilled += 1
    for request, sent in history.asked.items():
        result = callers[sent[0].caller]
        answers = history.answers.get(request, [])
        if sent[0].sort == REPORT and answers:
            result.calls += 1
            if not _is_recorded(history, sent[0].call):
                result.unrecorded += 1
                findings.append(Finding(Problem.LOST, sent[0].call, "the org has no record of it"))
        elif sent[0].sort != REPORT:
            result.unanswered += not answers
            result.refused += bool(answers) and _is_refused(answers[-1])
    return dict(callers)


def _is_refused(answer: Accepted | Answered) -> bool:
    return isinstance(answer, Answered) and answer.result == REFUSED


def _is_recorded(history: History, call: str) -> bool:
    return bool(history.logs[call]) or any(
        intent.call == call and intent.kind == CALL_LOG and intent.state == State.PARKED
        for intent in history.intents.values()
    )


def _outcome(history: History, reference: str) -> Finding | State:
    """What became of a promise: delivered, parked, cancelled by the caller, or what is wrong."""
    settled = history.settled.get(reference)
    if history.by_reference[reference]:
        return State.DELIVERED
    if settled is None:
        return Finding(Problem.LOST, reference, "neither in the org nor settled")
    if settled.state == State.PARKED:
        return State.PARKED
    if settled.state == State.CANCELLED:
        if settled.reason == BY_CALLER:
            return State.CANCELLED
        return Finding(Problem.LOST, reference, f"cancelled: {settled.reason}")
    return _changed(history, reference, settled)


def _changed(history: History, reference: str, settled: Settled) -> Finding | State:
    """A promised change is kept if the record has its value, or that of a later change.

    A change whose value was not recorded is kept if the record exists.
    """
    mine = history.request_of(reference)
    record = history.records.get(settled.record)
    if record is not None and not mine.value:
        return State.DELIVERED
    if record is None:
        return Finding(
            Problem.LOST, reference, f"delivered as {settled.record}, and not in the org"
        )
    earlier = False
    for other, promise in history.promises.items():
        request = history.request_of(other)
        later = history.settled.get(other)
        if later and later.record == settled.record and request.value in record.values:
            if promise.at >= history.promises[reference].at:
                return State.DELIVERED
            earlier = True
    if earlier:
        return Finding(Problem.STALE, reference, f"{settled.record} has an earlier value")
    return Finding(Problem.LOST, reference, f"{settled.record} has another value")


def _doubled(history: History) -> Iterator[Finding]:
    for what, found in (
        ("key", history.by_key),
        ("reference", history.by_reference),
        ("call", history.logs),
    ):
        for name, records in found.items():
            if len(records) > 1:
                ids = ", ".join(record.record for record in records)
                yield Finding(Problem.DOUBLED, name, f"one {what}, and the records {ids}")
    for request, answers in history.answers.items():
        promised = {answer.reference for answer in answers if isinstance(answer, Accepted)}
        if len(promised) > 1:
            references = ", ".join(sorted(promised))
            yield Finding(Problem.DOUBLED, request, f"one request, and the references {references}")


def _stale_answers(history: History) -> Iterator[Finding]:
    """Answers about a caller's newest case that lack the case they had last been promised."""
    opened: dict[str, list[tuple[float, Settled]]] = defaultdict(list)
    for reference, promise in history.promises.items():
        settled = history.settled.get(reference)
        if settled and settled.kind == CASE_CREATE and settled.state != State.CANCELLED:
            opened[history.request_of(reference).caller].append((promise.at, settled))
    for request, answer, took_s in history.waits():
        if request.sort != STATUS or not isinstance(answer, Answered) or answer.result != FOUND:
            continue
        before = [pair for pair in opened[request.caller] if pair[0] < answer.at - took_s]
        if before:
            _, newest = max(before, key=lambda pair: pair[0])
            if not {newest.reference, newest.number.lstrip("0")} & set(answer.shows):
                yield Finding(Problem.STALE, request.request, f"does not show {newest.reference}")


def _unasked(history: History) -> Iterator[Finding]:
    calls = {sent[0].call for sent in history.asked.values()}
    for request in history.answers.keys() - history.asked.keys():
        yield Finding(Problem.UNASKED, request, "an answer to no request")
    for intent in history.intents.values():
        if intent.call and intent.call not in calls:
            yield Finding(
                Problem.UNASKED, intent.intent, "an intent of a call that asked for nothing"
            )
    known = history.promises.keys() | history.settled.keys()
    for record in history.records.values():
        settled = history.intents.get(record.key) or history.settled.get(record.reference)
        if settled is not None and settled.state == State.CANCELLED:
            yield Finding(Problem.UNASKED, record.record, "in the org, and it was cancelled")
        elif record.reference and record.reference not in known:
            yield Finding(Problem.UNASKED, record.record, "a reference that nobody was promised")
        elif record.call and record.call not in calls:
            yield Finding(Problem.UNASKED, record.record, "the log of a call that nobody made")


def _mixed_up(history: History) -> Iterator[Finding]:
    calls: dict[str, set[str]] = defaultdict(set)
    for request, answers in history.answers.items():
        for answer in answers:
            if isinstance(answer, Accepted) and request in history.asked:
                calls[answer.reference].add(history.asked[request][0].call)
    for reference, settled in history.settled.items():
        if settled.call and reference in calls:
            calls[reference].add(settled.call)
    for reference, found in calls.items():
        if len(found) > 1:
            yield Finding(Problem.MIXED_UP, reference, f"of the calls {', '.join(sorted(found))}")
