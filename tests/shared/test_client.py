"""The client of Salesforce: what a deadline covers."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis

from demo.stack import Store
from shared.deadline import Deadline
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.token import Token, TokenStore
from tests.conftest import make_settings

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that answers every request with an endless body, byte by byte."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                try:
                    connection.sendall(HEAD)
                    while not over.wait(0.02):
                        connection.sendall(b" ")
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    over.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_body_that_drips_is_given_up_at_the_deadline(
    dripping: str, store: redis.Redis, store_server: Store
) -> None:
    """A socket's time-out would never come, because each byte arrives in time."""
    settings = make_settings(store_server.url, dripping)
    TokenStore(settings.salesforce, store).keep(Token("t", dripping, int(time.time() * 1000)))
    api_budget = ApiBudget(settings.salesforce, store)
    client = SalesforceClient(settings.salesforce, store, api_budget, Use.LOOKUP)
    with pytest.raises(SalesforceError) as raised:
        client.query("SELECT Id FROM Contact LIMIT 1", Deadline.after(0.3))
    assert (raised.value.failure, raised.value.code) == (FailureClass.AWAY, "ReadTimeout")
    assert ApiBudget(settings.salesforce, store).figures().in_flight[Use.LOOKUP] == 0
