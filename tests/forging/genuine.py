"""Genuine webhooks of every scheme of VAPI_AUTH. Signed here, without the service's own code."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, Literal

from flask import Flask
from pydantic import SecretStr
from werkzeug.test import run_wsgi_app

from tests.calling import message, tool_message
from tests.payloads import BARE_REPORT, OTHERS, REPORT

PATH = "/webhook/vapi"
HOST = "voice.acme.example"
SECRET = "the-current-secret-of-vapi"
PREVIOUS = "the-previous-secret-of-vapi"
BINARY = b"\x00a key of any bytes\xff"

CANARY = "kestrel-4711"
"""Stands in every body; must not stand in a log."""

PLACEHOLDERS = "{timestamp}.{body} {method} {url} {svix-id}"


@dataclass(frozen=True)
class Sent:
    """A request as a client sends it. A name may occur more than once in headers.

    length: the Content-Length, if it is not the body's own.
    """

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    path: str = PATH
    length: int | None = None

    def with_header(self, name: str, *values: str) -> "Sent":
        """With these values, or none, instead of its own."""
        others = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return replace(self, headers=(*others, *((name, value) for value in values)))

    def header(self, name: str) -> str:
        """As gunicorn joins the values of a name, without the white space around each."""
        values = (value for given, value in self.headers if given.lower() == name.lower())
        return ",".join(value.strip(" \t") for value in values)


def send(app: Flask, sent: Sent) -> tuple[int, bytes]:
    """Status and body of the answer. Headers and body are passed on as gunicorn does it."""
    path, _, query = sent.path.partition("?")
    length = len(sent.body) if sent.length is None else sent.length
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method, "PATH_INFO": path, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8080", "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(length), "wsgi.input": BytesIO(sent.body[:length]),
        "wsgi.url_scheme": "https", "wsgi.version": (1, 0),
    }  # fmt: skip
    for name in dict.fromkeys(name for name, _ in (("Host", HOST), *sent.headers)):
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        value = sent.header(name) or (HOST if name == "Host" else "")
        environ[key] = value.encode().decode("latin-1")
    pieces, status, _ = run_wsgi_app(app, environ)
    return int(status.partition(" ")[0]), b"".join(pieces)


@dataclass(frozen=True)
class Scheme:
    """How a credential of Vapi's is configured. key: of the HMAC. secret: as the service has it."""

    name: str
    auth: Literal["hmac", "secret", "bearer"] = "hmac"
    payload: str = "{timestamp}.{body}"
    algorithm: str = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    secret: str = SECRET
    previous: str = ""
    has_binary_key: bool = False
    signature_header: str = "x-signature"
    timestamp_header: str = "x-timestamp"
    id_header: str = ""
    token_header: str = "Authorization"
    public_url: str = ""
    key: bytes = field(default=b"", repr=False)

    @property
    def variables(self) -> dict[str, Any]:
        """By their names in lower case."""
        return {
            "vapi_auth": self.auth,
            "vapi_server_secret": SecretStr(self.secret),
            "vapi_server_secret_previous": SecretStr(self.previous) if self.previous else None,
            "vapi_hmac_payload_format": self.payload,
            "vapi_hmac_algorithm": self.algorithm,
            "vapi_hmac_encoding": self.encoding,
            "vapi_hmac_prefix": self.prefix,
            "vapi_hmac_secret_is_base64": self.has_binary_key,
            "vapi_hmac_signature_header": self.signature_header,
            "vapi_hmac_timestamp_header": self.timestamp_header,
            "vapi_hmac_message_id_header": self.id_header or None,
            "vapi_bearer_header": self.token_header,
            "public_url": self.public_url or None,
            "vapi_assistant_id": "a-1",
        }

    @property
    def is_hmac(self) -> bool:
        return self.auth == "hmac"

    def signs(self, placeholder: str) -> bool:
        return self.is_hmac and placeholder in self.payload

    @property
    def proof_header(self) -> str:
        """The header that carries the signature, the secret or the token."""
        others = {"secret": "X-Vapi-Secret", "bearer": self.token_header}
        return others.get(self.auth, self.signature_header)

    def digest(self, payload: bytes, key: bytes | None = None, algorithm: str = "") -> bytes:
        own = self.key or self.secret.encode()
        return hmac.digest(own if key is None else key, payload, algorithm or self.algorithm)

    def spelled(self, digest: bytes) -> str:
        text = digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()
        return f"{self.prefix}{text}"


