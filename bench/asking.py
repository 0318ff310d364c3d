"""Tool calls at a steady rate, and what came back in time."""

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.generator import Result, as_request, at_rate
from bench.load import NOT_LOOKED, number, percentile, wait_for_lookups
from demo.stack import SECRET, Stack
from simulator.vapi.player import REFERENCE
from simulator.vapi.wire import Call, as_bytes

ANSWER_WITHIN_S = 5.0
"""A caller does not wait longer in silence. Vapi itself waits 20 s."""


@dataclass(frozen=True)
class Answers:
    """What came back for `asked` tool calls. A tool call that got an error, and a lookup that got
    an apology, are not done."""

    asked: int
    result: Result

    def _done(self) -> Iterator[tuple[float, str]]:
        for took_ms, body in zip(self.result.took_ms, self.result.bodies, strict=True):
            text = body.decode()
            if '"result"' in text and not NOT_LOOKED.search(text):
                yield took_ms, text

    @property
    def answered(self) -> float:
        """Per cent of the tool calls: those that got any answer."""
        return 100 * len(self.result.bodies) / self.asked

    @property
    def done(self) -> float:
        """Per cent of the tool calls: those that were done."""
        return 100 * len(list(self._done())) / self.asked

    def took_ms(self, share: float) -> float:
        """A percentile of the times of tool calls that were done; nan if none was."""
        return percentile([took_ms for took_ms, _ in self._done()], share)

    @property
    def references(self) -> list[str]:
        found = (REFERENCE.search(text) for _, text in self._done())
        return [match.group() for match in found if match]


def new_calls(count: int, first: int = 0) -> list[Call]:
    """Calls of the callers from the number `first` on."""
    now_ms = int(time.time() * 1000)
    return [Call(str(uuid.uuid4()), number(first + nth), now_ms) for nth in range(count)]


def begin(stack: Stack, calls: Sequence[Call], per_s: float) -> None:
    """Begin the calls at this rate. Returns when the service has looked up who is calling."""
    bodies = [as_bytes(call.status("in-progress")) for call in calls]
    due = [as_request(stack.port, body, SECRET, "hmac") for body in bodies]
    at_rate(stack.port, due, per_s)
    wait_for_lookups(stack)


def ask(
    port: int, how: str, calls: Sequence[Call], per_s: float, tool: str, **arguments: Any
) -> Answers:
    """Make one tool call in each call. `{nth}` in an argument becomes the call's index."""
    due = []
    for nth, call in enumerate(calls):
        filled = {name: value.replace("{nth}", f"{nth}") for name, value in arguments.items()}
        body = as_bytes(call.tool_calls((f"call_{uuid.uuid4()}", tool, filled)))
        due.append(as_request(port, body, SECRET, how))
    return Answers(len(due), at_rate(port, due, per_s, give_up_s=ANSWER_WITHIN_S))
