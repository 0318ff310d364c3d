"""What each tier of callers may hear and change, by the three policies that come with the service.

`EXPECTED` is written by hand, from docs/security.md and not from the policy files, so that a
changed cell turns a test red.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.__main__ import cli
from demo.stack import Org, Store
from shared.agent.errors import AgentError
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.agent.policy import (
    ACCOUNT_LINE,
    ANOTHER_NUMBER,
    DEFAULT,
    HOUSEHOLD,
    read_policy,
)
from shared.agent.tool_files import Verb
from shared.calls.calls import Calls
from shared.domain.drafts import CallbackDraft
from shared.domain.identity import Proof, Tier
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import (
    KNOWN,
    SHARED,
    UNKNOWN,
    ask,
    message,
    post,
    reference_in,
    say,
    tool_message,
)  # fmt: skip
from tests.conftest import make_settings
from web.app import create_app
from web.service import Service
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

PIN, WRONG = "4271", "1111"
LUIS = "+14155550103"
NEW_MOBILE, NEW_EMAIL = "+14155550188", "jane@new.example"
TIERS = (Tier.UNKNOWN, Tier.RECOGNISED, Tier.KNOWN, Tier.VERIFIED)

# policy: what → the tiers from unknown to verified, + for yes.
EXPECTED = {
    "strict": {
        "hears their name": "---+",
        "hears their account": "---+",
        "hears their account number": "---+",
        "hears how many cases are open": "---+",
        "hears case numbers and states": "---+",
        "hears what a case is about": "---+",
        "is greeted by name": "---+",
        "opens a case": "++++",
        "comments on an older case": "---+",
        "closes a case of an earlier call": "---+",
        "changes the postal address": "---+",
        "changes a phone number": "---+",
        "changes the email": "---+",
        "is called back on this number": "++++",
        "is called back on another number": "---+",
    },
    "standard": {
        "hears their name": "-+++",
        "hears their account": "-+++",
        "hears their account number": "-+++",
        "hears how many cases are open": "-+++",
        "hears case numbers and states": "-+++",
        "hears what a case is about": "--++",
        "is greeted by name": "-+++",
        "opens a case": "++++",
        "comments on an older case": "-+++",
        "closes a case of an earlier call": "-+++",
        "changes the postal address": "-+++",
        "changes a phone number": "---+",
        "changes the email": "---+",
        "is called back on this number": "++++",
        "is called back on another number": "---+",
    },
    "open": {
        "hears their name": "-+++",
        "hears their account": "-+++",
        "hears their account number": "-+++",
        "hears how many cases are open": "-+++",
        "hears case numbers and states": "-+++",
        "hears what a case is about": "-+++",
        "is greeted by name": "-+++",
        "opens a case": "++++",
        "comments on an older case": "-+++",
        "closes a case of an earlier call": "-+++",
        "changes the postal address": "-+++",
        "changes a phone number": "-+++",
        "changes the email": "-+++",
        "is called back on this number": "++++",
        "is called back on another number": "++++",
    },
}


@dataclass
class Caller:
    """A caller of a tier, in a call of their own. case: a case of an earlier call of theirs."""

    client: FlaskClient
    service: Service
    journal: Journal
    number: str
    case: str
    calls: int = 0

    def says(self, tool: str, **arguments: Any) -> str:
        self.calls += 1
        return say(
            self.client, tool, arguments, number=self.number, call_id="c", id=f"t{self.calls}"
        )

    def is_accepted(self, tool: str, kind: Kind, **arguments: Any) -> bool:
        before = {intent.id for intent in self.journal.of_call("c")}
        self.says(tool, **arguments)
        return any(
            intent.kind == kind for intent in self.journal.of_call("c") if intent.id not in before
        )

    def greeting(self) -> str:
        asked = message("assistant-request", call_id="c", number=self.number)
        return json.dumps(post(self.client, asked).get_json())


def _changes(field: str, **arguments: str) -> Callable[[Caller], bool]:
    def check(caller: Caller) -> bool:
        return caller.is_accepted("updateContact", Kind.CONTACT_UPDATE, **arguments)

    return check


CHECKS: dict[str, Callable[[Caller], bool]] = {
    "hears their name": lambda it: "Jane Miller" in it.says("lookupCustomer"),
    "hears their account": lambda it: "Acme" in it.says("lookupCustomer"),
    "hears their account number": lambda it: "ACC-12345" in it.says("lookupCustomer"),
    "hears how many cases are open": lambda it: "open cases" in it.says("lookupCustomer"),
    "hears case numbers and states": lambda it: "00001002" in it.says("retrieveCustomerCase"),
    "hears what a case is about": lambda it: "hot water" in it.says("retrieveCustomerCase"),
    "is greeted by name": lambda it: "Jane" in it.greeting(),
    "opens a case": lambda it: it.is_accepted(
        "createSalesforceCase", Kind.CASE_CREATE, issueType="technical", description="New"
    ),
    "comments on an older case": lambda it: it.is_accepted(
        "addCaseComment", Kind.CASE_COMMENT, caseNumber="00001001", comment="More"
    ),
    "closes a case of an earlier call": lambda it: it.is_accepted(
        "cancelCase", Kind.CASE_CLOSE, reference=it.case
    ),
    "changes the postal address": _changes("MailingCity", mailingCity="Oakland"),
    "changes a phone number": _changes("MobilePhone", mobilePhone=NEW_MOBILE),
    "changes the email": _changes("Email", email=NEW_EMAIL),
    "is called back on this number": lambda it: it.is_accepted("requestCallback", Kind.CALLBACK),
    "is called back on another number": lambda it: (
        "will call back" in it.says("requestCallback", phone="+14155550199")
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for base in EXPECTED:
        folder = tmp_path_factory.mktemp(base) / "agent"
        shutil.copytree(AGENT_FOLDER, folder)
        (folder / "policy.toml").write_text(f'base = "{base}"\n')
        made[base] = folder
    return made


@pytest.fixture
def base() -> str:
    return "standard"


@pytest.fixture
def window_ms() -> int:
    return 0


@pytest.fixture
def settings(
    store: redis.Redis, store_server: Store, org: Org, base: str, folders: dict[str, Path],
    window_ms: int,
) -> Settings:  # fmt: skip
    others = {
        "agent_dir": str(folders[base]),
        "vapi_assistant_id": "a-1",
        "commit_window_ms": window_ms,
    }
    return make_settings(store_server.url, org.url, **others)


def jane(org: Org) -> dict[str, Any]:
    (found,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    return found


@pytest.fixture
def caller(
    settings: Settings, store: redis.Redis, journal: Journal, context: DeliveryContext,
    org: Org, tier: Tier,
) -> Iterator[Caller]:  # fmt: skip
    app = create_app(settings)
    service: Service = app.extensions["service"]
    client = app.test_client()
    wanted = {"issueType": "account", "description": "An older case"}
    made = say(client, "createSalesforceCase", wanted, call_id="before")
    drain(context, Kind.CASE_CREATE)
    number = UNKNOWN if tier is Tier.UNKNOWN else KNOWN
    post(client, message("status-update", call_id="c", number=number, status="in-progress"))
    if tier.reaches(Tier.KNOWN):
        Calls(store).prove("c", Proof(jane(org)["Id"], KNOWN, tier), 0)
    yield Caller(client, service, journal, number, reference_in(made))
    service.close()


@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("base", EXPECTED)
def test_the_policy_decides(base: str, tier: Tier, what: str, caller: Caller) -> None:
    expected = EXPECTED[base][what][TIERS.index(tier)] == "+"
    assert CHECKS[what](caller) is expected


CELLS = {
    # verb, cell: the tiers from unknown to verified, with strict, standard and open
    (Verb.IDENTIFY, DEFAULT): ("---+", "-+++", "-+++"),
    (Verb.IDENTIFY, ACCOUNT_LINE): ("---+", "++++", "++++"),
    (Verb.READ, DEFAULT): ("---+", "-+++", "-+++"),
    (Verb.READ, HOUSEHOLD): ("---+", "-+++", "-+++"),
    (Verb.READ, "Case.Subject"): ("---+", "--++", "-+++"),
    (Verb.READ, "Case.Type"): ("---+", "--++", "-+++"),
    (Verb.READ, "Case.Priority"): ("---+", "-+++", "-+++"),
    (Verb.CREATE, DEFAULT): ("++++", "++++", "++++"),
    (Verb.CREATE, ACCOUNT_LINE): ("++++", "++++", "++++"),
    (Verb.COMMENT, DEFAULT): ("---+", "-+++", "-+++"),
    (Verb.COMMENT, HOUSEHOLD): ("---+", "-+++", "-+++"),
    (Verb.CLOSE, DEFAULT): ("---+", "-+++", "-+++"),
    (Verb.CLOSE, HOUSEHOLD): ("---+", "-+++", "-+++"),
    (Verb.UPDATE, DEFAULT): ("---+", "-+++", "-+++"),
    (Verb.UPDATE, "Contact.Phone"): ("---+", "---+", "-+++"),
    (Verb.UPDATE, "Contact.Email"): ("---+", "---+", "-+++"),
    (Verb.CALL_BACK, DEFAULT): ("++++", "++++", "++++"),
    (Verb.CALL_BACK, ANOTHER_NUMBER): ("---+", "---+", "++++"),
}
"""Each cell by itself, also where a caller of a lower tier has nothing that it could open. What
follows for companies' lines and households is tested in `tests/callers`."""


