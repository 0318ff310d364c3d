"""`@{name}` in a caller's words is text. In a Composite request it would be a reference to what
another subrequest has read or written, and Salesforce would resolve it."""

import base64
from typing import Any
from urllib.parse import quote

import pytest
import redis

from demo.stack import Org
from shared.domain.drafts import CallbackDraft, CallDraft, CaseDraft, CommentDraft, TranscriptDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.salesforce import composite
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.client import SalesforceClient
from shared.salesforce.composite import SharedRequests
from shared.settings import Settings
from tests.calling import KNOWN
from tests.workers.delivering import (
    BILLING,
    CALL,
    accept,
    change,
    contact,
    deliver,
    open_case,
    record,
    stored,
)
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

NOBODYS = "@{nobody.id}"
SAID = "@(nobody.id}"

MAX_DESCRIPTION = 32_000


@pytest.mark.parametrize("field", ["description", "priority", "account_number", "issue_type"])
def test_a_case_holds_a_reference_as_text(
    context: DeliveryContext, journal: Journal, org: Org, field: str
) -> None:
    given: dict[str, Any] = {"issue_type": "billing", "description": "x", field: NOBODYS}
    made = record(org, "Case", open_case(context, journal, CaseDraft(**given)))
    if field != "priority":  # a picklist refuses it, and the case goes without
        assert SAID in (made["Subject"] + made["Description"]).lower()


def test_a_comment_holds_a_reference_as_text(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    case_intent = open_case(context, journal, BILLING)
    draft = CommentDraft(caller_number=KNOWN, case_intent=case_intent, text=NOBODYS)
    deliver(context, journal, Kind.CASE_COMMENT, draft)
    assert any(SAID in comment["CommentBody"] for comment in org.records("CaseComment"))


@pytest.mark.parametrize("field", ["MailingStreet", "MailingCity", "MailingPostalCode"])
def test_a_contact_holds_a_reference_as_text(
    context: DeliveryContext, journal: Journal, org: Org, field: str
) -> None:
    draft = change(org, changes={field: NOBODYS}, seen={field: [contact(org)[field]]})
    deliver(context, journal, Kind.CONTACT_UPDATE, draft)
    assert contact(org)[field] == SAID


@pytest.mark.parametrize("field", ["phone", "when", "reason"])
def test_a_call_back_holds_a_reference_as_text(
    context: DeliveryContext, journal: Journal, org: Org, field: str
) -> None:
    given: dict[str, Any] = {"caller_number": KNOWN, "phone": "+14155550199", field: NOBODYS}
    draft = CallbackDraft(**given)
    task = record(org, "Task", deliver(context, journal, Kind.CALLBACK, draft))
    assert SAID in task["Subject"] + task["Description"]


@pytest.mark.parametrize("field", ["summary", "transcript", "ended_reason", "recording_url"])
def test_a_call_log_holds_a_reference_as_text(
    context: DeliveryContext, journal: Journal, org: Org, field: str
) -> None:
    draft = CallDraft(**CALL | {field: NOBODYS})
    task = record(org, "Task", deliver(context, journal, Kind.CALL_LOG, draft))
    assert SAID in task["Description"]


def test_a_transcript_file_holds_its_words_unchanged(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    log = deliver(context, journal, Kind.CALL_LOG, CallDraft(**CALL))
    draft = TranscriptDraft(call_id=NOBODYS, call_log_intent=log, transcript=NOBODYS)
    file_id = deliver(context, journal, Kind.TRANSCRIPT_FILE, draft)
    version = record(org, "ContentVersion", file_id)
    assert SAID in version["Title"]
    assert base64.b64decode(version["VersionData"]).decode() == NOBODYS


def test_text_that_fills_its_field_still_fits(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    words = "@{" * (MAX_DESCRIPTION // 2)
    draft = CaseDraft(caller_number=KNOWN, issue_type="billing", description=words)
    made = record(org, "Case", open_case(context, journal, draft))
    assert made["Description"] == words.replace("@{", "@(")


def test_nobody_in_the_batch_suffers_from_a_reference(
    context: DeliveryContext, journal: Journal, org: Org
) -> None:
    ids = [
        accept(journal, Kind.CASE_CREATE, CaseDraft(issue_type="billing", description=words))
        for words in ("innocent", NOBODYS, "@{s1_read.records[0].Id}", "innocent too")
    ]
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 4}
    assert {stored(journal, intent_id).refusals for intent_id in ids} == {0}


def test_no_words_pull_what_another_sender_reads_out_of_a_shared_request(
    settings: Settings, store: redis.Redis, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    salesforce = SalesforceClient(
        settings.salesforce, store, ApiBudget(settings.salesforce, store), Use.WRITE
    )
    shared = SharedRequests(salesforce, timeout_s=10)
    posted: list[Any] = []
    post = salesforce.post

    def watch(path: str, body: Any, *others: Any) -> Any:
        def watched() -> Any:
            posted.append(body())
            return posted[-1]

        return post(path, watched, *others)

    monkeypatch.setattr(salesforce, "post", watch)
    words = " ".join(f"@{{s0_q.records[0].{field}}}" for field in ("Email", "Phone"))
    _, made = shared.send(
        composite.query("q", "SELECT Email, Phone FROM Contact WHERE Name = 'Jane Miller'"),
        {
            "method": "POST",
            "url": "sobjects/Case",
            "referenceId": "made",
            "body": {"Description": words},
        },
    )
    (case,) = (entry for entry in org.records("Case") if entry["Id"] == made["body"]["id"])
    assert case["Description"] == words.replace("@{", "@(")
    ids = [sub["referenceId"] for sub in posted[0]["compositeRequest"]]
    assert len(set(ids)) == 2
    shared.send(composite.query("q", "SELECT Id FROM Organization LIMIT 1"))
    assert posted[1]["compositeRequest"][0]["referenceId"] not in ids


def test_a_statement_holds_a_reference_as_text() -> None:
    statement = f"SELECT Id FROM Contact WHERE LastName = '{NOBODYS}'"
    assert quote(NOBODYS, safe="") not in composite.query("q", statement)["url"]
