"""The pool of lookups: bounded, and waited for no longer than a deadline."""

import threading

import pytest

from shared.salesforce.client import Deadline
from shared.salesforce.failures import SalesforceError
from web.lookup_pool import LookupPool


def test_a_line_that_is_too_long_is_refused_at_once_and_moves_on() -> None:
    pool, go_on = LookupPool(threads=1, most=2), threading.Event()
    first, second = pool.start(go_on.wait), pool.start(lambda: "second")
    with pytest.raises(SalesforceError, match="LOOKUPS_BUSY"):
        pool.start(lambda: "third").result(Deadline.after(5))
    go_on.set()
    assert first.result(Deadline.after(5)) is True
    assert second.result(Deadline.after(5)) == "second"
    pool.close()


def test_a_lookup_is_given_up_at_its_deadline_and_trouble_is_remembered() -> None:
    pool, go_on = LookupPool(), threading.Event()
    slow = pool.start(go_on.wait)
    with pytest.raises(SalesforceError, match="DEADLINE"):
        slow.result(Deadline.after(0.05))
    assert pool.in_trouble
    assert pool.start(lambda: 1).result(Deadline.after(5)) == 1
    assert not pool.in_trouble
    go_on.set()
    pool.close()