@pytest.mark.parametrize(("verb", "cell"), CELLS)
@pytest.mark.parametrize("base", EXPECTED)
def test_the_policy_decides_each_cell(
    folders: dict[str, Path], base: str, verb: Verb, cell: str
) -> None:
    policy = read_policy(folders[base])
    allowed = "".join("+" if policy.allows(tier, verb, cell) else "-" for tier in TIERS)
    assert allowed == CELLS[verb, cell][list(EXPECTED).index(base)]


def test_every_verb_is_decided_for_every_tier_and_policy(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        policy = read_policy(folder)
        assert set(policy.tiers) == set(Verb) - {Verb.VERIFY}
        assert all("default" in cells for cells in policy.tiers.values())


@pytest.mark.parametrize(
    ("base", "needed"),
    [("strict", Tier.VERIFIED), ("standard", Tier.VERIFIED), ("open", Tier.RECOGNISED)],
)
@pytest.mark.parametrize(
    "field",
    [
        "Phone",
        "MobilePhone",
        "HomePhone",
        "OtherPhone",
        "AssistantPhone",
        "Fax",
        "Email",
        "MailingCountry",
        "MailingCountryCode",
    ],
)
def test_every_way_to_reach_a_customer_is_guarded_alike(
    folders: dict[str, Path], base: str, needed: Tier, field: str
) -> None:
    """Also the fields that no tool of the default folder changes, and those by which a phone number
    is read."""
    assert read_policy(folders[base]).needs(Verb.UPDATE, f"Contact.{field}") is needed


# -- what happens below the tier -------------------------------------------------------------------


def test_a_new_phone_number_of_an_unverified_caller_becomes_a_task_for_a_person(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    before = jane(org)
    said = say(client, "updateContact", {"mobilePhone": NEW_MOBILE, "email": NEW_EMAIL})
    assert said.startswith("A colleague will check the new mobile number and email address")
    assert drain(context, Kind.CALLBACK).counts == {"delivered": 1}
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert f"mobile number: {NEW_MOBILE}" in task["Description"]
    assert f"email address: {NEW_EMAIL}" in task["Description"]
    assert "not verified" in task["Description"]
    assert task["WhoId"] == before["Id"]
    assert jane(org) == before


def test_what_may_be_changed_at_once_is_and_the_rest_is_checked(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    said = say(client, "updateContact", {"mailingCity": "Oakland", "email": NEW_EMAIL})
    assert "The new city will be on file in a moment" in said
    assert "A colleague will check the new email address, spelled j a n e at n e w" in said
    drain(context, Kind.CONTACT_UPDATE)
    drain(context, Kind.CALLBACK)
    assert jane(org)["MailingCity"] == "Oakland"
    assert jane(org)["Email"] != NEW_EMAIL
    (task,) = (row for row in org.records("Task") if row["Call_Key__c"])
    assert NEW_EMAIL in task["Description"]


def test_a_change_that_a_person_checks_is_no_call_back_after_a_transfer_in_vain(
    client: FlaskClient, journal: Journal
) -> None:
    say(client, "updateContact", {"email": NEW_EMAIL})
    transfers = [{"destination": {"type": "number", "number": LUIS}, "status": "no-answer"}]
    report: dict[str, Any] = {
        "endedReason": "assistant-forwarded-call",
        "artifact": {"transfers": transfers},
    }
    post(client, message("end-of-call-report", **report))
    drafts = [intent.draft_as(CallbackDraft) for intent in journal.of_call("call-1")]
    to_call = [draft for draft in drafts if draft and not draft.changes]
    assert [draft.phone for draft in to_call] == [KNOWN]


def test_a_corrected_change_is_one_task_with_both_fields_and_the_last_words(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    first = say(client, "updateContact", {"email": NEW_EMAIL, "phone": NEW_MOBILE}, id="1")
    corrected = {"email": "jane@corrected.example", "replaces": reference_in(first)}
    say(client, "updateContact", corrected, id="2")
    drafts = [intent.draft_as(CallbackDraft) for intent in journal.of_call("call-1")]
    assert "jane@corrected.example" in {draft.changes.get("Email") for draft in drafts if draft}


@pytest.mark.parametrize("window_ms", [60_000])
def test_a_change_and_the_rest_of_it_are_taken_back_together(
    client: FlaskClient, journal: Journal
) -> None:
    wanted = {"mailingCity": "Oakland", "email": NEW_EMAIL}
    body = tool_message(("t-1", "updateContact", wanted), timestamp=1_000)
    post(client, body)
    assert {intent.state for intent in journal.of_call("call-1")} == {State.HELD}
    words = message(
        "transcript",
        role="user",
        transcriptType="final",
        transcript="Cancel that.",
        timestamp=2_000,
    )
    post(client, words)
    states = [(intent.kind, intent.state) for intent in journal.of_call("call-1")]
    assert states == [
        (Kind.CONTACT_UPDATE, State.CANCELLED),
        (Kind.CALLBACK, State.CANCELLED),
    ]


def test_a_change_that_a_person_checks_shows_nobody_which_numbers_are_on_file(
    client: FlaskClient, org: Org
) -> None:
    on_file = say(client, "updateContact", {"mobilePhone": LUIS}, call_id="a")
    unknown = say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="b")
    assert on_file[: -len("XXX XXX.")] == unknown[: -len("XXX XXX.")]


@pytest.mark.parametrize("base", ["strict"])
def test_an_unverified_caller_is_asked_for_the_pin(client: FlaskClient, org: Org) -> None:
    for tool, arguments in (
        ("retrieveCustomerCase", {}),
        ("getCaseStatus", {"caseNumber": "00001001"}),
        ("getCaseStatus", {"caseNumber": "99999999"}),
        ("updateContact", {"mailingCity": "Oakland"}),
        ("addCaseComment", {"caseNumber": "00001001", "comment": "x"}),
    ):
        said = say(client, tool, arguments)
        assert said.startswith("For that the caller has to show who they are.")
        assert "call verifyCaller" in said


# -- verifying -------------------------------------------------------------------------------------

FAILED = "That could not be verified."


def verify(
    client: FlaskClient, pin: str, call_id: str = "c", number: str = KNOWN, **own: Any
) -> str:
    return say(client, "verifyCaller", {"pin": pin}, call_id=call_id, number=number, **own)


@pytest.mark.parametrize("pin", [PIN, "4-2-7-1", "4 2 7 1"])
def test_a_caller_with_the_pin_may_change_the_phone_number(
    client: FlaskClient, context: DeliveryContext, org: Org, pin: str
) -> None:
    assert verify(client, pin).startswith("The caller is verified now.")
    say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="c")
    drain(context, Kind.CONTACT_UPDATE)
    assert jane(org)["MobilePhone"] == NEW_MOBILE


def test_who_is_verified_in_one_call_is_not_in_the_next(
    client: FlaskClient, journal: Journal
) -> None:
    verify(client, PIN)
    say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="d")
    assert [intent.kind for intent in journal.of_call("d")] == [Kind.CALLBACK]


def test_who_takes_over_a_transferred_call_has_shown_nothing(
    client: FlaskClient, settings: Settings, journal: Journal
) -> None:
    verify(client, PIN)
    settings.calls.__dict__["fallback_phone_number"] = "+14155550123"
    given = post(client, message("transfer-destination-request", call_id="c")).get_json()
    assert "destination" in given
    say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="c")
    assert [intent.kind for intent in journal.of_call("c")] == [Kind.CALLBACK]


