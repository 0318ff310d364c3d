"""What operators see: the account of API use, what waits and why, on /health and /metrics."""

from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.processes import wait_until
from demo.stack import Org
from shared.alive import Alive, Peer
from shared.domain.drafts import CommentDraft
from shared.domain.intent import Delivered, Parked, Scope, TryAgain
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.api_use import open_breaker, report_usage
from tests.calling import OPERATOR, ask, message, post
from tests.conftest import change_settings
from tests.store_time import last_ran, lease_runs_out
from tests.workers.delivering import BILLING, accept
from web.app import create_app
from web.metrics import FleetCollector
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def figures(app: Flask) -> dict[str, float]:
    """Each sample as `name{values}`."""
    service: Service = app.extensions["service"]
    return {
        f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
        for metric in FleetCollector(service).collect()
        for sample in metric.samples
    }


def test_breaker_and_budget_are_shown(app: Flask, client: FlaskClient) -> None:
    ask(client, "lookupCustomer")
    service: Service = app.extensions["service"]
    report_usage(service.api_budget, 123, 15_000)
    open_breaker(service.api_budget)
    health: dict[str, Any] = client.get("/health", headers=OPERATOR).get_json()
    assert health["breaker"]["state"] == "open"
    assert health["breaker"]["reason"] == "HTTP_503"
    assert health["budget"]["daily_used"] == 123
    informed = figures(app)
    assert informed["vs_breaker{}"] == 2
    assert informed["vs_salesforce_daily_limit{}"] == 15_000
    assert informed["vs_salesforce_requests_total{lookup,bad}"] == 5
    assert informed["vs_salesforce_in_flight{lookup}"] == 0


