"""With `transcript = "none"` nothing that was said is stored, and corrections work all the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.agent.test_several_folders import folder
from tests.calling import message, post, say
from tests.conftest import make_settings
from tests.web.test_secrets import says
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NONE = '[call_log]\ntranscript = "none"\n'
CASE = {"issueType": "billing", "description": "Billed twice"}
WORDS = ("walrus", "quokka", "pangolin", "axolotl", "4271")
"""What is said in a call: words that nothing else contains."""


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, tmp_path: Path) -> Settings:
    agent = folder(tmp_path, "silent", salesforce=NONE, policy='base = "open"\n')
    return make_settings(
        store_server.url, org.url, agent_dir=str(agent), fallback_phone_number="+14155550199"
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


def stored_words(store: redis.Redis) -> set[str]:
    """Which of the words are anywhere in the store."""
    read: dict[str, Any] = {
        "none": lambda _: "",  # a key that has just expired
        "string": store.get,
        "hash": store.hgetall,
        "list": lambda key: store.lrange(key, 0, -1),
        "set": store.smembers,
        "zset": lambda key: store.zrange(key, 0, -1),
    }
    texts = [f"{key} {read[str(store.type(key))](key)!r}".lower() for key in store.scan_iter()]
    assert texts
    return {word for word in WORDS if any(word in text for text in texts)}


def a_call(client: FlaskClient) -> None:
    """Everything in it that may carry words, except the report."""
    says(client, "My walrus is lost.", 1)
    says(client, "A quokka, I see.", 2, role="assistant")
    partial = message("transcript", role="user", transcriptType="partial", transcript="Pangolin")
    post(client, partial)
    say(client, "createSalesforceCase", CASE)
    say(client, "verifyCaller", {"pin": "4271"})
    says(client, "It was four two seven one, axolotl.", 3)
    post(client, message("transfer-destination-request"))
    forwarding: dict[str, Any] = {
        "destination": {"number": "+14155550199"},
        "transcript": "User: walrus",
    }
    post(client, message("status-update", status="forwarding", **forwarding))


REPORT: dict[str, Any] = {
    "endedReason": "customer-ended-call",
    "artifact": {
        "transcript": "User: My walrus is lost.\nAI: A quokka.",
        "messages": [{"role": "user", "message": "My walrus\nis lost."}],
    },
}


def test_what_is_said_is_never_in_the_store(client: FlaskClient, store: redis.Redis) -> None:
    a_call(client)
    assert stored_words(store) == set()
    assert not store.exists("vs:call:call-1:transcript")
    post(client, message("end-of-call-report", **REPORT))
    assert stored_words(store) == set()


def test_what_is_said_is_not_in_salesforce_either(
    client: FlaskClient, settings: Settings, store: redis.Redis, org: Org
) -> None:
    a_call(client)
    post(client, message("end-of-call-report", **REPORT))
    context = DeliveryContext.from_settings(settings, store)
    for kind in (Kind.CASE_CREATE, Kind.CASE_COMMENT, Kind.CALL_LOG, Kind.TRANSCRIPT_FILE):
        drain(context, kind)
    assert [row["Call_Key__c"] for row in org.records("Task") if row["Call_Key__c"]]
    assert [row for row in org.records("CaseComment") if "transferred" in row["CommentBody"]]
    for sobject in ("Case", "CaseComment", "Task", "ContentVersion"):
        found = repr(org.records(sobject)).lower()
        assert [word for word in WORDS if word in found] == []


def test_a_call_without_a_report_leaves_no_words(client: FlaskClient, store: redis.Redis) -> None:
    a_call(client)
    service = client.application.extensions["service"]
    assert service.end_of_call.end_quiet_calls(0)[0] == 1
    assert stored_words(store) == set()


def test_the_caller_still_takes_a_request_back(client: FlaskClient, journal: Journal) -> None:
    say(client, "createSalesforceCase", CASE)
    (before,) = journal.of_call("call-1")
    assert before.state is not State.CANCELLED
    says(client, "No wait, cancel that.", before.requested_at_ms + 1000)
    (after,) = journal.of_call("call-1")
    assert after.state is State.CANCELLED


def test_a_call_that_turns_out_to_be_of_such_a_folder_loses_its_words(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path
) -> None:
    number = "+493012345678"
    silent = folder(tmp_path, "silent", salesforce=NONE, calls=f'numbers = ["{number}"]\n')
    usual = folder(tmp_path, "usual")
    app = create_app(make_settings(store_server.url, org.url, agent_dir=f"{usual}:{silent}"))
    client = app.test_client()
    says(client, "My walrus is lost.", 1)
    assert stored_words(store) == {"walrus"}
    body = message("speech-update", phoneNumber={"number": number})
    assert post(client, body).status_code == 200
    assert stored_words(store) == set()
    says(client, "The quokka, too.", 2)
    assert stored_words(store) == set()
    app.extensions["service"].close()


def test_removing_a_secret_stores_no_utterance_of_a_call_that_is_over(
    store: redis.Redis, store_server: Store, org: Org
) -> None:
    """It would have no expiry."""
    app = create_app(make_settings(store_server.url, org.url))
    client = app.test_client()
    say(client, "verifyCaller", {"pin": "4271"})
    post(client, message("end-of-call-report", **REPORT))
    says(client, "It was four two seven one.", 3)
    assert not store.exists("vs:call:call-1:transcript")
    app.extensions["service"].close()
