"""What must hold in every state."""

from collections.abc import Iterator

from proof.deliveries import OPEN
from proof.promises import of_states
from proof.schema import listed
from proof.state import NOW_MS, State, expires
from proof.world import CLOCK_STEP_MS, LEASE_MS, World

PLACES = ("due", "held", "waiting")
SET_ASIDE_MS = 15_000


def _places(state: State, id_: str) -> set[str]:
    whole = {place for place in ("parked", "settled", "receipts") if id_ in state.scores(place)}
    return whole | {
        f"{place}:{kind}"
        for place in PLACES
        for kind, ids in state.keys(f"{place}:").items()
        if id_ in ids
    }


@of_states("P1")
def an_intent_is_in_the_places_of_its_state_and_in_no_other(
    state: State, _world: World
) -> Iterator[str]:
    for id_ in state.intents():
        row = state.row(id_)
        kind = row["kind"]
        expected = {
            "held": [{f"waiting:{kind}"} if row.get("waiting") != "0" else {f"due:{kind}"}],
            "due": [{f"due:{kind}"}],
            "leased": [{f"due:{kind}"}],
            "parked": [{"parked"}],
            "delivered": [{"settled"}, {"receipts"}],
            "cancelled": [{"settled"}, {"receipts"}],
        }.get(row["state"], [])
        found = _places(state, id_) - {f"held:{kind}"}
        if found not in expected:
            yield f"{id_} ({row['state']}) is in {sorted(found)}"
        if id_ not in state.scores("intents"):
            yield f"{id_} is not in the list of all intents"
        if row["state"] != "leased" and "lease" in row:
            yield f"{id_} ({row['state']}) has a lease"


@of_states("P1")
def what_is_listed_exists(state: State, _world: World) -> Iterator[str]:
    places = [*PLACES, "leases"]
    for place in ("parked", "parked:said", "parked:live", "settled", "receipts", "intents"):
        for id_ in state.hash_of(place):
            if not state.row(id_):
                yield f"{id_} is in {place} and nowhere else"
    for place in places[:3]:
        for kind, ids in state.keys(f"{place}:").items():
            for id_ in ids:
                if state.row(id_).get("kind") != kind:
                    yield f"{id_} is in {place}:{kind} and its kind is another"


@of_states("P1")
def what_was_accepted_is_never_lost(state: State, _world: World) -> Iterator[str]:
    for id_ in state.promised:
        if not state.row(id_) and id_ not in state.gone:
            yield f"{id_} was accepted and is nowhere"


@of_states("P1")
def an_intent_that_waits_for_others_is_released_by_them(
    state: State, _world: World
) -> Iterator[str]:
    followers = {leader: set(ids) for leader, ids in state.keys("followers:").items()}
    for id_ in state.intents():
        row = state.row(id_)
        if row["state"] != "held":
            continue
        releasing = sorted(leader for leader, ids in followers.items() if id_ in ids)
        if row["waiting"] != str(len(releasing)):
            yield f"{id_} waits for {row['waiting']} intents, and {releasing} will release it"
        for leader in releasing:
            if state.state_of(leader) not in OPEN:
                yield f"{id_} waits for {leader} ({state.state_of(leader)})"
        if id_ in state.order and sorted(state.order[id_]) != releasing:
            yield f"{id_} has to wait for {state.order[id_]} and waits for {releasing}"


@of_states("P1")
def only_open_and_parked_intents_have_followers(state: State, _world: World) -> Iterator[str]:
    for leader, ids in state.keys("followers:").items():
        if state.state_of(leader) not in OPEN | {"parked"}:
            yield f"{leader} ({state.state_of(leader)}) is followed and will release nobody"
        for id_ in ids:
            # Of what was taken back meanwhile, nothing is released.
            if state.state_of(id_) not in {"held", "parked", "cancelled"}:
                yield f"{id_} ({state.state_of(id_)}) follows {leader}"


@of_states("P1")
def what_parked_with_another_is_due_once_that_is_not_parked(
    state: State, _world: World
) -> Iterator[str]:
    for id_ in state.intents():
        row = state.row(id_)
        followed = row.get("follows", "")
        if followed and row["state"] != "parked":
            yield f"{id_} ({row['state']}) still follows {followed}"
        elif followed and id_ not in state.members(f"followers:{followed}"):
            yield f"{id_} stays parked whatever becomes of {followed}"


@of_states("P1")
def a_parked_promise_is_counted_as_broken(state: State, _world: World) -> Iterator[str]:
    parked = {id_ for id_ in state.intents() if state.state_of(id_) == "parked"}
    said = {id_ for id_ in parked if state.row(id_).get("said")}
    if set(state.scores("parked:said")) != said:
        yield f"{sorted(said)} were promised, and {sorted(state.scores('parked:said'))} count"
    in_calls = {id_ for id_ in said if state.row(id_).get("call")}
    if set(state.hash_of("parked:live")) != in_calls:
        yield f"{sorted(in_calls)} are of a call, and {sorted(state.hash_of('parked:live'))} count"


@of_states("P1")
def what_is_delivered_is_in_salesforce(state: State, _world: World) -> Iterator[str]:
    for id_ in state.intents():
        if state.state_of(id_) == "delivered" and not state.org.get(id_):
            yield f"{id_} is delivered, and Salesforce does not have it"


