"""A step: what runs, what it takes, and what the world is afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from proof.deliveries import OPEN
from proof.engine import Call, Ran
from proof.state import State, Worker, canonical
from proof.world import Request


def _unchanged(state: State, _replies: list[Any]) -> State:
    return state


@dataclass(frozen=True)
class Action:
    """then: what the world becomes after the calls, given their replies. faults: how many it takes.

    is_fair: it also happens when nothing fails and nobody asks for anything. The rest says what the
    step is about, for the invariants.
    """

    name: str
    calls: tuple[Call, ...] = ()
    then: Callable[[State, list[Any]], State] = _unchanged
    faults: int = 0
    is_fair: bool = False
    worker: Worker | None = None
    request: Request | None = None
    nth: int = 0
    ids: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The script that it runs, if it runs any."""
        return self.calls[-1].name if self.calls else ""


@dataclass(frozen=True)
class Step:
    """An action that was taken. now: the state after it, before it is made canonical."""

    before: State
    action: Action
    replies: list[Any] = field(default_factory=list)
    now: State = field(default_factory=State)

    @property
    def reply(self) -> Any:
        return self.replies[-1] if self.replies else None


def take(before: State, action: Action, ran: Ran) -> tuple[Step, State]:
    """The step, and the canonical state after it."""
    after = before.with_written(ran.written)
    if action.faults:
        after = replace(after, faults=before.faults - action.faults)
    after = _noted(before, action.then(after, ran.replies))
    return Step(before, action, ran.replies, after), canonical(after)


def _noted(before: State, after: State) -> State:
    """What is true of every step: an intent that settles no longer holds up others."""
    order = {
        id_: left
        for id_, leaders in after.order.items()
        if (left := tuple(leader for leader in leaders if after.state_of(leader) in OPEN))
    }
    gone = set(before.intents()) - set(after.intents())
    if gone:
        after = replace(after, gone=tuple(sorted({*after.gone, *gone})))
    return after if order == after.order else replace(after, order=order)


def use(state: State, name: str) -> State:
    """The state after something was used that is limited."""
    return replace(state, used={**state.used, name: state.used.get(name, 0) + 1})
