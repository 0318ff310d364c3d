"""Breadth-first search over all states of a world: the first breach has a shortest history."""

import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from proof import (
    asking_invariants,
    delivery_invariants,
    keeping_invariants,
    settle_invariants,
    state_invariants,
)
from proof.actions import actions
from proof.deliveries import OPEN
from proof.engine import EndlessError, Engine, Ran
from proof.promises import Breach, breach_of_state, breach_of_step
from proof.state import State, canonical, digest
from proof.steps import Action, Step, take
from proof.world import World

CHECKED = (
    state_invariants, delivery_invariants, settle_invariants, asking_invariants, keeping_invariants,
)  # fmt: skip
"""Importing these modules declares their invariants."""

NO_SCRIPT_FAILS = "no script fails"
EVERYTHING_IS_READ = "what a script writes can be read"
UNREADABLE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading something raises that an erroneous script wrote."""
LIVENESS = "from every state everything settles once nothing fails any more"


@dataclass(frozen=True)
class History:
    """How a breach came about: the steps from the start to it."""

    breach: Breach
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Explored:
    """is_whole: every state that can be reached was seen, with all of its steps."""

    world: World
    states: int
    transitions: int
    depth: int
    seconds: float
    is_whole: bool
    history: History | None = None


@dataclass
class Graph:
    """What is known of each state, by its number. fair: pairs of numbers, one after the other."""

    numbers: dict[bytes, int] = field(default_factory=dict)
    parents: "array[int]" = field(default_factory=lambda: array("I"))
    taken: "array[int]" = field(default_factory=lambda: array("H"))
    fair: "array[int]" = field(default_factory=lambda: array("I"))
    at_rest: bytearray = field(default_factory=bytearray)

    def add(self, key: bytes, parent: int, nth: int, *, at_rest: bool) -> int:
        number = self.numbers[key] = len(self.numbers)
        self.parents.append(parent)
        self.taken.append(nth)
        self.at_rest.append(at_rest)
        return number

    def path(self, number: int) -> list[int]:
        """Which of its actions each state took, from the start to this state."""
        path: list[int] = []
        while number:
            path.append(self.taken[number])
            number = self.parents[number]
        return path[::-1]

    def stuck(self, expanded: int) -> int:
        """The first state from which no fault-free step leads on to a state at rest; -1 for none.

        States that were not expanded count as at rest: nothing is known of them.
        """
        before: dict[int, list[int]] = {}
        for i in range(0, len(self.fair), 2):
            before.setdefault(self.fair[i + 1], []).append(self.fair[i])
        live = bytearray(self.at_rest)
        live[expanded:] = b"\1" * (len(live) - expanded)
        reached = [number for number, is_live in enumerate(live) if is_live]
        while reached:
            for number in before.get(reached.pop(), ()):
                if not live[number]:
                    live[number] = 1
                    reached.append(number)
        return live.find(0)


Watch = Callable[[int, State, Sequence[tuple[Action, Ran]]], None]


def _nobody(_number: int, _state: State, _ran: Sequence[tuple[Action, Ran]]) -> None:
    """Default: does nothing."""


class _FoundError(Exception):
    def __init__(self, breach: Breach, parent: int, nth: int) -> None:
        super().__init__(str(breach))
        self.breach, self.parent, self.nth = breach, parent, nth


def explore(
    engine: Engine,
    world: World,
    *,
    max_states: int = 10**9,
    max_seconds: float = 10**9,
    watch: Watch = _nobody,
) -> Explored:
    """Explore a world until nothing new is found, a bound is reached, or something does not hold.

    watch: is given each state with its number, and what came of each of its actions.
    """
    began = time.monotonic()
    graph, transitions, depth, expanded = Graph(), 0, 0, 0
    start = canonical(world.start())
    graph.add(digest(start.pack()), 0, 0, at_rest=True)
    layer = [zlib.compress(start.pack(), 1)]
    history: History | None = None
    is_whole = True

    def in_time() -> bool:
        return len(graph.numbers) < max_states and time.monotonic() - began < max_seconds

    try:
        while layer and is_whole:
            following: list[bytes] = []
            for packed in layer:
                if not in_time():
                    is_whole = False
                    break
                itself = zlib.decompress(packed)
                before = State.unpack(itself)
                ran = list(run(engine, before, world))
                watch(expanded, before, ran)
                count = _follow(world, graph, expanded, before, itself, ran, following)
                transitions, expanded = transitions + count, expanded + 1
            layer = following
            depth += bool(following)
        if (number := graph.stuck(expanded)) >= 0:
            steps = retrace(engine, world, graph.path(number))
            history = History(Breach("P1", LIVENESS, _open(steps, start)), steps)
    except _FoundError as found:
        path = [*graph.path(found.parent), found.nth]
        history = History(found.breach, retrace(engine, world, path))
    return Explored(
        world, len(graph.numbers), transitions, depth, time.monotonic() - began, is_whole, history
    )


def _follow(
    world: World,
    graph: Graph,
    number: int,
    before: State,
    itself: bytes,
    results: Sequence[tuple[Action, Ran]],
    following: list[bytes],
) -> int:
    """Take every step from a state. Returns how many lead elsewhere."""
    count = 0
    for nth, (action, ran) in enumerate(results):
        if ran.failed:
            raise _FoundError(Breach("P1", NO_SCRIPT_FAILS, ran.failed), number, nth)
        try:
            step, after = take(before, action, ran)
            if breach := breach_of_step(step, world):
                raise _FoundError(breach, number, nth)
            as_bytes = after.pack()
            if as_bytes == itself:
                continue
            count += 1
            key = digest(as_bytes)
            reached = graph.numbers.get(key)
            if reached is None and (breach := breach_of_state(after, world)):
                raise _FoundError(breach, number, nth)
        except UNREADABLE as error:
            unread = Breach("SCHEMA", EVERYTHING_IS_READ, repr(error))
            raise _FoundError(unread, number, nth) from error
        if reached is None:
            reached = graph.add(key, number, nth, at_rest=is_at_rest(after))
            following.append(zlib.compress(as_bytes, 1))
        if action.is_fair:
            graph.fair.extend((number, reached))
    return count


def run(engine: Engine, state: State, world: World) -> Iterator[tuple[Action, Ran]]:
    """What comes of every action, each taken in this state."""
    possible = actions(state, world)
    with_calls = [action for action in possible if action.calls]
    try:
        ran = iter(engine.run(state.now_ms, state.store, [action.calls for action in with_calls]))
    except EndlessError:
        ran = iter([Ran(failed="a script does not end")] * len(with_calls))
    for action in possible:
        yield action, next(ran) if action.calls else Ran()


def is_at_rest(state: State) -> bool:
    """Nothing is left to do, unless somebody asks for something or a person decides."""
    return not state.workers and not any(state.state_of(id_) in OPEN for id_ in state.intents())


def retrace(engine: Engine, world: World, path: list[int]) -> tuple[Step, ...]:
    steps: list[Step] = []
    state = canonical(world.start())
    for nth in path:
        action, ran = list(run(engine, state, world))[nth]
        if ran.failed:
            return (*steps, Step(state, action, [ran.failed], state))
        try:
            step, state = take(state, action, ran)
        except UNREADABLE:
            return (*steps, Step(state, action, ran.replies, state))
        steps.append(step)
    return tuple(steps)


def _open(steps: tuple[Step, ...], start: State) -> str:
    state = steps[-1].now if steps else start
    found = {id_: state.state_of(id_) for id_ in state.intents()}
    left = [f"{id_} ({was})" for id_, was in found.items() if was in OPEN]
    return "not " + ", ".join(left)
