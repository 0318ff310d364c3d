"""The worker's own arithmetic, and that gevent patches each process before anything can object."""

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from demo.stack import ROOT, environment
from web.pool import REQUEST_THREADS
from web.worker import MAX_UNSENT_BYTES, RESOLVER_THREADS, Connection, Connections

NOT_LOOKED_THROUGH = """
import gc, runpy, types
from web.app import create_app
config = runpy.run_path("web/gunicorn.py")
worker = types.SimpleNamespace(wsgi=create_app())
config["post_worker_init"](worker)
print(gc.get_freeze_count() > len(gc.get_objects()))
config["worker_exit"](None, worker)
"""

PATCHED_IN_TIME = """
import runpy, sys
runpy.run_path("web/gunicorn.py")  # what the master does
import web.worker
early = {"urllib3", "requests", "redis", "kombu", "flask", "prometheus_client", "structlog"}
assert not early & set(sys.modules), early & set(sys.modules)
import gevent
gevent.get_hub().threadpool_size = web.worker.RESOLVER_THREADS
from gevent import monkey  # what a worker does
monkey.patch_all()
assert gevent.get_hub().threadpool.maxsize == web.worker.RESOLVER_THREADS
import web.app, socket, ssl, threading, queue, concurrent.futures
from urllib3.util.ssl_ import create_urllib3_context
context = create_urllib3_context()
context.minimum_version = ssl.TLSVersion.TLSv1_3  # recursed where patched too late
assert socket.socket.__module__.startswith("gevent")
assert type(threading.Lock()).__module__.startswith("gevent")
assert queue.SimpleQueue.__module__.startswith("gevent")
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    slow = pool.submit(gevent.sleep, 60)
    try:
        slow.result(timeout=0.05)
    except concurrent.futures.TimeoutError:
        print("in time")
    import os; sys.stdout.flush(); os._exit(0)
"""


def test_each_worker_is_patched_before_what_wants_it_is_imported() -> None:
    assert _printed(PATCHED_IN_TIME) == "in time"


def test_what_lives_as_long_as_a_worker_is_no_longer_looked_through_for_garbage() -> None:
    assert _printed(NOT_LOOKED_THROUGH) == "True"


def _printed(program: str) -> str:
    """What a program prints in a process of its own, which has no store."""
    env = environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1", 1)
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_a_name_server_that_hangs_leaves_threads_for_the_names_of_others() -> None:
    assert RESOLVER_THREADS > REQUEST_THREADS


class Sender:
    """What Connections asks of a connection."""

    def __init__(self) -> None:
        self.cut_off, self.held_bytes, self.phase = "", 0, "head"

    def stop_reading(self, why: str) -> None:
        self.cut_off = why


def senders(connections: Connections, count: int) -> list[Any]:
    made: list[Any] = [Sender() for _ in range(count)]
    for sender in made:
        connections.add(sender)
    return made


@pytest.fixture
def connections() -> Connections:
    return Connections(max_count=3, max_bytes=100)


def test_one_too_many_costs_the_oldest_stranger(connections: Connections) -> None:
    first, second, third, fourth = senders(connections, 4)
    assert [sender.cut_off for sender in (first, second, third, fourth)] == [
        "connections",
        "",
        "",
        "",
    ]


def test_who_is_known_is_never_cut_off(connections: Connections) -> None:
    known = senders(connections, 3)
    for sender in known:
        connections.mark_authenticated(sender)
    (fourth,) = senders(connections, 1)
    assert not any(sender.cut_off for sender in (*known, fourth))
    (fifth,) = senders(connections, 1)
    assert fourth.cut_off == "connections"
    assert fifth.cut_off == ""


def test_who_was_known_is_the_youngest_stranger_with_the_next_request(
    connections: Connections,
) -> None:
    first, second, _ = senders(connections, 3)
    connections.mark_authenticated(first)
    connections.mark_unauthenticated(first)
    connections.mark_unauthenticated(second)  # never known: keeps its place
    senders(connections, 1)
    assert (first.cut_off, second.cut_off) == ("", "connections")


def test_a_place_is_free_again_when_a_connection_is_closed(connections: Connections) -> None:
    first, second, third = senders(connections, 3)
    connections.remove(second)
    (fourth,) = senders(connections, 1)
    assert not any(sender.cut_off for sender in (first, third, fourth))


def test_too_many_bytes_cost_the_oldest_stranger_who_holds_some(connections: Connections) -> None:
    first, second, third = senders(connections, 3)
    connections.hold(second, 60)
    connections.hold(third, 40)
    assert second.cut_off == third.cut_off == ""
    connections.hold(third, 1)
    assert (first.cut_off, second.cut_off, third.cut_off) == ("", "memory", "")
    connections.hold(third, 58)  # what the second one held is free
    assert third.cut_off == ""
    connections.hold(third, 2)
    assert third.cut_off == "memory"


def test_bytes_of_known_senders_count_and_are_not_taken_from_them(connections: Connections) -> None:
    known, stranger, _ = senders(connections, 3)
    connections.hold(known, 90)
    connections.mark_authenticated(known)
    connections.hold(stranger, 20)
    assert (known.cut_off, stranger.cut_off) == ("", "memory")
    connections.release(known)
    (other,) = senders(connections, 1)
    connections.hold(other, 90)
    assert other.cut_off == ""


@pytest.fixture
def ends(connections: Connections) -> Iterator[tuple[Connection, socket.socket]]:
    """A connection whose request is being answered, and its client, who does not wait."""
    accepted, client = socket.socketpair()
    connection = Connection(accepted, connections, idle_timeout_s=1)
    connection.phase = "body"
    client.setblocking(False)
    yield connection, client
    connection.close()
    client.close()


def test_the_head_and_the_body_of_an_answer_leave_together(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    connection.sendall(b"head, ")
    connection.sendall(b"body")
    with pytest.raises(BlockingIOError):
        client.recv(100)
    connection.end_request()
    assert client.recv(100) == b"head, body"


def test_a_long_answer_is_not_held_back(ends: tuple[Connection, socket.socket]) -> None:
    connection, client = ends
    connection.sendall(b"x" * (MAX_UNSENT_BYTES + 1))
    assert client.recv(100) == b"x" * 100


def test_an_answer_outside_a_request_leaves_at_once(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    connection.end_request()
    connection.sendall(b"400")
    assert client.recv(100) == b"400"


def test_a_client_that_does_not_read_is_dropped_as_one_that_has_left(
    ends: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """gunicorn logs no traceback of it."""
    monkeypatch.setattr("web.worker.SEND_TIMEOUT_S", 0.05)
    connection, _ = ends
    with pytest.raises(BrokenPipeError) as dropped:
        connection.sendall(b"x" * 10**7)
    assert dropped.value.errno == errno.EPIPE


def test_a_connection_that_was_closed_sends_nothing_more(
    ends: tuple[Connection, socket.socket],
) -> None:
    connection, client = ends
    connection.sendall(b"head")
    connection.close()
    connection.end_request()
    assert client.recv(100) == b""