def test_a_failing_kind_is_a_problem_with_its_reason_and_a_gauge(
    app: Flask, client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    org.fault(hide_fields=["Case.Voice_Reference__c"])
    drain(context, Kind.CASE_CREATE)
    problems = client.get("/health", headers=OPERATOR).get_json()["problems"]
    assert "case_create: waits because of INVALID_FIELD (Voice_Reference__c)" in problems
    informed = figures(app)
    assert informed["vs_kind_failing{case_create}"] == 1
    assert informed["vs_waiting_seconds{case_create}"] > 0
    assert informed["vs_intents_open{case_create,due}"] == 1
    assert informed["vs_oldest_due_seconds{}"] >= 0


def test_a_pause_by_hand_is_shown_and_is_no_problem(
    app: Flask, client: FlaskClient, journal: Journal
) -> None:
    journal.pause(Kind.CALLBACK)
    health = client.get("/health", headers=OPERATOR).get_json()
    assert health["paused"] == ["callback"]
    assert not any("callback" in problem for problem in health["problems"])
    assert figures(app)["vs_kind_paused{callback}"] == 1


def test_a_process_that_can_take_calls_is_ready_though_nobody_sweeps_or_purges(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    assert client.get("/health/ready").status_code == 200
    problems = client.get("/health", headers=OPERATOR).get_json()["problems"]
    assert [problem.partition(":")[0] for problem in problems] == ["sweep", "retention", "beat"]
    Alive(store).note("beat", Peer.of_this_process())
    journal.sweep()
    journal.purge(data_after_ms=1, receipt_after_ms=1)
    said = client.get("/health", headers=OPERATOR).get_json()
    assert (said["status"], said["problems"]) == ("ok", [])


@pytest.mark.parametrize("what", ["sweep", "retention"])
def test_a_worker_or_beat_that_is_gone_is_an_alarm_and_no_reason_to_take_the_line_down(
    client: FlaskClient, journal: Journal, store: redis.Redis, what: str
) -> None:
    Alive(store).note("beat", Peer.of_this_process())
    journal.sweep()
    journal.purge(data_after_ms=1, receipt_after_ms=1)
    last_ran(store, what, ms_ago=3_600_000)
    (problem,) = client.get("/health", headers=OPERATOR).get_json()["problems"]
    assert "3600 s ago" in problem
    assert client.get("/health/ready").status_code == 200


# -- who may see it --------------------------------------------------------------------------------


def test_a_stranger_gets_the_status_and_nothing_else(client: FlaskClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "problems"}
    for wrong in ("Bearer no", "Bearer ", "Basic b3BzOm9wcw==", OPERATOR["Authorization"][:-1]):
        answer = client.get("/health", headers={"Authorization": wrong})
        assert (answer.status_code, set(answer.get_json())) == (401, {"status"})
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 401
    assert client.get("/metrics").status_code == 401


def test_without_a_token_set_nobody_sees_more(settings: Settings) -> None:
    app = create_app(change_settings(settings, ops_token=None))
    client = app.test_client()
    for headers in ({}, OPERATOR, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert set(client.get("/health", headers=headers).get_json()) == {"status"}
        assert client.get("/metrics", headers=headers).status_code == 404
    app.extensions["service"].close()


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_a_stranger_who_asks_often_costs_the_store_one_look_a_second(
    client: FlaskClient, store: redis.Redis, path: str
) -> None:
    client.get(path)
    before = store.info("commandstats").get("cmdstat_info", {"calls": 0})["calls"]
    for _ in range(50):
        client.get(path)
    after = store.info("commandstats")["cmdstat_info"]["calls"]
    assert after - before < 10


# -- what is open, parked, promised ----------------------------------------------------------------


def test_everything_that_is_not_settled_is_counted_by_kind_and_state(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    def seen() -> dict[str, Any]:
        found: dict[str, Any] = client.get("/health", headers=OPERATOR).get_json()
        return found

    case_id = accept(journal, Kind.CASE_CREATE, BILLING)
    held = accept(journal, Kind.CASE_CREATE, BILLING, hold_ms=60_000)
    comment = CommentDraft(case_intent=case_id, text="x")
    accept(journal, Kind.CASE_COMMENT, comment, after=(case_id,))
    accept(journal, Kind.CALL_LOG, BILLING, after_call=True)
    nothing = {"held": 0, "waiting": 0, "due": 0, "leased": 0}
    assert seen()["open"] == {str(kind): nothing for kind in Kind} | {
        "case_create": nothing | {"held": 1, "due": 1},
        "case_comment": nothing | {"waiting": 1},
        "call_log": nothing | {"waiting": 1},
    }
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    assert seen()["open"]["case_create"] == nothing | {"held": 1, "leased": 1}
    journal.settle(lease, [Delivered(case_id, "500x")])
    assert seen()["open"]["case_create"] == nothing | {"held": 1}
    assert seen()["open"]["case_comment"] == nothing | {"due": 1}
    journal.cancel(held, "caller")
    assert seen()["open"]["case_create"] == nothing
    lease = journal.lease(Kind.CASE_COMMENT, limit=9, max_bytes=9999)
    wait = TryAgain(lease.intents[0].id, "UNABLE_TO_LOCK_ROW", 60_000, Scope.RECORD)
    journal.settle(lease, [wait])
    assert seen()["open"]["case_comment"] == nothing | {"due": 1}


@pytest.mark.breaks_rows("the case is taken out of what is due, so that only its follower counts")
def test_what_waits_behind_a_paused_kind_is_as_old_as_it_is(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    accept(journal, Kind.CASE_CREATE, BILLING)
    waiting = accept(journal, Kind.CALL_LOG, BILLING, after_call=True)
    journal.pause(Kind.CASE_CREATE)
    store.delete("vs:due:case_create")
    store.zadd("vs:waiting:call_log", {waiting: journal.now_ms() - 3_600_000})
    assert client.get("/health", headers=OPERATOR).get_json()["oldest_due_ms"] >= 3_600_000


def test_a_dead_workers_lease_is_due_again(journal: Journal, store: redis.Redis) -> None:
    intent_id = accept(journal, Kind.CASE_CREATE, BILLING)
    journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=9999)
    lease_runs_out(store, Kind.CASE_CREATE, intent_id)
    found = journal.summary().kinds["case_create"]
    assert (found.due, found.leased) == (1, 0)


def test_a_broken_promise_was_made_to_a_caller_whose_call_is_over(
    client: FlaskClient, journal: Journal
) -> None:
    """The comment with the call's summary was never spoken, though it has a reference."""
    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    post(client, message("end-of-call-report", analysis={"summary": "Billed twice."}))
    for kind in (Kind.CASE_CREATE, Kind.CASE_COMMENT):
        lease = journal.lease(kind, limit=9, max_bytes=99_999)
        assert len(lease.intents) == 1
        journal.settle(lease, [Parked(intent.id, "NO") for intent in lease.intents])
    said = client.get("/health", headers=OPERATOR).get_json()
    assert (said["parked"], said["broken_promises"]) == (2, 1)


def test_a_promise_breaks_when_its_call_ends_and_not_before(
    client: FlaskClient, journal: Journal
) -> None:
    def broken() -> Any:
        return client.get("/health", headers=OPERATOR).get_json()["broken_promises"]

    ask(client, "createSalesforceCase", {"issueType": "billing", "description": "Billed twice"})
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=99_999)
    journal.settle(lease, [Parked(intent.id, "NO") for intent in lease.intents])
    assert broken() == 0
    post(client, message("status-update", status="ended"))
    assert broken() == 1
    assert journal.replay([lease.intents[0].id])[0] == 1
    assert broken() == 0
    lease = journal.lease(Kind.CASE_CREATE, limit=9, max_bytes=99_999)
    journal.settle(lease, [Parked(intent.id, "NO") for intent in lease.intents])
    assert broken() == 1
    journal.discard([lease.intents[0].id])
    assert broken() == 0


def test_health_with_a_thousand_parked_reads_none_of_them(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    for _ in range(1000):
        accept(journal, Kind.CALL_LOG, BILLING, said="Noted.")

    def park() -> bool:
        lease = journal.lease(Kind.CALL_LOG, limit=200, max_bytes=9_999_999)
        journal.settle(lease, [Parked(intent.id, "NO") for intent in lease.intents])
        return journal.summary().parked == 1000

    wait_until(park, for_s=60, what="a thousand parked")
    client.get("/health", headers=OPERATOR)
    before = store.info("commandstats")["cmdstat_hgetall"]["calls"]
    said = client.get("/health", headers=OPERATOR).get_json()
    assert (said["parked"], said["broken_promises"]) == (1000, 1000)
    assert store.info("commandstats")["cmdstat_hgetall"]["calls"] - before < 10
