"""Pausing and resuming a kind by hand."""

from click.testing import CliRunner

from cli.__main__ import cli
from shared.domain.kinds import Kind
from shared.journal.journal import Journal


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


def test_an_unknown_kind_is_refused_with_the_known_kinds() -> None:
    result = CliRunner().invoke(cli, ["pause", "cases"])
    assert result.exit_code == 2
    assert "case_create" in result.output
