"""README as text and as commands, and a shell to run them in."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from demo.stack import ROOT

HIDDEN = (
    ".git", ".venv*", ".run", ".vapi", ".env", "__pycache__", "*_cache", "node_modules", "*.log",
)  # fmt: skip


def first_hour() -> str:
    text = (ROOT / "README.md").read_text()
    return text.partition("## The first hour\n")[2].partition("\n## ")[0]


def steps() -> dict[int, list[str]]:
    """Number → the blocks of commands that are to be run."""
    parts = re.split(r"^\*\*(\d)\. ", first_hour(), flags=re.M)[1:]
    return {
        int(number): re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


def clone(folder: Path) -> Path:
    """The project as it is cloned."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*HIDDEN))
    shutil.copy(ROOT / ".env.example", folder)
    return folder


def bare_environment(home: Path) -> dict[str, str]:
    """As of a machine with Python and nothing of ours; pip goes where it goes on this one."""
    stored = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith("_proxy") or "CERT" in name
    }
    return stored | {
        "PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin",
        "HOME": str(home),
        "PIP_CACHE_DIR": stored.get("PIP_CACHE_DIR") or _pip_cache(),
    }


def _pip_cache() -> str:
    command = [sys.executable, "-m", "pip", "cache", "dir"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Terminal:
    """A shell that stays open, as a person's does."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
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
        said = ""
        for line in self._shell.stdout:
            if line.startswith("::ended "):
                return said, int(line.split()[1])
            said += line
        raise AssertionError(f"the shell is gone: {said}")

    def close(self) -> None:
        os.killpg(self._shell.pid, signal.SIGTERM)
        try:
            self._shell.communicate(timeout=10)
        finally:
            with suppress(ProcessLookupError):  # nothing that it started is left
                os.killpg(self._shell.pid, signal.SIGKILL)
