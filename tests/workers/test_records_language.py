"""What staff read in Salesforce: it fits in each language, and is found again in another one."""

from dataclasses import replace
from typing import Any

import pytest
import redis

from demo.stack import Org
from shared.agent.languages import AGENT_FOLDER
from shared.agent.sentences import Sentences
from shared.domain.drafts import CallbackDraft, CallDraft, CommentDraft, TranscriptDraft
from shared.domain.kinds import Kind
from shared.domain.text import MAX_COMMENT_BYTES, html_bytes, stored_length
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN
from tests.conftest import change_settings
from tests.store_time import lease_runs_out
from tests.workers.delivering import (
    BILLING,
    CALL,
    accept,
    deliver,
    open_case,
    record,
    stored,
)
from workers.delivery.call_text import call_fields
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

LANGUAGES = Sentences.load(AGENT_FOLDER).languages
LONG = "ä" * 40_000
OUTCOME: dict[str, Any] = {
    "transfers": [{"to": "sip:" + "x" * 76, "status": "busy", "mode": ""}] * 3,
    "success_evaluation": LONG,
    "scorecards": {"n" * 80: {"score": 4.5, "score_normalized": 90.0}},
    "structured_outputs": {"n" * 80: {"urgent": True, "why": LONG}},
    "recording_consent": {"type": "t" * 80, "granted_at": None},
    "assistants": ["a" * 80] * 30,
    "assistant_version": "v" * 80,
    "cost": 0.1234,
}


def speaking(context: DeliveryContext, language: str) -> DeliveryContext:
    return replace(context, sentences=Sentences.load(AGENT_FOLDER, language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("direction", ["Inbound", "Outbound", "Web"])
def test_a_call_log_fits_its_task_with_summary_and_transcript(
    context: DeliveryContext, language: str, direction: str
) -> None:
    full = {
        "direction": direction, "call_id": "c" * 300, "ended_reason": "r" * 500,
        "summary": LONG, "transcript": "Caller: \u00fc\n" * 1_990, "outcome": OUTCOME,
        "recording_url": "https://example.com/" + "x" * 480, "recording_needs_key": True,
    }  # fmt: skip
    others = [f"0000{nth}" for nth in range(1000, 1200)]
    draft = CallDraft(**CALL | full)
    fields = call_fields(speaking(context, language), draft, others, 0)
    assert len(fields["Subject"]) <= 255
    assert stored_length(fields["Description"]) <= 32_000
    assert fields["Description"].endswith("Caller: ü\n")
    facts = fields["Description"].partition("\n\n")[0]
    assert "x" * 480 in facts  # the recording
    assert stored_length(facts) <= 2_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_back_a_comment_and_a_file_fit(
    context: DeliveryContext, journal: Journal, org: Org, language: str
) -> None:
    context = speaking(context, language)
    draft = CallbackDraft(caller_number=KNOWN, phone="1" * 300, when="w" * 5_000, reason=LONG)
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, draft))
    assert len(task["Subject"]) <= 255
    assert stored_length(task["Description"]) <= 32_000
    opened = open_case(context, journal, BILLING)
    comment = CommentDraft(caller_number=KNOWN, case_intent=opened, text=LONG)
    reference = stored(journal, deliver(context, journal, Kind.CASE_COMMENT, comment)).reference
    body = org.records("CaseComment")[-1]["CommentBody"]
    assert body.endswith(f" {reference})")
    assert MAX_COMMENT_BYTES - 10 < html_bytes(body) <= MAX_COMMENT_BYTES
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    file = TranscriptDraft(call_id="c" * 4_000, call_log_intent=log, transcript="ü")
    deliver(context, journal, Kind.TRANSCRIPT_FILE, file)
    assert len(org.records("ContentVersion")[-1]["Title"]) == 255


