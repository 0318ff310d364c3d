"""What a recording takes from the answers of the webhook, from the journal and from the org."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from demo.history.checker import Problem, Result
from demo.history.recording import Recording
from demo.history.steps import LOOKUP, REPORT, STATUS, WRITE, read
from demo.stack import Org, Stack, Store
from shared.domain.kinds import Kind
from tests.calling import KNOWN, message, post, say
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

WORDS = "The invoice is wrong"


@pytest.fixture
def stack(tmp_path: Path, store_server: Store, org: Org) -> Stack:
    """Nothing of it is started: store and org run already."""
    made = Stack(tmp_path, store=store_server)
    made.org = org
    return made


class Caller:
    """Asks as a call does, and records it."""

    def __init__(self, client: FlaskClient) -> None:
        self.recording = Recording()
        self._client = client

    def asks(self, tool: str, sort: str, **arguments: str) -> str:
        request = f"request-{len(self.recording.steps)}"
        self.recording.asked(request, "call-1", KNOWN, tool, sort, arguments)
        text = say(self._client, tool, arguments, id=request)
        self.recording.answered(request, sort, text)
        return text

    def ends(self) -> None:
        self.recording.asked("report", "call-1", KNOWN, "", REPORT)
        post(self._client, message("end-of-call-report", endedReason="customer-ended-call"))
        self.recording.answered("report", REPORT, "")


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    return Caller(client)


def open_case(caller: Caller, context: DeliveryContext) -> None:
    caller.asks("createSalesforceCase", WRITE, issueType="billing", description=WORDS)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}


def test_a_call_whose_promises_are_in_the_org_has_no_findings(
    caller: Caller, context: DeliveryContext, stack: Stack
) -> None:
    caller.asks("lookupCustomer", LOOKUP)
    open_case(caller, context)
    caller.asks("addCaseComment", WRITE, comment="And it was due last week")
    caller.asks("requestCallback", WRITE, reason="Wants to know the outcome")
    caller.asks("updateContact", WRITE, mailingCity="changed 1")
    caller.asks("updateContact", WRITE, mailingCity="changed 2")
    assert "Billing" in caller.asks("getCaseStatus", STATUS)
    caller.ends()
    for kind in (Kind.CASE_COMMENT, Kind.CALLBACK, Kind.CONTACT_UPDATE, Kind.CALL_LOG):
        drain(context, kind)
    verdict = caller.recording.verdict(stack)
    assert verdict.findings == []
    assert verdict.callers == {"caller-1": Result(promised=5, fulfilled=5, calls=1)}


def test_what_is_not_delivered_or_was_deleted_is_lost(
    caller: Caller, context: DeliveryContext, stack: Stack
) -> None:
    caller.asks("createSalesforceCase", WRITE, issueType="billing", description=WORDS)
    caller.ends()
    assert len(caller.recording.verdict(stack).of(Problem.LOST)) == 2
    drain(context, Kind.CASE_CREATE)
    drain(context, Kind.CALL_LOG)
    assert caller.recording.verdict(stack).of(Problem.LOST) == []
    for sobject in ("Case", "Task"):
        for record in stack.org.records(sobject):
            if record["Call_Key__c"]:
                stack.org.delete(sobject, record["Id"])
    assert len(caller.recording.verdict(stack).of(Problem.LOST)) == 2


def test_another_record_with_the_reference_is_doubled(
    caller: Caller, context: DeliveryContext, stack: Stack
) -> None:
    open_case(caller, context)
    (reference,) = (
        record["Voice_Reference__c"]
        for record in stack.org.records("Case")
        if record["Voice_Reference__c"]
    )
    stack.org.create("Case", [{"Subject": "Again", "Voice_Reference__c": reference}])
    assert caller.recording.verdict(stack).of(Problem.DOUBLED) == [reference]


def test_a_change_is_kept_as_long_as_the_record_has_it(
    caller: Caller, context: DeliveryContext, stack: Stack
) -> None:
    caller.asks("updateContact", WRITE, mailingCity="changed 1")
    drain(context, Kind.CONTACT_UPDATE)
    assert caller.recording.verdict(stack).findings == []
    (changed,) = (
        record for record in stack.org.records("Contact") if record["MailingCity"] == "changed 1"
    )
    stack.org.edit("Contact", changed["Id"], MailingCity="Elsewhere")
    assert len(caller.recording.verdict(stack).of(Problem.LOST)) == 1


def test_a_lookup_without_salesforce_and_a_refused_write_promise_nothing(
    caller: Caller, stack: Stack
) -> None:
    stack.org.fault(status=503)
    caller.asks("lookupCustomer", LOOKUP)
    caller.asks("addCaseComment", WRITE, comment="Of no case")
    verdict = caller.recording.verdict(stack)
    assert (verdict.findings, verdict.total) == ([], Result(refused=1))


def test_a_saved_recording_has_no_personal_data_and_gives_the_same_verdict(
    caller: Caller, context: DeliveryContext, stack: Stack, tmp_path: Path
) -> None:
    caller.asks("lookupCustomer", LOOKUP)
    open_case(caller, context)
    caller.asks("updateContact", WRITE, mailingCity="changed Oakland")
    drain(context, Kind.CONTACT_UPDATE)
    caller.recording.verdict(stack, tmp_path / "saved.jsonl")
    text = (tmp_path / "saved.jsonl").read_text()
    for private in (KNOWN, KNOWN[1:], WORDS, "Oakland", "Miller"):
        assert private not in text
    assert len(read(tmp_path / "saved.jsonl")) > len(caller.recording.steps)
