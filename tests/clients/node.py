"""Runs the scripts of this folder on Node.js, with the packages of .run/clients."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulator.org.harness import LocalOrg

FOLDER = Path(__file__).parent
DEADLINE_S = 90


@dataclass(frozen=True, slots=True)
class Node:
    """A version of Node.js. home: an empty folder in which a client may store data."""

    binary: Path
    packages: Path
    home: Path

    def lines(self, script: str, *arguments: str, given: str = "") -> list[Any]:
        """What a script prints, one JSON value per line. Fails the test if the script fails."""
        # Nothing else of our environment: no proxy, no settings of other programs.
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "NODE_PATH": str(self.packages / "node_modules"),
            "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
            "SF_DISABLE_TELEMETRY": "true",
        }
        ended = subprocess.run(
            [str(self.binary), str(FOLDER / script), *arguments],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def version(self) -> str:
        finished = subprocess.run(
            [str(self.binary), "--version"], capture_output=True, text=True, check=True, timeout=30
        )
        return finished.stdout.strip()

    def package_version(self, name: str) -> str:
        manifest = self.packages / "node_modules" / name / "package.json"
        return str(json.loads(manifest.read_text())["version"])


@dataclass(frozen=True, slots=True)
class Client:
    """A client's script and the org that it uses."""

    node: Node
    script: str
    org: LocalOrg

    def does(self, behaviour: str, **more: Any) -> dict[str, Any]:
        """What the client saw, by step. more: further arguments of the behaviour."""
        lines = self.node.lines(self.script, behaviour, self.org.url, json.dumps(more))
        return {line["step"]: line["saw"] for line in lines}


def refused(seen: dict[str, Any], step: str = "refused") -> tuple[str, str]:
    """(code, message) of a refusal as the client hands it to its caller.

    Both clients name the error after Salesforce's errorCode.
    """
    assert seen[step]["name"] == seen[step]["errorCode"]
    return seen[step]["errorCode"], seen[step]["message"]


def many_cases(org: LocalOrg, count: int) -> None:
    """Cases with the subjects `bulk 0`, `bulk 1` and so on."""
    for start in range(0, count, 200):
        records = [
            {"attributes": {"type": "Case"}, "Subject": f"bulk {number}"}
            for number in range(start, min(start + 200, count))
        ]
        answer = org.post("/composite/sobjects", {"records": records})
        assert all(result["success"] for result in answer.json()), answer.text
