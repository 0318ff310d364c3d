"""Receivers of alarms, and the settings that name them."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from shared.settings import Settings
from tests.alarms.receivers import Hook, Mailbox, listening_hook, listening_mailbox
from tests.conftest import change_settings


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening_hook() as hook:
        yield hook


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with listening_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def alarming(settings: Settings, hook: Hook, mailbox: Mailbox) -> Settings:
    """Settings by which both get every alarm."""
    return change_settings(
        settings,
        alarm_webhook_url=SecretStr(hook.url),
        alarm_smtp_url=SecretStr(f"smtp://127.0.0.1:{mailbox.port}"),
        alarm_mail_to="oncall@example.com, lead@example.com",
        alarm_mail_from="voice@example.com",
    )
