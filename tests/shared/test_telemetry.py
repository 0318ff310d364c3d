"""OpenTelemetry: what reaches a collector over OTLP/HTTP, and what does not."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import ROOT, Org
from shared.domain.kinds import Kind
from shared.domain.trace import trace_of_call
from shared.settings import SettingsError, load_settings
from tests.calling import KNOWN, ask, message, post, tool_message
from tests.web.test_trace import CALL, CASE, CASE_1001, FRONT, OTHER_CALL, post_from_front
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

TRACE = trace_of_call(CALL)


class Collector:
    """Takes spans over HTTP. bodies: as they were sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                collector.bodies.append(self.rfile.read(length))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spans(self) -> list[Any]:
        wire = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        return [
            span
            for body in self.bodies
            for resource in wire.ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Recording:
    """What this process sends to a collector until `stop`."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._end = pytest.importorskip("shared.telemetry").start(collector.url, "web")
        self._is_over = False

    def stop(self) -> list[Any]:
        """The spans so far."""
        if not self._is_over:
            self._is_over = True
            self._end()
        return self.collector.spans()


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    with app.test_client() as made:
        yield made


@pytest.fixture
def recording() -> Iterator[Recording]:
    pytest.importorskip("opentelemetry.sdk")
    collector = Collector()
    running = Recording(collector)
    yield running
    running.stop()
    collector.close()


def names(spans: list[Any], trace: str) -> set[str]:
    return {span.name for span in spans if span.trace_id.hex() == trace}


def named(spans: list[Any], name: str) -> list[Any]:
    return [span for span in spans if span.name == name]


def attributes(span: Any) -> dict[str, Any]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def test_a_calls_spans_have_the_trace_of_its_log_lines(
    recording: Recording, client: FlaskClient, context: DeliveryContext
) -> None:
    ask(client, "getCaseStatus", CASE_1001, call_id=CALL)
    ask(client, "createSalesforceCase", CASE, call_id=CALL)
    drain(context, Kind.CASE_CREATE)
    spans = recording.stop()
    assert names(spans, TRACE) >= {
        "webhook tool-calls", "tool call getCaseStatus", "tool call createSalesforceCase",
        "request to 127.0.0.1", "store pipeline", "deliver case_create", "delivery of case_create",
    }  # fmt: skip
    (delivery,) = named(spans, "deliver case_create")
    assert attributes(delivery)["count"] == 1
    (of_intent,) = named(spans, "delivery of case_create")
    assert of_intent.parent_span_id == delivery.span_id
    assert attributes(of_intent)["outcome"] == "delivered"


def test_nothing_that_a_caller_said_or_asked_for_reaches_the_collector(
    recording: Recording, client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """Nor what Salesforce is asked for a number, nor the text of an error, which quotes it."""
    said = {"transcriptType": "final", "role": "user", "transcript": "I am Jane, born in May."}
    post(client, message("transcript", CALL, **said))
    ask(client, "lookupCustomer", {}, call_id=CALL)
    ask(client, "createSalesforceCase", CASE, call_id=CALL)
    drain(context, Kind.CASE_CREATE)
    org.fault(refuse=1.0)
    ask(client, "lookupCustomer", {}, call_id=OTHER_CALL, number="+14155550177")
    spans = recording.stop()
    failed = [span for span in named(spans, "request to 127.0.0.1") if span.status.code]
    assert failed
    assert [span for span in spans if span.events or span.status.message] == []
    sent = b"".join(recording.collector.bodies)
    for private in (KNOWN, "4155550101", "4155550177", "Jane", "Billed", "SELECT", "FIND", "query",
                    "vs:", "Traceback", "Max retries"):  # fmt: skip
        assert private.encode() not in sent, private


def test_the_span_of_a_front_is_the_parent(recording: Recording, client: FlaskClient) -> None:
    assert post_from_front(client, CALL) == 200
    (webhook,) = named(recording.stop(), "webhook tool-calls")
    assert webhook.trace_id.hex() == FRONT
    assert webhook.parent_span_id.hex() == "b7ad6b7169203331"


def test_a_front_that_records_nothing_is_not_recorded_here(
    recording: Recording, client: FlaskClient
) -> None:
    assert post_from_front(client, CALL, f"00-{FRONT}-b7ad6b7169203331-00") == 200
    assert named(recording.stop(), "webhook tool-calls") == []


def test_a_delivery_of_several_traces_is_linked_with_each(
    recording: Recording, client: FlaskClient, context: DeliveryContext
) -> None:
    for call_id in (CALL, OTHER_CALL):
        ask(client, "createSalesforceCase", CASE, call_id=call_id)
    drain(context, Kind.CASE_CREATE)
    spans = recording.stop()
    both = {TRACE, trace_of_call(OTHER_CALL)}
    (delivery,) = named(spans, "deliver case_create")
    assert {link.trace_id.hex() for link in delivery.links} == both
    assert delivery.trace_id.hex() == attributes(delivery)["delivery_id"]
    of_intents = named(spans, "delivery of case_create")
    assert {span.trace_id.hex() for span in of_intents} == both
    assert {link.span_id for span in of_intents for link in span.links} == {delivery.span_id}


def test_a_request_that_no_span_asked_for_is_not_recorded(
    recording: Recording, context: DeliveryContext
) -> None:
    """The sweeper asks the store twice a second."""
    context.journal.sweep()
    assert recording.stop() == []


def test_lookups_side_by_side_are_below_their_message(
    recording: Recording, client: FlaskClient
) -> None:
    lookup: tuple[str, str, Any] = ("b", "lookupCustomer", {})
    post(client, tool_message(("a", "getCaseStatus", CASE_1001), lookup, call_id=CALL))
    spans = recording.stop()
    (webhook,) = named(spans, "webhook tool-calls")
    for name in ("tool call getCaseStatus", "tool call lookupCustomer"):
        (below,) = named(spans, name)
        assert below.parent_span_id == webhook.span_id


def test_without_the_setting_nothing_of_it_is_imported() -> None:
    program = (
        "import sys, web.app, workers.app, cli.__main__\n"
        "print({'shared.telemetry', 'opentelemetry.exporter', 'opentelemetry.instrumentation'}"
        " & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    assert ran.stdout.strip() == "set()"


def test_the_setting_without_its_packages_is_refused_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.settings.ops.find_spec", lambda _: None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match="pip install --require-hashes -r requirements-otel"):
        load_settings()
    load_settings.cache_clear()