@pytest.mark.parametrize(("first", "then"), [("en", "de"), ("de", "en"), ("es", "de")])
def test_a_comment_is_found_after_the_language_has_changed(
    context: DeliveryContext,
    journal: Journal,
    org: Org,
    store: redis.Redis,
    first: str,
    then: str,
) -> None:
    """The worker died after it had sent the comment; the next one speaks another language."""
    opened = open_case(context, journal, BILLING)
    case_id = record(org, "Case", opened)["Id"]
    draft = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Since October.")
    comment = accept(journal, Kind.CASE_COMMENT, draft)
    reference = stored(journal, comment).reference
    line = Sentences.load(AGENT_FOLDER, first).for_staff("record-reference", reference=reference)
    sent = [
        {"ParentId": case_id, "CommentBody": f"Since October.\n({line})"},
        {"ParentId": case_id, "CommentBody": f"They asked for {reference} again."},
    ]
    org.create("CaseComment", sent)
    journal.lease(Kind.CASE_COMMENT, limit=10, max_bytes=100_000)
    lease_runs_out(store, Kind.CASE_COMMENT, comment)
    before = len(org.records("CaseComment"))
    assert drain(speaking(context, then), Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert len(org.records("CaseComment")) == before


def test_a_comment_that_only_mentions_the_reference_is_not_ours(
    context: DeliveryContext, journal: Journal, org: Org, store: redis.Redis
) -> None:
    opened = open_case(context, journal, BILLING)
    draft = CommentDraft(caller_number=KNOWN, case_intent=opened, text="Since October.")
    comment = accept(journal, Kind.CASE_COMMENT, draft)
    reference = stored(journal, comment).reference
    mentions = [f"Asked for {reference}", f"(reference {reference})\nCalled them back."]
    case_id = record(org, "Case", opened)["Id"]
    org.create("CaseComment", [{"ParentId": case_id, "CommentBody": text} for text in mentions])
    journal.lease(Kind.CASE_COMMENT, limit=10, max_bytes=100_000)
    lease_runs_out(store, Kind.CASE_COMMENT, comment)
    before = len(org.records("CaseComment"))
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    assert len(org.records("CaseComment")) == before + 1


@pytest.mark.parametrize(("first", "then"), [("en", "de"), ("de", "en")])
def test_a_call_log_is_amended_after_the_language_has_changed(
    context: DeliveryContext, journal: Journal, org: Org, first: str, then: str
) -> None:
    early = CallDraft(**CALL | {"is_reported": False, "summary": "", "transcript": ""})
    log = deliver(speaking(context, first), journal, Kind.CALL_LOG, early)
    org.edit("Task", record(org, "Task", log)["Id"], Priority="High")  # not untouched any more
    later = CallDraft(**CALL | {"amends": log})
    context = speaking(context, then)
    deliver(context, journal, Kind.CALL_LOG, later)
    task = record(org, "Task", log)
    assert task["Subject"] == context.sentences.for_staff("record-call", direction="inbound")
    assert task["Description"] == call_fields(context, later, [], 0)["Description"]


@pytest.mark.parametrize(
    ("language", "moment", "cost", "voicemail"),
    [
        ("en", "Started: 2026-11-22 10:00 (UTC)", "Cost: 0.1234 USD", "a voicemail of 1 s:"),
        ("de", "Beginn: 22.11.2026, 10:00 Uhr (UTC)", "Kosten: 0,1234 USD", "von einer Sekunde:"),
        ("es", "Inicio: 22/11/2026, 10:00 (UTC)", "Coste: 0,1234 USD", "de un segundo:"),
    ],
)
def test_dates_and_numbers_are_the_languages_own(
    settings: Settings, store: redis.Redis, language: str, moment: str, cost: str, voicemail: str
) -> None:
    here = change_settings(settings, time_zone="UTC", default_language=language)
    context = DeliveryContext.from_settings(here, store)
    draft = CallDraft(**CALL | {"outcome": {"cost": 0.1234}})
    lines = call_fields(context, draft, [], 0)["Description"].splitlines()
    assert {moment, cost} <= set(lines)
    assert context.sentences.for_staff("record-voicemail", count=1).endswith(voicemail)
