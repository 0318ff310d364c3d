"""The steps of a recording, indexed by what they are about."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from demo.history.steps import Accepted, Answered, Asked, Record, Settled, Step


class History:
    """asked, answers: by request. promises: the first promise of each reference, if its request was
    recorded. settled: by reference, if it has one. intents, records: by id.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.asked: dict[str, list[Asked]] = defaultdict(list)
        self.answers: dict[str, list[Accepted | Answered]] = defaultdict(list)
        self.promises: dict[str, Accepted] = {}
        self.settled: dict[str, Settled] = {}
        self.intents: dict[str, Settled] = {}
        self.records: dict[str, Record] = {}
        for step in sorted(steps, key=lambda step: step.at):
            match step:
                case Asked():
                    self.asked[step.request].append(step)
                case Accepted() | Answered():
                    self.answers[step.request].append(step)
                case Settled():
                    self.intents[step.intent] = step
                    if step.reference:
                        self.settled[step.reference] = step
                case Record():
                    self.records[step.record] = step
        for request, answers in self.answers.items():
            for answer in answers:
                if isinstance(answer, Accepted) and request in self.asked:
                    self.promises.setdefault(answer.reference, answer)
        self.by_reference: dict[str, list[Record]] = defaultdict(list)
        self.by_key: dict[str, list[Record]] = defaultdict(list)
        self.logs: dict[str, list[Record]] = defaultdict(list)
        for record in self.records.values():
            for name, index in (
                (record.reference, self.by_reference),
                (record.key, self.by_key),
                (record.call, self.logs),
            ):
                if name:
                    index[name].append(record)

    def request_of(self, reference: str) -> Asked:
        """The first delivery of the request that a reference was promised for."""
        return self.asked[self.promises[reference].request][0]

    def waits(self) -> Iterator[tuple[Asked, Accepted | Answered, float]]:
        """Each answer with its request, and the seconds since the request was last sent."""
        for request, answers in self.answers.items():
            if not (sent := self.asked.get(request)):
                continue
            times = [delivery.at for delivery in sent]
            for answer in answers:
                if before := bisect_right(times, answer.at):
                    yield sent[0], answer, answer.at - times[before - 1]
