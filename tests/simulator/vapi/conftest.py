"""The simulated Vapi as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from demo.processes import free_port, wait_until
from demo.stack import ROOT, answers


@pytest.fixture
def control() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "vapi", "serve", "--port", str(port)], cwd=ROOT
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(f"{url}/_vapi/control"), for_s=20, what="control")
    yield url
    process.terminate()
    process.wait(10)
