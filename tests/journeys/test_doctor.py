"""The doctor beside the running service, as one process after another goes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import ROOT, Stack


@pytest.fixture
def stack(programs: Path, tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path, ("web", "worker", "beat"), programs=programs) as running:
        yield running


def problems(stack: Stack, programs: Path) -> dict[str, str]:
    """What is wrong with the service itself: link → what to do about it."""
    said = subprocess.run(
        [str(programs / "python"), "-m", "cli", "doctor", "--json"],
        env=stack.env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    findings = [json.loads(line) for line in said.stdout.splitlines()]
    found = {
        finding["link"]: finding["remedy"] for finding in findings if finding["status"] == "problem"
    }
    assert said.returncode == (1 if found else 0), said
    return found


def test_each_process_that_is_gone_is_named_with_what_to_do(stack: Stack, programs: Path) -> None:
    assert problems(stack, programs) == {}
    for name, link in (("worker", "workers"), ("beat", "beat"), ("web", "service")):
        stack.processes[name].stop()
        found = problems(stack, programs)
        assert found[link].startswith(f"start {name} ")
    assert set(found) == {"workers", "beat", "service"}
