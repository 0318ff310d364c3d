"""`make audit` says plainly what it found, and when it found out nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audit import CLEAN, NOT_AUDITED, VULNERABLE, main

OK = {"name": "flask", "version": "3.1.0", "vulns": []}
BAD = {
    "name": "jinja2",
    "version": "3.0.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.1.6"], "description": "x"}],
}
UNKNOWN = {"name": "celery", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    return tmp_path / "pip-audit"


def audited(
    tool: Path, capsys: pytest.CaptureFixture[str], *packages: dict[str, Any], **ended: Any
) -> tuple[str, int]:
    """What is printed when pip-audit reports these packages, and the exit code."""
    text = json.dumps({"dependencies": list(packages)}) if packages else ""
    tool.with_suffix(".json").write_text(text)
    tool.write_text(
        f"#!/bin/sh\ncat {tool}.json\necho '{ended.get('error', '')}' >&2\n"
        f"exit {ended.get('code', 0)}\n"
    )
    tool.chmod(0o755)
    code = main([str(tool), "requirements.txt"])
    return capsys.readouterr().out, code


def test_nothing_known_of_any_package_is_clean(
    tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, code = audited(tool, capsys, OK)
    assert (said, code) == ("requirements.txt: 1 packages audited, 0 vulnerable\n", CLEAN)


def test_a_vulnerability_is_named_with_its_remedy(
    tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, code = audited(tool, capsys, OK, BAD, UNKNOWN, code=1)
    assert code == VULNERABLE
    assert "jinja2 3.0.0: PYSEC-2026-1 (fixed in 3.1.6)" in said
    assert "does not know 1: celery" in said


def test_packages_that_the_source_does_not_know_are_no_clean_result(
    tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit itself says "No known vulnerabilities found" then, and exits with 0."""
    said, code = audited(tool, capsys, UNKNOWN, code=0)
    assert code == NOT_AUDITED
    assert "NOT AUDITED, osv does not know 1: celery" in said
    assert said.endswith("audit: this is no clean result\n")


def test_a_source_that_can_not_be_reached_is_no_clean_result_and_no_vulnerability(
    tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, code = audited(tool, capsys, error="Failed to resolve the host", code=1)
    assert code == NOT_AUDITED
    assert "NOT AUDITED, osv can't be reached: Failed to resolve the host" in said


def test_a_tool_that_is_not_there_is_no_clean_result(
    tool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tool), "requirements.txt"]) == NOT_AUDITED
    assert "does not start" in capsys.readouterr().out
