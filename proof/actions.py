"""Every step that may happen next in a state of a world, and what workers do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from proof.asking import of_callers, of_operators, of_time
from proof.deliveries import Fate, fates_of_batch, withdrawn
from proof.engine import Call
from proof.state import NOW_MS, PREFIX, State, Worker
from proof.steps import Action
from proof.world import DAY_MS, LEASE_MS, MAX_LEASES, MAX_TRIED, WAKE_UP_MS, World

NEW_TOKEN = "new"
MAX_BYTES = 1_000_000
MISSING_MS = 600_000


def actions(state: State, world: World) -> list[Action]:
    """Those that the faults left allow."""
    found = (
        *of_callers(state, world),
        *_of_workers(state, world),
        *of_time(state, world),
        *of_operators(state, world),
    )
    return [action for action in found if action.faults <= state.faults]


def _of_workers(state: State, world: World) -> Iterator[Action]:
    if len(state.workers) < world.workers:
        for kind in world.kinds:
            wakes = state.text(f"wakeup:{kind}") is not None
            if wakes or any(score <= NOW_MS for score in state.scores(f"due:{kind}").values()):
                yield _lease(kind, world, wakes=wakes)
    for worker in state.workers:
        if worker.settled:
            yield _settle(worker, "again")
            continue
        yield _without(f"the worker of {worker.kind} dies", worker)
        if "extend" in world.may:
            call = _extension(worker)
            yield Action(
                f"the lease of {', '.join(worker.rows)} is extended", (call,), worker=worker
            )
        if worker.outcomes is None:
            yield from _ask(state, world, worker)
        else:
            yield _settle(worker, "")
            if "settle twice" in world.may:
                yield _settle(worker, "without an answer")


def _lease(kind: str, world: World, *, wakes: bool) -> Action:
    """As Journal.lease: the wake-up is deleted first."""
    args = (
        PREFIX, kind, str(world.limit), str(MAX_BYTES), str(LEASE_MS), NEW_TOKEN, str(MAX_LEASES),
        str(MAX_TRIED),
    )  # fmt: skip
    calls = (Call("DEL", (f"{PREFIX}wakeup:{kind}",)), Call("lease", args))
    return Action(f"a worker leases {kind}", calls, partial(_leased, kind), is_fair=wakes)


def _leased(kind: str, state: State, replies: list[Any]) -> State:
    rows = {}
    for id_, flat in replies[-1] or []:
        row = dict(zip(flat[::2], flat[1::2], strict=True))
        rows[id_] = {"payload": row["payload"], "in_doubt": row["in_doubt"]}
    if not rows:
        return state
    return replace(state, workers=(*state.workers, Worker(kind, NEW_TOKEN, rows)))


def _extension(worker: Worker) -> Call:
    args = (PREFIX, worker.kind, str(LEASE_MS), worker.token, *sorted(worker.rows))
    return Call("extend", args)


def _ask(state: State, world: World, worker: Worker) -> Iterator[Action]:
    """The worker makes sure of its lease and sends its batch. It has to settle what comes of it."""
    call = _extension(worker)
    if any(state.row(id_).get("lease") != worker.token for id_ in worker.rows):
        written = next(
            fates for fates in fates_of_batch(state, world, worker) if not _faults(fates)
        )
        then = partial(_answered, worker, written)
        yield Action("a worker finds its lease gone", (call,), then, is_fair=True, worker=worker)
        return
    for fates in fates_of_batch(state, world, worker):
        faults = _faults(fates)
        about = zip(sorted(worker.rows), fates, strict=True)
        said = ", ".join(f"{id_}: {fate.name}" for id_, fate in about)
        then = partial(_answered, worker, fates)
        yield Action(f"Salesforce gets {said}", (call,), then, faults, not faults, worker)


def _faults(fates: tuple[Fate, ...]) -> int:
    return sum(fate.faults for fate in fates)


def _answered(worker: Worker, fates: tuple[Fate, ...], state: State, replies: list[Any]) -> State:
    if replies[-1] != len(worker.rows):
        left = tuple(withdrawn(id_, row) for id_, row in worker.rows.items())
        return replace(state, workers=_others(state, worker, replace(worker, outcomes=left)))
    org = dict(state.org)
    for fate in fates:
        if fate.written:
            id_ = fate.outcome["id"]
            org[id_] = (*org.get(id_, ()), worker.rows[id_]["payload"])
    answered = replace(worker, outcomes=tuple(fate.outcome for fate in fates))
    return replace(state, org=org, workers=_others(state, worker, answered))


def _settle(worker: Worker, how: str) -> Action:
    args = (
        PREFIX, worker.token, str(WAKE_UP_MS), json.dumps(worker.outcomes), worker.kind,
        str(2 * DAY_MS), str(MISSING_MS),
    )  # fmt: skip
    if how == "without an answer":
        settled = replace(worker, settled=True)

        def then(state: State, _replies: list[Any]) -> State:
            return replace(state, workers=_others(state, worker, settled))

        return Action(
            f"the batch {', '.join(worker.rows)} is settled, but its answer is lost",
            (Call("settle", args),), then, faults=1, worker=worker,
        )  # fmt: skip
    name = f"the batch {', '.join(worker.rows)} is settled {how}".rstrip()
    return replace(_without(name, worker), calls=(Call("settle", args),), faults=0, is_fair=True)


def _without(name: str, worker: Worker) -> Action:
    def then(state: State, _replies: list[Any]) -> State:
        return replace(state, workers=_others(state, worker))

    return Action(name, (), then, faults=1, worker=worker)


def _others(state: State, worker: Worker, *changed: Worker) -> tuple[Worker, ...]:
    return (*(other for other in state.workers if other is not worker), *changed)
