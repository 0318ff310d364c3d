"""`make demo | tee log`: what a person waits for comes when it happens, and once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import SECRET


@pytest.fixture
def demo(installed: Path) -> Iterator[subprocess.Popen[str]]:
    env = os.environ.copy()
    env.pop("PYTHONUNBUFFERED", None)  # it would do the demo's part
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", "--keep"],
        cwd=installed, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    yield process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_addresses_come_at_once_and_an_answer_that_stays_the_same_is_shown_once(
    demo: subprocess.Popen[str],
) -> None:
    """Read through a pipe, as tee does it, up to the end of the second call."""
    assert demo.stdout
    said: list[str] = []
    for line in demo.stdout:
        said.append(line.rstrip())
        if sum(line.startswith("vapi: calls=1") for line in said) == 2:
            break
    assert demo.poll() is None
    (address,) = (nth for nth, line in enumerate(said) if "/webhook/vapi" in line)
    assert f"(secret {SECRET})" in said[address]
    assert address < next(nth for nth, line in enumerate(said) if line.startswith("☎"))
    waiting = [line for line in said if "has no number yet" in line]
    assert 1 <= len(waiting) <= 2, waiting
