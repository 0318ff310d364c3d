"""/metrics as a scrape sees it: names, labels, and what ops/ makes of them."""

import json
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from shared.domain.intent import Delivered, Parked
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.metrics.counted import ALARM_MESSAGES
from shared.settings import Settings
from tests.api_use import report_usage
from tests.calling import OPERATOR, ask, message, post, signed
from tests.conftest import change_settings
from tests.metrics.operations import DASHBOARD, EXPRESSIONS, RULES
from tests.metrics.scrape import Scrape, labels_in, metrics_in
from tests.workers.delivering import BILLING, accept
from web.app import create_app

CASE = {"issueType": "billing", "description": "Billed twice"}


def scrape(client: FlaskClient) -> Scrape:
    answer = client.get("/metrics", headers=OPERATOR)
    assert answer.status_code == 200
    return Scrape.read(answer.get_data(as_text=True))


def test_the_time_of_each_answer_is_counted_by_the_type_of_its_message(client: FlaskClient) -> None:
    ask(client, "lookupCustomer")
    post(client, message("speech-update", role="user", status="started"))
    post(client, message("of-next-year"))
    shown = scrape(client)
    for type_ in ("tool-calls", "speech-update", "unknown"):
        assert shown.of("vapi_webhook_seconds_count", type=type_) == 1
        assert shown.of("vapi_webhook_seconds_bucket", type=type_, le="+Inf") == 1
        assert shown.of("vapi_messages_total", type=type_) == 1
    assert shown.of("vapi_tool_calls_total", tool="lookupCustomer", outcome="done") == 1


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        (lambda _: {}, b"{}", 401, "no_signature"),
        (lambda _: {"x-signature": "00" * 32}, b"{}", 401, "no_timestamp"),
        (lambda body: signed(body) | {"x-timestamp": "1000000000"}, b"{}", 401, "old_timestamp"),
        (lambda body: signed(body, "another-secret-of-vapi"), b"{}", 401, "other_signature"),
        (signed, b"{", 400, "no_json"),
    ],
)
def test_a_refused_webhook_is_counted_by_its_reason(
    client: FlaskClient,
    headers: Callable[[bytes], dict[str, str]],
    body: bytes,
    status: int,
    reason: str,
) -> None:
    sent = client.post("/webhook/vapi", data=body, headers=headers(body))
    assert sent.status_code == status
    assert scrape(client).of("vapi_refused_total", status=str(status), reason=reason) == 1


def test_writes_are_counted_by_kind_and_by_what_became_of_them(
    client: FlaskClient, journal: Journal
) -> None:
    ask(client, "createSalesforceCase", CASE)
    accept(journal, Kind.CALLBACK, BILLING, hold_ms=60_000)
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=99_999)
    journal.settle(lease, [Delivered(intent.id, "500x") for intent in lease.intents])
    shown = scrape(client)
    assert shown.of("vapi_tool_calls_total", outcome="accepted") == 1
    assert shown.of("vs_intents_accepted_total", kind="case_create") == 1
    assert shown.of("vs_intents_settled_total", kind="case_create", outcome="delivered") == 1
    assert shown.of("vs_promise_seconds_count") == 1
    assert shown.of("vs_intents_open", kind="callback", state="held") == 1
    assert shown.of("vs_delivery_batches_total") == 1


def test_without_the_store_the_page_says_so_and_shows_no_counts(settings: Settings) -> None:
    app = create_app(change_settings(settings, redis_url="redis://127.0.0.1:1/0"))
    shown = scrape(app.test_client())
    assert shown.samples == {"vs_store_up{}": 0.0}
    app.extensions["service"].close()


def test_with_the_store_the_page_says_that_it_is_up(client: FlaskClient) -> None:
    assert scrape(client).samples["vs_store_up{}"] == 1


# -- ops/ ------------------------------------------------------------------------------------------


@pytest.fixture
def busy(settings: Settings, journal: Journal, store: redis.Redis) -> Any:
    """What a service shows when each of its parts has something to show."""
    rotating = change_settings(settings, vapi_server_secret_previous=settings.ops.token)
    app: Flask = create_app(rotating)
    client = app.test_client()
    ask(client, "lookupCustomer")
    ask(client, "createSalesforceCase", CASE)
    client.post("/webhook/vapi", data=b"unsigned")
    client.get("/health", headers={"Authorization": "Bearer wrong"})
    report_usage(app.extensions["service"].api_budget, 123, 15_000)
    ALARM_MESSAGES.labels("webhook", "sent").inc()
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=99_999)
    journal.settle(lease, [Parked(intent.id, "NO") for intent in lease.intents])
    yield scrape(client)
    app.extensions["service"].close()


def test_every_metric_of_the_dashboard_and_of_the_rules_exists(busy: Scrape) -> None:
    named = {name for expression in EXPRESSIONS for name in metrics_in(expression)}
    assert len(named) > 35  # a search that finds nothing proves nothing
    assert {name for name in named if not busy.has(name)} == set()


def test_every_label_of_the_dashboard_and_of_the_rules_exists(busy: Scrape) -> None:
    for expression in EXPRESSIONS:
        of_metrics = [busy.labels[name] for name in metrics_in(expression) if name in busy.labels]
        if of_metrics:
            assert labels_in(expression) - set(chain(*of_metrics)) <= {"job"}, expression


def test_every_figure_of_the_page_is_on_the_dashboard_or_in_a_rule(busy: Scrape) -> None:
    """A figure that nobody looks at needs a reason."""
    shown = {name for expression in EXPRESSIONS for name in metrics_in(expression)}
    ours = {name for name in busy.families if name.startswith(("vs_", "vapi_"))}
    of_histograms = {
        f"{name}_bucket" for name, type_ in busy.families.items() if type_ == "histogram"
    }
    named = {name for name in ours if busy.families[name] != "histogram"} | of_histograms
    assert named - shown == {"vs_secret_rotation_seconds"}  # /health and the doctor show it


def test_names_follow_the_rules_of_prometheus(busy: Scrape) -> None:
    for name, type_ in busy.families.items():
        assert name.endswith("_total") == (type_ == "counter"), name
        assert not name.endswith(("_ms", "_milliseconds", "_minutes", "_hours", "_kb")), name


def test_labels_are_words_of_ours_and_nothing_of_a_caller(busy: Scrape) -> None:
    text = json.dumps(sorted(busy.samples))
    for private in ("415555", "Jane", "Billed", "call-1", "no-such-tool"):
        assert private not in text


def test_a_tool_that_nobody_has_is_one_label(client: FlaskClient) -> None:
    ask(client, "no-such-tool")
    shown = scrape(client)
    assert shown.of("vapi_tool_calls_total", tool="unknown", outcome="refused") == 1
    assert "no-such-tool" not in json.dumps(sorted(shown.samples))


def test_each_rule_says_what_happens_and_where_the_runbook_is() -> None:
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "runbook"}, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_dashboards_panels_do_not_overlap_and_have_names_of_their_own() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    titles = [panel["title"] for panel in DASHBOARD["panels"]]
    assert len(titles) == len(set(titles))
