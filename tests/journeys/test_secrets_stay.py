"""Secrets stay where they are set: not in the list of processes, not in logs, not in Redis."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import redis
import requests

from demo.stack import FLOWER_AUTH, OPS_TOKEN, SECRET, Stack
from tests.journeys.test_calls import DEMO, play

SECRETS = {
    "VAPI_SERVER_SECRET": SECRET,
    "SALESFORCE_CLIENT_SECRET": "demo-secret",
    "FLOWER_BASIC_AUTH": FLOWER_AUTH.partition(":")[2],
    "OPS_TOKEN": OPS_TOKEN,
}


def shown_in(text: str) -> set[str]:
    return {name for name, secret in SECRETS.items() if secret in text}


def command_lines() -> Iterator[str]:
    """Of every process that this one has started, and of those that they have started."""
    parents, lines = dict[int, int](), dict[int, str]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
            lines[int(folder.name)] = (folder / "cmdline").read_text(errors="replace")
        except OSError:  # it has ended
            continue
    for pid, line in lines.items():
        ancestor = pid
        while ancestor := parents.get(ancestor, 0):
            if ancestor == os.getpid():
                yield line.replace("\0", " ")
                break


def watched(work: Callable[[], object]) -> set[str]:
    """Every command line that is seen while the work is done."""
    seen: set[str] = set()
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        seen.update(command_lines())
        thread.join(0.05)
    return seen


def test_no_secret_is_in_a_command_line_a_log_or_the_store(stack: Stack, tmp_path: Path) -> None:
    seen = watched(lambda: play(stack, tmp_path / "answers", *DEMO[:3]))
    programs = ("simulator vapi play", "gunicorn", "worker", "beat", "flower")
    assert all(any(program in line for line in seen) for program in programs), seen
    assert {name for line in seen for name in shown_in(line)} == set()

    wrong = {"Authorization": "Bearer a-wrong-token"}
    assert requests.get(f"{stack.url}/metrics", headers=wrong, timeout=10).status_code == 401
    logs = "".join(path.read_text(errors="replace") for path in stack.folder.glob("*.log"))
    assert "sign_in_refused" in logs  # a search that finds nothing proves nothing
    assert shown_in(logs) == set()
    assert "a-wrong-token" not in logs

    with redis.Redis.from_url(stack.store.url) as store:
        dumped = b"".join(
            bytes(store.dump(key) or b"") for key in store.scan_iter("*", count=1000)
        ).decode(errors="replace")
    assert shown_in(dumped) == set()
