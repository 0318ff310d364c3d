"""Twilio's fallback: signed, once for a call, and nobody who called is forgotten."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from pydantic import SecretStr
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import change_settings
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

PUBLIC = "https://voice.acme.example"
TOKEN = "twilio-auth-token"
FALLBACK = "+14155550199"


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(
        change_settings(
            settings,
            public_url=PUBLIC,
            twilio_auth_token=SecretStr(TOKEN),
            fallback_phone_number=FALLBACK,
        )
    )
    yield app.test_client()
    app.extensions["service"].close()


def tell(client: FlaskClient, path: str, **said: str) -> TestResponse:
    """As Twilio does it: a form, signed for the public URL."""
    form = {"CallSid": "CA1", "From": KNOWN, **said}
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}{path}", form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature})


def intents(journal: Journal, sid: str = "CA1") -> list[Any]:
    return journal.of_call(f"twilio:{sid}")


def test_the_fallback_dials_a_person(client: FlaskClient) -> None:
    said = tell(client, "/twilio/voice").text
    assert f">{FALLBACK}</Dial>" in said
    assert 'action="/twilio/voice/rung"' in said


def test_an_answered_fallback_leaves_nothing_to_do(client: FlaskClient, journal: Journal) -> None:
    tell(client, "/twilio/voice")
    assert "<Hangup" in tell(client, "/twilio/voice/rung", DialCallStatus="completed").text
    assert tell(client, "/twilio/status", CallStatus="completed").status_code == 204
    assert intents(journal) == []


def test_a_voicemail_becomes_one_case_with_its_recording(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    tell(client, "/twilio/voice")
    assert "<Record" in tell(client, "/twilio/voice/rung", DialCallStatus="no-answer").text
    recording = {"RecordingUrl": "https://api.twilio.com/R1", "RecordingDuration": "12"}
    for _ in range(2):
        tell(client, "/twilio/voicemail", **recording)
    tell(client, "/twilio/status", CallStatus="completed")
    assert [intent.kind for intent in intents(journal)] == [Kind.CASE_CREATE]
    drain(context, Kind.CASE_CREATE)
    (case,) = (record for record in org.records("Case") if record["Voice_Reference__c"])
    assert "https://api.twilio.com/R1" in case["Description"]
    assert case["SuppliedPhone"] == KNOWN


@pytest.mark.parametrize("state", ["no-answer", "busy", "failed", "canceled"])
def test_who_never_got_through_is_called_back_once(
    client: FlaskClient, journal: Journal, state: str
) -> None:
    for _ in range(2):
        tell(client, "/twilio/status", CallStatus=state)
    (only,) = intents(journal)
    assert (only.kind, only.payload["phone"]) == (Kind.CALLBACK, KNOWN)


def test_who_left_no_word_at_the_fallback_is_called_back(
    client: FlaskClient, journal: Journal
) -> None:
    tell(client, "/twilio/voice")
    tell(client, "/twilio/voice/rung", DialCallStatus="no-answer")
    tell(client, "/twilio/voicemail", RecordingUrl="", RecordingDuration="0")
    tell(client, "/twilio/status", CallStatus="completed")
    assert [intent.kind for intent in intents(journal)] == [Kind.CALLBACK]


def test_a_call_that_vapi_took_leaves_nothing(client: FlaskClient, journal: Journal) -> None:
    tell(client, "/twilio/status", CallStatus="completed")
    tell(client, "/twilio/status", CallStatus="no-answer", From="anonymous", CallSid="CA2")
    assert intents(journal) == intents(journal, "CA2") == []


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/status", "/twilio/voicemail"])
def test_what_twilio_has_not_signed_is_refused(
    client: FlaskClient, journal: Journal, path: str
) -> None:
    form = {"CallSid": "CA1", "From": KNOWN, "CallStatus": "failed", "RecordingUrl": "x"}
    assert client.post(path, data=form).status_code == 403
    wrong = RequestValidator("another").compute_signature(f"{PUBLIC}{path}", form)
    headers = {"X-Twilio-Signature": wrong}
    assert client.post(path, data=form, headers=headers).status_code == 403
    right = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}{path}", form)
    changed = form | {"From": "+14155550666"}
    headers = {"X-Twilio-Signature": right}
    assert client.post(path, data=changed, headers=headers).status_code == 403
    assert intents(journal) == []


def test_without_twilio_there_is_nothing_here(settings: Settings) -> None:
    app = create_app(settings)
    assert app.test_client().post("/twilio/voice").status_code == 404
    app.extensions["service"].close()


def test_a_store_that_is_away_is_a_503(settings: Settings) -> None:
    away = {
        "public_url": PUBLIC, "twilio_auth_token": SecretStr(TOKEN),
        "redis_url": "redis://127.0.0.1:1/0",
    }  # fmt: skip
    app = create_app(change_settings(settings, **away))
    assert tell(app.test_client(), "/twilio/status", CallStatus="failed").status_code == 503
    app.extensions["service"].close()


class Unread:
    """A body that must not be read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")


