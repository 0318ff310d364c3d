"""web under granian: it ends in order, survives kill -9, and passes the journeys of gunicorn."""

import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from demo.contacts import make_callers
from demo.drill import SETTINGS, play_round
from demo.history.recording import Recording
from demo.outage import Stage, children
from demo.processes import free_port, wait_until
from demo.stack import OPERATOR, ROOT, SECRET, UNDER_GRANIAN, Stack
from shared.domain.trace import trace_of_call
from simulator.vapi.wire import Call, as_bytes, proof
from tests.journeys.test_calls import (  # noqa: F401  the same, on the stack of this module
    journal,
    test_a_case_opened_while_salesforce_is_down_is_delivered_when_it_is_back,
    test_figures_are_counted_across_gunicorns_processes,
    test_no_log_tells_what_a_caller_said_or_who_they_are,
    test_the_demos_calls_end_up_in_salesforce_once,
)
from tests.metrics.scrape import Scrape
from tests.shared.test_telemetry import Collector

CALLS = 60
PATIENCE_S = 20.0
BEGUN_S = 4.0
"""All calls of a round have begun."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="module")
def stack(
    programs: Path, tmp_path_factory: pytest.TempPathFactory, collector: Collector
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("granian")
    made = Stack(folder, extra=SETTINGS, programs=programs, web=UNDER_GRANIAN)
    # Only web runs in the environment that has OpenTelemetry.
    made.processes["web"]._env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
    with made as running:
        yield running


def workers(stack: Stack) -> set[int]:
    return set(children(stack.processes["web"].pid))


def cores_in_use(stack: Stack) -> int:
    """Of how many cores the workers make use, each of one."""
    cores = [os.sched_getaffinity(pid) for pid in workers(stack)]
    assert [len(of_one) for of_one in cores] == [1, 1]
    return len(set.union(*cores))


def is_listening(stack: Stack) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", stack.port)) == 0


def accepted_events(stack: Stack) -> float:
    page = requests.get(f"{stack.url}/metrics", headers=OPERATOR, timeout=10).text
    return Scrape.read(page).of("vapi_messages_total", type="status-update")


def test_a_request_in_progress_is_answered_counted_and_traced_before_its_process_ends(
    stack: Stack, collector: Collector
) -> None:
    call = Call(str(uuid.uuid4()), "+14155550101", int(time.time() * 1000))
    body = as_bytes(call.status("in-progress"))
    fields = {"Content-Length": str(len(body)), "Expect": "100-continue"}
    lines = [f"{name}: {value}" for name, value in (fields | proof(body, SECRET, "hmac")).items()]
    head = "\r\n".join(["POST /webhook/vapi HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""])
    before = accepted_events(stack)
    web = stack.processes["web"]
    with socket.create_connection(("127.0.0.1", stack.port), PATIENCE_S) as connection:
        connection.sendall(head.encode())
        assert b" 100 Continue" in connection.recv(1000)  # the service reads the body
        os.kill(web.pid, signal.SIGTERM)
        wait_until(lambda: not is_listening(stack), for_s=PATIENCE_S, what="the end of listening")
        connection.sendall(body)
        assert b" 200 OK" in connection.recv(1000)
    wait_until(lambda: web.restarts == 1, for_s=PATIENCE_S, what="the next server")
    stack.wait_ready()
    assert accepted_events(stack) == before + 1
    trace = trace_of_call(call.id)
    names = {span.name for span in collector.spans() if span.trace_id.hex() == trace}
    assert "webhook status-update" in names


@pytest.mark.timeout(240)
def test_calls_outlive_a_reload_and_kill_9_of_worker_and_server(stack: Stack) -> None:
    stack.empty_journal()
    stack.org.reset()
    make_callers(stack.org, CALLS)
    cores = min(2, len(os.sched_getaffinity(0)))
    assert cores_in_use(stack) == cores
    recording = Recording()
    stages = [Stage("", "", 8.0), Stage("", "web worker", 2.0), Stage("", "web master", 2.0)]
    with ThreadPoolExecutor(1) as beside:
        reloading = beside.submit(_reload, stack)
        print(play_round(stack, recording, 1, CALLS, stages))
        reloading.result()
    assert cores_in_use(stack) == cores
    verdict = recording.verdict(stack)
    assert verdict.findings == []
    total = verdict.total
    assert (total.calls, total.unanswered, total.parked) == (CALLS, 0, 0)
    assert total.promised == total.fulfilled >= CALLS * 2


def _reload(stack: Stack) -> None:
    time.sleep(BEGUN_S)
    server, old = stack.processes["web"].pid, workers(stack)
    os.kill(server, signal.SIGHUP)
    wait_until(
        lambda: len(workers(stack)) == 2 and not old & workers(stack), for_s=30, what="new workers"
    )
    assert stack.processes["web"].pid == server
    assert cores_in_use(stack) == min(2, len(os.sched_getaffinity(0)))


def test_workers_end_once_their_server_was_killed(stack: Stack) -> None:
    stack.wait_ready()
    web, old = stack.processes["web"], workers(stack)
    assert len(old) == 2
    os.kill(web.pid, signal.SIGKILL)
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in old),
        for_s=PATIENCE_S,
        what="the end of the workers",
    )
    stack.wait_ready()


def test_a_server_that_is_stopped_while_its_workers_start_ends(stack: Stack) -> None:
    env = stack.env_at(free_port())
    server = subprocess.Popen(UNDER_GRANIAN, env=env, cwd=ROOT)
    try:
        wait_until(lambda: bool([*children(server.pid)]), for_s=PATIENCE_S, what="a worker")
        server.terminate()
        assert server.wait(PATIENCE_S) == 0
    finally:
        server.kill()
        server.wait()


def test_a_second_server_does_not_share_the_port(stack: Stack) -> None:
    stack.wait_ready()
    ended = subprocess.run(
        UNDER_GRANIAN, env=stack.env, cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    (line,) = (ended.stdout + ended.stderr).splitlines()
    assert f"Port {stack.port} is taken: is web running already?" in line
