"""Whatever is sent, the verifier knows whose it is or says that it does not, and nothing else."""

import base64
import hmac
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st
from pydantic import ValidationError
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
from tests.forging.genuine import HOST, PATH, SCHEMES, Genuine, Scheme
from tests.fuzz.running import for_all

URL = f"https://{HOST}{PATH}"
PLACEHOLDERS = ("{body}", "{timestamp}", "{method}", "{url}", "{svix-id}")
HEADER_TEXTS = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)
"""As WSGI passes on the bytes of a header."""


@cache
def settings_of(scheme: Scheme) -> VapiSettings:
    return make_settings("redis://unused", "http://127.0.0.1:1", **scheme.variables).vapi


@dataclass(frozen=True)
class Drawn:
    """stamp: the text of a timestamp, or seconds from now."""

    scheme: Scheme
    body: bytes
    proof: str
    stamp: str | int
    other: str


def authenticate(request: Request, settings: VapiSettings) -> Authenticated:
    return check_body(request, check_head(request.headers, settings), settings)


def test_any_headers_and_body_are_refused_for_a_reason_of_ours() -> None:
    def check(sent: Drawn) -> None:
        scheme, settings, stamp = sent.scheme, settings_of(sent.scheme), sent.stamp
        stamp = str(int(time.time()) + stamp) if isinstance(stamp, int) else stamp
        headers = Headers(
            [
                (scheme.proof_header, scheme.prefix + sent.proof),
                (scheme.timestamp_header, stamp),
                (scheme.id_header or "svix-id", sent.other),
            ]
        )
        with pytest.raises(NotAuthenticatedError) as why:
            authenticate(Request("POST", URL, headers, sent.body), settings)
        assert str(why.value) in REASONS
        with suppress(NotAuthenticatedError):
            check_head(headers, settings)

    stamps = st.integers(-400, 400) | HEADER_TEXTS
    digests = st.binary(min_size=20, max_size=64)
    proofs = digests.map(bytes.hex) | digests.map(lambda made: base64.b64encode(made).decode())
    schemes = st.sampled_from(SCHEMES)
    drawn = st.builds(Drawn, schemes, st.binary(), proofs | HEADER_TEXTS, stamps, HEADER_TEXTS)
    for_all(drawn, check, count=200)


REASONS = {
    "no secret sent", "another secret", "no signature sent", "no usable timestamp sent",
    "a signature without the configured prefix", "a signature in another encoding",
    "a timestamp out of tolerance", "a signature made with another secret or over other bytes",
}  # fmt: skip


def test_any_body_is_accepted_under_its_own_signature_alone() -> None:
    schemes = [scheme for scheme in SCHEMES if scheme.is_hmac]

    def check(sent: tuple[Scheme, bytes, bytes]) -> None:
        scheme, body, other = sent
        genuine = Genuine(scheme, body, str(int(time.time())))
        headers = Headers(list(genuine.sent.headers))
        settings = settings_of(scheme)
        assert (
            authenticate(Request("POST", URL, headers, body), settings).identity == genuine.digest
        )
        if other != body:
            with pytest.raises(NotAuthenticatedError):
                authenticate(Request("POST", URL, headers, other), settings)

    bodies = st.binary(max_size=200)
    for_all(st.tuples(st.sampled_from(schemes), bodies, bodies), check, count=100)


def test_any_payload_format_is_refused_at_start_or_signed_as_it_reads() -> None:
    parts = st.sampled_from([*PLACEHOLDERS, ".", "{", "}", "{}", "é", "\\", "%s", "{body", "body}"])

    def check(sent: tuple[list[str], bytes]) -> None:
        format_, body = "".join(sent[0]), sent[1]
        try:
            settings = settings_of(Scheme("any", payload=format_, id_header="svix-id"))
        except ValidationError:
            return
        stamp = str(int(time.time()))
        values = {
            "{body}": body, "{timestamp}": stamp.encode(), "{method}": b"POST",
            "{url}": URL.encode(), "{svix-id}": b"msg_1",
        }  # fmt: skip
        payload = filled(format_, values)
        digest = hmac.digest(settings.server_secrets[0].encode(), payload, "sha256")
        headers = Headers({"x-signature": digest.hex(), "x-timestamp": stamp, "svix-id": "msg_1"})
        assert authenticate(Request("POST", URL, headers, body), settings).identity == digest

    formats = st.lists(parts, min_size=1, max_size=6)
    for_all(st.tuples(formats, st.binary(max_size=20)), check, count=150)


def filled(format_: str, values: dict[str, bytes]) -> bytes:
    """From left to right, and no value is looked at again."""
    made: Any = b""
    while format_:
        found = next((name for name in values if format_.startswith(name)), "")
        made += values[found] if found else format_[0].encode()
        format_ = format_[len(found) or 1 :]
    return bytes(made)
