"""Attestation of a number (STIR/SHAKEN): where it is read, and what a failed or low one takes."""

import json
from dataclasses import replace
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.calls.calls import Calls
from shared.calls.decisions import Decisions
from shared.domain.attestation import Attestation, Attested
from shared.domain.drafts import CallDraft, CaseDraft
from shared.domain.identity import Identity, Proof, Tier
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.vapi.attestation import attestation_of, read_attestation
from shared.vapi.messages import Message
from tests.calling import KNOWN, message, post, say, tool_message
from tests.conftest import make_settings
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

A, B, C = (f"TN-Validation-Passed-{level}" for level in "ABC")
FAILED, NOT_SIGNED = "TN-Validation-Failed-A", "No-TN-Validation"


@pytest.fixture
def needed() -> str:
    """NEEDED_ATTESTATION of a test."""
    return "none"


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, needed: str) -> Settings:
    return make_settings(store_server.url, org.url, needed_attestation=needed)


def by_twilio(verstat: str) -> dict[str, Any]:
    """The part of a call that shows Twilio's header."""
    return {"phoneCallProviderDetails": {"sip": {"headers": {"X-Twilio-VerStat": verstat}}}}


def in_call(
    client: FlaskClient, tool: str, verstat: str = "", arguments: Any = None, *,
    call_id: str = "c", nth: str = "t1", kind: str = "inboundPhoneCall",
) -> str:  # fmt: skip
    """One tool call of a call that shows this attestation, "" for none."""
    body = tool_message((nth, tool, arguments or {}), call_id=call_id)
    body["message"]["call"] |= {"type": kind} | (by_twilio(verstat) if verstat else {})
    (found,) = post(client, body).get_json()["results"]
    return str(found.get("result") or found["error"])


def is_recognised(client: FlaskClient, verstat: str = "", **own: Any) -> bool:
    return "Jane Miller" in in_call(client, "lookupCustomer", verstat, **own)


# -- reading ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (A, Attestation.A), (B, Attestation.B), (C, Attestation.C),
        ("TN-Validation-Passed", Attestation.C), (A.lower(), Attestation.A),
        (f"{A}-Passthrough", Attestation.A), (f"{A}-Diverted", Attestation.NONE),
        ("TN-Validation-Failed", Attestation.FAILED), (FAILED, Attestation.FAILED),
        ("TN-Validation-Failed-C-Diverted", Attestation.FAILED), (NOT_SIGNED, Attestation.NONE),
        ("NULL", None), ("", None), (f"{A}x", None), ("TN-Validation-Passed-D", None),
        (None, None), (1, None), ([A], None), ({"a": A}, None), (A * 100, None),
    ],
)  # fmt: skip
def test_each_documented_value_has_a_level_and_nothing_else_has(
    value: Any, level: Attestation | None
) -> None:
    assert attestation_of(value) == level


def shown(**call: Any) -> Attestation | None:
    return read_attestation(Message("tool-calls", {"call": {"id": "c", **call}}))


@pytest.mark.parametrize(
    "call",
    [
        by_twilio(A),
        {"transport": {"sip": {"headers": {"x-twilio-verstat": A}}}},
        {"phoneCallProviderDetails": {"StirVerstat": A}},
        {"assistantOverrides": {"variableValues": {"Twilio-VerStat": A}}},
        {"metadata": {"StirVerstat": A}},
    ],
)
def test_an_attestation_is_read_wherever_the_call_may_have_it(call: dict[str, Any]) -> None:
    assert shown(**call) is Attestation.A


def test_a_parameter_of_the_callers_sip_address_is_read() -> None:
    address = f'"Jane" <sip:+14155550101@carrier.example;verstat={B}>;tag=1'
    for name in ("P-Asserted-Identity", "from"):
        assert shown(transport={"sip": {"headers": {name: address}}}) is Attestation.B
    assert shown(transport={"sip": {"headers": {"to": address}}}) is None


def test_of_several_the_lowest_counts() -> None:
    assert shown(**by_twilio(A), metadata={"StirVerstat": FAILED}) is Attestation.FAILED


@pytest.mark.parametrize("junk", [None, 1, "x", [], [{}], {"sip": 1}, {"sip": {"headers": [A]}}])
def test_junk_shows_nothing(junk: Any) -> None:
    assert shown(phoneCallProviderDetails=junk, transport=junk, metadata=junk) is None


# -- what it decides -------------------------------------------------------------------------------


@pytest.mark.parametrize("verstat", ["", NOT_SIGNED, C, B, A, "something new"])
def test_without_the_setting_a_caller_is_recognised_whatever_was_signed(
    client: FlaskClient, verstat: str
) -> None:
    assert is_recognised(client, verstat)


def test_a_failed_verification_makes_the_caller_unknown(client: FlaskClient) -> None:
    said = in_call(client, "lookupCustomer", FAILED)
    assert said.startswith("This call does not show that its phone number is the caller's own.")
    said = in_call(client, "retrieveCustomerCase", FAILED, nth="t2")
    assert said.startswith("This call does not show that its phone number is the caller's own,")


@pytest.mark.parametrize(
    ("needed", "verstat", "recognised"),
    [
        ("A", A, True), ("A", B, False), ("A", "", False), ("A", NOT_SIGNED, False),
        ("B", A, True), ("B", B, True), ("B", C, False), ("C", C, True), ("C", "", False),
        ("C", FAILED, False),
    ],
)  # fmt: skip
def test_with_the_setting_only_a_level_that_reaches_it_recognises(
    client: FlaskClient, verstat: str, *, recognised: bool
) -> None:
    assert is_recognised(client, verstat) is recognised


