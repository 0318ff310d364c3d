"""What an agent says it has done, from the webhook to the call-back when nothing backs it."""

import time
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from shared.calls.claims_said import ClaimsSaid
from shared.calls.unbacked import UNBACKED
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import Intent, intent_id_of
from shared.domain.kinds import Kind
from shared.journal.erasure import Erasure
from shared.journal.journal import Journal
from shared.journal.promises import Figures, Promises
from shared.settings import Settings
from tests.calling import KNOWN, OPERATOR, PREMIUM, ask, message, post
from tests.conftest import change_settings
from tests.log_lines import log_lines
from tests.store_time import every_call_is_quiet
from web.app import create_app
from web.service import Service

CASE = {"issueType": "billing", "description": "Billed twice for October", "onExisting": "new"}
OPENED = "I have opened a case for you."
CHANGED = "Your address has been updated."


def say(client: FlaskClient, text: str, seconds_ago: float = 0, **own: Any) -> None:
    at_ms = int((time.time() - seconds_ago) * 1000)
    said: dict[str, Any] = {
        "role": "assistant",
        "transcriptType": "final",
        "transcript": text,
        "timestamp": at_ms,
    }
    post(client, message("transcript", **said | own))


def end(client: FlaskClient, **own: Any) -> None:
    post(client, message("end-of-call-report", endedReason="customer-ended-call", **own))


def call_back(journal: Journal, call_id: str = "call-1") -> Intent | None:
    """The one that the call got because of claims."""
    return journal.get(intent_id_of(call_id, UNBACKED))


def today(store: redis.Redis) -> Figures:
    return Promises(store).ever()