SCHEMES = (
    Scheme("Vapi's defaults"),
    Scheme("two secrets, during a rotation", previous=PREVIOUS, prefix="sha256="),
    Scheme("no timestamp", payload="{body}", signature_header="X-Hub-Signature-256"),
    Scheme(
        "base64 of sha512", algorithm="sha512", encoding="base64", prefix="v1,",
        payload="{body}|{timestamp}", timestamp_header="x-request-timestamp",
    ),
    Scheme(
        "Svix's", payload="{svix-id}.{timestamp}.{body}", encoding="base64", prefix="v1,",
        has_binary_key=True, key=BINARY, secret=base64.b64encode(BINARY).decode(),
        signature_header="svix-signature", timestamp_header="svix-timestamp", id_header="svix-id",
    ),
    Scheme(
        "everything in sha1", payload="{svix-id}{method}{url}{timestamp}{body}", algorithm="sha1",
        id_header="svix-id", public_url=f"https://{HOST}",
    ),
    Scheme("a signed address", payload="{url} {timestamp} {body}", public_url=f"https://{HOST}"),
    Scheme("a plain secret", auth="secret", previous=PREVIOUS),
    Scheme("a bearer token", auth="bearer"),
    Scheme("a bearer token in another header", auth="bearer", token_header="X-Key"),
)  # fmt: skip


@dataclass(frozen=True)
class Genuine:
    """A webhook that Vapi sends. stamp: the text of its timestamp."""

    scheme: Scheme
    body: bytes
    stamp: str
    message_id: str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"

    def payload(self, **others: bytes) -> bytes:
        """The bytes that are signed. others: other values, by placeholder."""
        values = {
            "body": self.body, "timestamp": self.stamp.encode(), "method": b"POST",
            "url": f"https://{HOST}{PATH}".encode(), "svix_id": self.message_id.encode(), **others,
        }  # fmt: skip
        parts = re.findall(r"\{[^}]*\}|[^{]+", self.scheme.payload)
        return b"".join(
            values.get(part.strip("{}").replace("-", "_"), part.encode()) for part in parts
        )

    @property
    def digest(self) -> bytes:
        return self.scheme.digest(self.payload())

    @property
    def sent(self) -> Sent:
        return self.proved_by(self.proof)

    @property
    def proof(self) -> str:
        """What the header of the proof says."""
        match self.scheme.auth:
            case "hmac":
                return self.scheme.spelled(self.digest)
            case "secret":
                return self.scheme.secret
            case "bearer":
                return f"Bearer {self.scheme.secret}"

    def proved_by(self, *proofs: str, body: bytes | None = None, stamp: str | None = None) -> Sent:
        """The same request with other proofs, or none; and with another body or timestamp."""
        scheme = self.scheme
        headers = [("Content-Type", "application/json")]
        headers += [(scheme.proof_header, proof) for proof in proofs]
        if scheme.is_hmac:
            headers.append((scheme.timestamp_header, self.stamp if stamp is None else stamp))
        if scheme.id_header:
            headers.append((scheme.id_header, self.message_id))
        return Sent(self.body if body is None else body, tuple(headers))


def bodies() -> Iterator[bytes]:
    """Of every type, with the canary, the placeholders, and what JSON may spell in several ways."""
    extra = {"note": f"{CANARY} {PLACEHOLDERS} é / é", "score": 1.0}
    for payload in (*OTHERS, REPORT, BARE_REPORT):
        yield json.dumps({"message": extra | payload}, ensure_ascii=False).encode()
    case = {"issueType": "billing", "description": f"Billed twice, says {CANARY}"}
    for made in (
        tool_message(("call_1", "createSalesforceCase", case), call_id="call-7"),
        tool_message(("call_2", "lookupCustomer", {}), call_id="call-7"),
        message("end-of-call-report", call_id="call-8", summary=CANARY),
    ):
        yield json.dumps(made | {"extra": extra}, indent=1).encode()


def genuine_webhooks(scheme: Scheme) -> list[Genuine]:
    """Of this moment, in seconds and in milliseconds in turn."""
    now = int(time.time())
    stamps = (f"{now - nth}{'123' * (nth % 2)}" for nth in range(100))
    return [Genuine(scheme, body, stamp) for body, stamp in zip(bodies(), stamps, strict=False)]


def hashed(payload: bytes, algorithm: str) -> bytes:
    return hashlib.new(algorithm, payload).digest()
