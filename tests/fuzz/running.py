"""How long a property is tried: briefly and always alike, or for FUZZ_MINUTES with other examples.

`make fuzz` sets FUZZ_MINUTES.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

MINUTES = float(os.environ.get("FUZZ_MINUTES") or 0)
ROUND = 500
"""Examples between two looks at the clock."""


def for_all(examples: SearchStrategy[T], check: Callable[[T], object], *, count: int) -> None:
    """Raises what `check` raises, for the smallest example that is found. count: of examples, in a
    short run. Prints how many were tried (`make fuzz` shows it)."""
    tried = 0

    def property_(example: T) -> None:
        nonlocal tried
        tried += 1
        check(example)

    started_at = time.monotonic()
    ends_at = started_at + MINUTES * 60
    in_rounds = MINUTES > 0
    options = settings(
        max_examples=ROUND if in_rounds else count,
        derandomize=not in_rounds,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    run = options(given(example=examples)(property_))
    run()
    while time.monotonic() < ends_at:
        run()
    print(f"{tried:,} examples in {(time.monotonic() - started_at) / 60:.1f} minutes")