def test_a_transfer_does_not_end_a_lock(client: FlaskClient, settings: Settings) -> None:
    for nth in range(3):
        verify(client, f"000{nth}")
    settings.calls.__dict__["fallback_phone_number"] = "+14155550123"
    post(client, message("transfer-destination-request", call_id="c"))
    assert "Jane" not in say(client, "lookupCustomer", call_id="c")


@pytest.mark.parametrize(
    ("number", "pin"),
    [(KNOWN, WRONG), (KNOWN, ""), (KNOWN, "5516"), (UNKNOWN, PIN), ("", PIN), (SHARED, PIN)],
    ids=["wrong", "none said", "another's", "nobody's number", "no number", "a shared number"],
)
def test_what_proves_nothing_gets_the_same_sentence(
    client: FlaskClient, number: str, pin: str
) -> None:
    said = verify(client, pin or "0000", number=number)
    assert said == FAILED


def test_one_of_those_who_share_a_number_is_known_by_the_pin(client: FlaskClient) -> None:
    assert verify(client, "9038", number=SHARED).startswith("The caller is verified now.")
    assert "Paula Novak" in say(client, "lookupCustomer", number=SHARED, call_id="c")


def test_an_empty_or_short_pin_on_file_verifies_nobody(client: FlaskClient, org: Org) -> None:
    for nth, stored in enumerate((None, "12", "1 2-3")):
        org.edit("Contact", jane(org)["Id"], Voice_PIN__c=stored)
        assert verify(client, stored or "0", call_id=f"c{nth}") == FAILED


