"""The connection to the store: it follows the primary, is bounded, and speaks TLS."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.failover import Forwarder, Pair
from demo.processes import wait_until
from demo.stack import Store
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.store import StoreUnavailableError, connect, translated
from shared.wake_ups import DELIVER_QUEUE, Notifier, celery_app
from tests.conftest import make_settings
from tests.journal.test_journal import intent


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    stores = Pair(tmp_path_factory.mktemp("pair"))
    stores.start()
    yield stores
    stores.stop()


def idle_on(store: Store) -> int:
    """Our clients that are connected to the server."""
    with redis.Redis(port=store.port, decode_responses=True) as client:
        clients: list[dict[str, str]] = client.client_list()
        return sum(item["lib-name"] == "redis-py" for item in clients) - 1


def test_the_next_write_after_a_failover_is_saved_and_no_connection_stays_behind(
    pair: Pair,
) -> None:
    client = connect(pair.url)
    journal = Journal(client)
    together = threading.Barrier(5)

    def use() -> None:
        together.wait()
        client.get("anything")

    users = [threading.Thread(target=use) for _ in range(5)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    before = intent(reference="AAA 222")
    journal.accept("call", [before])
    pair.swap(address_after_s=0)
    after = intent(reference="AAB 222")
    journal.accept("call", [after])  # by a script that this server has not seen
    assert [item.id for item in journal.of_call("call")] == [before.id, after.id]
    wait_until(lambda: idle_on(pair.replica) == 0, for_s=5, what="the old connections' end")
    client.close()


def test_while_the_address_still_leads_to_the_demoted_one_a_write_is_refused_at_once(
    pair: Pair,
) -> None:
    client = connect(pair.url)
    journal = Journal(client)
    journal.now_ms()
    swap = threading.Thread(target=pair.swap, kwargs={"address_after_s": 1.0})
    swap.start()

    def is_refused() -> bool:
        try:
            journal.accept("", [intent()])
        except StoreUnavailableError:
            return True
        return False

    wait_until(is_refused, for_s=10, what="the demotion")
    wait_until(lambda: not is_refused(), for_s=10, what="the new primary")
    swap.join()
    client.close()


def test_a_wake_up_arrives_at_the_new_primary(pair: Pair) -> None:
    app = celery_app(make_settings(pair.url, "http://127.0.0.1:1").store)
    notifier = Notifier(app)
    notifier.notify([Kind.CALLBACK])
    pair.swap(address_after_s=0)
    notifier.notify([Kind.CALL_LOG])
    with redis.Redis.from_url(pair.url, decode_responses=True) as client:
        notified = client.lrange(f"vs:celery:{DELIVER_QUEUE}", 0, -1)
        assert len(notified) == 2
        client.delete(f"vs:celery:{DELIVER_QUEUE}")
    app.close()


def test_connections_are_bounded_and_whoever_finds_none_free_is_refused_in_time(
    store_server: Store,
) -> None:
    client: Any = connect(store_server.url, socket_timeout_s=0.2, max_connections=2)
    for held in (client.connection_pool.get_connection(), client.connection_pool.get_connection()):
        assert held
    with pytest.raises(StoreUnavailableError), translated():
        client.ping()
    client.close()


def test_those_who_wait_for_a_connection_get_one(store_server: Store) -> None:
    client: Any = connect(store_server.url, socket_timeout_s=5, max_connections=2)
    done: list[int] = []

    def use() -> None:
        for nth in range(20):
            client.incr("used")
            done.append(nth)

    users = [threading.Thread(target=use) for _ in range(16)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(done) == 320
    assert len(client.connection_pool._connections) <= 2
    client.close()


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "store.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize("trusts", [True, False])
def test_journal_and_wake_ups_go_over_tls_and_trust_no_stranger(
    store_server: Store, store: redis.Redis, certificate: Path, tmp_path: Path, trusts: bool
) -> None:
    address = Forwarder(tmp_path, store_server.port, certificate)
    address.start()
    url = f"rediss://127.0.0.1:{address.port}/0"
    url += f"?ssl_ca_certs={certificate}" if trusts else ""
    client = connect(url)
    app = celery_app(make_settings(url, "http://127.0.0.1:1").store)
    try:
        if trusts:
            assert client.ping()
        else:
            with pytest.raises(StoreUnavailableError), translated():
                client.ping()
        Notifier(app).notify([Kind.CALLBACK])
        assert store.llen(f"vs:celery:{DELIVER_QUEUE}") == trusts
    finally:
        client.close()
        app.close()
        address.stop()
