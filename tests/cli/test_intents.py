"""What operators do with parked intents. Doing it twice changes nothing."""

import json
from typing import Any

import pytest
import redis
from click.testing import CliRunner, Result

from cli.__main__ import cli
from demo.stack import Org
from shared.agent.folder import load_agent
from shared.domain.drafts import CallbackDraft, CaseDraft, CommentDraft, ContactDraft, Draft
from shared.domain.intent import Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.operators.audit import Audit
from shared.operators.edits import edited
from shared.settings import load_settings
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

WORDS = "Billing cases need an order number." + " Really." * 50
REFUSED = {"validation_rules": [{"object": "Case", "when": "Type = 'Billing'", "message": WORDS}]}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["intents", *words])


def parked(journal: Journal, context: DeliveryContext, org: Org, call_id: str = "call-1") -> str:
    draft = CaseDraft(issue_type="billing", description="private words")
    intent_id = _accept(journal, Kind.CASE_CREATE, draft, call_id)
    org.fault(**REFUSED)
    assert drain(context, Kind.CASE_CREATE).counts["parked"] == 1
    org.fault()
    return intent_id


def _accept(
    journal: Journal, kind: Kind, draft: Draft, call_id: str = "call-1", tool: str = ""
) -> str:
    intent_id = new_intent_id()
    new = NewIntent(
        id=intent_id, kind=kind, draft=draft, tool=tool, reference=new_reference(), said="Noted."
    )
    journal.accept(call_id, [new])
    return intent_id


def state(journal: Journal, intent_id: str) -> State:
    found = journal.get(intent_id)
    assert found
    return found.state


