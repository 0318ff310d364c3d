"""REDACT: which kinds of numbers are removed, in all that a call leaves behind."""

from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.domain.drafts import CallDraft, CaseDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings, SettingsError, load_settings
from tests.calling import message, post, say
from tests.conftest import make_settings

TAX, CARD, SOCIAL = "86095742719", "4111 1111 1111 1111", "219-09-9999"
SAID = f"My numbers are {TAX}, {CARD}, and {SOCIAL}"


@pytest.fixture
def named() -> str:
    """REDACT of a test."""
    return ""


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, named: str) -> Settings:
    return make_settings(store_server.url, org.url, redact=named)


def left(text: str) -> set[str]:
    return {number for number in (TAX, CARD, SOCIAL) if number in text}


def stored(store: redis.Redis) -> str:
    return str(store.hgetall("vs:call:c:transcript"))


@pytest.mark.parametrize(
    ("named", "stays"),
    [
        ("", {TAX}),
        ("card", {TAX, SOCIAL}),
        ("steuer_id,card", {SOCIAL}),
        ("steuer_id,card,social_security", set()),
    ],
)
def test_a_kind_is_removed_everywhere_or_nowhere(
    client: FlaskClient, store: redis.Redis, journal: Journal, stays: set[str]
) -> None:
    say(client, "createSalesforceCase", {"issueType": "billing", "description": SAID}, call_id="c")
    (case,) = journal.of_call("c")
    draft = case.draft_as(CaseDraft)
    assert draft
    assert left(draft.description) == stays
    said: dict[str, Any] = {"role": "user", "transcriptType": "final", "transcript": SAID}
    post(client, message("transcript", call_id="c", **said))
    assert left(stored(store)) == stays
    report = message("end-of-call-report", call_id="c", transcript=f"User: {SAID}", summary=SAID)
    post(client, report)
    (log,) = (it for it in journal.of_call("c") if it.kind is Kind.CALL_LOG)
    call = log.draft_as(CallDraft)
    assert call
    assert left(call.transcript) == left(call.summary) == stays


def test_an_unknown_kind_is_refused_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDACT", "card,iban")
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=r"REDACT does not know iban; .* of bank_account, card"):
        load_settings()
    load_settings.cache_clear()
