"""The current trace: bound for a while, passed to other threads, and sent along."""

from concurrent.futures import ThreadPoolExecutor

from shared.domain.trace import read_traceparent
from shared.tracing import current_trace, in_this_context, in_trace, outgoing_headers

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"


def test_a_trace_ends_where_it_began() -> None:
    with in_trace(TRACE):
        with in_trace(OTHER):
            assert current_trace() == OTHER
        assert current_trace() == TRACE
    assert current_trace() == ""


def test_another_thread_works_for_the_trace_that_it_is_given() -> None:
    with ThreadPoolExecutor(1) as pool, in_trace(TRACE):
        assert pool.submit(current_trace).result() == ""
        assert pool.submit(in_this_context(current_trace)).result() == TRACE


def test_a_request_carries_the_trace_and_outside_of_any_nothing() -> None:
    assert outgoing_headers() == {}
    with in_trace(TRACE):
        first, second = (outgoing_headers()["traceparent"] for _ in range(2))
    assert first != second
    parent = read_traceparent(first)
    assert parent
    assert (parent.trace, parent.is_recorded) == (TRACE, False)


def test_a_delivery_of_several_traces_sends_its_own_id() -> None:
    with in_trace("", delivery_id=OTHER):
        assert current_trace() == ""
        parent = read_traceparent(outgoing_headers()["traceparent"])
    assert parent
    assert parent.trace == OTHER
