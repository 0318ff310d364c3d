"""What an operator does with parked intents, and that doing it twice changes nothing."""

import json

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import cli
from demo.stack import Org
from shared.domain.drafts import CaseDraft, CommentDraft, ContactDraft, Draft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.domain.reference import new_reference
from shared.journal.journal import Journal
from shared.settings import load_settings
from workers.delivery.desk import Desk
from workers.delivery.engine import drain

WORDS = "Billing cases need an order number." + " Really." * 50
REFUSED = {"validation_rules": [{"object": "Case", "when": "Type = 'Billing'", "message": WORDS}]}


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["intents", *words])


def parked(journal: Journal, desk: Desk, org: Org, call_id: str = "call-1") -> str:
    draft = CaseDraft(issue_type="billing", description="private words")
    intent_id = _accept(journal, Kind.CASE_CREATE, draft, call_id)
    org.fault(**REFUSED)
    assert drain(desk, Kind.CASE_CREATE).counts["parked"] == 1
    org.fault()
    return intent_id


def _accept(journal: Journal, kind: Kind, draft: Draft, call_id: str = "call-1") -> str:
    intent_id = new_intent_id()
    new = NewIntent(id=intent_id, kind=kind, draft=draft, reference=new_reference(), said="Noted.")
    journal.accept(call_id, [new])
    return intent_id


def state(journal: Journal, intent_id: str) -> State:
    found = journal.get(intent_id)
    assert found
    return found.state


def test_the_list_tells_why_since_when_and_which_call_but_not_what_was_said(
    journal: Journal, desk: Desk, org: Org
) -> None:
    intent_id = parked(journal, desk, org)
    told = run("list", "--state", "parked").output
    assert intent_id in told
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in told
    assert "call-1" in told
    assert "private" not in told
    assert "Billing cases need an order number." in told
    assert WORDS not in told
    row = json.loads(run("list", "--json").output)
    assert row["settled_at"]
    shown = json.loads(run("show", intent_id).output)
    assert shown["said"] == "Noted."
    assert shown["detail"] == WORDS
    assert shown["payload"]["description"] == "private words"


def test_nothing_is_changed_without_yes(journal: Journal, desk: Desk, org: Org) -> None:
    intent_id = parked(journal, desk, org)
    for verb in ("replay", "discard"):
        told = run(verb, "--all")
        assert told.exit_code == 0
        assert f"would {verb} 1" in told.output
    assert state(journal, intent_id) is State.PARKED


def test_a_replayed_intent_is_delivered_once_however_often_replay_is_pressed(
    journal: Journal, desk: Desk, org: Org
) -> None:
    intent_id = parked(journal, desk, org)
    assert run("replay", intent_id, "--yes").output == "replayed 1\n"
    assert run("replay", intent_id, "--yes").output == ""
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert run("replay", intent_id, "--yes").exit_code == 0
    assert state(journal, intent_id) is State.DELIVERED
    assert sum(one["Call_Key__c"] == intent_id for one in org.records("Case")) == 1


def test_a_discarded_intent_is_settled_and_stays_so(journal: Journal, desk: Desk, org: Org) -> None:
    intent_id = parked(journal, desk, org)
    assert run("discard", intent_id, "--yes").output == "discarded 1\n"
    assert run("replay", intent_id, "--yes").output == ""
    assert state(journal, intent_id) is State.CANCELLED
    assert journal.parked(10) == []


def test_filters_choose_among_what_is_parked(journal: Journal, desk: Desk, org: Org) -> None:
    first = parked(journal, desk, org, "call-1")
    second = parked(journal, desk, org, "call-2")
    assert "would replay 1" in run("replay", "--call", "call-2").output
    assert "would replay 2" in run("replay", "--reason", "FIELD_CUSTOM").output
    assert "would replay 0" in run("replay", "--kind", "callback").output
    assert run("discard", "--call", "call-1", "--yes").output == "discarded 1\n"
    assert (state(journal, first), state(journal, second)) == (State.CANCELLED, State.PARKED)
    assert run("replay").exit_code == 2


def test_an_edited_draft_is_replayed_as_it_was_corrected(
    journal: Journal, desk: Desk, org: Org
) -> None:
    intent_id = parked(journal, desk, org)
    assert "would edit" in run("edit", intent_id, "--set", "issue_type=technical").output
    assert run("edit", intent_id, "--set", "weather=fine", "--yes").exit_code == 2
    run("edit", intent_id, "--set", "issue_type=technical", "--yes")
    org.fault(**REFUSED)
    assert drain(desk, Kind.CASE_CREATE).counts == {"delivered": 1}
    (opened,) = (one for one in org.records("Case") if one["Call_Key__c"] == intent_id)
    assert opened["Type"] == "Technical"
    assert run("edit", intent_id, "--set", "issue_type=billing", "--yes").exit_code == 1


def test_an_edited_contact_change_is_made_over_the_conflict_it_parked_for(
    journal: Journal, desk: Desk, org: Org
) -> None:
    (jane,) = (one for one in org.records("Contact") if one["Name"] == "Jane Miller")
    draft = ContactDraft(
        contact_id=jane["Id"],
        changes={"Email": "a@example.com"},
        seen={"Email": ["other@example.com"]},
        accepted_at="2026-11-22T10:00:00.000+00:00",
    )
    intent_id = _accept(journal, Kind.CONTACT_UPDATE, draft)
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"parked": 1}
    run("edit", intent_id, "--set", "Email=b@example.com", "--yes")
    assert drain(desk, Kind.CONTACT_UPDATE).counts == {"delivered": 1}
    (jane,) = (one for one in org.records("Contact") if one["Name"] == "Jane Miller")
    assert jane["Email"] == "b@example.com"


def test_an_edited_comment_is_measured_as_salesforce_measures_it(
    journal: Journal, desk: Desk, org: Org
) -> None:
    comment = CommentDraft(case_number="00001005", text="x")  # somebody else's case: it parks
    intent_id = _accept(journal, Kind.CASE_COMMENT, comment)
    assert drain(desk, Kind.CASE_COMMENT).counts == {"parked": 1}
    told = run("edit", intent_id, "--set", f"text={'&' * 781}", "--yes")
    assert told.exit_code == 2
    assert "3905 bytes" in told.output
    assert run("edit", intent_id, "--set", f"text={'&' * 780}", "--yes").exit_code == 0


def test_an_unknown_intent_and_a_store_that_is_away_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "no intent nobody" in run("show", "nobody").output
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    load_settings.cache_clear()
    ended = run("list")
    assert ended.exit_code == 1
    assert "does not answer" in ended.output