@pytest.mark.parametrize("needed", ["A"])
def test_a_number_that_we_dialled_needs_no_attestation(client: FlaskClient) -> None:
    assert is_recognised(client, kind="outboundPhoneCall")
    assert not is_recognised(client, FAILED, kind="outboundPhoneCall", call_id="another")


@pytest.mark.parametrize("needed", ["A"])
def test_an_attestation_counts_for_the_rest_of_the_call(client: FlaskClient) -> None:
    assert is_recognised(client, A)
    assert is_recognised(client, nth="t2")


def test_a_lower_one_takes_away_what_a_higher_one_gave_and_also_stored_answers(
    client: FlaskClient,
) -> None:
    assert is_recognised(client, A)
    assert not is_recognised(client, FAILED, nth="t2")
    assert not is_recognised(client, A, nth="t3")
    assert not is_recognised(client, A, nth="t1")


def test_the_greeting_of_a_failed_call_names_nobody(client: FlaskClient) -> None:
    asked = message("assistant-request", call_id="c")
    asked["message"]["call"] |= by_twilio(FAILED)
    assert "Jane" not in json.dumps(post(client, asked).get_json())


def test_the_pin_verifies_a_caller_whose_attestation_failed(client: FlaskClient) -> None:
    said = in_call(client, "verifyCaller", FAILED, {"pin": "4271"})
    assert said.startswith("The caller is verified now.")
    assert is_recognised(client, FAILED, nth="t2")


def test_operators_read_which_attestation_decided(client: FlaskClient, store: redis.Redis) -> None:
    in_call(client, "lookupCustomer", B, call_id="b")
    in_call(client, "createSalesforceCase", FAILED, CASE, call_id="failed")
    evidence = {it.evidence for it in Decisions(store).of_call("b")}
    assert evidence == {"one contact has the number, and the number is attested with B"}
    evidence = {it.evidence for it in Decisions(store).of_call("failed")}
    assert all("the carrier could not verify the number" in text for text in evidence)


def test_the_first_attestation_of_each_call_is_counted(
    client: FlaskClient, store: redis.Redis
) -> None:
    for call_id, verstat in (("1", A), ("2", A), ("3", FAILED), ("4", "")):
        in_call(client, "lookupCustomer", verstat, call_id=call_id)
        in_call(client, "lookupCustomer", verstat, call_id=call_id, nth="t2")
    assert Calls(store).attestations() == {"A": 2, "failed": 1}


FORGED = Identity("c", KNOWN, ("003A",), attested=Attested(Attestation.FAILED))


def test_knowledge_proves_nothing_from_a_number_that_is_no_evidence_and_a_pin_does() -> None:
    """Whoever forges a customer's number may know their postal code."""
    by_knowledge = replace(FORGED, proof=Proof("003A", KNOWN, Tier.KNOWN))
    assert (by_knowledge.tier, by_knowledge.contact_id) == (Tier.UNKNOWN, None)
    by_pin = replace(FORGED, proof=Proof("003A", KNOWN, Tier.VERIFIED))
    assert (by_pin.tier, by_pin.contact_id) == (Tier.VERIFIED, "003A")


def test_the_worker_looks_for_no_contact_by_such_a_number_however_old_the_snapshot_is() -> None:
    assert replace(FORGED, is_old=True).has_no_contact
    assert replace(FORGED, contact_ids=None).has_no_contact
    assert not replace(FORGED, is_old=True, attested=Attested()).has_no_contact


def test_such_a_number_is_no_accounts_line() -> None:
    line = replace(FORGED, is_line=True, account_id="001A")
    assert line.account_of_line is None
    assert replace(line, attested=Attested()).account_of_line == "001A"


# -- writes ----------------------------------------------------------------------------------------

CASE = {"issueType": "billing", "description": "Billed twice"}


@pytest.mark.parametrize("is_away", [False, True])
def test_a_case_of_a_failed_call_is_taken_and_linked_to_nobody(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org, *, is_away: bool
) -> None:
    """Also while the org can't say who has the number: the worker does not look for them either."""
    if is_away:
        org.fault(status=503)
    assert "reference" in in_call(client, "createSalesforceCase", FAILED, CASE)
    org.fault()
    (intent,) = journal.of_call("c")
    draft = intent.draft_as(CaseDraft)
    assert draft
    assert draft.has_no_contact
    drain(context, Kind.CASE_CREATE)
    (case,) = (row for row in org.records("Case") if row["Call_Key__c"])
    assert case["ContactId"] is None


def test_a_failed_call_changes_no_contact_while_the_org_is_away(
    client: FlaskClient, journal: Journal, org: Org
) -> None:
    org.fault(status=503)
    said = in_call(client, "updateContact", FAILED, {"mailingCity": "Reno"})
    org.fault()
    assert "show who they are" in said
    assert journal.of_call("c") == []


def test_the_call_log_of_a_failed_call_names_no_contact(
    client: FlaskClient, journal: Journal
) -> None:
    ended = message("end-of-call-report", call_id="c", endedReason="customer-ended-call")
    ended["message"]["call"] |= by_twilio(FAILED)
    post(client, ended)
    (log,) = (it for it in journal.of_call("c") if it.kind is Kind.CALL_LOG)
    draft = log.draft_as(CallDraft)
    assert draft
    assert (draft.caller_number, draft.contact_id, draft.has_no_contact) == (KNOWN, None, True)


def test_a_call_without_any_attestation_is_handled_as_before(client: FlaskClient) -> None:
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="c")
