"""The application for other servers than gunicorn, in processes of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.stack import ROOT, UNDER_GRANIAN, environment
from web.granian import THREADS
from web.pool import LOOKUP_THREADS, REQUEST_THREADS

NOT_LOOKED_THROUGH = """
import gc
from web.served import create_app
create_app()
print(gc.get_freeze_count() > len(gc.get_objects()))
"""


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process with these settings, which has no store."""
    env = environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1", 1) | settings
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_lives_as_long_as_the_process_is_no_longer_looked_through_for_garbage() -> None:
    ended = run(sys.executable, "-W", "error", "-c", NOT_LOOKED_THROUGH)
    assert ended.stdout.strip() == "True", ended.stderr


@pytest.mark.parametrize(
    "command",
    [UNDER_GRANIAN, (sys.executable, "-c", "from web.served import create_app; create_app()")],
    ids=["granian", "another server"],
)
def test_a_mistake_in_the_agent_folder_is_said_once_and_ends_the_process(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "nonsense.toml").write_text("verb = ")
    ended = run(*command, AGENT_DIR=str(tmp_path))
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert said.count("nonsense.toml") == 1
    assert "Traceback" not in said


def test_a_hanging_salesforce_leaves_threads_for_events_and_writes() -> None:
    assert THREADS > LOOKUP_THREADS + REQUEST_THREADS


def test_the_guide_installs_the_granian_that_is_tested() -> None:
    guide = (ROOT / "docs" / "getting-started.md").read_text()
    locked = re.findall(r"^granian==\S+", (ROOT / "requirements-dev.txt").read_text(), re.M)
    assert re.findall(r"granian==\S+", guide) == locked
