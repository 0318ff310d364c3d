"""The process of OPS_PORT beside web: what it serves, and that it comes after calls."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from demo.console import CONSOLE_PASSWORD, READER_NAME, console_users
from demo.processes import wait_until
from demo.stack import ROOT, Stack, procfile


@pytest.fixture(scope="module")
def stack(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("ops")
    users = console_users(folder)
    with Stack(folder, ("web", "ops"), extra=users, programs=programs) as running:
        yield running


def test_operators_get_console_health_and_the_figures_of_every_web_process(stack: Stack) -> None:
    for _ in range(8):
        assert requests.post(stack.webhook, data=b"{}", timeout=10).status_code == 401

    def are_counted() -> bool:
        figures = requests.get(f"{stack.ops_url}/metrics", timeout=10).text
        return 'vapi_refused_total{reason="no_signature",status="401"} 8.0' in figures

    wait_until(are_counted, for_s=20, what="the figures of every process")
    assert requests.get(f"{stack.ops_url}/health", timeout=10).json()["parked"] == 0
    with requests.Session() as session:
        session.headers["Origin"] = stack.ops_url
        form = {"name": READER_NAME, "password": CONSOLE_PASSWORD}
        page = session.post(f"{stack.ops_url}/console/login", form, timeout=10)
        assert "refused webhooks" in page.text
    assert requests.get(f"{stack.url}/console/login", timeout=10).status_code == 404


def test_its_process_has_a_lower_priority_than_those_that_answer_calls(stack: Stack) -> None:
    def niceness(name: str) -> set[int]:
        master = stack.processes[name].pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        return {os.getpriority(os.PRIO_PROCESS, int(child)) for child in children}

    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert niceness("web") == {ours}
    assert niceness("ops") == {min(19, ours + 10)}


def test_without_the_port_it_does_not_start_and_names_what_is_missing(stack: Stack) -> None:
    env = {name: value for name, value in stack.env.items() if name != "OPS_PORT"}
    ended = subprocess.run(
        procfile()["ops"], env=env, cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "OPS_PORT is missing" in ended.stdout + ended.stderr