def test_an_org_without_the_field_verifies_nobody(client: FlaskClient, org: Org) -> None:
    org.fault(hide_fields=["Contact.Voice_PIN__c"])
    assert verify(client, PIN) == FAILED


def test_three_wrong_answers_make_the_caller_unknown_for_the_rest_of_the_call(
    client: FlaskClient,
) -> None:
    for nth in range(3):
        assert verify(client, f"000{nth}") == FAILED
    assert verify(client, PIN) == FAILED
    assert "Jane" not in say(client, "lookupCustomer", call_id="c")
    assert "00001001" not in say(client, "retrieveCustomerCase", call_id="c")
    assert "reference" in say(
        client, "createSalesforceCase", {"issueType": "billing", "description": "x"}, call_id="c"
    )


def test_wrong_answers_never_shut_the_customer_out(client: FlaskClient) -> None:
    for call in range(4):
        for nth in range(3):
            verify(client, f"000{nth}", call_id=f"a{call}")
    assert verify(client, PIN, call_id="mine") == FAILED  # for a day, nobody guesses on
    assert "Jane Miller" in say(client, "lookupCustomer", call_id="next")


def test_a_right_answer_clears_the_wrong_ones_of_a_number(client: FlaskClient) -> None:
    for call in range(6):
        verify(client, WRONG, call_id=f"c{call}")
        assert verify(client, PIN, call_id=f"c{call}").startswith("The caller is verified")


