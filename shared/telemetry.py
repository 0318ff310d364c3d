"""OpenTelemetry: sends spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names.

The only module that imports its packages, which requirements-otel.txt adds to the service. The
instrumentations of redis and requests record statements, addresses with SOQL, and the texts of
errors. Nothing of that leaves the process: of each span only its name, its times, its links and the
attributes listed here are sent.

docs/decisions/0041-trace.md says why there is no instrumentation of WSGI, Flask and Celery.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from shared.domain.trace import Parent
from shared.tracing import Attributes, in_trace, outgoing_trace, record_with

SERVICE = "vapi-salesforce"

ATTRIBUTES = frozenset(
    {
        "call_id", "count", "db.redis.pipeline_length", "delivery_id", "http.method",
        "http.request.method", "http.response.status_code", "http.status_code", "kind", "outcome",
        "server.address", "tool",
    }
)  # fmt: skip
"""What a span may say beside its name and its times."""

MAX_LENGTH = 200
"""Characters of a value. Some ids come from payloads, so their length is not ours."""

SEND_TIMEOUT_S = 5.0


def start(endpoint: str, role: str) -> Callable[[], None]:
    """Record spans in this process and send them. role: "web" or "worker". Call it after a fork.

    Variables of OpenTelemetry itself, such as OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER and
    OTEL_RESOURCE_ATTRIBUTES, count as well. Returns a function that sends what is left, and ends
    the recording.
    """
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_TIMEOUT_S)
    return start_with(exporter, role)


def start_with(exporter: SpanExporter, role: str) -> Callable[[], None]:
    """The same with another exporter."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": SERVICE, "service.component": role}),
        id_generator=_Ids(),
    )
    provider.sampler = _WithoutLonelyRequests(provider.sampler)
    provider.add_span_processor(BatchSpanProcessor(_Cleaned(exporter)))
    instrumentors = (RedisInstrumentor(), RequestsInstrumentor())
    redis, requests = instrumentors
    redis.instrument(tracer_provider=provider)
    requests.instrument(tracer_provider=provider, request_hook=_name_request)
    record_with(_Spans(provider))

    def end() -> None:
        record_with(None)
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
        provider.shutdown()

    return end


class _Spans:
    """The `Recorder` of shared/tracing.py."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def span(
        self, name: str, attributes: Attributes, parent: Parent | None, links: Sequence[str]
    ) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name,
            context=_below(parent) if parent else None,
            attributes=attributes,
            links=[_link(trace) for trace in links],
            record_exception=False,
        ):
            yield

    def note(self, name: str, trace: str, began_ns: int, attributes: Attributes) -> None:
        current = get_current_span().get_span_context()
        context, links = None, list[Link]()
        if current.trace_id != int(trace, 16):
            context = Context()  # below no span, so that it is in the trace of the log lines
            links = [Link(current)] if current.is_valid else []
        with in_trace(trace):
            span = self._tracer.start_span(
                name, context=context, attributes=attributes, links=links, start_time=began_ns
            )
        span.end()


def _below(parent: Parent) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_recorded else TraceFlags.DEFAULT)
    known = SpanContext(int(parent.trace, 16), int(parent.span, 16), True, flags)
    return set_span_in_context(NonRecordingSpan(known))


def _link(trace: str) -> Link:
    """To a trace as a whole: no span has this id."""
    return Link(SpanContext(int(trace, 16), int(trace[16:], 16) or 1, True))


class _Ids(RandomIdGenerator):
    """The first span of a trace gets the id that the log lines have."""

    def generate_trace_id(self) -> int:
        trace = outgoing_trace()
        return int(trace, 16) if trace else super().generate_trace_id()


class _WithoutLonelyRequests(Sampler):
    """Leaves out a request to the store or to another system that no span asked for, such as those
    of the sweeper."""

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        *others: Any,
        **more: Any,
    ) -> SamplingResult:
        has_parent = get_current_span(parent_context).get_span_context().is_valid
        if kind is SpanKind.CLIENT and not has_parent:
            return SamplingResult(Decision.DROP)
        return self._inner.should_sample(parent_context, trace_id, name, kind, *others, **more)

    def get_description(self) -> str:
        return f"without lonely requests, {self._inner.get_description()}"


class _Cleaned(SpanExporter):
    """Passes on what may leave the process."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    """Without events, which have the texts of errors, and without a description of the status."""
    attributes = {
        name: value[:MAX_LENGTH] if isinstance(value, str) else value
        for name, value in (span.attributes or {}).items()
        if name in ATTRIBUTES
    }
    return ReadableSpan(
        name=_name(span),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        links=[Link(link.context) for link in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _name(span: ReadableSpan) -> str:
    """In our words. The instrumentation of redis names a pipeline by all of its commands."""
    scope = span.instrumentation_scope
    if scope and scope.name.endswith(".redis"):
        return "store pipeline" if " " in span.name else f"store {span.name}"
    return span.name


def _name_request(span: Any, request: Any) -> None:
    host = urlsplit(request.url).hostname or "unknown"
    span.update_name(f"request to {host}")
    span.set_attribute("server.address", host)