@of_states("P2")
def an_intent_has_one_effect(state: State, _world: World) -> Iterator[str]:
    for id_, effects in state.org.items():
        if len(effects) > 1:
            yield f"{id_} took effect {len(effects)} times"


@of_states("P2")
def a_request_has_one_effect(state: State, world: World) -> Iterator[str]:
    if state.used.get("three days"):
        return  # its fingerprint has expired
    for request in world.requests:
        if request.fingerprint and not request.amends:
            ids = {request.id(nth) for nth in range(1, request.times + 1)} - {*state.by_person}
            effects = [id_ for id_ in sorted(ids) if state.org.get(id_)]
            if len(effects) > 1:
                yield f"{request.name} took effect as {effects}"


@of_states("P2")
def what_may_be_in_salesforce_is_in_doubt(state: State, _world: World) -> Iterator[str]:
    for id_ in state.intents():
        row = state.row(id_)
        if row["state"] in {"held", "due"} and state.org.get(id_) and row["in_doubt"] != "1":
            yield f"{id_} is in Salesforce, and nobody will look for it"


@of_states("P2")
def a_request_leads_to_its_intent(state: State, _world: World) -> Iterator[str]:
    for call, of_call in state.keys("call:").items():
        if call.endswith(":requests"):
            for fingerprint, id_ in of_call.items():
                row = state.row(id_)
                if row.get("state") == "cancelled" and id_ not in state.gone:
                    yield f"{fingerprint} leads to {id_}, which is cancelled"
                elif row and row.get("fingerprint") != fingerprint:
                    yield f"{fingerprint} leads to {id_}, which is another request"
    if state.used.get("three days") or state.used.get("erase"):
        return
    for id_ in state.intents():
        row = state.row(id_)
        if row.get("fingerprint") and row["state"] != "cancelled":
            found = state.hash_of(f"call:{row['call']}:requests").get(row["fingerprint"])
            if found != id_:
                yield f"{id_} is asked for again, and {found} is found"


@of_states("P6")
def what_was_said_last_is_what_is_written(state: State, _world: World) -> Iterator[str]:
    for id_, effects in state.org.items():
        if effects and id_ in state.promised and effects[-1] != state.promised[id_]:
            yield f"{id_} was written as {effects[-1]}, and {state.promised[id_]} was asked for"


@of_states("P6")
def what_is_cancelled_has_no_effect(state: State, _world: World) -> Iterator[str]:
    for id_ in state.intents():
        is_cancelled = state.state_of(id_) == "cancelled" and id_ not in state.by_person
        if is_cancelled and state.org.get(id_):
            yield f"{id_} is cancelled, and Salesforce has it"


@of_states("P6")
def nothing_overtakes_what_it_has_to_wait_for(state: State, _world: World) -> Iterator[str]:
    for id_, leaders in state.order.items():
        if leaders and state.state_of(id_) not in {"held", "cancelled", ""}:
            yield f"{id_} ({state.state_of(id_)}) does not wait for {leaders}"


@of_states("P1")
def a_reference_leads_to_its_intent(state: State, _world: World) -> Iterator[str]:
    for reference, id_ in state.keys("reference:").items():
        if state.row(str(id_)).get("reference") != reference:
            yield f"{reference} leads to {id_}"
    for id_ in state.intents():
        reference = state.row(id_).get("reference", "")
        if reference and state.text(f"reference:{reference}") != id_:
            yield f"{id_} is not found by {reference}"


@of_states("limits")
def a_worker_that_still_holds_something_counts_as_a_batch(
    state: State, _world: World
) -> Iterator[str]:
    for kind, leases in state.keys("leases:").items():
        if set(leases) != set(state.hash_of(f"leased:{kind}")):
            yield f"{kind} has the leases {sorted(leases)}, and other sizes"
    for id_ in state.intents():
        row = state.row(id_)
        ends = state.scores(f"due:{row['kind']}").get(id_, 0)
        is_leased = row["state"] == "leased" and ends > NOW_MS
        if is_leased and row["lease"] not in state.scores(f"leases:{row['kind']}"):
            yield f"{id_} is leased, and its batch does not count"


@of_states("P1")
def nothing_waits_longer_than_a_failure_may_last(state: State, _world: World) -> Iterator[str]:
    jumps_ms = state.used.get("clock", 0) * CLOCK_STEP_MS
    longest = NOW_MS + max(SET_ASIDE_MS, LEASE_MS) + jumps_ms
    for kind, due in state.keys("due:").items():
        for id_, at in due.items():
            if at > longest:
                yield f"{id_} of {kind} is due in {at - NOW_MS} ms"


@of_states("SCHEMA")
def every_key_is_listed_with_its_type_and_expiry(state: State, _world: World) -> Iterator[str]:
    for key, value in state.store.items():
        wanted = listed(key)
        if not wanted:
            yield f"{key} is not listed"
        elif wanted != (value[0], expires(value) > 0):
            yield f"{key} is listed as {wanted}, and is {value[0]}, expires: {expires(value)}"


@of_states("P1")
def what_a_person_needs_stays_whole(state: State, _world: World) -> Iterator[str]:
    for id_ in state.intents():
        row = state.row(id_)
        if row["state"] in OPEN | {"parked"} and row.get("payload", "{}") == "{}":
            yield f"{id_} ({row['state']}) has lost its draft"
