"""Step 5 of docs/getting-started.md done twice: whoever finds its place taken says so in a line."""

import subprocess
from pathlib import Path

import pytest
import redis

from demo.processes import Process, wait_until
from demo.stack import ROOT, Stack, procfile
from shared.alive import Alive


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("web", "Port {port} is taken: is web running already?"),
        ("flower", "Port {flower} is taken: is Flower running already?"),
        ("beat", "beat is running already, as process {beat}"),
    ],
)
def test_a_second_one_ends_with_a_line(name: str, said: str, stack: Stack) -> None:
    ended = subprocess.run(
        procfile()[name], env=stack.env, cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert ended.returncode != 0
    said = said.format(
        port=stack.port,
        flower=stack.flower_url.rpartition(":")[2],
        beat=stack.processes["beat"].pid,
    )
    lines = (ended.stdout + ended.stderr).splitlines()
    assert said in lines[-1], lines
    assert "Traceback" not in ended.stdout + ended.stderr
    if name != "beat":  # Celery greets before anything of ours runs
        assert len(lines) == 1


def test_a_second_worker_says_that_its_name_is_taken(stack: Stack, tmp_path: Path) -> None:
    log = tmp_path / "second.log"
    second = Process("second", procfile()["worker"], stack.env, ROOT, log)
    second.start()
    try:
        wait_until(lambda: "worker_name_taken" in log.read_text(), for_s=30, what="the second")
    finally:
        second.stop()
    (line,) = (text for text in log.read_text().splitlines() if "worker_name_taken" in text)
    assert f"process {stack.processes['worker'].pid} on" in line
    assert "--hostname" in line


def test_beat_that_was_killed_is_not_taken_for_another_one(stack: Stack) -> None:
    killed = stack.processes["beat"].pid
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as store:
        alive = Alive(store)
        wait_until(
            lambda: [peer.pid for peer in alive.of("beat")] == [killed], for_s=20, what="beat"
        )
        stack.processes["beat"].kill()
        wait_until(lambda: bool({peer.pid for peer in alive.of("beat")} - {killed}), for_s=15,
                   what="the next beat")  # fmt: skip
    assert "running already" not in stack.processes["beat"].last_lines()
