"""A captured message sent again: the same bytes hear the same, an ended call tells nothing new."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import ask, message, post, signed, tool_message
from tests.conftest import SECRET, change_settings
from tests.store_time import everything_of_the_org_expires
from web.app import create_app
from web.replay import RETRY_MS

CASE = {"issueType": "billing", "description": "Billed twice for October"}
TELLING = ["assistant-request", "transfer-destination-request", "handoff-destination-request",
           "knowledge-base-request"]  # fmt: skip


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    known = {"vapi_assistant_id": "a-1", "fallback_phone_number": "+14155550199"}
    app = create_app(change_settings(settings, **known))
    yield app.test_client()
    app.extensions["service"].close()


def send(client: FlaskClient, raw: bytes, headers: dict[str, str]) -> Any:
    answer = client.post("/webhook/vapi", data=raw, headers=headers)
    assert answer.status_code == 200
    return answer.get_json()


def now_ms() -> int:
    return int(time.time() * 1000)


def captured(kind: str, **own: Any) -> tuple[bytes, dict[str, str]]:
    raw = json.dumps(message(kind, **own)).encode()
    return raw, signed(raw)


def rename_jane(org: Org, name: str) -> None:
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    org.edit("Contact", jane["Id"], LastName=name)


def end(client: FlaskClient, how: str) -> None:
    own = {"status": "ended"} if how == "status-update" else {"endedReason": "customer-ended-call"}
    post(client, message(how, **own))


def drop_stored_answers(store: redis.Redis) -> None:
    """As they expire after RETRY_MS."""
    keys = list(store.scan_iter("vs:message:*"))
    assert keys
    assert all(0 < int(store.pttl(key)) <= RETRY_MS for key in keys)
    store.delete(*keys)


@pytest.mark.parametrize("kind", TELLING)
def test_the_very_same_bytes_get_the_very_same_answer(client: FlaskClient, kind: str) -> None:
    raw, headers = captured(kind)
    first = send(client, raw, headers)
    end(client, "status-update")
    assert send(client, raw, headers) == first


@pytest.mark.parametrize("kind", TELLING)
@pytest.mark.parametrize("how", ["status-update", "end-of-call-report"])
def test_an_ended_call_gets_no_answer(
    client: FlaskClient, store: redis.Redis, journal: Journal, kind: str, how: str
) -> None:
    raw, headers = captured(kind)
    if kind in ("assistant-request", "transfer-destination-request"):
        assert "This call has ended" not in json.dumps(send(client, raw, headers))
        drop_stored_answers(store)
    end(client, how)
    before = journal.counts()["accepted"]
    for again in ((raw, headers), captured(kind), captured(kind, timestamp=now_ms())):
        said = send(client, *again)
        assert said in ({"error": "This call has ended."}, {"documents": []})
    assert journal.counts()["accepted"] == before


def test_a_captured_assistant_request_does_not_follow_the_org(
    client: FlaskClient, store: redis.Redis, org: Org
) -> None:
    raw, headers = captured("assistant-request")
    first = send(client, raw, headers)
    assert first["assistantOverrides"]["variableValues"]["customerName"] == '"Jane Miller"'
    end(client, "end-of-call-report")
    rename_jane(org, "Somebody")
    everything_of_the_org_expires(store)
    assert send(client, raw, headers) == first
    drop_stored_answers(store)
    assert "Jane" not in json.dumps(send(client, raw, headers))


def test_one_signature_is_one_message_however_it_is_spelled(
    client: FlaskClient, store: redis.Redis
) -> None:
    raw, headers = captured("assistant-request")
    first = send(client, raw, headers)
    end(client, "status-update")
    upper = headers | {"x-signature": headers["x-signature"].upper()}
    assert send(client, raw, upper) == first
    spaced = headers | {"x-signature": " ".join(headers["x-signature"])}
    for odd in (spaced, headers | {"x-signature": headers["x-signature"] + "00"}):
        assert client.post("/webhook/vapi", data=raw, headers=odd).status_code == 401
    assert len(list(store.scan_iter("vs:message:*"))) == 1


def test_base64_has_one_spelling(settings: Settings) -> None:
    app = create_app(change_settings(settings, vapi_hmac_encoding="base64"))
    raw, stamp = b"{}", str(int(time.time()))
    made = hmac.digest(SECRET.encode(), stamp.encode() + b"." + raw, hashlib.sha256)
    text = base64.b64encode(made).decode()
    # The last character before the padding carries two bits that decoders pass over.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="
    assert base64.b64decode(other) == made
    statuses = [
        app.test_client()
        .post("/webhook/vapi", data=raw, headers={"x-timestamp": stamp, "x-signature": spelled})
        .status_code
        for spelled in (text, other, text.rstrip("="), text + "=", f"{text[:20]} {text[20:]}")
    ]
    assert statuses == [200, 401, 401, 401, 401]
    app.extensions["service"].close()


@pytest.mark.parametrize("auth", ["secret", "bearer"])
def test_without_a_signature_a_message_is_known_by_its_body(settings: Settings, auth: str) -> None:
    known = {"vapi_auth": auth, "vapi_assistant_id": "a-1"}
    app = create_app(change_settings(settings, **known))
    client = app.test_client()
    headers = {"X-Vapi-Secret": SECRET, "Authorization": f"Bearer {SECRET}"}
    raw = json.dumps(message("assistant-request", timestamp=now_ms())).encode()
    first = send(client, raw, headers)
    send(client, json.dumps(message("status-update", status="ended")).encode(), headers)
    assert send(client, raw, headers) == first
    other = json.dumps(message("assistant-request", timestamp=now_ms() + 1)).encode()
    assert send(client, other, headers) == {"error": "This call has ended."}
    app.extensions["service"].close()


def test_a_lookup_that_failed_in_the_call_does_not_work_after_it(
    client: FlaskClient, org: Org
) -> None:
    """Its answer was not kept, since the next delivery might have done better."""
    raw = json.dumps(tool_message(("call_1", "lookupCustomer", {}))).encode()
    headers = signed(raw)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    assert "error" in send(client, raw, headers)["results"][0]
    end(client, "end-of-call-report")
    org.fault()
    (result,) = send(client, raw, headers)["results"]
    assert result["error"] == "This call has ended."


def test_a_lookup_answered_in_the_call_is_repeated_after_it(client: FlaskClient) -> None:
    raw = json.dumps(tool_message(("call_1", "lookupCustomer", {}))).encode()
    first = send(client, raw, signed(raw))
    end(client, "status-update")
    assert send(client, raw, signed(raw)) == first


def test_a_write_that_arrives_after_the_end_is_accepted(
    client: FlaskClient, journal: Journal
) -> None:
    end(client, "end-of-call-report")
    assert "reference" in ask(client, "createSalesforceCase", CASE)["result"]
    assert Kind.CASE_CREATE in [intent.kind for intent in journal.of_call("call-1")]


def test_a_call_that_was_only_quiet_is_not_over(client: FlaskClient) -> None:
    post(client, message("status-update", status="in-progress"))
    client.application.extensions["service"].calls.closed("call-1", "", reported=False)
    assert "Jane Miller" in ask(client, "lookupCustomer")["result"]


def test_a_message_of_the_day_before_gets_no_answer_where_no_timestamp_is_signed_beside_it(
    settings: Settings,
) -> None:
    """By then it is no longer known that its call has ended."""
    known = {"vapi_hmac_payload_format": "{body}", "vapi_assistant_id": "a-1"}
    app = create_app(change_settings(settings, **known))
    said = {}
    for hours in (23, 25):
        made = message("assistant-request", timestamp=now_ms() - hours * 3_600_000)
        raw = json.dumps(made).encode()
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        said[hours] = send(app.test_client(), raw, {"x-signature": digest})
    assert "assistantId" in said[23]
    assert said[25] == {"error": "This call has ended."}
    app.extensions["service"].close()
