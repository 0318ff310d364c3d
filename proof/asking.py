"""What callers and operators may do next, and what time does."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from proof.deliveries import OPEN
from proof.engine import Call
from proof.state import LONG_MS, NOW_MS, PREFIX, SOON_MS, State, Worker, expires, times
from proof.steps import Action, use
from proof.world import CALL, CLOCK_STEP_MS, DAY_MS, WAKE_UP_MS, Request, World

FAR_MS = 100 * DAY_MS


def of_callers(state: State, world: World) -> Iterator[Action]:
    for request in world.requests:
        nth = state.used.get(request.name, 0) + 1
        if nth > request.times or (request.only_with and not state.row(request.only_with)):
            continue
        for cancels_open in (True, False) if request.cancels else (False,):
            yield Action(
                f"{request.name} is asked for, the {nth}. time"
                + (f", {request.cancels} read as open" if cancels_open else ""),
                (request.accept(nth, cancels_open=cancels_open, per_call=world.per_call),),
                partial(_asked, request, nth),
                request=request,
                nth=nth,
            )
    for id_ in world.retractions:
        if state.row(id_):
            call = Call("cancel", (PREFIX, id_, "BY_CALLER", str(WAKE_UP_MS)))
            yield Action(f"the caller takes {id_} back", (call,), ids=(id_,))


def _asked(request: Request, nth: int, state: State, replies: list[Any]) -> State:
    state = use(state, request.name)
    (reply,) = replies
    if reply[0] != "accepted":
        return state
    if request.tool_call:
        state = replace(state, answers={**state.answers, request.answer_key: reply[1]})
    promised, order = dict(state.promised), dict(state.order)
    for item in (request, *request.also):
        id_ = item.id(nth)
        promised[id_] = item.payload
        if not item.amends:
            order[id_] = tuple(_leaders(item, id_, state))
    return replace(state, promised=promised, order=order)


def _leaders(request: Request, id_: str, state: State) -> Iterator[str]:
    """The open intents that an accepted one has to wait for."""
    of_call: list[str] = list(state.hash_of(f"call:{request.call}:intents") or [])
    earlier = of_call[: of_call.index(id_)] if id_ in of_call else []
    for other in dict.fromkeys([*request.after, *earlier]):
        row = state.row(other)
        follows = (
            request.after_call
            or other in request.after
            or (
                request.record != ""
                and row.get("record") == request.record
                and row.get("kind") != request.kind
                and row.get("tool") != ""
            )
        )
        if follows and row.get("state") in OPEN:
            yield other


def of_operators(state: State, world: World) -> Iterator[Action]:
    parked = [id_ for id_ in state.intents() if state.state_of(id_) == "parked"]
    if "replay" in world.may:
        for id_ in parked:
            yield _by_hand("replay", (id_,))
            yield _by_hand("discard", (id_,))
        if len(parked) > 1:
            yield _by_hand("discard", tuple(parked))
    if "edit" in world.may:
        for id_ in parked:
            yield _by_hand("replay", (id_,), payload=json.dumps({"text": "edited"}))
    paused = state.members("paused")
    if "pause" in world.may and not paused and not state.used.get("pause"):
        for kind in world.kinds:
            call = Call("SADD", (f"{PREFIX}paused", kind))
            then = partial(_used, "pause")
            yield Action(f"an operator pauses {kind}", (call,), then)
    for kind in sorted(paused):
        calls = (
            Call("SREM", (f"{PREFIX}paused", kind)),
            Call("HDEL", (f"{PREFIX}waits", kind)),
            Call("DEL", (f"{PREFIX}failing:{kind}",)),
        )
        yield Action(f"an operator resumes {kind}", calls, is_fair=True)
    if "hand over" in world.may and any(state.state_of(id_) == "held" for id_ in state.intents()):
        call = Call("release_holds", (PREFIX, CALL, str(WAKE_UP_MS)))
        yield Action("a colleague takes over the call", (call,))
    if "erase" in world.may and not state.used.get("erase"):
        want = {
            "prefix": PREFIX, "call": CALL, "intents": _of_call(state), "caller": "+1",
            "unclosed": True,
            "dedup_keys": sorted({key for item in world.requests for key in item.dedup_keys}),
            "provider_ids": [], "erased_ms": 15 * DAY_MS,
        }  # fmt: skip
        yield Action("the call is erased", (Call("erase", (json.dumps(want),)),), _erased)


def _of_call(state: State) -> list[str]:
    """As `python -m cli person forget` finds them, whether or not the call still lists them."""
    return [id_ for id_ in state.intents() if state.row(id_)["call"] == CALL]


def _by_hand(verb: str, ids: tuple[str, ...], payload: str = "") -> Action:
    def then(state: State, _replies: list[Any]) -> State:
        if verb == "discard":
            return replace(state, by_person=tuple(sorted({*state.by_person, *ids})))
        if payload:
            return replace(state, promised={**state.promised, **dict.fromkeys(ids, payload)})
        return state

    call = Call("replay", (PREFIX, verb, str(WAKE_UP_MS), payload, "org", *ids))
    edited = " after an edit" if payload else ""
    return Action(f"an operator {verb}s {', '.join(ids)}{edited}", (call,), then, ids=ids)


def _used(name: str, state: State, _replies: list[Any]) -> State:
    return use(state, name)


def _erased(state: State, replies: list[Any]) -> State:
    return use(state, "erase") if replies[-1][0] == "erased" else state


def of_time(state: State, world: World) -> Iterator[Action]:
    """The service's own timers, and time itself."""
    if any(score <= NOW_MS for _, due in state.keys("due:").items() for score in due.values()):
        call = Call("sweep", (PREFIX, str(WAKE_UP_MS), "500", *world.kinds))
        yield Action("a sweep", (call,), is_fair=True)
    if "purge" in world.may:
        for what, receipts_ms in (("drafts", FAR_MS), ("receipts", 0)):
            call = Call("purge", (PREFIX, "0", str(receipts_ms), "500"))
            yield Action(f"retention takes the {what}", (call,))
    if at := _next_deadline(state):
        ends = [worker for worker in state.workers if not _lease_lasts(state, worker, at)]
        name = f"{(at - NOW_MS) / 1000:g} s pass"
        if ends:
            name += ", and a worker's lease runs out"
        faults = 1 if ends else 0
        yield Action(name, (), partial(_at, at), faults, is_fair=not faults)
    if "three days" in world.may and not state.workers and not state.used.get("three days"):
        yield Action("three days pass", (), _three_days)
    if "clock" in world.may:
        for step_ms in (CLOCK_STEP_MS, -CLOCK_STEP_MS):
            way = "forward" if step_ms > 0 else "back"
            yield Action(f"the clock steps {way}", (), partial(_clock, step_ms), 1)


def _at(at: int, state: State, _replies: list[Any]) -> State:
    return replace(state, now_ms=at)


def _clock(step_ms: int, state: State, replies: list[Any]) -> State:
    return _at(NOW_MS + step_ms, use(state, "clock"), replies)


def _three_days(state: State, replies: list[Any]) -> State:
    return _at(NOW_MS + LONG_MS + DAY_MS, use(state, "three days"), replies)


def _lease_lasts(state: State, worker: Worker, at: int) -> bool:
    """False when the lease of a worker that still works with it ends by then."""
    if worker.settled:
        return True
    ends = state.scores(f"leases:{worker.kind}").get(worker.token)
    due = state.scores(f"due:{worker.kind}")
    held = [due[id_] for id_ in worker.rows if state.row(id_).get("lease") == worker.token]
    return all(end > at or end <= NOW_MS for end in [*held, *([ends] if ends else [])])


def _next_deadline(state: State) -> int:
    """The next time from which on a step may have another result; 0 when there is none."""
    ahead = {
        at
        for key, value in state.store.items()
        for at in (*times(key, value), expires(value))
        if NOW_MS < at <= NOW_MS + SOON_MS
    }
    return min(ahead, default=0)
