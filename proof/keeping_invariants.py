"""What must hold when something is removed, and when a request is refused as another one."""

import json
from collections.abc import Iterator

from proof.promises import of_steps
from proof.state import NOW_MS
from proof.steps import Step
from proof.world import NUMBERS_LIMIT, OF_NUMBER, World

SETTLED = frozenset({"delivered", "cancelled"})
LEFT = (
    "kind", "state", "schema", "call", "tool", "reference", "fingerprint", "accepted", "attempts",
    "in_doubt", "settled", "reason",
)  # fmt: skip
PERSONAL = ("said", "detail", "requested_at", "message", "dedup_keys", "record")


@of_steps("retention")
def retention_takes_what_is_settled_and_nothing_else(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "purge":
        return
    for id_ in step.before.intents():
        was, row = step.before.row(id_), step.now.row(id_)
        receipts_go = step.action.calls[0].args[2] == "0"
        if was["state"] not in SETTLED:
            if row != was:
                yield f"{id_} ({was['state']}) has lost something"
            continue
        if receipts_go:
            if row:
                yield f"{id_} is still stored"
            for name in ("reference", "case-number"):
                for key, found in step.now.keys(f"{name}:").items():
                    if str(found) == id_:
                        yield f"{id_} is gone, and {name}:{key} leads to it"
            continue
        if row.get("payload") != "{}" or any(row.get(name) for name in PERSONAL):
            yield f"{id_} still has texts"
        if json.loads(row.get("receipt", "{}")) != json.loads(was.get("receipt", "{}")):
            yield f"{id_} has lost its receipt"
        for name in LEFT:
            if row.get(name, "") != was.get(name, ""):
                yield f"{id_} has lost its {name}"
        if id_ not in step.now.scores("receipts") or id_ in step.now.scores("settled"):
            yield f"{id_} is not among the receipts"
        elif step.now.scores("receipts")[id_] > NOW_MS:
            yield f"{id_} is stored longer than it may be"


@of_steps("retention")
def an_erasure_takes_all_of_a_call_or_nothing(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "erase":
        return
    before, now = step.before, step.now
    call = json.loads(step.action.calls[0].args[0])["call"]
    own = [id_ for id_ in before.intents() if before.row(id_)["call"] == call]
    unsettled = sorted(id_ for id_ in own if before.state_of(id_) not in SETTLED)
    if unsettled:
        if step.reply != ["unsettled", *unsettled] and sorted(step.reply[1:]) != unsettled:
            yield f"{unsettled} are not settled, and the answer is {step.reply}"
        if before.store != now.store:
            yield f"{unsettled} are not settled, and something was erased"
        return
    if step.reply[0] != "erased":
        yield f"the answer is {step.reply}"
    for id_ in own:
        if now.row(id_):
            yield f"{id_} is still stored"
        for place in ("intents", "settled", "receipts"):
            if id_ in now.scores(place):
                yield f"{id_} is still in {place}"
    for key, _ in now.keys("call:").items():
        if key.startswith(f"{call}:"):
            yield f"call:{key} is still stored"


@of_steps("retention")
def nothing_is_accepted_of_a_call_that_was_erased(step: Step, _world: World) -> Iterator[str]:
    request = step.action.request
    if not request or step.reply[0] == "answered":
        return
    is_erased = "erased" in step.before.hash_of(f"call:{request.call}")
    if is_erased != (step.reply[0] == "erased"):
        yield f"{request.call} is erased: {is_erased}, the answer: {step.reply[0]}"


@of_steps("P2")
def a_request_for_what_another_call_asked_for_is_said_to_exist(
    step: Step, _world: World
) -> Iterator[str]:
    request = step.action.request
    if not request or not request.asks or step.reply[0] not in {"accepted", "existing"}:
        return
    found: list[str] = []
    for key in request.dedup_keys:
        id_ = step.before.text(f"dedup:{key}")
        row = step.before.row(id_) if id_ else {}
        if (
            row
            and row["state"] not in {"cancelled", "parked"}
            and row.get("message", "") in {"", *_others(row, request.tool_call)}
            and row["payload"] != "{}"
        ):
            found.append(str(id_))
    if found and step.reply != ["existing", found[0]]:
        yield f"{request.name} exists as {found}, and the answer is {step.reply}"
    if not found and step.reply[0] == "existing":
        yield f"{request.name} is new, and the answer is {step.reply}"


def _others(row: dict[str, str], message: str) -> set[str]:
    """The message of an intent, unless it is this one."""
    return {row.get("message", "")} - {message}


@of_steps("limits")
def a_call_asks_for_no_more_than_it_may(step: Step, world: World) -> Iterator[str]:
    request = step.action.request
    if not request or not world.per_call:
        return
    asked = int(step.before.text(request.of_call) or 0)
    from_number = int(step.before.text(OF_NUMBER) or 0)
    reached = "call" if asked >= world.per_call else ""
    reached = reached or ("number" if from_number >= NUMBERS_LIMIT else "")
    if step.reply[0] == "too_many" and not (request.counts and step.reply == ["too_many", reached]):
        yield f"{request.name}: {asked} of its call, {from_number} of its number, {step.reply}"
    if step.reply[0] == "accepted" and request.counts:
        if reached:
            yield f"{request.name} is the {asked + 1}. request of its call"
        if step.now.text(request.of_call) != str(asked + 1):
            yield f"{request.name} is not counted for its call"
        if step.now.text(OF_NUMBER) != str(from_number + 1):
            yield f"{request.name} is not counted for its number"
