"""Trace ids: made of a call's id, or taken from a header."""

import pytest

from shared.domain.trace import (
    as_traceparent,
    call_of_trace,
    is_trace,
    new_trace,
    read_traceparent,
    trace_of_call,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
CALL = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"


def test_the_trace_of_a_call_with_a_uuid_leads_back_to_the_call() -> None:
    assert trace_of_call(CALL) == TRACE
    assert call_of_trace(TRACE) == CALL


@pytest.mark.parametrize(
    "call_id",
    [
        "call-1", CALL.upper(), f"{{{CALL}}}", TRACE, "twilio:CA1",
        "00000000-0000-0000-0000-000000000000",
    ],
)  # fmt: skip
def test_the_trace_of_any_other_call_is_a_digest(call_id: str) -> None:
    trace = trace_of_call(call_id)
    assert is_trace(trace)
    assert trace == trace_of_call(call_id)
    assert call_of_trace(trace) != call_id
    assert trace != TRACE


def test_without_a_call_there_is_no_trace_of_one() -> None:
    assert trace_of_call("") == ""


def test_a_new_trace_is_another_one_each_time() -> None:
    first, second = new_trace(), new_trace()
    assert is_trace(first)
    assert is_trace(second)
    assert first != second


@pytest.mark.parametrize(
    ("header", "is_recorded"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", True),
    ],
)
def test_a_well_formed_header_names_a_trace_and_a_span(header: str, is_recorded: bool) -> None:
    parent = read_traceparent(header)
    assert parent
    assert (parent.trace, parent.span, parent.is_recorded) == (TRACE, SPAN, is_recorded)


@pytest.mark.parametrize(
    "header",
    [
        None, "", "x", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more", f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01", f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n", f"00-{TRACE}-{SPAN}-zz", f"01-{TRACE}-{SPAN}-01-" + "x" * 512,
    ],
)  # fmt: skip
def test_any_other_header_names_none(header: str | None) -> None:
    assert read_traceparent(header) is None


def test_what_is_written_can_be_read() -> None:
    parent = read_traceparent(as_traceparent(TRACE, SPAN, is_recorded=True))
    assert parent
    assert (parent.trace, parent.span, parent.is_recorded) == (TRACE, SPAN, True)
