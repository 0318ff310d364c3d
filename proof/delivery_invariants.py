"""What must hold for every step of a worker: lease, extend, settle."""

import json
from collections.abc import Iterator

from proof.deliveries import OPEN
from proof.promises import of_steps
from proof.state import NOW_MS, State, expires
from proof.steps import Step
from proof.world import LEASE_MS, MAX_LEASES, MAX_TRIED, World

TOOL = "agent/tool"
"""The source of what a tool asked for."""


def wait_of(state: State, what: str) -> tuple[int, int]:
    """Until when it waits, and its failures in a row."""
    text = state.hash_of("waits").get(what)
    wait = json.loads(text) if text else {}
    return int(wait.get("until", 0)), int(wait.get("failures_in_a_row", 0))


def reason_of_wait(state: State, what: str) -> str:
    text = state.hash_of("waits").get(what)
    return str(json.loads(text).get("reason", "")) if text else ""


def must_wait(state: State, what: str) -> bool:
    return what in state.members("paused") or wait_of(state, what)[0] > NOW_MS


def source_of(row: dict[str, str]) -> str:
    return f"{row['agent']}/{row['tool']}" if row.get("tool") and row.get("agent") else row["kind"]


def held(step: Step) -> set[str]:
    """The intents that the worker of a step still has."""
    worker = step.action.worker
    if not worker:
        return set()
    rows = {id_: step.before.row(id_) for id_ in worker.rows}
    return {
        id_
        for id_, row in rows.items()
        if row.get("state") == "leased" and row.get("lease") == worker.token
    }


@of_steps("P2")
def a_lease_takes_what_is_due_for_a_limited_time_under_its_token(
    step: Step, world: World
) -> Iterator[str]:
    if step.action.script != "lease":
        return
    kind = step.action.calls[-1].args[1]
    before, now = step.before, step.now
    token = step.action.calls[-1].args[5]
    taken = [id_ for id_, _ in step.reply or []]
    for id_ in taken:
        was, row = before.row(id_), now.row(id_)
        if was["state"] not in OPEN or was["kind"] != kind:
            yield f"{id_} ({was['state']}) was not to be leased"
        if before.scores(f"due:{kind}").get(id_, NOW_MS + 1) > NOW_MS:
            yield f"{id_} was not due"
        if was["state"] == "held" and int(was["hold_until"]) > NOW_MS:
            yield f"{id_} was still in its commit window"
        if (row["state"], row.get("lease")) != ("leased", token):
            yield f"{id_} is not leased under the token"
        if now.scores(f"due:{kind}").get(id_) != NOW_MS + LEASE_MS:
            yield f"{id_} is not due again when the lease ends"
        if int(row["attempts"]) != int(was["attempts"]) + 1:
            yield f"the attempt of {id_} is not counted"
        doubt = "1" if was["state"] == "leased" else was["in_doubt"]
        if row["in_doubt"] != doubt:
            yield f"{id_} is in doubt: {row['in_doubt']}, not {doubt}"
    if taken and now.scores(f"leases:{kind}").get(token) != NOW_MS + LEASE_MS:
        yield "the lease is not among those of its kind"
    if taken and now.hash_of(f"leased:{kind}").get(token) != str(len(taken)):
        yield "the size of the lease is not noted"
    if len(taken) > world.limit:
        yield f"{len(taken)} intents are more than a batch"