PATHS = ["/twilio/voice", "/twilio/voice/rung", "/twilio/voicemail", "/twilio/status"]
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 403),
        ({"X-Twilio-Signature": ""}, 403),
        ({"X-Twilio-Signature": "x", "Content-Length": str(64 * 1024 * 1024)}, 413),
        ({"X-Twilio-Signature": "x", "Content-Length": str(64 * 1024 + 1)}, 413),
        ({"X-Twilio-Signature": "x", "Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"X-Twilio-Signature": "x", "Content-Type": "application/json"}, 415),
        ({"X-Twilio-Signature": "x", "Content-Type": ""}, 415),
    ],
)
def test_what_twilio_does_not_send_is_refused_unread(
    client: FlaskClient, path: str, sent: dict[str, str], status: int
) -> None:
    headers = {"Content-Type": FORM, "Content-Length": "100", **sent}
    environ = {"wsgi.input": Unread(), "CONTENT_LENGTH": headers["Content-Length"]}
    answer = client.post(path, headers=headers, environ_overrides=environ)
    assert answer.status_code == status


@pytest.mark.parametrize("signature", ["x", "é", "=" * 28, "\xff"])
def test_a_wrong_signature_is_refused(client: FlaskClient, signature: str) -> None:
    answer = client.post("/twilio/voice", data={"CallSid": "CA1"},
                         headers={"X-Twilio-Signature": signature})  # fmt: skip
    assert answer.status_code == 403


@pytest.mark.parametrize("raw", [b"", b"%", b"%ff=%fe", b"&&&==", b"CallSid=1&CallSid=2", b"\xff"])
def test_a_form_that_makes_no_sense_is_refused(client: FlaskClient, raw: bytes) -> None:
    answer = client.post("/twilio/voice", data=raw, content_type=FORM,
                         headers={"X-Twilio-Signature": "x"})  # fmt: skip
    assert answer.status_code == 403


def test_a_form_as_large_as_twilio_may_send_is_taken(client: FlaskClient) -> None:
    assert tell(client, "/twilio/voice", SpeechResult="x" * 60_000).status_code == 200


def test_a_form_cut_short_is_400(client: FlaskClient) -> None:
    headers = {"Content-Type": FORM, "X-Twilio-Signature": "x"}
    environ = {"wsgi.input": BytesIO(b"CallSid=CA1"), "CONTENT_LENGTH": "100"}
    answer = client.post("/twilio/voice", headers=headers, environ_overrides=environ)
    assert answer.status_code == 400


def test_twilio_speaks_the_default_language(settings: Settings) -> None:
    german = {"default_language": "de", "public_url": PUBLIC, "twilio_auth_token": SecretStr(TOKEN)}
    app = create_app(change_settings(settings, **german))
    said = tell(app.test_client(), "/twilio/voice").text
    app.extensions["service"].close()
    assert '<Say language="de-DE">Leider kann Ihren Anruf gerade niemand annehmen.' in said


PREMIUM = "+19005550123"


@pytest.mark.parametrize("number", [KNOWN, PREMIUM])
def test_calls_that_reached_nobody_make_so_many_call_backs_an_hour(
    client: FlaskClient, journal: Journal, number: str
) -> None:
    for nth in range(8):
        tell(client, "/twilio/status", CallStatus="no-answer", CallSid=f"CA{nth}", From=number)
    made = sum(len(intents(journal, f"CA{nth}")) for nth in range(8))
    assert made == (5 if number == KNOWN else 0)
    tell(client, "/twilio/status", CallStatus="busy", CallSid="CB", From="+14155550103")
    assert len(intents(journal, "CB")) == 1


def test_a_voicemail_too_many_gets_no_thanks(client: FlaskClient, journal: Journal) -> None:
    left = {"RecordingUrl": "https://api.twilio.com/R1", "RecordingDuration": "12"}
    said = [tell(client, "/twilio/voicemail", CallSid=f"CA{nth}", **left).text for nth in range(6)]
    assert "We will get back to you" in said[4]
    assert "This one was not taken" in said[5]
    assert intents(journal, "CA5") == []


def test_a_voicemail_from_a_number_whose_verification_failed_is_linked_to_nobody(
    client: FlaskClient, journal: Journal
) -> None:
    tell(client, "/twilio/voice", StirVerstat="TN-Validation-Failed-A")
    recording = {"RecordingUrl": "https://api.twilio.com/R1", "RecordingDuration": "12"}
    tell(client, "/twilio/voicemail", **recording)
    (intent,) = intents(journal)
    assert intent.draft.has_no_contact
    tell(client, "/twilio/voice", CallSid="CA2", StirVerstat="TN-Validation-Passed-A")
    tell(client, "/twilio/voicemail", CallSid="CA2", **recording)
    (intent,) = intents(journal, "CA2")
    assert not intent.draft.has_no_contact


def test_parameters_that_twilio_does_not_sign_are_accepted_and_no_others(
    client: FlaskClient,
) -> None:
    form = {"CallSid": "CA1", "From": KNOWN}
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/twilio/voice", form)
    headers = {"X-Twilio-Signature": signature}
    added = {"StirVerstat": "TN-Validation-Passed-A", "CallToken": "x"}
    assert client.post("/twilio/voice", data=form | added, headers=headers).status_code == 200
    other = form | {"CallStatus": "failed"}
    assert client.post("/twilio/voice", data=other, headers=headers).status_code == 403
