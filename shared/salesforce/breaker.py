"""The circuit breaker of the lookups: no caller waits for a Salesforce that hangs or fails.

Its state is one hash in Redis for the whole fleet. `scripts/_breaker.lua` changes it, as a part of
the scripts that grant a permit and enter its end, so that it costs no request to Redis of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MAX_STUCK = 3
"""This many lookups in flight for half of their deadline open the breaker: Salesforce hangs."""
COUNT_MS = 10_000
MAX_BAD = 5
"""This many failed lookups within COUNT_MS open the breaker, unless more have succeeded."""
FIRST_OPEN_MS = 1_000
MAX_OPEN_MS = 10_000
"""The breaker opens for FIRST_OPEN_MS, and each time in a row for twice as long, up to this."""


@dataclass(frozen=True)
class Breaker:
    """The breaker as operators see it. reason: a failure's code, HANGING or SLOW; "" when closed.

    for_ms: how long it still keeps every lookup back.
    """

    state: Literal["closed", "open", "half-open"]
    reason: str
    for_ms: int


def arguments(lookup_deadline_ms: int) -> dict[str, int]:
    """What `_breaker.lua` reads from a script's argument."""
    return {
        "slow_ms": lookup_deadline_ms // 2,
        "max_stuck": MAX_STUCK,
        "count_ms": COUNT_MS,
        "max_bad": MAX_BAD,
        "first_open_ms": FIRST_OPEN_MS,
        "max_open_ms": MAX_OPEN_MS,
    }


def key(prefix: str) -> str:
    return f"{prefix}breaker"


def read(fields: Mapping[str, str], at_ms: int) -> Breaker:
    """The breaker from its hash, which is empty before the first lookup."""
    if fields.get("state") != "open":
        return Breaker("closed", "", 0)
    for_ms = max(0, int(fields["until"]) - at_ms)
    return Breaker("open" if for_ms else "half-open", fields.get("reason", ""), for_ms)