@of_steps("limits")
def nothing_is_leased_of_what_waits_or_is_paused(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "lease" or not step.reply:
        return
    kind, before = step.action.calls[-1].args[1], step.before
    rows = [before.row(id_) for id_, _ in step.reply]
    for what in {"org", kind, *map(source_of, rows)}:
        if must_wait(before, what):
            yield f"{what} has to wait"
        elif what != "org" and wait_of(before, what)[1]:
            tried = [row for row in rows if what in (kind, source_of(row))]
            if len(tried) > MAX_TRIED:
                yield f"{len(tried)} intents of {what} test whether it works again"
    if wait_of(before, kind)[1] and any(
        end > NOW_MS for end in before.scores(f"leases:{kind}").values()
    ):
        yield f"a second batch of {kind} tests whether it works again"
    if wait_of(before, "org")[1]:
        probe = step.now.store.get("vs:probe")
        if before.text("probe"):
            yield "a second batch tests whether the org works again"
        elif not probe or probe[1] != step.action.calls[-1].args[5]:
            yield "the batch that tests the org is not noted"
        elif expires(probe) != NOW_MS + LEASE_MS:
            yield "the test of the org does not end with its lease"


@of_steps("limits")
def no_more_batches_of_a_kind_are_leased_than_allowed(step: Step, _world: World) -> Iterator[str]:
    if step.action.script == "lease" and step.reply:
        kind = step.action.calls[-1].args[1]
        at_work = sum(end > NOW_MS for end in step.now.scores(f"leases:{kind}").values())
        if at_work > MAX_LEASES:
            yield f"{kind} has {at_work}"


@of_steps("P1")
def what_is_due_is_leased(step: Step, world: World) -> Iterator[str]:
    if step.action.script != "lease":
        return
    kind, before = step.action.calls[-1].args[1], step.before
    leases = [end for end in before.scores(f"leases:{kind}").values() if end > NOW_MS]
    if must_wait(before, "org") or must_wait(before, kind) or len(leases) >= MAX_LEASES:
        return
    if wait_of(before, "org")[1] and before.text("probe"):
        return
    limit, tested = world.limit, wait_of(before, kind)[1] > 0
    if tested and leases:
        return
    limit = min(limit, MAX_TRIED) if tested else limit
    due = {id_ for id_, at in before.scores(f"due:{kind}").items() if at <= NOW_MS}
    ready = [id_ for id_ in due if not _is_stopped(before, before.row(id_))]
    if len(step.reply or []) < min(limit, len(ready)):
        yield f"of {sorted(ready)} the lease took {[id_ for id_, _ in step.reply or []]}"


def _is_stopped(state: State, row: dict[str, str]) -> bool:
    source = source_of(row)
    return source != row["kind"] and (must_wait(state, source) or wait_of(state, source)[1] > 0)


@of_steps("P2")
def a_worker_without_its_lease_changes_nothing(step: Step, _world: World) -> Iterator[str]:
    worker = step.action.worker
    if not worker or step.action.script not in {"settle", "extend"}:
        return
    mine = held(step)
    before, now = step.before, step.now
    for id_ in worker.rows:
        if id_ not in mine and not mine and before.row(id_) != now.row(id_):
            yield f"{id_} is another's, and changed"
    if mine:
        return
    for place in ("due", "waiting", "held"):
        if before.scores(f"{place}:{worker.kind}") != now.scores(f"{place}:{worker.kind}"):
            yield f"{place}:{worker.kind} changed"
    for place in ("waits", "succeeded", "parked", "settled"):
        if before.hash_of(place) != now.hash_of(place):
            yield f"{place} changed"
    for key, value in before.store.items():
        others = key.startswith(("vs:leases:", "vs:leased:"))
        if others and set(value[1]) - {worker.token} != set(now.hash_of(key[3:])) - {worker.token}:
            yield f"{key} lost the lease of another worker"
    if before.text("probe") not in (None, worker.token, now.text("probe")):
        yield "the test of another worker has ended"


@of_steps("P1")
def an_extension_prolongs_the_lease_of_what_is_still_held(
    step: Step, _world: World
) -> Iterator[str]:
    worker = step.action.worker
    if step.action.script != "extend" or not worker:
        return
    mine, now = held(step), step.now
    if step.reply != len(mine):
        yield f"{step.reply} were extended of {len(mine)}"
    for id_ in mine:
        if now.scores(f"due:{worker.kind}").get(id_) != NOW_MS + LEASE_MS:
            yield f"the lease of {id_} is not extended"
    leases = f"leases:{worker.kind}"
    if mine and now.scores(leases).get(worker.token) != NOW_MS + LEASE_MS:
        yield "the lease is not extended among those of its kind"
    if mine and now.hash_of(f"leased:{worker.kind}").get(worker.token) != str(len(mine)):
        yield "the size of the lease is not what the worker still holds"
    if not mine and now.scores(leases) != step.before.scores(leases):
        yield "a worker that holds nothing counts longer"
    if mine and step.before.text("probe") == worker.token:
        probe = now.store.get("vs:probe")
        if not probe or expires(probe) != NOW_MS + LEASE_MS:
            yield "the test of the org ends before its lease"


@of_steps("limits")
def a_settled_batch_counts_no_longer(step: Step, _world: World) -> Iterator[str]:
    worker = step.action.worker
    if step.action.script != "settle" or not worker:
        return
    if worker.token in step.now.scores(f"leases:{worker.kind}"):
        yield "its lease still counts"
    if worker.token in step.now.hash_of(f"leased:{worker.kind}"):
        yield "its intents still count as leased"
    if step.now.text("probe") == worker.token:
        yield "the test of the org goes on"
