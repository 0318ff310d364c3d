"""The clocks of all processes jump while calls are live. `python -m proof.clocks` tries each role,
with more calls."""

from pathlib import Path

from demo.contacts import make_callers
from proof.clocks import ALL, JUMP_S, Jump, Service
from tests.store_time import call_is_quiet

CALLS = 6
LASTS_S = 4.0
SETTLE_S = 60.0
BACK_S = 10
"""By how much the store's clock jumps back, because what waits may wait for so long."""


def test_clocks_that_jump_forward_and_back_lose_double_and_hold_up_nothing(
    programs: Path, tmp_path: Path
) -> None:
    with Service(tmp_path, programs=programs) as service:
        make_callers(service.stack.org, CALLS)

        def jump(role: str, ahead_s: int, lasts_s: float = 0.0) -> Jump:
            return Jump("", role, lasts_s, service, ahead_s)

        service.play(1, CALLS, [jump(ALL, JUMP_S, LASTS_S)], SETTLE_S)
        quiet = service.begin_quiet_call()
        # Beat's clock is behind that of the worker now.
        back = {"web": 0, "worker": 0, "beat": -JUMP_S, "store": JUMP_S - BACK_S}
        lasts_s = LASTS_S / len(back)
        service.play(2, CALLS, [jump(role, s, lasts_s) for role, s in back.items()], SETTLE_S)
        call_is_quiet(service.store, quiet, for_ms=10 * 60_000)
        service.wait_logged(quiet, SETTLE_S)
        verdict = service.recording.verdict(service.stack)
    assert not verdict.findings
    assert verdict.total.calls == 2 * CALLS + 1
    assert not verdict.total.unanswered
