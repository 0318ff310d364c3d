"""Log lines: one JSON object each, with a constant event name and ids, and nothing a caller said.

A line that is about a call, a write or a delivery has its trace id (shared/tracing.py).

Only the fields listed here are written. Any other field is dropped and its name reported, so that
a new keyword can't leak personal data.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.domain.trace import trace_of_call

FIELDS = frozenset(
    {
        "event", "level", "timestamp", "exception", "dropped",
        "age_s", "call_id", "calls", "cancelled", "code", "count", "delivered", "delivery_id",
        "discarded", "erasure", "failure", "intent_id", "intents", "kind", "left", "message_type",
        "parked", "reason", "record_id", "route", "setting", "shape", "tier", "tool",
        "tool_call_id", "trace_id", "unsettled",
    }
)  # fmt: skip

MAX_FIELD_LENGTH = 1_000
"""Characters. Some ids come from payloads, so their length is not ours."""


def _with_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A line that names a call belongs to its trace, unless a front began another one."""
    if not event.get("trace_id") and (call_id := event.get("call_id")):
        event["trace_id"] = trace_of_call(str(call_id))
    return event


def _only_listed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    dropped = sorted(set(event) - FIELDS)
    for name in dropped:
        del event[name]
    if dropped:
        event["dropped"] = dropped
    for name, value in event.items():
        if isinstance(value, str) and len(value) > MAX_FIELD_LENGTH:
            event[name] = f"{value[:MAX_FIELD_LENGTH]}…"
    return event


def _without_values(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces an exception by its types and places: its text may quote what a caller said."""
    if event.pop("exc_info", None) and (error := sys.exc_info()[1]):
        chain: list[str] = []
        while error and len(chain) < 5:
            frames = traceback.extract_tb(error.__traceback__)[-4:]
            places = " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in frames[::-1])
            chain.append(f"{type(error).__name__} at {places}")
            error = error.__cause__ or error.__context__
        event["exception"] = "; from ".join(chain)
    return event


def configure() -> None:
    """Call once per process, before the first line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _with_trace,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_values,
            _only_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
