"""How Vapi proves itself: every option of every scheme (docs/vendors.md V9)."""

import base64
import hmac
import time
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from shared.settings import VapiSettings
from shared.vapi.authentication import (
    Authenticated,
    NotAuthenticatedError,
    Request,
    check_body,
    check_head,
)
from tests.conftest import make_settings

BODY = '{"message":{"type":"hang","n":1.0,"ü":"\\u00fc"}}'.encode()
SECRET = "the-current-secret"
OLD = "the-previous-secret"


def authenticate(request: Request, settings: VapiSettings) -> Authenticated:
    return check_body(request, check_head(request.headers, settings), settings)


def settings(**others: Any) -> VapiSettings:
    given = {"vapi_server_secret": SECRET, "vapi_server_secret_previous": OLD, **others}
    return make_settings("redis://unused", "http://127.0.0.1:1", **given).vapi


def request(headers: dict[str, str], body: bytes = BODY) -> Request:
    return Request("POST", "https://voice.example.com/webhook/vapi", Headers(headers), body)


def digest(payload: bytes, key: bytes = SECRET.encode(), algorithm: str = "sha256") -> bytes:
    return hmac.new(key, payload, algorithm).digest()


def now(offset_s: float = 0, unit: int = 1) -> str:
    return str(int((time.time() + offset_s) * unit))


def test_vapis_defaults_are_accepted_with_seconds_and_with_milliseconds() -> None:
    for stamp in (now(), now(unit=1000)):
        signature = digest(stamp.encode() + b"." + BODY).hex()
        authenticate(request({"X-Signature": signature, "X-Timestamp": stamp}), settings())


def test_upper_case_hex_is_the_same_signature() -> None:
    stamp = now()
    signature = digest(stamp.encode() + b"." + BODY).hex().upper()
    authenticate(request({"x-signature": signature, "x-timestamp": stamp}), settings())


def test_the_previous_secret_is_still_accepted() -> None:
    stamp = now()
    signature = digest(stamp.encode() + b"." + BODY, OLD.encode()).hex()
    authenticate(request({"x-signature": signature, "x-timestamp": stamp}), settings())


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha=", "v1,"])
@pytest.mark.parametrize("base64_key", [False, True])
def test_every_option_of_the_credential(
    algorithm: str, encoding: str, prefix: str, base64_key: bool
) -> None:
    key = b"\x00a binary key\xff" if base64_key else SECRET.encode()
    configured = settings(
        vapi_server_secret=base64.b64encode(key).decode() if base64_key else SECRET,
        vapi_server_secret_previous=None,
        vapi_hmac_algorithm=algorithm,
        vapi_hmac_encoding=encoding,
        vapi_hmac_prefix=prefix,
        vapi_hmac_secret_is_base64=base64_key,
        vapi_hmac_signature_header="X-Vapi-Signature",
        vapi_hmac_timestamp_header="X-Vapi-Timestamp",
        vapi_hmac_message_id_header="svix-id",
        vapi_hmac_payload_format="{svix-id}|{timestamp}|{method}|{url}|{body}",
        public_url="https://voice.example.com",
    )
    stamp = now()
    url = "https://voice.example.com/webhook/vapi"
    payload = f"msg_1|{stamp}|POST|{url}|".encode() + BODY
    made = digest(payload, key, algorithm)
    text = made.hex() if encoding == "hex" else base64.b64encode(made).decode()
    headers = {"X-Vapi-Signature": prefix + text, "X-Vapi-Timestamp": stamp, "Svix-Id": "msg_1"}
    authenticate(request(headers), configured)
    with pytest.raises(NotAuthenticatedError):
        authenticate(request(headers | {"Svix-Id": "msg_2"}), configured)


def test_a_body_alone_is_signed_without_timestamp() -> None:
    configured = settings(vapi_hmac_payload_format="{body}")
    authenticate(request({"x-signature": digest(BODY).hex()}), configured)


def test_braces_in_the_body_are_no_placeholders() -> None:
    body = b'{"message":{"type":"{timestamp}{method}"}}'
    configured = settings(vapi_hmac_payload_format="{body}")
    authenticate(request({"x-signature": digest(body).hex()}, body), configured)


def test_one_changed_byte_is_refused() -> None:
    stamp = now()
    headers = {"x-signature": digest(stamp.encode() + b"." + BODY).hex(), "x-timestamp": stamp}
    with pytest.raises(NotAuthenticatedError):
        authenticate(request(headers, BODY.replace(b"1.0", b"1")), settings())


@pytest.mark.parametrize("offset_s", [-310, 310])
def test_a_signed_timestamp_out_of_tolerance_is_refused(offset_s: int) -> None:
    stamp = now(offset_s)
    headers = {"x-signature": digest(stamp.encode() + b"." + BODY).hex(), "x-timestamp": stamp}
    with pytest.raises(NotAuthenticatedError):
        authenticate(request(headers), settings())


@pytest.mark.parametrize("stamp", ["", "nan", "1e9", "-1", "²" * 10, "9" * 400])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    headers = {"x-signature": digest(stamp.encode() + b"." + BODY).hex(), "x-timestamp": stamp}
    with pytest.raises(NotAuthenticatedError):
        authenticate(request(headers), settings())


@pytest.mark.parametrize("signature", ["", "zz", "é", "00", digest(BODY).hex()])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    with pytest.raises(NotAuthenticatedError):
        authenticate(request({"x-signature": signature, "x-timestamp": now()}), settings())


def test_a_plain_secret_is_compared_with_both_secrets() -> None:
    configured = settings(vapi_auth="secret")
    for good in (SECRET, OLD):
        authenticate(request({"x-vapi-secret": good}), configured)
    for bad in ({}, {"x-vapi-secret": ""}, {"x-vapi-secret": "x"}, {"authorization": SECRET}):
        with pytest.raises(NotAuthenticatedError):
            authenticate(request(bad), configured)


def test_a_bearer_token_is_accepted_with_and_without_its_prefix_in_any_header() -> None:
    configured = settings(vapi_auth="bearer")
    for good in (f"Bearer {SECRET}", f"bearer {OLD}", SECRET):
        authenticate(request({"Authorization": good}), configured)
    with pytest.raises(NotAuthenticatedError):
        authenticate(request({"Authorization": "Bearer other"}), configured)
    other = settings(vapi_auth="bearer", vapi_bearer_header="X-Key")
    authenticate(request({"x-key": SECRET}), other)
    with pytest.raises(NotAuthenticatedError):
        authenticate(request({"Authorization": f"Bearer {SECRET}"}), other)
