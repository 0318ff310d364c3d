"""The explorer: a small world explored whole, and errors in the scripts that it has to find."""

import re
from collections.abc import Iterator

import pytest
import redis

from demo.stack import ROOT
from proof.engine import Call, Engine, valkey
from proof.explorer import Explored, Graph, explore
from proof.mutants import equivalent
from proof.mutation import mutants
from proof.promises import OF_STATES, OF_STEPS
from proof.real import Real
from proof.report import story
from proof.state import NOW_MS
from proof.world import World
from proof.worlds import SMALL, WORLDS

pytestmark = pytest.mark.timeout(600)  # a minute at most, where nothing else runs


@pytest.fixture(scope="module")
def client() -> Iterator[redis.Redis]:
    with valkey() as found:
        yield found


def explored(client: redis.Redis, was: str, becomes: str) -> Explored:
    """The small world, with this change of the scripts."""
    changed: list[bool] = []

    def change(text: str) -> str:
        changed.append(was in text)
        return text.replace(was, becomes)

    engine = Engine(client, change)
    assert any(changed), f"no script has {was!r}"
    return explore(engine, SMALL)


def test_the_small_world_keeps_every_promise_in_every_state_and_so_does_a_real_store(
    client: redis.Redis,
) -> None:
    real = Real(client, every=10)
    found = explore(Engine(client), SMALL, watch=real.watch)
    assert not found.history, story(found.history)
    assert found.is_whole
    assert real.different == []
    assert real.compared > 100


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_first_states_of_every_world_keep_every_promise(
    client: redis.Redis, world: World
) -> None:
    found = explore(Engine(client), world, max_states=200)
    assert not found.history, story(found.history)
    assert found.states >= 200


@pytest.mark.parametrize(
    ("was", "becomes", "name"),
    [
        (
            "redis.call('ZADD', p .. 'parked', now, id)",
            "",
            "an intent becomes what its delivery says",
        ),
        (
            "redis.call('HINCRBY', key, 'attempts', 1)",
            "",
            "a lease takes what is due for a limited time under its token",
        ),
        (
            "if held[1] == 'leased' and held[2] == token then",
            "if held[1] == 'leased' then",
            "an extension prolongs the lease of what is still held",
        ),
        (
            "if state == 'leased' then redis.call('HSET', key, 'in_doubt', 1) end",
            "",
            "a lease takes what is due for a limited time under its token",
        ),
        (
            "return redis.call('SET', p .. 'wakeup:' .. kind, 1, 'NX', 'PX', wake_up_ms) ~= false",
            "return false",
            "a wake up is sent for what is due and only once",
        ),
        (
            "redis.call('SADD', p .. 'followers:' .. outcome.follows, outcome.id)",
            "",
            "what parks with another follows it",
        ),
    ],
)
def test_an_error_in_a_script_is_found(
    client: redis.Redis, was: str, becomes: str, name: str
) -> None:
    found = explored(client, was, becomes)
    assert found.history
    assert found.history.breach.name == name, story(found.history)


def test_the_history_of_an_error_is_the_shortest_and_says_what_happened(
    client: redis.Redis,
) -> None:
    found = explored(client, "redis.call('HINCRBY', key, 'attempts', 1)", "")
    assert found.history
    assert [step.action.name for step in found.history.steps] == [
        "case is asked for, the 1. time",
        "1 s pass",
        "a worker leases case_create",
    ]
    assert "case1: held → leased" in story(found.history)


def test_what_is_listed_as_equivalent_is_a_mutant_of_todays_scripts() -> None:
    assert set(equivalent()) <= {mutant.name for mutant in mutants()}


def test_a_state_that_leads_nowhere_is_found() -> None:
    graph = Graph()
    for number, at_rest in enumerate([True, False, False, True, False]):
        graph.add(bytes([number]), 0, 0, at_rest=at_rest)
    graph.fair.extend([0, 1, 1, 3, 1, 2, 2, 4, 4, 2])  # 2 and 4 lead to one another only
    assert graph.stuck(expanded=5) == 2
    assert graph.stuck(expanded=4) == -1  # nothing is known of 4 yet


def test_a_script_that_fails_is_found(client: redis.Redis) -> None:
    found = explored(client, "local extended = 0", "local extended = 0 + nil")
    assert found.history
    assert found.history.breach.name == "no script fails"


def test_the_store_of_the_explorer_refuses_what_it_does_not_know(client: redis.Redis) -> None:
    engine = Engine(client)
    refused = [Call("FLUSHALL", ()), Call("SET", ("vs:x", "1", "XX")), Call("HSET", ("vs:x", "a"))]
    for ran in engine.run(NOW_MS, {}, [[call] for call in refused]):
        assert ran.failed


def test_worlds_and_invariants_have_names_of_their_own() -> None:
    assert len({world.name for world in WORLDS}) == len(WORLDS)
    names = [*(checked.name for checked in OF_STATES), *(checked.name for checked in OF_STEPS)]
    assert len(set(names)) == len(names) >= 15


def test_the_page_about_proofs_lists_every_invariant_and_every_world() -> None:
    page = (ROOT / "docs" / "proofs.md").read_text()
    listed = set(re.findall(r"^\| (\S+) \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE))
    declared = {(checked.promise, checked.name) for checked in OF_STATES}
    declared |= {(checked.promise, checked.name) for checked in OF_STEPS}
    assert declared <= listed
    assert {promise for promise, _ in declared} >= {"P1", "P2", "P6"}
    worlds = set(re.findall(r"^\| ([a-z ]+) \| [^|]+ \|$", page, re.MULTILINE)) - {"world"}
    assert worlds == {world.name for world in WORLDS}
