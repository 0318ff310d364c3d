"""A message reaches a web server and a mail server, or the sender learns that it did not."""

import ssl
from pathlib import Path

import pytest

from shared.operators.alarms.board import AlarmMessage
from shared.operators.alarms.channels import Mail, NotSentError, Webhook
from shared.operators.alarms.wording import Wording
from shared.settings.alarms import MailServer
from tests.alarms.receivers import Hook, Mailbox, listening_mailbox
from tests.shared.test_store_addresses import certificate

BEGAN_MS = 1_795_788_000_000
MESSAGE = AlarmMessage("no_worker", "webhook", "on", BEGAN_MS, 0, "No worker is running.", 1)
ALARM = Wording(MESSAGE, "voice.example.com")
OVER = Wording(
    AlarmMessage(
        "no_worker", "webhook", "over", BEGAN_MS, BEGAN_MS + 720_000, "No worker is running.", 1
    ),
    "voice.example.com",
)
TO = ["oncall@example.com", "lead@example.com"]


def mail(port: int, user: str = "", password: str = "") -> Mail:
    server = MailServer("127.0.0.1", port, user, password, False)
    return Mail(server, "voice@example.com", TO)


def test_a_webhook_gets_a_text_and_its_parts(hook: Hook) -> None:
    Webhook(hook.url).send(ALARM)
    Webhook(hook.url).send(OVER)
    alarm, over = hook.got
    assert alarm == {
        "text": "ALARM: no_worker (voice.example.com). No worker is running. "
        'What to do: "Alarm: no worker" in docs/runbook.md.',
        "event": "alarm",
        "cause": "no_worker",
        "detail": "No worker is running.",
        "service": "voice.example.com",
        "since": "2026-11-27T14:00:00+00:00",
        "until": None,
        "runbook": "docs/runbook.md#alarm-no-worker",
    }
    assert over["text"].startswith("OVER: no_worker (voice.example.com). It lasted 12 min.")
    assert (over["event"], over["until"]) == ("over", "2026-11-27T14:12:00+00:00")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_a_failure_without_its_address(
    hook: Hook, status: int
) -> None:
    hook.status = status
    with pytest.raises(NotSentError) as failed:
        Webhook(hook.url).send(ALARM)
    assert str(failed.value) == f"HTTP_{status}"


def test_a_webhook_that_nobody_answers_is_a_failure_without_its_address() -> None:
    with pytest.raises(NotSentError) as failed:
        Webhook("http://127.0.0.1:1/hooks/secret").send(ALARM)
    assert str(failed.value) == "ConnectionError"


def test_a_mail_reaches_everybody(mailbox: Mailbox) -> None:
    mail(mailbox.port).send(ALARM)
    (got,) = mailbox.got
    assert got["Subject"] == "ALARM: no_worker (voice.example.com)"
    assert (got["From"], got["To"]) == ("voice@example.com", ", ".join(TO))
    assert str(got.get_payload()).strip().startswith(ALARM.text[:60])
    assert got["Message-ID"].endswith("@example.com>")
    assert mailbox.logins == []


def test_a_mail_that_is_refused_is_a_failure_with_its_code(mailbox: Mailbox) -> None:
    mailbox.refusal = "554 no"
    with pytest.raises(NotSentError) as failed:
        mail(mailbox.port).send(ALARM)
    assert str(failed.value) == "SMTPDataError_554"


def test_a_mail_server_that_does_not_answer_is_a_failure() -> None:
    with pytest.raises(NotSentError) as failed:
        mail(1).send(ALARM)
    assert str(failed.value) == "ConnectionRefusedError"


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    authority, key = certificate(tmp_path, "mail")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, key)
    return context, authority


def test_a_server_that_offers_tls_gets_password_and_mail_over_it(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with listening_mailbox(context) as mailbox:
        mail(mailbox.port, "voice", "a-password").send(ALARM)
        assert (len(mailbox.got), len(mailbox.logins)) == (1, 1)
        assert mailbox.was_secret == [True]


def test_a_server_that_nobody_vouches_for_gets_neither(
    tls: tuple[ssl.SSLContext, Path],
) -> None:
    with listening_mailbox(tls[0]) as mailbox:
        with pytest.raises(NotSentError) as failed:
            mail(mailbox.port, "voice", "a-password").send(ALARM)
        assert str(failed.value) == "SSLCertVerificationError"
        assert (mailbox.got, mailbox.logins) == ([], [])


def test_a_password_is_not_sent_without_tls_to_another_machine(mailbox: Mailbox) -> None:
    elsewhere = MailServer("0.0.0.0", mailbox.port, "voice", "a-password", False)  # noqa: S104
    with pytest.raises(NotSentError) as failed:
        Mail(elsewhere, "voice@example.com", TO).send(ALARM)
    assert str(failed.value) == "NO_TLS"
    assert (mailbox.got, mailbox.logins) == ([], [])


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, "", "", False)),
        (
            "smtps://voice%40example.com:p%40ss@mail.example.com",
            MailServer("mail.example.com", 465, "voice@example.com", "p@ss", True),
        ),
        ("smtp://127.0.0.1:25", MailServer("127.0.0.1", 25, "", "", False)),
    ],
)
def test_an_address_of_a_mail_server_is_read(url: str, server: MailServer) -> None:
    assert MailServer.read(url) == server
