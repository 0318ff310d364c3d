"""What must hold when a worker settles its batch, and when an intent is released or settles."""

import json
from collections.abc import Iterator

from proof.deliveries import OPEN
from proof.delivery_invariants import held, reason_of_wait, source_of, wait_of
from proof.promises import of_steps
from proof.state import NOW_MS, Delivery
from proof.steps import Step
from proof.world import World

FINAL = frozenset({"delivered", "cancelled"})


def outcomes(step: Step) -> Iterator[Delivery]:
    """Those of the intents that the worker still has."""
    worker = step.action.worker
    if worker and step.action.script == "settle":
        mine = held(step)
        yield from (outcome for outcome in worker.outcomes or () if outcome["id"] in mine)


@of_steps("P1")
def an_intent_becomes_what_its_delivery_says(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "settle":
        return
    states = dict(zip(step.reply[0][::2], step.reply[0][1::2], strict=True))
    for outcome in outcomes(step):
        id_, expected = outcome["id"], _expected(step, outcome)
        row, said = step.now.row(id_), states.pop(id_, None)
        if row["state"] != expected:
            yield f"{id_} is {row['state']}, not {expected}"
        if said != expected:
            yield f"{id_} is said to be {said}, and is {expected}"
        if "lease" in row:
            yield f"{id_} is still leased"
        if row.get("reason", "") != outcome.get("reason", "") and not _goes_on(outcome, expected):
            yield f"{id_} has the reason {row.get('reason')}"
        if expected in FINAL | {"parked"} and row.get("settled") != str(NOW_MS):
            yield f"{id_} settled at another time than now"
        place = {"parked": "parked"}.get(expected, "settled")
        if expected in FINAL | {"parked"} and step.now.scores(place).get(id_) != NOW_MS:
            yield f"{id_} is not in {place} since now"
    if states:
        yield f"{sorted(states)} are said to be settled"


def _goes_on(outcome: Delivery, expected: str) -> bool:
    """What it follows is not parked any more: it does not park for it."""
    return outcome["outcome"] == "parked" and expected == "due"


def _expected(step: Step, outcome: Delivery) -> str:
    row = step.before.row(outcome["id"])
    match outcome["outcome"]:
        case "again":
            return "parked" if _is_at_limit(step, outcome, row) else "due"
        case "part_refused":
            return "due"
        case "parked" if outcome["follows"]:
            followed = step.before.state_of(outcome["follows"])
            return "due" if followed not in {"parked", "cancelled", ""} else "parked"
        case other:
            return str(other)


def _is_at_limit(step: Step, outcome: Delivery, row: dict[str, str]) -> bool:
    if not outcome["limit"]:
        return False
    if outcome["scope"] != "record" and not (
        outcome["scope"] == "source" and source_of(row) in _delivered(step)
    ):
        return False
    times = json.loads(row.get("refused") or "{}").get(outcome["reason"], 0) + 1
    return bool(times >= outcome["limit"])


def _delivered(step: Step) -> set[str]:
    """The kind and the sources of which this batch delivers something."""
    found: set[str] = set()
    for outcome in outcomes(step):
        if outcome["outcome"] == "delivered":
            row = step.before.row(outcome["id"])
            found |= {row["kind"], source_of(row)}
    return found


@of_steps("P1")
def what_is_tried_again_waits_and_is_tried_again(step: Step, _world: World) -> Iterator[str]:
    for outcome in outcomes(step):
        id_ = outcome["id"]
        before, row = step.before.row(id_), step.now.row(id_)
        if outcome["outcome"] != "again":
            continue
        at = step.now.scores(f"due:{before['kind']}").get(id_)
        rests = NOW_MS + max(outcome["delay_ms"], outcome["rest_ms"])
        as_it_was = int(before["hold_until"])
        allowed = {
            "record": {rests},
            "source": {as_it_was, rests},  # or a record's, when others of the source went through
            "org": {NOW_MS + outcome["rest_ms"] if outcome["rest_ms"] else as_it_was},
        }[outcome["scope"]]
        if outcome["scope"] == "record" and outcome["target"] and at == as_it_was:
            allowed.add(as_it_was)  # its source is to blame
        if row["state"] == "due" and at not in allowed:
            yield f"{id_} is due at {at}, not at {sorted(allowed)}"
        if row["in_doubt"] != ("1" if outcome["in_doubt"] else "0") and row["state"] == "due":
            yield f"{id_} is in doubt: {row['in_doubt']}"
        counted = int(before["attempts"]) - (outcome["failures_in_a_row"] == 0)
        if row["state"] == "due" and int(row["attempts"]) != counted:
            yield f"{id_} has {row['attempts']} attempts, not {counted}"


@of_steps("limits")
def what_failed_waits_as_a_whole(step: Step, _world: World) -> Iterator[str]:
    done, failed = _delivered(step), _failed_as_a_whole(step)
    for what, blamed in failed.items():
        has_ended = bool(done) if what == "org" else what in done
        was, before = (0, 0) if has_ended else wait_of(step.before, what)
        until, failures = wait_of(step.now, what)
        if until < NOW_MS + min(outcome["delay_ms"] for outcome in blamed) or until < was:
            yield f"{what} waits until {until}"
        reasons = {outcome["reason"] for outcome in blamed}
        if was > NOW_MS + max(outcome["delay_ms"] for outcome in blamed):
            reasons = {reason_of_wait(step.before, what)}
        if reason_of_wait(step.now, what) not in reasons:
            yield f"{what} waits because of {reason_of_wait(step.now, what)}"
        if failures - before not in {outcome["failures_in_a_row"] for outcome in blamed}:
            yield f"{what} has failed {failures} times in a row, before {before} times"
        if (what in step.reply[1]) != (what != "org" and failures > before == 0):
            yield f"{what} has failed {failures} times, and {step.reply[1]} stop"


def _failed_as_a_whole(step: Step) -> dict[str, list[Delivery]]:
    """The org and the sources that are to blame, with what says so."""
    done, failed = _delivered(step), dict[str, list[Delivery]]()
    for outcome in outcomes(step):
        if outcome["outcome"] == "again" and outcome["scope"] != "record":
            source = source_of(step.before.row(outcome["id"]))
            if outcome["scope"] == "org":
                failed.setdefault("org", []).append(outcome)
            elif not (outcome["limit"] and source in done):
                failed.setdefault(source, []).append(outcome)
    return failed


@of_steps("P1")
def a_delivery_ends_the_waits(step: Step, _world: World) -> Iterator[str]:
    done = _delivered(step)
    if not done:
        return
    failed = {outcome["scope"] for outcome in outcomes(step) if outcome["outcome"] == "again"}
    for what in done | {"org"}:
        scope = "org" if what == "org" else "source"
        if scope not in failed and "record" not in failed and wait_of(step.now, what) != (0, 0):
            yield f"{what} still waits"
        if what != "org" and step.now.hash_of("succeeded").get(what) != str(NOW_MS):
            yield f"nobody knows that {what} works"
        if what != "org" and not failed and step.now.members(f"failing:{what}"):
            yield f"{what} still counts as failing"


@of_steps("P1")
def a_delivered_intent_has_its_receipt_and_no_texts(step: Step, _world: World) -> Iterator[str]:
    for outcome in outcomes(step):
        if outcome["outcome"] == "delivered":
            row = step.now.row(outcome["id"])
            if row.get("receipt") != outcome["receipt"] or row["payload"] != outcome["payload"]:
                yield f"{outcome['id']} has {row.get('receipt')} and {row['payload']}"
            if step.now.text(f"case-number:{outcome['number']}") != outcome["id"]:
                yield f"{outcome['id']} is not found by its number"
            for new in outcome["also"]:
                if step.now.state_of(new["id"]) not in OPEN:
                    yield f"{new['id']} does not follow from {outcome['id']}"


@of_steps("P1")
def a_refused_part_parks_and_the_rest_goes_on(step: Step, _world: World) -> Iterator[str]:
    for outcome in outcomes(step):
        if outcome["outcome"] == "part_refused":
            part, rest = outcome["part"]["id"], outcome["id"]
            row = step.now.row(part)
            if (row.get("state"), row.get("reason")) != ("parked", outcome["reason"]):
                yield f"{part} is {row.get('state')}"
            at = step.now.scores(f"due:{step.before.row(rest)['kind']}").get(rest)
            if at != NOW_MS + outcome["delay_ms"]:
                yield f"{rest} is due at {at}"
            if step.now.row(rest)["payload"] != outcome["rest"]:
                yield f"{rest} is not the rest"


@of_steps("P1")
def what_parks_with_another_follows_it(step: Step, _world: World) -> Iterator[str]:
    for outcome in outcomes(step):
        id_, followed = outcome["id"], outcome.get("follows")
        are_parked = followed and {step.now.state_of(id_), step.now.state_of(followed)} == {
            "parked"
        }
        if are_parked and id_ not in step.now.members(f"followers:{followed}"):
            yield f"{id_} stays parked whatever becomes of {followed}"


@of_steps("P1")
def a_released_intent_is_due_when_its_window_ends(step: Step, _world: World) -> Iterator[str]:
    for id_ in step.now.intents():
        row, was = step.now.row(id_), step.before.row(id_)
        if row["state"] == "held" and was and was.get("waiting") != "0" == row["waiting"]:
            at = step.now.scores(f"due:{row['kind']}").get(id_)
            if at != int(row["hold_until"]):
                yield f"{id_} is due at {at}, and its window ends at {row['hold_until']}"
            if int(row["hold_until"]) > NOW_MS and id_ not in step.now.scores(
                f"held:{row['kind']}"
            ):
                yield f"{id_} does not count as held"


@of_steps("P1")
def what_is_settled_changes_by_a_person_only(step: Step, _world: World) -> Iterator[str]:
    for id_ in step.before.intents():
        was, row = step.before.row(id_), step.now.row(id_)
        if was["state"] in FINAL:
            if row.get("state", was["state"]) != was["state"]:
                yield f"{id_} was {was['state']} and is {row['state']}"
            elif row != was and step.action.script not in {"purge", "erase", "erase_texts"}:
                yield f"{id_} was {was['state']} and has changed"
        elif not row:
            yield f"{id_} was {was['state']} and is gone"
        elif was["state"] == "parked" and row["state"] != "parked" and not _may_unpark(step, id_):
            yield f"{id_} was parked and is {row['state']}"


def _may_unpark(step: Step, id_: str) -> bool:
    """A person did it, or what it parked with was replayed or settled."""
    if step.action.script in {"replay", "cancel", "accept"}:
        return True
    return any(
        step.now.state_of(leader) != "parked" and id_ in ids
        for leader, ids in step.before.keys("followers:").items()
    )
