"""Operators see which alarms are on, and try whether their messages arrive."""

import pytest
import redis
from click.testing import CliRunner

from cli.__main__ import cli
from shared.operators.alarms.board import AlarmBoard
from shared.operators.alarms.causes import Cause, Sort
from shared.settings import load_settings
from tests.alarms.receivers import listening_hook, listening_mailbox


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["alarms", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_the_alarms_that_are_on_are_listed_with_their_sections(store: redis.Redis) -> None:
    assert run("list") == "no alarm is on\n"
    AlarmBoard(store).note([Cause(Sort.LATE, "The oldest write is late.")], [])
    assert run("list") == (
        "late\n  The oldest write is late.\n  docs/runbook.md, Alarm: a write is late\n"
    )


def test_a_message_is_tried_with_yes_and_not_without(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nobody gets alarms" in run("test", code=1)
    with listening_hook() as hook, listening_mailbox() as mailbox:
        monkeypatch.setenv("ALARM_WEBHOOK_URL", hook.url)
        monkeypatch.setenv("ALARM_SMTP_URL", f"smtp://127.0.0.1:{mailbox.port}")
        monkeypatch.setenv("ALARM_MAIL_TO", "oncall@example.com")
        load_settings.cache_clear()
        assert "would send a message by webhook and by mail" in run("test")
        assert (hook.got, mailbox.got) == ([], [])
        assert run("test", "--yes") == "sent by webhook\nsent by mail\n"
        assert "nothing is wrong" in hook.got[0]["text"]
        assert mailbox.got[0]["From"] == "oncall@example.com"
        hook.status = 500
        said = run("test", "--yes", code=1)
        assert "sent by mail" in said
        assert "not sent by webhook: HTTP_500" in said
