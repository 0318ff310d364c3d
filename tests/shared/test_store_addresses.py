"""redis://, rediss:// and unix://: with each, redis-py and Celery reach the same server.

A relay in front of a real server terminates TLS, with a certificate that is created here.
"""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
import redis
from celery import Celery
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from kombu import pools
from kombu.exceptions import OperationalError

from demo.stack import Store
from shared.domain.kinds import Kind
from shared.store import connect
from shared.wake_ups import celery_app, deliver_task, for_celery
from tests.conftest import make_settings

QUEUE = "vs:celery:deliver"


@dataclass(frozen=True)
class Relay:
    """Terminates TLS at port and forwards to a server. authority: the signer's certificate file."""

    port: int
    authority: Path


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and 127.0.0.1: the files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@pytest.fixture
def relay(store: redis.Redis, store_server: Store, tmp_path: Path) -> Iterator[Relay]:
    authority, key = certificate(tmp_path, "redis")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return  # the test is over
            threading.Thread(target=hand_on, args=(plain,), daemon=True).start()

    def hand_on(plain: socket.socket) -> None:
        try:
            with (
                context.wrap_socket(plain, server_side=True) as inside,
                socket.create_connection(("127.0.0.1", store_server.port)) as server,
            ):
                threading.Thread(target=pump, args=(server, inside), daemon=True).start()
                pump(inside, server)
        except OSError:
            return  # a client that does not trust the certificate disconnects

    threading.Thread(target=serve, daemon=True).start()
    yield Relay(listener.getsockname()[1], authority)
    listener.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        return


def app_for(url: str) -> Celery:
    pools.reset()  # kombu keeps connections by address, whatever their TLS options
    return celery_app(make_settings(url, "http://127.0.0.1:1").store)


def test_tls_is_verified_by_redis_py_and_by_celery_alike(relay: Relay, store: redis.Redis) -> None:
    url = f"rediss://127.0.0.1:{relay.port}/0?ssl_ca_certs={relay.authority}"
    with connect(url) as client:
        client.set("seen", "1")
    assert store.get("seen") == "1"
    app = app_for(url)
    assert app.conf.broker_use_ssl == {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
        "ssl_ca_certs": str(relay.authority),
    }
    app.send_task(*deliver_task(Kind.CALLBACK), ignore_result=True)
    assert store.llen(QUEUE) == 1
    app.close()


def test_a_certificate_of_a_stranger_is_refused_unless_asked_not_to_look(
    relay: Relay, store: redis.Redis, tmp_path: Path
) -> None:
    stranger, _ = certificate(tmp_path, "stranger")
    for options in ("", f"?ssl_ca_certs={stranger}"):
        url = f"rediss://127.0.0.1:{relay.port}/0{options}"
        with pytest.raises(redis.ConnectionError), connect(url) as client:
            client.ping()
        app = app_for(url)
        with pytest.raises(OperationalError):
            app.send_task(*deliver_task(Kind.CALLBACK), ignore_result=True)
        app.close()
    assert store.llen(QUEUE) == 0
    blind = f"rediss://127.0.0.1:{relay.port}/0?ssl_cert_reqs=none"
    with connect(blind) as client:
        assert client.ping()
    app = app_for(blind)
    app.send_task(*deliver_task(Kind.CALLBACK), ignore_result=True)
    assert store.llen(QUEUE) == 1
    app.close()


@pytest.mark.parametrize(
    ("url", "expected", "tls"),
    [
        ("redis://:word@host:6380/2", "redis://:word@host:6380/2", False),
        ("rediss://user:word@host:6380/2", "rediss://user:word@host:6380/2", True),
        ("unix:///run/v.sock", "redis+socket:///run/v.sock?virtual_host=0", False),
        ("unix://u:w@/run/v.sock?db=3", "redis+socket://u:w@/run/v.sock?virtual_host=3", False),
    ],
)
def test_an_address_reaches_celery_in_its_own_words(url: str, expected: str, tls: bool) -> None:
    said, options = for_celery(url)
    assert said == expected
    assert (options is not None) == tls
