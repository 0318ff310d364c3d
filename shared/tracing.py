"""The trace that this thread works for: in its log lines, and in what it sends to Salesforce.

Spans are recorded only where `start_recording` was called with a collector; else `span` does
nothing.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Protocol, TypeVar

from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from shared.domain.trace import Parent, as_traceparent

T = TypeVar("T")

Attributes = Mapping[str, str | int]


class Recorder(Protocol):
    """Records spans and sends them to a collector (`shared/telemetry.py`)."""

    def span(
        self, name: str, attributes: Attributes, parent: Parent | None, links: Sequence[str]
    ) -> AbstractContextManager[None]:
        """A span around the work inside it. links: other traces that it belongs to."""

    def note(self, name: str, trace: str, began_ns: int, attributes: Attributes) -> None:
        """A span of a trace that has just ended."""


_recorder: Recorder | None = None


def record_with(recorder: Recorder | None) -> None:
    """From now on spans of this process go there; nowhere when None."""
    global _recorder
    _recorder = recorder


_end: Callable[[], None] | None = None


def start_recording(endpoint: str | None, role: str) -> None:
    """Send this process's spans to a collector; nothing without one. Call it after a fork.

    role: "web" or "worker".
    """
    global _end
    if endpoint:
        from shared.telemetry import start  # its packages are optional

        _end = start(endpoint, role)


def end_recording() -> None:
    """Send what is left. A process that ends as Python's do needs no call: atexit does the same."""
    if _end:
        _end()


def current_trace() -> str:
    """Returns "" outside of any."""
    return str(get_contextvars().get("trace_id", ""))


def outgoing_trace() -> str:
    """The trace of what this thread sends: the current one, or for a delivery of writes of several
    traces its own id. "" outside of any."""
    ids = get_contextvars()
    return str(ids.get("trace_id") or ids.get("delivery_id") or "")


class in_trace:  # noqa: N801  # used as a function, like contextlib.suppress
    """Log lines inside carry the trace and these ids; empty ones are left out.

    A class, because every event enters it and a generator costs several times as much.
    """

    def __init__(self, trace: str, **ids: str) -> None:
        self._ids = {name: value for name, value in ids.items() if value}
        if trace:
            self._ids["trace_id"] = trace

    def __enter__(self) -> None:
        self._before = bind_contextvars(**self._ids)

    def __exit__(self, *_: object) -> None:
        reset_contextvars(**self._before)


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    parent: Parent | None = None,
    links: Sequence[str] = (),
) -> AbstractContextManager[None]:
    """A step of the current trace. name: a constant, or one with a kind, a tool or a type in it."""
    if _recorder is None:
        return nullcontext()
    return _recorder.span(name, attributes or {}, parent, links)


def note_span(name: str, trace: str, began_ns: int, attributes: Attributes) -> None:
    """A step that ends now, of a trace that may be another than the current one.

    began_ns: by time.time_ns.
    """
    if _recorder and trace:
        _recorder.note(name, trace, began_ns, attributes)


def in_this_context(work: Callable[[], T]) -> Callable[[], T]:
    """The same work, for another thread, which then works for the trace of this one."""
    context = copy_context()
    return lambda: context.run(work)


def outgoing_headers() -> dict[str, str]:
    """The W3C header of a request to another system; {} outside of any trace."""
    trace = outgoing_trace()
    if not trace:
        return {}
    return {"traceparent": as_traceparent(trace, secrets.token_hex(8), is_recorded=False)}
