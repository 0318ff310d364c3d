"""The invariants: what must hold in every state and for every step, each with the promise it is of.

A promise is one of README's table. `SCHEMA` stands for shared/journal/SCHEMA.md, P1 to P8 for
README's promises, `limits` for what keeps the service from being overrun, and `retention` for what
is stored no longer than it may be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from proof.state import State
from proof.steps import Step
from proof.world import World

Seen = TypeVar("Seen", State, Step)
Check = Callable[[Seen, World], Iterator[str]]


@dataclass(frozen=True)
class Invariant(Generic[Seen]):
    """check: a sentence for each breach."""

    promise: str
    name: str
    check: Check[Seen]


OF_STATES: list[Invariant[State]] = []
OF_STEPS: list[Invariant[Step]] = []


def of_states(promise: str) -> Callable[[Check[State]], Check[State]]:
    """Declares a check of every state. The function's name is the invariant's."""

    def declared(check: Check[State]) -> Check[State]:
        OF_STATES.append(Invariant(promise, _sentence(check.__name__), check))
        return check

    return declared


def of_steps(promise: str) -> Callable[[Check[Step]], Check[Step]]:
    """Declares a check of every step."""

    def declared(check: Check[Step]) -> Check[Step]:
        OF_STEPS.append(Invariant(promise, _sentence(check.__name__), check))
        return check

    return declared


def _sentence(name: str) -> str:
    return name.replace("_", " ")


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold. what: how so."""

    promise: str
    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.name}: {self.what}"


def breach_of_state(state: State, world: World) -> Breach | None:
    return _first(OF_STATES, state, world)


def breach_of_step(step: Step, world: World) -> Breach | None:
    return _first(OF_STEPS, step, world)


def _first(invariants: list[Invariant[Seen]], seen: Seen, world: World) -> Breach | None:
    for invariant in invariants:
        for what in invariant.check(seen, world):
            return Breach(invariant.promise, invariant.name, what)
    return None
