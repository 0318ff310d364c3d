"""Seeded calls: what agents claim is held against what was accepted (see simulation.py)."""

import redis

from shared.settings import Settings
from tests.claims.simulation import PARTS, simulate


def test_calls_that_agree_disagree_cross_and_are_interrupted_come_out_as_they_were_made(
    store: redis.Redis, settings: Settings
) -> None:
    result = simulate(store, settings, seed=7, count=300)
    assert result.wrong == []
    assert result.exact > 150
    assert set(result.parts) == set(PARTS) - {"talk"}
    assert result.recall >= 0.9
    assert result.precision >= 0.99
