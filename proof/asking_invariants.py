"""What must hold for every step of a caller, an operator or a timer, and for wake-ups."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from proof.delivery_invariants import must_wait
from proof.promises import of_steps
from proof.state import NOW_MS, PREFIX, expires
from proof.steps import Step
from proof.world import WAKE_UP_MS, World

NOTIFIES: dict[str, Callable[[Any], Iterable[str]]] = {
    "accept": lambda reply: reply[2:], "cancel": lambda reply: reply[1:],
    "replay": lambda reply: reply[1:], "settle": lambda reply: reply[2],
    "sweep": list, "release_holds": list,
}  # fmt: skip
"""The kinds to notify, in the reply of each script."""


REPLIES = frozenset(
    {"accepted", "answered", "erased", "repeated", "existing", "too_many", "too_late"}
)
"""What `accept` answers."""

NAMES = ("kind", "payload", "tool", "fingerprint", "org", "record", "message", "schema", "parts")
AMENDED = ("payload", "fingerprint", "message", "schema", "said")
"""Fields that a request fills, and those that an amendment replaces."""


@of_steps("P1")
def a_wake_up_is_sent_for_what_is_due_and_only_once(step: Step, world: World) -> Iterator[str]:
    if not step.action.calls:
        return
    before, now = set(step.before.keys("wakeup:")), set(step.now.keys("wakeup:"))
    begun = sorted(set(now) - set(before))
    notifies = NOTIFIES.get(step.action.script)
    sent = sorted(notifies(step.reply)) if notifies else []
    if sent != begun:
        yield f"wake-ups are sent for {sent}, and are on their way for {begun}"
    for kind in begun:
        if expires(step.now.store[f"{PREFIX}wakeup:{kind}"]) != NOW_MS + WAKE_UP_MS:
            yield f"a lost wake-up for {kind} is never sent again"
    if step.action.script == "sweep":
        for kind in world.kinds:
            ready = any(at <= NOW_MS for at in step.now.scores(f"due:{kind}").values())
            waits = must_wait(step.before, "org") or must_wait(step.before, kind)
            if (kind in now) != (kind in before or (ready and not waits)):
                yield f"{kind} is ready: {ready}, waits: {waits}, is notified: {kind in now}"


@of_steps("P1")
def a_sweep_makes_due_what_was_held_long_enough(step: Step, world: World) -> Iterator[str]:
    if step.action.script == "sweep":
        for kind in world.kinds:
            for id_, at in step.before.scores(f"due:{kind}").items():
                if at <= NOW_MS and step.now.state_of(id_) == "held":
                    yield f"{id_} is still held"
                if at <= NOW_MS and id_ in step.now.scores(f"held:{kind}"):
                    yield f"{id_} still counts as held"


@of_steps("P2")
def a_repeated_tool_call_gets_the_same_answer(step: Step, _world: World) -> Iterator[str]:
    request = step.action.request
    if not request or not request.tool_call:
        return
    answered = step.before.answers.get(request.answer_key)
    if answered is None or request.answer_key not in step.before.store:
        return
    if step.reply != ["answered", answered]:
        yield f"{request.name} was answered {answered!r}, and now {step.reply}"


@of_steps("P2")
def a_repeated_request_is_the_request_that_the_call_has(step: Step, _world: World) -> Iterator[str]:
    request = step.action.request
    if not request or not request.fingerprint or step.reply[0] == "answered":
        return
    earlier = step.before.hash_of(f"call:{request.call}:requests").get(request.fingerprint)
    if earlier and step.reply[0] not in {"erased"} and step.reply != ["repeated", earlier]:
        yield f"{request.name} is {earlier}, and the answer is {step.reply}"


@of_steps("P2")
def what_is_not_accepted_changes_nothing(step: Step, _world: World) -> Iterator[str]:
    if step.action.request and step.reply[0] not in REPLIES:
        yield f"the answer is {step.reply}, which says nothing"
    is_refused = step.action.request and step.reply[0] != "accepted"
    if is_refused and step.before.store != step.now.store:
        yield f"the answer is {step.reply}, and something changed"


@of_steps("P1")
def what_is_accepted_is_recorded_whole(step: Step, _world: World) -> Iterator[str]:
    request, now = step.action.request, step.now
    if not request or step.reply[0] != "accepted":
        return
    for item in (request, *request.also):
        id_, row = item.id(step.action.nth), now.row(item.id(step.action.nth))
        wanted = item.as_intent(step.action.nth)
        for name in AMENDED if item.amends else NAMES:
            if row.get(name, "") != str(wanted[name]):
                yield f"{id_} has the {name} {row.get(name)}"
        if row.get("hold_until") != str(NOW_MS + item.hold_ms):
            yield f"the window of {id_} ends at {row.get('hold_until')}"
        if (row.get("in_doubt"), row.get("attempts")) != ("0", "0"):
            yield f"{id_} is not new"
        place = "due" if row.get("waiting") == "0" else "waiting"
        if now.scores(f"{place}:{item.kind}").get(id_) != NOW_MS + item.hold_ms:
            yield f"{id_} is not {place} when its window ends"
        if item.hold_ms and place == "due" and id_ not in now.scores(f"held:{item.kind}"):
            yield f"{id_} does not count as held"
        if row.get("state") != ("held" if item.hold_ms or place == "waiting" else "due"):
            yield f"{id_} is {row.get('state')}"
        for key in item.dedup_keys:
            if now.text(f"dedup:{key}") != id_:
                yield f"{id_} is not found by {key}"
        if not item.amends and id_ not in list(now.hash_of(f"call:{item.call}:intents") or []):
            yield f"{id_} is not among those of its call"
        of_caller = list(now.hash_of("caller:+1:intents") or [])
        if item.reference and not item.amends and id_ not in of_caller:
            yield f"{id_} is not among those of its caller"
    if request.tool_call and now.text(request.answer_key[len(PREFIX) :]) != step.reply[1]:
        yield f"the answer of {request.name} is not stored"


@of_steps("P6")
def only_a_held_request_is_amended(step: Step, _world: World) -> Iterator[str]:
    request = step.action.request
    if request and request.amends and step.reply[0] in {"accepted", "too_late"}:
        id_, fingerprint = request.amends
        row = step.before.row(id_)
        may = (
            row["state"] == "held"
            and int(row["hold_until"]) > NOW_MS
            and (row["fingerprint"], row["kind"]) == (fingerprint, request.kind)
        )
        if may != (step.reply[0] == "accepted"):
            yield f"{id_} is {row['state']} until {row['hold_until']}, the answer: {step.reply[0]}"
        for key in json.loads(row["dedup_keys"]) if step.reply[0] == "accepted" else ():
            if key not in request.dedup_keys and step.now.text(f"dedup:{key}") == id_:
                yield f"{id_} is still found by {key}"


@of_steps("P6")
def what_takes_the_place_of_another_cancels_it(step: Step, _world: World) -> Iterator[str]:
    request = step.action.request
    if request and request.cancels and step.reply[0] in {"accepted", "too_late"}:
        row = step.before.row(request.cancels)
        was_open = _can_be_cancelled(row)
        read_as_open = json.loads(step.action.calls[0].args[0])["cancels"][0]["as_read"]
        if (was_open == read_as_open) != (step.reply[0] == "accepted"):
            yield f"{request.cancels} is open: {was_open}, the answer: {step.reply[0]}"
        is_cancelled = step.now.state_of(request.cancels) == "cancelled"
        was_certain = was_open and row.get("in_doubt") != "1"
        if step.reply[0] == "accepted" and was_certain and not is_cancelled:
            yield f"{request.cancels} is not cancelled"


def _can_be_cancelled(row: dict[str, str]) -> bool:
    open_ = row.get("state") in {"held", "due"} and row.get("in_doubt") != "1"
    return open_ or row.get("state") == "parked"


@of_steps("P6")
def a_caller_takes_back_what_is_not_on_its_way(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "cancel":
        return
    (id_,) = step.action.ids
    was, row = step.before.row(id_), step.now.row(id_)
    may = _can_be_cancelled(was) and was.get("in_doubt") != "1"
    if may != (step.reply[0] == "cancelled" and was["state"] != "cancelled"):
        yield f"{id_} was {was['state']}, the answer: {step.reply[0]}"
    if (row["state"] == "cancelled") != (step.reply[0] == "cancelled"):
        yield f"{id_} is {row['state']}, the answer: {step.reply[0]}"
    if may and (row.get("settled"), row.get("reason")) != (str(NOW_MS), "BY_CALLER"):
        yield f"{id_} is cancelled, and does not say when or why"
    if may:
        for part in json.loads(was.get("parts", "[]")):
            if _can_be_cancelled(step.before.row(part)) and step.now.state_of(part) != "cancelled":
                yield f"{id_} is cancelled, and its part {part} is not"
    if was["state"] == "parked" and not may and row.get("reason") != "NOT_WANTED":
        yield f"{id_} stays parked, and nobody knows that the caller took it back"
    if was["state"] in {"held", "due"} and not may and step.reply[0] != "in_doubt":
        yield f"{id_} may have been written, and the answer is {step.reply[0]}"


@of_steps("P1")
def a_person_decides_about_what_is_parked(step: Step, _world: World) -> Iterator[str]:
    if step.action.script != "replay":
        return
    verb = step.action.calls[0].args[1]
    for id_ in step.action.ids:
        row, was = step.now.row(id_), step.before.row(id_)
        if verb == "discard":
            if (row["state"], row["settled"]) != ("cancelled", str(NOW_MS)):
                yield f"{id_} is discarded, and is {row['state']}"
            continue
        if row["state"] != "due" or step.now.scores(f"due:{row['kind']}").get(id_) != NOW_MS:
            yield f"{id_} is not due"
        if (row["in_doubt"], row["attempts"], row["hold_until"]) != ("1", "0", str(NOW_MS)):
            yield f"{id_} is not tried as if it were new, but in doubt"
        if {"settled", "refusals", "refused", "refused_at", "omit_fields"} & set(row):
            yield f"{id_} has its refusals from before"
        edited = step.action.calls[0].args[3]
        if row["payload"] != (edited or was["payload"]):
            yield f"{id_} has the draft {row['payload']}"
    if step.reply[0] != len(step.action.ids):
        yield f"{step.reply[0]} changed of {len(step.action.ids)}"


@of_steps("P6")
def a_colleague_finds_everything_on_its_way(step: Step, _world: World) -> Iterator[str]:
    if step.action.script == "release_holds":
        for id_ in step.before.intents():
            was, row = step.before.row(id_), step.now.row(id_)
            if was["state"] == "held" and was["call"] == step.action.calls[0].args[1]:
                if row["hold_until"] != str(NOW_MS):
                    yield f"{id_} is held until {row['hold_until']}"
                if was["waiting"] == "0":
                    if step.now.scores(f"due:{row['kind']}").get(id_) != NOW_MS:
                        yield f"{id_} is not due"
                    if row["state"] != "due" or id_ in step.now.scores(f"held:{row['kind']}"):
                        yield f"{id_} is still held"
