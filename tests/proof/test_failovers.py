"""What is left after the primary store was lost and Sentinel promoted its replica."""

import random
from concurrent.futures import ThreadPoolExecutor

from demo.processes import NotReadyError
from proof.failovers import SORTS, Counted, fail_over
from proof.sentinels import QUICK

AT_A_TIME = 3


def test_no_confirmed_write_is_lost_with_a_primary_and_unconfirmed_ones_are() -> None:
    confirmed = [Counted(sort, confirming=1) for sort in SORTS]
    control = Counted("partitioned", confirming=0)

    def play(counted: Counted) -> None:
        try:
            fail_over(counted, random.Random(1), QUICK)
        except NotReadyError:  # says nothing about writes: the machine is too busy
            fail_over(counted, random.Random(2), QUICK)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(play, [control, *confirmed]))
    assert {counted.sort: counted.lost for counted in confirmed} == dict.fromkeys(SORTS, 0)
    assert all(counted.acknowledged for counted in confirmed)
    assert control.lost
