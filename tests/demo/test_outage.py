"""What happens in a drill follows from its seed."""

import random

import pytest

from demo.outage import FAILOVER, FAULTS, VICTIMS, kills, outage


def test_an_outage_has_every_fault_and_every_victim_once_and_a_failover() -> None:
    stages = outage(random.Random(1), fails_over=True)
    assert sorted(stage.fault for stage in stages) == sorted(FAULTS)
    assert sorted(filter(None, (stage.hits for stage in stages))) == sorted([*VICTIMS, FAILOVER])


def test_without_a_second_store_there_is_no_failover() -> None:
    assert FAILOVER not in {stage.hits for stage in outage(random.Random(1), fails_over=False)}


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_repeats_the_outage(seed: int) -> None:
    again = outage(random.Random(seed), fails_over=True)
    assert outage(random.Random(seed), fails_over=True) == again
    assert outage(random.Random(seed + 1), fails_over=True) != again


def test_kills_leave_salesforce_well_and_hit_every_victim_twice() -> None:
    stages = kills(random.Random(1))
    assert {stage.fault for stage in stages} == {""}
    assert sorted(stage.hits for stage in stages) == sorted(VICTIMS * 2)
