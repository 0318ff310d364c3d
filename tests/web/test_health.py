"""What operators see: the account of API use, what waits and why, on /health and /metrics."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.calling import ask
from tests.shared.test_gate import opened, told
from tests.workers.delivering import BILLING, accept
from web.metrics import FleetCollector
from web.service import Service
from workers.delivery.desk import Desk
from workers.delivery.engine import drain


def figures(app: Flask) -> dict[str, float]:
    """Each sample as `name{values}`."""
    service: Service = app.extensions["service"]
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for metric in FleetCollector(service).collect()
        for sample in metric.samples
    }


def test_breaker_and_budget_are_told(app: Flask, client: FlaskClient) -> None:
    ask(client, "lookupCustomer")
    service: Service = app.extensions["service"]
    told(service.gate, 123, 15_000)
    opened(service.gate)
    health: dict[str, Any] = client.get("/health").get_json()
    assert health["breaker"]["state"] == "open"
    assert health["breaker"]["reason"] == "HTTP_503"
    assert health["budget"]["daily_used"] == 123
    told_of = figures(app)
    assert told_of["vs_breaker{}"] == 2
    assert told_of["vs_salesforce_daily_limit{}"] == 15_000
    assert told_of["vs_salesforce_requests_total{lookup,bad}"] == 5
    assert told_of["vs_salesforce_in_flight{lookup}"] == 0


def test_a_failing_kind_is_a_problem_with_its_reason_and_a_gauge(
    app: Flask, client: FlaskClient, desk: Desk, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    drain(desk, Kind.CASE_CREATE)
    problems = client.get("/health").get_json()["problems"]
    assert "case_create: waits because of INVALID_FIELD (Voice_Reference__c)" in problems
    told_of = figures(app)
    assert told_of["vs_kind_failing{case_create}"] == 1
    assert told_of["vs_waiting_seconds{case_create}"] > 0
    assert told_of["vs_intents_open{case_create}"] == 1
    assert told_of["vs_oldest_due_seconds{}"] >= 0


def test_a_pause_by_hand_is_told_and_is_no_problem(
    app: Flask, client: FlaskClient, journal: Journal
) -> None:
    journal.pause(Kind.CALLBACK)
    health = client.get("/health").get_json()
    assert health["paused"] == ["callback"]
    assert not any("callback" in one for one in health["problems"])
    assert figures(app)["vs_kind_paused{callback}"] == 1
