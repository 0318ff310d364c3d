"""What is installed is what is locked and asked for; what is missing or too old is a sentence."""

import ast
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from demo.stack import ROOT
from shared.installed import PACKAGES

LOCKS = {
    "requirements.txt": ("requirements.in",),
    "requirements-otel.txt": ("requirements.in", "requirements-otel.in"),
    "requirements-dev.txt": ("requirements.in", "requirements-otel.in", "requirements-dev.in"),
}
"""What each lock is made of."""

OPTIONAL = {"opentelemetry": "shared/telemetry.py", "granian": "web/granian.py"}
"""Each is imported by one module, which is imported only where somebody asks for it."""
PIN = re.compile(r"^([\w.-]+)==(\S+)(?: ;[^\\]*)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.M)


def asked_for(file: str) -> set[str]:
    lines = (ROOT / file).read_text().splitlines()
    return {name(line.partition("#")[0]) for line in lines if line.partition("#")[0].strip()}


def pins(file: str) -> dict[str, tuple[str, str]]:
    """Name → version and hashes."""
    found = PIN.findall((ROOT / file).read_text())
    return {name(row): (version, hashes) for row, version, hashes in found}


def name(written: str) -> str:
    return re.sub(r"[-_.]+", "-", written.strip()).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_whole_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    wanted = set().union(*map(asked_for, LOCKS[lock]))
    assert wanted <= set(pins(lock))
    assert len(re.findall(r"^[\w.-]+==", text, re.M)) == len(pins(lock))
    assert "://" not in text
    assert not re.search(r"^-", text, re.M)


@pytest.mark.parametrize(
    ("lock", "part"),
    [
        ("requirements-otel.txt", "requirements.txt"),
        ("requirements-dev.txt", "requirements-otel.txt"),
    ],
)
def test_a_larger_set_has_the_smaller_one_as_it_is_installed(lock: str, part: str) -> None:
    larger = pins(lock)
    for key, pinned in pins(part).items():
        assert larger[key] == pinned, key


def test_every_package_that_the_service_imports_is_asked_for_by_name() -> None:
    ours = {"web", "workers", "shared", "cli"}
    imported = set()
    for folder in ours:
        for file in (ROOT / folder).rglob("*.py"):
            if file in [ROOT / module for module in OPTIONAL.values()]:
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add(node.module.partition(".")[0])
    assert imported.isdisjoint(OPTIONAL)
    foreign = imported - ours - sys.stdlib_module_names
    of = packages_distributions()
    # Parts that come and go with what they are a part of.
    part_of = {
        "kombu": "celery",
        "markupsafe": "flask",
        "pydantic_core": "pydantic",
        "tornado": "flower",
        "urllib3": "requests",
        "werkzeug": "flask",
    }
    asked = asked_for("requirements.in")
    for module in foreign:
        assert name(part_of.get(module) or of[module][0]) in asked, module


def test_the_packages_that_are_looked_for_are_those_that_are_asked_for() -> None:
    of = packages_distributions()
    assert {name(of[package][0]) for package in PACKAGES} == asked_for("requirements.in")


def bare(*words: str, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Python without the packages that are installed for it."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages or "")}
    return subprocess.run(
        [sys.executable, "-S", *words],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


@pytest.mark.parametrize("words", [["-m", "cli", "doctor"], ["-c", "import web.app"],
                                   ["-c", "import workers.app"]])  # fmt: skip
def test_outside_of_the_environment_a_sentence_says_so(words: list[str]) -> None:
    ended = bare(*words)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"babel is not installed for {sys.executable}. Activate")
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stdout == ""


@pytest.mark.parametrize("words", [["shared/installed.py"], ["-m", "cli", "doctor"]])
def test_an_older_python_is_refused_with_a_sentence(words: list[str], tmp_path: Path) -> None:
    """The version is set before anything of ours runs, as an older interpreter would have it."""
    older = "import sys; sys.version_info = (3, 10, 13, 'final', 0)\n"
    run = f"import runpy; sys.argv = {words[-1:]!r}\n"
    run += (
        "runpy.run_module('cli', run_name='__main__')"
        if "-m" in words
        else f"runpy.run_path({words[0]!r}, run_name='__main__')"
    )
    ended = bare("-c", older + "sys.path.insert(0, '')\n" + run)
    assert ended.returncode == 1
    said = f"vapi-salesforce needs Python 3.11 or later, and {sys.executable} is Python 3.10. "
    assert ended.stderr.startswith(said)
    assert len(ended.stderr.splitlines()) == 1


def test_the_version_alone_is_asked_before_anything_is_installed() -> None:
    assert bare("shared/installed.py").returncode == 0
