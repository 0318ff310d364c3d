"""Pausing and resuming a tool or a kind by hand."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import cli
from demo.stack import ROOT
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import load_settings


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_pause_is_a_dry_run_without_yes_and_says_when_a_kind_was_paused_already(
    journal: Journal,
) -> None:
    assert "would pause case_create (0 open)" in run("pause", "case_create")
    assert journal.paused() == set()
    assert "case_create is paused" in run("pause", "case_create", "--yes")
    assert journal.paused() == {Kind.CASE_CREATE}
    assert "was paused already" in run("pause", "case_create", "--yes")


def test_a_resume_ends_the_pause(journal: Journal) -> None:
    run("pause", "callback", "--yes")
    assert "would resume callback" in run("resume", "callback")
    assert journal.paused() == {Kind.CALLBACK}
    assert "callback is resumed" in run("resume", "callback", "--yes")
    assert journal.paused() == set()
    assert "neither paused nor waiting" in run("resume", "callback", "--yes")


def test_a_tool_is_paused_by_its_name_or_with_its_folder(journal: Journal) -> None:
    assert "would pause agent/requestCallback;" in run("pause", "requestCallback")
    assert "agent/requestCallback is paused" in run("pause", "requestCallback", "--yes")
    assert journal.paused() == {"agent/requestCallback"}
    assert "is resumed" in run("resume", "agent/requestCallback", "--yes")
    assert journal.paused() == set()


def test_a_tool_that_no_folder_has_any_more_can_be_resumed(journal: Journal) -> None:
    journal.pause("old/sendMeter")
    assert "is resumed" in run("resume", "old/sendMeter", "--yes")
    assert journal.paused() == set()


def test_a_tool_that_several_folders_have_needs_its_folder(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    orders = Path(shutil.copytree(ROOT / "examples" / "orders", tmp_path / "orders"))
    (orders / "calls.toml").write_text('numbers = ["+14155550100"]\n')
    assistant = orders / "assistant.toml"
    assistant.write_text(re.sub('(?m)^name = ".*"', 'name = "Orders"', assistant.read_text()))
    monkeypatch.setenv("AGENT_DIR", f"agent:{orders}")
    load_settings.cache_clear()
    result = CliRunner().invoke(cli, ["pause", "requestCallback"])
    assert result.exit_code == 2
    assert "agent/requestCallback or orders/requestCallback" in result.output
    assert "orders/requestCallback is paused" in run("pause", "orders/requestCallback", "--yes")
    assert journal.paused() == {"orders/requestCallback"}


def test_a_name_of_nothing_is_refused_with_what_there_is() -> None:
    result = CliRunner().invoke(cli, ["pause", "cases"])
    assert result.exit_code == 2
    assert "case_create" in result.output
    assert "agent/createSalesforceCase" in result.output
