"""The pools: bounded, never a queue, and waited for no longer than a deadline."""

import threading

import pytest

from shared.deadline import Deadline
from shared.salesforce.failures import SalesforceError
from web.pool import Pool


def test_what_finds_no_thread_is_refused_at_once() -> None:
    pool, go_on = Pool("lookups", 1), threading.Event()
    first = pool.start(go_on.wait)
    with pytest.raises(SalesforceError, match="LOOKUPS_BUSY"):
        pool.start(lambda: "second")
    go_on.set()
    assert first.result(Deadline.after(5)) is True
    pool.close()


def test_work_is_waited_for_until_its_deadline_and_goes_on() -> None:
    pool, go_on, ended = Pool("lookups", 1), threading.Event(), threading.Event()

    def work() -> None:
        go_on.wait()
        ended.set()

    slow = pool.start(work)
    with pytest.raises(SalesforceError, match="DEADLINE"):
        slow.result(Deadline.after(0.05))
    go_on.set()
    assert ended.wait(5)
    pool.close()


def test_work_in_the_callers_own_thread_counts_as_one_of_the_pool() -> None:
    pool, own = Pool("lookups", 1), threading.current_thread()

    def work() -> threading.Thread:
        with pytest.raises(SalesforceError, match="LOOKUPS_BUSY"):
            pool.start(lambda: "second")
        with pytest.raises(SalesforceError, match="LOOKUPS_BUSY"):
            pool.run(lambda: "third")
        return threading.current_thread()

    assert pool.run(work) is own
    assert pool.run(work) is own
    pool.close()


def test_nobody_takes_more_than_a_quarter_of_a_pool_and_gets_it_back() -> None:
    pool, go_on = Pool("requests", 8), threading.Event()
    first = [pool.start(go_on.wait, "one") for _ in range(2)]
    for take in (pool.start, pool.run):
        with pytest.raises(SalesforceError, match="REQUESTS_SHARE_TAKEN"):
            take(lambda: "third", "one")
    others = [pool.start(go_on.wait, "other"), pool.start(go_on.wait)]
    go_on.set()
    assert all(work.result(Deadline.after(5)) for work in (*first, *others))
    assert pool.run(lambda: "again", "one") == "again"
    pool.close()