def test_the_list_shows_reason_time_and_call_but_not_what_the_caller_said(
    journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    intent_id = parked(journal, context, org)
    output = run("list", "--state", "parked").output
    assert intent_id in output
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in output
    assert "call-1" in output
    assert "private" not in output
    assert "Billing cases need an order number." in output
    assert WORDS not in output
    row = json.loads(run("list", "--json").output)
    assert row["settled_at"]
    shown = json.loads(run("show", intent_id).output)
    assert not {"said", "payload"} & shown.keys()
    assert shown["detail"] == WORDS
    assert Audit(store).newest(10) == []
    shown = json.loads(run("show", intent_id, "--reveal").output)
    (note,) = Audit(store).newest(10)
    assert (note.what, note.ids) == ("reveal", (intent_id,))
    assert shown["said"] == "Noted."
    assert shown["detail"] == WORDS
    assert shown["payload"]["description"] == "private words"


def test_a_value_that_salesforce_quotes_is_masked_until_it_is_revealed(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    draft = CaseDraft(issue_type="billing", description="private words")
    _accept(journal, Kind.CASE_CREATE, draft)
    quoting = {"object": "Case", "when": "Type = 'Billing'", "message": "Not: private words"}
    org.fault(validation_rules=[quoting])
    drain(context, Kind.CASE_CREATE)
    org.fault()
    assert "Not: •••" in run("list", "--state", "parked").output
    assert "Not: private words" in run("list", "--state", "parked", "--reveal").output


def test_the_list_filters_before_it_limits_counts_and_goes_on(journal: Journal) -> None:
    ids = []
    for nth in range(5):
        ids.append(_accept(journal, Kind.CALLBACK, CallbackDraft(phone="+14155550199"), f"c{nth}"))
        comment = CommentDraft(case_number="1", text="x")
        _accept(journal, Kind.CASE_COMMENT, comment, f"c{nth}", tool="addCaseComment")
    first = run("list", "--kind", "callback", "--limit", "2").output.splitlines()
    assert [line.split()[0] for line in first[:2]] == [ids[4], ids[3]]
    assert first[2].startswith("2 of 5; the next page: --from ")
    place = first[2].split()[-1]
    then = run("list", "--kind", "callback", "--limit", "9", "--from", place).output.splitlines()
    assert [line.split()[0] for line in then] == [ids[2], ids[1], ids[0], "3"]
    rows = run("list", "--kind", "callback", "--limit", "2", "--json").output.splitlines()
    assert [json.loads(row).get("id") for row in rows[:2]] == [ids[4], ids[3]]
    assert json.loads(rows[2])["of"] == 5
    assert run("list").output.splitlines()[-1] == "10 of 10"
    assert run("list", "--state", "open").output.splitlines()[-1] == "10 of 10"
    assert run("list", "--tool", "addCaseComment").output.splitlines()[-1] == "5 of 5"
    assert run("list", "--call", "c1").output.splitlines()[-1] == "2 of 2"
    assert run("list", "--call", "c1", "--kind", "callback").output.count("\n") == 2
    assert run("list", "--reason", "NOBODY*").output == "none\n"


def test_nothing_is_changed_without_yes(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    for verb in ("replay", "discard"):
        result = run(verb, "--all")
        assert result.exit_code == 0
        assert f"would {verb} 1" in result.output
    assert state(journal, intent_id) is State.PARKED


def test_a_replayed_intent_is_delivered_once_however_often_it_is_replayed(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    assert run("replay", intent_id, "--yes").output == "replayed 1\n"
    assert run("replay", intent_id, "--yes").output == ""
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert run("replay", intent_id, "--yes").exit_code == 0
    assert state(journal, intent_id) is State.DELIVERED
    assert sum(record["Call_Key__c"] == intent_id for record in org.records("Case")) == 1


def test_a_discarded_intent_is_settled_and_stays_so(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    assert run("discard", intent_id, "--yes").output == "discarded 1\n"
    assert run("replay", intent_id, "--yes").output == ""
    assert state(journal, intent_id) is State.CANCELLED
    assert journal.parked(10) == []


def test_what_an_operator_did_elsewhere_is_discarded_as_kept_by_hand(
    journal: Journal, context: DeliveryContext, org: Org, store: redis.Redis
) -> None:
    intent_id = parked(journal, context, org)
    assert run("discard", intent_id, "--kept-by-hand", "--yes").output == "discarded 1\n"
    assert state(journal, intent_id) is State.CANCELLED
    assert Audit(store).newest(1)[0].what == "discard, kept by hand"


def test_filters_choose_among_what_is_parked(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    first = parked(journal, context, org, "call-1")
    second = parked(journal, context, org, "call-2")
    assert "would replay 1" in run("replay", "--call", "call-2").output
    assert "would replay 2" in run("replay", "--reason", "FIELD_CUSTOM").output
    assert "would replay 0" in run("replay", "--kind", "callback").output
    assert run("discard", "--call", "call-1", "--yes").output == "discarded 1\n"
    assert (state(journal, first), state(journal, second)) == (State.CANCELLED, State.PARKED)
    assert run("replay").exit_code == 2


def test_an_edited_draft_is_replayed_as_it_was_corrected(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    assert "would edit" in run("edit", intent_id, "--set", "issue_type=technical").output
    assert run("edit", intent_id, "--set", "weather=fine", "--yes").exit_code == 2
    run("edit", intent_id, "--set", "issue_type=technical", "--yes")
    org.fault(**REFUSED)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    (opened,) = (record for record in org.records("Case") if record["Call_Key__c"] == intent_id)
    assert opened["Type"] == "Technical"
    assert run("edit", intent_id, "--set", "issue_type=billing", "--yes").exit_code == 1


def test_an_edited_contact_change_is_made_over_the_conflict_it_parked_for(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    draft = ContactDraft(
        contact_id=jane["Id"],
        changes={"Email": "a@example.com"},
        seen={"Email": ["other@example.com"]},
        accepted_at="2026-11-22T10:00:00.000+00:00",
    )
    intent_id = _accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    run("edit", intent_id, "--set", "Email=b@example.com", "--yes")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    (jane,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    assert jane["Email"] == "b@example.com"


def test_an_edited_comment_is_measured_as_salesforce_measures_it(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    comment = CommentDraft(case_number="00001005", text="x")  # another contact's case, so it parks
    intent_id = _accept(journal, Kind.CASE_COMMENT, comment, tool="addCaseComment")
    assert drain(context, Kind.CASE_COMMENT).counts == {"parked": 1}
    result = run("edit", intent_id, "--set", f"text={'&' * 781}", "--yes")
    assert result.exit_code == 2
    assert "The comment is too long." in result.output
    assert run("edit", intent_id, "--set", f"text={'&' * 780}", "--yes").exit_code == 0


NOW = "2026-11-22T10:00:00.000+00:00"


def jane(org: Org) -> dict[str, Any]:
    (found,) = (record for record in org.records("Contact") if record["Name"] == "Jane Miller")
    return found


def parked_contact(journal: Journal, context: DeliveryContext, org: Org, **others: Any) -> str:
    """Jane, whose phone, email and city somebody has edited since."""
    changes = {"Email": "a@example.com", "Phone": "+14155550188", "MailingCity": "Oakland"}
    given = {"contact_id": jane(org)["Id"], "caller_number": "+14155550101"} | others
    seen: dict[str, list[str | None]] = {name: ["seen"] for name in changes}
    draft = ContactDraft(changes=changes, seen=seen, accepted_at=NOW, **given)
    intent_id = _accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    return intent_id


def test_a_field_is_left_out_or_emptied_each_by_its_own_word(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    before = jane(org)
    assert before["Email"]
    assert before["MailingCity"]
    intent_id = parked_contact(journal, context, org)
    run("edit", intent_id, "--unset", "Email", "--empty", "MailingCity", "--yes")
    assert drain(context, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    after = jane(org)
    assert after["Email"] == before["Email"]
    assert not after["MailingCity"]
    assert after["Phone"] == "+14155550188"


def test_set_without_a_value_is_refused_and_names_both_words(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked_contact(journal, context, org)
    for value in ("", "  "):
        refused = run("edit", intent_id, "--set", f"Email={value}", "--yes")
        assert refused.exit_code == 2
        assert "--unset Email to leave it out" in refused.output
        assert "--empty Email to erase it in the org" in refused.output
    assert state(journal, intent_id) is State.PARKED
    assert jane(org)["Email"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "Email=nonsense"], "That is not a complete email address."),
        (["--set", "Phone=12"], "That is not a complete phone number."),
        (["--set", f"MailingCity={'x' * 41}"], "The mailing city is too long."),
        (["--set", "LastName=Smith"], "a contact_update has no LastName"),
        (["--set", "seen=x"], "a contact_update has no seen"),
        (["--set", "contact_id=001000000000001"], "contact_id must be a Contact id"),
        (["--set", "caller_number=nobody"], "caller_number must be a phone number"),
        (["--set", "Email"], "write --set Email=VALUE"),
        (["--set", "Email=b@example.com", "--unset", "Email"], "Email is named twice"),
        (
            ["--unset", "Email", "--unset", "Phone", "--unset", "MailingCity"],
            "nothing would be left",
        ),
        ([], "name a correction"),
    ],
)
def test_what_the_tool_would_refuse_of_a_contact_is_refused(
    words: list[str], sentence: str, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked_contact(journal, context, org)
    refused = run("edit", intent_id, *words, "--yes")
    assert refused.exit_code == 2
    assert sentence in " ".join(refused.output.split())
    assert state(journal, intent_id) is State.PARKED


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--set", "priority=Urgent"], "The priority must be low, medium or high."),
        (["--set", "issue_type=nonsense"], "The issue type must be billing, technical or account."),
        (["--set", f"account_number={'9' * 41}"], "The account number is too long."),
        (["--set", "reference=K7M 2QX"], "a case_create has no reference"),
        (["--unset", "description"], "description can't be left out of a case_create"),
        (["--empty", "priority"], "only a contact update can erase what the org has"),
    ],
)
def test_what_the_tool_would_refuse_of_a_case_is_refused(
    words: list[str], sentence: str, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    refused = run("edit", intent_id, *words, "--yes")
    assert refused.exit_code == 2
    assert sentence in " ".join(refused.output.split())
    assert state(journal, intent_id) is State.PARKED


def test_a_value_is_written_as_the_tool_writes_it(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked(journal, context, org)
    run("edit", intent_id, "--set", "priority=HIGH", "--set", "issue_type=Technical", "--yes")
    intent = journal.get(intent_id)
    assert intent
    assert (intent.payload["priority"], intent.payload["issue_type"]) == ("High", "technical")
    other = parked_contact(journal, context, org)
    run("edit", other, "--set", "Phone=(415) 555-0177", "--yes")
    changed = journal.get(other)
    assert changed
    assert changed.payload["changes"]["Phone"] == "+14155550177"


def test_the_dry_run_shows_old_and_new_and_what_the_org_has_now(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked_contact(journal, context, org)
    email, city = jane(org)["Email"], jane(org)["MailingCity"]
    words = ["--set", "Email=b@example.com", "--unset", "MailingCity", "--empty", "Phone"]
    output = run("edit", intent_id, *words).output
    assert f'Email: "a@example.com" → "b@example.com"   (in the org now: "{email}")' in output
    assert f'MailingCity: "Oakland" → left out   (in the org now: "{city}")' in output
    assert 'Phone: "+14155550188" → erased' in output
    assert state(journal, intent_id) is State.PARKED
    case_id = parked(journal, context, org)
    output = run("edit", case_id, "--set", "priority=High").output
    assert 'priority: left out → "High"' in output
    assert "The org has no Case of this intent." in output


def test_the_dry_run_finds_the_contact_by_the_callers_number(
    journal: Journal, context: DeliveryContext, org: Org
) -> None:
    intent_id = parked_contact(journal, context, org)
    email = jane(org)["Email"]
    intent = journal.get(intent_id)
    assert intent
    journal.replay([intent_id], intent.payload | {"contact_id": None})
    drain(context, Kind.CONTACT_UPDATE)
    output = run("edit", intent_id, "--set", "Email=b@example.com").output
    assert f'(in the org now: "{email}")' in output
    output = run(
        "edit", intent_id, "--set", "caller_number=+14155559999", "--unset", "Email"
    ).output
    assert "The org has no such contact, or several" in output


@pytest.mark.parametrize(
    ("name", "value", "is_kept"),
    [
        ("contact_id", "003000000000001AAA", False), ("caller_number", "+14155550101", False),
        ("description", "y", True),
    ],
)  # fmt: skip
def test_who_the_operator_names_counts_although_the_org_had_said_nobody(
    name: str, value: str, is_kept: bool
) -> None:
    draft = CaseDraft(issue_type="billing", description="x", has_no_contact=True)
    intent = Intent(
        id="i1", kind=Kind.CASE_CREATE, state=State.PARKED, call_id="c", tool="t",
        reference="ABC DEF", schema=1, payload=draft.as_json(), accepted_at_ms=1,
    )  # fmt: skip
    edit = edited(
        intent,
        put=[f"{name}={value}"],
        left_out=[],
        emptied=[],
        agent=load_agent("agent"),
        region="US",
    )
    assert edit.draft["has_no_contact"] is is_kept


def test_the_dry_run_says_that_the_org_can_not_be_read(
    journal: Journal, context: DeliveryContext, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent_id = parked_contact(journal, context, org)
    monkeypatch.setattr("shared.operators.org_state.ANSWER_S", 0.3)
    org.fault(hang=True)
    result = run("edit", intent_id, "--set", "Email=b@example.com")
    org.fault()
    assert result.exit_code == 0
    assert "The org can't be read now" in result.output
    assert '"a@example.com" → "b@example.com"' in result.output


def test_an_unknown_intent_and_an_absent_store_are_a_sentence_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "no intent nobody" in run("show", "nobody").output
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    load_settings.cache_clear()
    ended = run("list")
    assert ended.exit_code == 1
    assert "does not answer" in ended.output