def test_a_redelivered_answer_is_no_second_guess(client: FlaskClient) -> None:
    for _ in range(5):
        assert verify(client, WRONG, id="same") == FAILED
    assert verify(client, PIN).startswith("The caller is verified")


def test_a_pin_is_kept_nowhere(
    client: FlaskClient, store: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    org_pin = "83610472"
    verify(client, org_pin)
    for key in store.scan_iter():
        assert org_pin not in str(store.dump(key))
        assert org_pin not in str(key)
    logged = capsys.readouterr()
    assert org_pin not in logged.out + logged.err


def test_a_number_that_changes_hands_ends_the_proof(
    client: FlaskClient, store: redis.Redis, org: Org, keys: str
) -> None:
    verify(client, PIN)
    found = jane(org)
    org.edit("Contact", found["Id"], Phone="+14155550190")
    other = next(row for row in org.records("Contact") if row["Name"] == "Luis Garcia")
    org.edit("Contact", other["Id"], Phone=KNOWN, MobilePhone=None)
    store.delete(f"{keys}snapshot:{KNOWN}")
    assert "Luis Garcia" in say(client, "lookupCustomer", call_id="c", id="again")
    assert "Jane" not in say(client, "retrieveCustomerCase", call_id="c")


# -- why -------------------------------------------------------------------------------------------


def explained(settings: Settings, monkeypatch: pytest.MonkeyPatch, call_id: str) -> list[str]:
    monkeypatch.setattr("cli.store.load_settings", lambda: settings)
    done = CliRunner().invoke(cli, ["policy", "explain", "--call", call_id])
    assert done.exit_code == 0, done.output
    return [line.partition(" ")[2] for line in done.output.splitlines()]


def test_each_decision_is_explained_with_its_evidence_and_its_rule(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(client, "retrieveCustomerCase", call_id="c")
    say(client, "updateContact", {"email": NEW_EMAIL}, call_id="c")
    verify(client, PIN)
    say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="c")
    known = "one contact has the number, so the caller is recognised; it needs"
    proved = "a contact has the number, and the caller knew the PIN, so the caller is verified; it"
    lines = explained(settings, monkeypatch, "c")
    assert f"retrieveCustomerCase: read allowed: {known} recognised" in lines
    assert f"read Case.Subject refused: {known} known" in lines
    assert f"updateContact: update Contact.Email refused: {known} verified" in lines
    assert f"updateContact: update Contact.MobilePhone allowed: {proved} needs verified" in lines
    assert not any(NEW_EMAIL in line or NEW_MOBILE in line or PIN in line for line in lines)


@pytest.mark.parametrize(
    ("number", "evidence"),
    [
        ("", "the call shows no number"),
        (UNKNOWN, "no contacts have the number"),
        (SHARED, "2 contacts have the number"),
    ],
)
def test_the_evidence_of_an_unknown_caller_is_named(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    number: str, evidence: str,
) -> None:  # fmt: skip
    say(client, "lookupCustomer", call_id="c", number=number)
    wanted = {"caseNumber": "00001001", "comment": "x"}
    say(client, "addCaseComment", wanted, call_id="c", number=number)
    (line,) = explained(settings, monkeypatch, "c")
    assert line == (
        f"addCaseComment: comment refused: {evidence}, so the caller is unknown; "
        "it needs recognised"
    )


def test_repeats_push_out_no_evidence(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify(client, PIN)
    say(client, "updateContact", {"mobilePhone": NEW_MOBILE}, call_id="c")
    before = explained(settings, monkeypatch, "c")
    monkeypatch.setattr("shared.calls.decisions.MAX_DECISIONS", len(before) + 4)
    for nth in range(10):
        now = int(time.time() * 1000) + nth
        post(
            client,
            tool_message((f"r{nth}", "retrieveCustomerCase", {}), call_id="c", timestamp=now),
        )
    after = explained(settings, monkeypatch, "c")
    assert set(before) <= set(after)
    assert len(after) == len(set(after))


def test_a_call_without_decisions_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.store.load_settings", lambda: settings)
    done = CliRunner().invoke(cli, ["policy", "explain", "--call", "none"])
    assert done.exit_code == 1
    assert "no decision of a call none is stored" in done.output


# -- the file --------------------------------------------------------------------------------------


def refused(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(AgentError) as error:
        read_policy(tmp_path)
    return [str(mistake) for mistake in error.value.mistakes]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('base = "lax"', "policy.toml:1: base is unknown; use strict or standard or open"),
        ('\n[reed]\ndefault = "known"', "policy.toml:2: reed is unknown; use a table: base,"),
        ('[read]\ndefault = "sure"', 'policy.toml:2: read.default is not a tier; write "unknown"'),
        ('[comment]\nfoo = "known"', "policy.toml:2: comment has no foo; write default"),
        ('[update]\nStatus = "known"', "policy.toml:2: update has no Status; write default, or a"),
        ('[close]\n"Case.Status" = "known"', "policy.toml:2: close has no Case.Status; write"),
        ('[create]\ndefault = "known"', "policy.toml:2: a case is taken from every caller;"),
        ('[read]\n"Case.Status" = "known"', "policy.toml:2: read does not tell Case.Status apart;"),
        (
            '[read]\n"case.casenumber" = "known"',
            "policy.toml:2: read does not tell case.casenumber",
        ),
        ('[identify]\n"Contact.Email" = "known"', "policy.toml:2: identify does not tell Contact."),
        ("[read\n", "policy.toml:1: is not TOML"),
    ],
)
def test_a_wrong_policy_is_refused_with_line_and_remedy(
    tmp_path: Path, text: str, mistake: str
) -> None:
    (found,) = refused(tmp_path, text)
    assert found.startswith(mistake)


def test_lines_of_the_file_replace_single_cells_of_the_base(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(
        'base = "strict"\n[read]\n"Case.Subject" = "known"\n[update]\n"Contact.Email" = "known"\n'
    )
    policy = read_policy(tmp_path)
    assert policy.needs(Verb.READ, "Case.Subject") is Tier.KNOWN
    assert policy.needs(Verb.UPDATE, "Contact.Email") is Tier.KNOWN
    assert policy.needs(Verb.UPDATE, "Contact.Phone") is Tier.VERIFIED
    assert policy.needs(Verb.READ) is Tier.VERIFIED


def test_a_folder_without_a_policy_has_the_standard_one(tmp_path: Path) -> None:
    assert read_policy(tmp_path).base == "standard"


def test_a_tool_may_ask_for_more_than_the_policy_and_never_for_less(
    store_server: Store, store: redis.Redis, org: Org, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    (folder / "policy.toml").write_text('base = "strict"\n')
    tool = folder / "tools" / "retrieveCustomerCase.toml"
    tool.write_text(f'tier = "recognised"\n{tool.read_text()}')
    other = folder / "tools" / "requestCallback.toml"
    other.write_text(f'tier = "recognised"\n{other.read_text()}')
    app = create_app(make_settings(store_server.url, org.url, agent_dir=str(folder)))
    client = app.test_client()
    asks = say(client, "retrieveCustomerCase", call_id="a")
    known = ask(client, "requestCallback", call_id="a")
    unknown = ask(client, "requestCallback", call_id="b", number=UNKNOWN)
    app.extensions["service"].close()
    assert "has to show who they are" in asks
    assert "reference" in known["result"]
    assert "has to show who they are" in unknown["error"]


@pytest.fixture
def says_verified(tmp_path: Path) -> Path:
    """The default folder, with a tier in the files of two tools and none in the policy."""
    folder = tmp_path / "agent"
    shutil.copytree(AGENT_FOLDER, folder)
    for name in ("lookupCustomer", "addCaseComment"):
        tool = folder / "tools" / f"{name}.toml"
        tool.write_text(f'tier = "verified"\n{tool.read_text()}')
    return folder


def test_the_tier_of_a_tool_holds_wherever_its_verb_is_at_work(
    store_server: Store, store: redis.Redis, org: Org, says_verified: Path
) -> None:
    others = {"agent_dir": str(says_verified), "vapi_assistant_id": "assistant-1"}
    app = create_app(make_settings(store_server.url, org.url, **others))
    client = app.test_client()
    older = {"issueType": "billing", "description": "older"}
    ask(client, "createSalesforceCase", older, call_id="before")
    asked = message("assistant-request", call_id="c", number=KNOWN)
    values = post(client, asked).get_json()["assistantOverrides"]["variableValues"]
    again = {"issueType": "billing", "description": "stranger", "onExisting": "comment"}
    refused = ask(client, "createSalesforceCase", again, call_id="c")
    made = app.extensions["service"].journal.of_call("c")
    app.extensions["service"].close()
    assert values["customerName"] == values["accountName"] == ""
    assert "error" in refused
    assert made == []


def test_the_tier_of_one_tool_is_not_that_of_another_tool_of_the_verb(says_verified: Path) -> None:
    agent = load_agent(str(says_verified))
    status, comment = agent.tools["getCaseStatus"], agent.tools["addCaseComment"]
    assert agent.needs(Verb.READ, tool=status) is Tier.RECOGNISED
    assert agent.needs(Verb.COMMENT, tool=comment) is Tier.VERIFIED
    assert agent.needs(Verb.COMMENT) is Tier.VERIFIED
    assert agent.needs(Verb.COMMENT, tool=status) is Tier.VERIFIED
    assert agent.needs(Verb.READ) is Tier.RECOGNISED