def test_a_claim_that_nothing_backs_becomes_a_call_back_when_the_call_ends(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    say(client, OPENED)
    say(client, CHANGED)
    assert journal.of_call("call-1") == []
    end(client)
    made = call_back(journal)
    assert made
    assert made.kind is Kind.CALLBACK
    draft = made.draft_as(CallbackDraft)
    assert draft
    assert draft.phone == KNOWN
    assert "that a case or a request was opened" in draft.reason
    assert "that details were changed" in draft.reason
    assert (today(store).unbacked.total(), today(store).call_backs) == (2, 1)


def test_a_claim_with_an_accepted_write_of_its_kind_behind_it_is_true(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    assert "result" in ask(client, "createSalesforceCase", CASE)
    say(client, OPENED)
    end(client)
    assert call_back(journal) is None
    assert today(store).unbacked.total() == 0


def test_a_write_of_another_kind_does_not_back_a_claim(
    client: FlaskClient, journal: Journal
) -> None:
    ask(client, "createSalesforceCase", CASE)
    say(client, CHANGED)
    end(client)
    assert call_back(journal)


def test_a_write_that_comes_long_after_the_claim_makes_it_good_but_the_claim_counts(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    say(client, OPENED, seconds_ago=30)
    ask(client, "createSalesforceCase", CASE)
    end(client)
    assert call_back(journal) is None
    assert today(store).unbacked.total() == 1


def test_the_tool_call_may_cross_with_the_sentence_for_two_seconds(
    client: FlaskClient, store: redis.Redis
) -> None:
    say(client, OPENED, seconds_ago=1)
    ask(client, "createSalesforceCase", CASE)
    end(client)
    assert today(store).unbacked.total() == 0


def test_a_request_that_the_caller_took_back_backs_no_later_claim(
    journal: Journal, settings: Settings
) -> None:
    held = create_app(change_settings(settings, commit_window_ms=60_000))
    with held.test_client() as caller:
        ask(caller, "createSalesforceCase", CASE)
        ask(caller, "cancelCase", {})
        say(caller, "It is cancelled.")
        say(caller, OPENED, timestamp=int(time.time() * 1000) + 4_000)
        end(caller)
    service: Service = held.extensions["service"]
    service.close()
    made = call_back(journal)
    assert made
    draft = made.draft_as(CallbackDraft)
    assert draft
    assert "opened" in draft.reason
    assert "cancelled" not in draft.reason


def test_a_caller_who_is_called_back_anyway_gets_no_second_call_back(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    ask(client, "requestCallback", {"when": "tomorrow"})
    say(client, OPENED)
    end(client)
    assert call_back(journal) is None
    assert today(store).unbacked.total() == 1


def test_it_happens_once_however_often_the_end_arrives(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    say(client, OPENED)
    say(client, OPENED, seconds_ago=3)
    for _ in range(3):
        end(client)
    callbacks = [each for each in journal.of_call("call-1") if each.kind is Kind.CALLBACK]
    assert len(callbacks) == 1
    assert (today(store).unbacked.total(), today(store).call_backs) == (1, 1)


def test_a_call_that_ends_without_a_report_is_looked_at_too(
    client: FlaskClient, app: Flask, journal: Journal, store: redis.Redis
) -> None:
    say(client, OPENED)
    every_call_is_quiet(store)
    service: Service = app.extensions["service"]
    service.end_of_call.end_quiet_calls(600_000)
    assert call_back(journal)


def test_the_report_shows_what_was_said_where_no_transcripts_arrive(
    client: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    said = [
        {"role": "bot", "message": "Shall I open a case?", "time": 1},
        {"role": "user", "message": "I have opened a case already.", "time": 2},
        {"role": "bot", "message": OPENED},
    ]
    end(client, artifact={"messages": said})
    assert call_back(journal)
    assert today(store).unbacked.total() == 1


def test_a_report_and_transcripts_of_the_same_words_count_once(
    client: FlaskClient, store: redis.Redis
) -> None:
    say(client, OPENED)
    end(client, artifact={"messages": [{"role": "bot", "message": f"Well. {OPENED}", "time": 1}]})
    assert today(store).unbacked.total() == 1


@pytest.mark.parametrize(
    "own",
    [{"role": "user"}, {"transcriptType": "partial"}, {"transcript": "Shall I open a case?"}],
)
def test_only_final_words_of_the_agent_claim_something(
    client: FlaskClient, store: redis.Redis, own: dict[str, Any]
) -> None:
    say(client, OPENED, **own)
    assert ClaimsSaid(store).of_call("call-1") == []


def test_nothing_is_checked_when_the_team_does_not_want_it(
    store: redis.Redis, settings: Settings, journal: Journal
) -> None:
    app = create_app(change_settings(settings, check_claims=False))
    client = app.test_client()
    say(client, OPENED)
    end(client, artifact={"messages": [{"role": "bot", "message": OPENED}]})
    service: Service = app.extensions["service"]
    service.close()
    assert call_back(journal) is None
    assert today(store) == Figures()


@pytest.mark.parametrize("number", ["", PREMIUM])
def test_a_call_without_a_number_or_from_one_that_earns_by_calls_is_recorded_alone(
    client: FlaskClient, journal: Journal, store: redis.Redis, number: str
) -> None:
    at_ms = int(time.time() * 1000)
    said = {"role": "assistant", "transcriptType": "final", "transcript": OPENED}
    post(client, message("transcript", number=number, timestamp=at_ms, **said))
    post(client, message("end-of-call-report", number=number, endedReason="customer-ended-call"))
    assert call_back(journal) is None
    assert today(store).unbacked.total() == 1


def test_what_is_stored_has_ids_and_times_and_no_words(
    client: FlaskClient, store: redis.Redis
) -> None:
    say(client, "I have opened a case about Jane's invoice.")
    (claim,) = ClaimsSaid(store).of_call("call-1")
    assert claim.phrase == "en.opened.active"
    with log_lines() as lines:
        end(client)
    assert any("claims_unbacked" in line for line in lines)
    assert any("claims_called_back" in line for line in lines)
    assert not any("Jane" in line or KNOWN in line for line in lines)
    stored: Any = store
    assert stored.zrange("vs:claims:unbacked", 0, -1) == ["call-1 en.opened.active"]


def test_an_erased_call_leaves_no_claim(
    client: FlaskClient, store: redis.Redis, journal: Journal
) -> None:
    say(client, OPENED)
    end(client)
    for intent in journal.of_call("call-1"):
        journal.cancel(intent.id, "gone")
    assert Erasure(store).call("call-1", KNOWN).erased
    assert ClaimsSaid(store).of_call("call-1") == []
    assert not store.exists("vs:claims:unbacked")


def test_metrics_count_unbacked_claims_and_promises(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    ask(client, "createSalesforceCase", CASE)
    say(client, CHANGED)
    end(client)
    figures = client.get("/metrics", headers=OPERATOR).get_data(as_text=True)
    assert 'vs_claims_unbacked_total{kind="changed"} 1.0' in figures
    assert 'vs_promises_total{became="promised"} 1.0' in figures
    assert "vs_promises_to_make_good 0.0" in figures
