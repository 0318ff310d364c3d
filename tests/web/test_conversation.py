"""The conversation: second thoughts, interruptions, order, and what is said into the call."""

import itertools
import json
import re
import threading
import time
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from liquid import Template

from demo.stack import ROOT, Org
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import (
    KNOWN,
    UNKNOWN,
    ask,
    message,
    only_result,
    post,
    reference_in,
    sentence,
    tool_message,
)
from tests.conftest import change_settings
from tests.store_time import (
    call_is_quiet,
    commit_windows_end,
    intent_was_accepted,
    nobody_speaks,
    speech_was,
)
from web.app import create_app
from web.assistant import VARIABLES
from web.transfer import MAX_NOTED
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

T0 = int(time.time() * 1000)
"""When the calls of these tests take place, by Vapi's clock."""

CASE = {"issueType": "billing", "description": "Billed twice", "onExisting": "new"}
OTHER = {"issueType": "technical", "description": "No dial tone", "onExisting": "new"}


@pytest.fixture
def talking(settings: Settings) -> Iterator[FlaskClient]:
    """A service whose commit window outlasts the test."""
    app = create_app(change_settings(settings, commit_window_ms=60_000))
    yield app.test_client()
    app.extensions["service"].close()


def at(body: dict[str, Any], ms: int) -> dict[str, Any]:
    body["message"]["timestamp"] = T0 + ms
    return body


def write_request(tool: str, arguments: Any, ms: int, id_: str = "") -> dict[str, Any]:
    return at(tool_message((id_ or f"call_{tool}_{ms}", tool, arguments)), ms)


def said(words: str, ms: int, role: str = "user", kind: str = "final") -> dict[str, Any]:
    return at(message("transcript", role=role, transcriptType=kind, transcript=words), ms)


def speech(status: str, ms: int) -> dict[str, Any]:
    return at(message("speech-update", role="user", status=status), ms)


def speak(client: FlaskClient, body: dict[str, Any]) -> str:
    return sentence(only_result(post(client, body)))


def intents(journal: Journal) -> list[Intent]:
    return journal.of_call("call-1")


def leased(journal: Journal, kind: Kind = Kind.CASE_CREATE) -> int:
    return len(journal.lease(kind, limit=10, max_bytes=100_000).intents)


# -- second thoughts within the window -------------------------------------------------------------


CORRECTION = "No wait, it is technical."
ADDITION = "Yes, and my line is dead too."


def test_a_corrected_request_amends_the_held_one_and_the_answer_names_what_it_replaced(
    talking: FlaskClient, journal: Journal
) -> None:
    first = speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said(CORRECTION, 900))
    second = speak(talking, write_request("createSalesforceCase", OTHER, 1500))
    (only,) = intents(journal)
    assert only.payload["issue_type"] == "technical"
    assert only.reference in first
    assert second == (
        f"The technical case is being opened. Its reference is {only.reference}. "
        "It replaces the billing case."
    )


@pytest.mark.parametrize("gap_ms", [300, 1000, 2000])
@pytest.mark.parametrize("words", ["", ADDITION, "Thank you.", "My line is dead."])
def test_two_requests_that_nothing_corrects_are_two_promises(
    talking: FlaskClient, journal: Journal, gap_ms: int, words: str
) -> None:
    first = speak(talking, write_request("createSalesforceCase", CASE, 0))
    if words:
        post(talking, said(words, gap_ms // 2))
    second = speak(talking, write_request("createSalesforceCase", OTHER, gap_ms))
    assert [intent.payload["issue_type"] for intent in intents(journal)] == ["billing", "technical"]
    assert "replaces" not in first + second


def test_words_of_the_agent_and_words_of_before_correct_nothing(
    talking: FlaskClient, journal: Journal
) -> None:
    post(talking, said(CORRECTION, -500))
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("No wait, let me see.", 500, role="assistant"))
    speak(talking, write_request("createSalesforceCase", OTHER, 1500))
    assert len(intents(journal)) == 2


def test_a_correction_in_one_utterance_and_an_addition_in_another_make_two(
    talking: FlaskClient, journal: Journal
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("No.", 500))
    post(talking, said("And my line is dead.", 900))
    speak(talking, write_request("createSalesforceCase", OTHER, 1500))
    assert len(intents(journal)) == 2


@pytest.mark.parametrize(
    ("tool", "first", "second"),
    [
        ("createSalesforceCase", CASE, OTHER),
        ("requestCallback", {"when": "at 5"}, {"when": "at 6"}),
        ("updateContact", {"mailingCity": "Oakland"}, {"mailingCity": "Berkeley"}),
    ],
)
def test_replaces_amends_the_held_request_that_it_names(
    talking: FlaskClient, journal: Journal, tool: str, first: Any, second: Any
) -> None:
    speak(talking, write_request(tool, first, 0))
    (held,) = intents(journal)
    again = second | {"replaces": held.reference.lower()}
    answer = speak(talking, write_request(tool, again, 1500))
    assert "It replaces the" in answer
    assert speak(talking, write_request(tool, again, 1700, id_="once more")).startswith(answer[:20])
    (only,) = intents(journal)
    assert (only.id, only.reference) == (held.id, held.reference)
    assert only.payload != held.payload


def test_replaces_names_a_comment_too(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    speak(talking, write_request("addCaseComment", {"comment": "one"}, 500))
    first = intents(journal)[-1]
    speak(
        talking,
        write_request("addCaseComment", {"comment": "two", "replaces": first.reference}, 900),
    )
    (only,) = (intent for intent in intents(journal) if intent.kind is Kind.CASE_COMMENT)
    assert only.payload["text"] == "two"


def test_replaces_outweighs_words_that_add(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    (held,) = intents(journal)
    post(talking, said(ADDITION, 500))
    speak(talking, write_request("createSalesforceCase", OTHER | {"replaces": held.reference}, 900))
    assert len(intents(journal)) == 1


def test_what_can_not_be_replaced_is_said_and_nothing_is_saved(
    talking: FlaskClient, journal: Journal
) -> None:
    speak(talking, write_request("requestCallback", {}, 0))
    elsewhere = ask(talking, "createSalesforceCase", CASE, call_id="call-2", number=UNKNOWN)
    foreign = reference_in(elsewhere["result"])
    (callback,) = intents(journal)
    for reference, said in (
        (callback.reference, "is a call-back request, which this can't replace"),
        (foreign, "I know no request with the reference"),
        ("AAA 222", "I know no request with the reference"),
        ("nonsense", "must be the reference of an earlier request"),
    ):
        answer = speak(
            talking,
            write_request("createSalesforceCase", OTHER | {"replaces": reference}, 900, reference),
        )
        assert said in answer
        assert "Nothing was saved" in answer
    assert len(intents(journal)) == 1


def test_a_case_that_was_opened_already_is_closed_when_it_is_replaced(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext, org: Org
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    (first,) = intents(journal)
    answer = speak(
        talking, write_request("createSalesforceCase", OTHER | {"replaces": first.reference}, 9000)
    )
    assert f"The billing case with reference {first.reference} is being closed." in answer
    deliver_all(context, journal, store)
    made = [record for record in org.records("Case") if record["Voice_Reference__c"]]
    assert [(case["Type"], case["IsClosed"]) for case in made] == [
        ("Billing", True), ("Technical", False),
    ]  # fmt: skip


def test_a_request_that_was_taken_back_can_be_restored(
    talking: FlaskClient, journal: Journal
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("Wait, cancel that.", 700))
    (gone,) = intents(journal)
    speak(talking, write_request("createSalesforceCase", CASE | {"replaces": gone.reference}, 3000))
    assert [intent.state for intent in intents(journal)] == [State.CANCELLED, State.HELD]


def test_two_requests_of_one_message_stay_two(talking: FlaskClient, journal: Journal) -> None:
    both = tool_message(("a", "createSalesforceCase", CASE), ("b", "createSalesforceCase", OTHER))
    post(talking, at(both, 0))
    assert len(intents(journal)) == 2


def test_the_later_request_counts_whichever_arrives_first(
    talking: FlaskClient, journal: Journal
) -> None:
    post(talking, said(CORRECTION, 500))
    speak(talking, write_request("createSalesforceCase", OTHER, 900))
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    (only,) = intents(journal)
    assert only.payload["issue_type"] == "technical"


def test_after_the_window_a_further_request_is_one_of_its_own(
    talking: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    post(talking, said(CORRECTION, 8500))
    nobody_speaks(store)
    speak(talking, write_request("createSalesforceCase", OTHER, 9000))
    assert len(intents(journal)) == 2


def test_changes_of_other_fields_add_up_and_of_the_same_field_the_last_counts(
    talking: FlaskClient, journal: Journal
) -> None:
    speak(
        talking,
        write_request("updateContact", {"mailingCity": "Oakland", "email": "a@b.example"}, 0),
    )
    post(talking, said("No, Berkeley.", 400))
    speak(talking, write_request("updateContact", {"mailingCity": "Berkeley"}, 800))
    (only,) = intents(journal)
    assert only.payload["changes"] == {"MailingCity": "Berkeley", "Email": "a@b.example"}
    assert set(only.payload["seen"]) == {"MailingCity", "Email"}


def test_an_amended_request_can_be_asked_for_once_more_and_is_one(
    talking: FlaskClient, journal: Journal
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said(CORRECTION, 300))
    speak(talking, write_request("createSalesforceCase", OTHER, 500))
    speak(talking, write_request("createSalesforceCase", OTHER, 900))
    post(talking, said("No, the bill, I mean.", 1000))
    speak(talking, write_request("createSalesforceCase", CASE, 1200))  # back to the first
    (only,) = intents(journal)
    assert only.payload["issue_type"] == "billing"


def test_comments_add_to_one_another(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    speak(talking, write_request("addCaseComment", {"comment": "one"}, 500))
    speak(talking, write_request("addCaseComment", {"comment": "two"}, 900))
    assert [intent.kind for intent in intents(journal)].count(Kind.CASE_COMMENT) == 2


def test_a_request_for_another_kind_of_record_amends_nothing(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext
) -> None:
    """The same tool makes a comment or a case."""
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    more = CASE | {"onExisting": "comment", "description": "More"}
    speak(talking, write_request("createSalesforceCase", more, 9000))
    speak(talking, write_request("createSalesforceCase", OTHER, 9900))
    kinds = [intent.kind for intent in intents(journal)]
    assert kinds == [Kind.CASE_CREATE, Kind.CASE_COMMENT, Kind.CASE_CREATE]


def test_an_earlier_change_that_arrives_later_adds_what_the_later_did_not_say(
    talking: FlaskClient, journal: Journal
) -> None:
    post(talking, said("No, Berkeley.", 400))
    speak(talking, write_request("updateContact", {"mailingCity": "Berkeley"}, 800))
    speak(
        talking,
        write_request("updateContact", {"mailingCity": "Oakland", "email": "a@b.example"}, 0),
    )
    (only,) = intents(journal)
    assert only.payload["changes"] == {"MailingCity": "Berkeley", "Email": "a@b.example"}


def test_a_call_back_keeps_what_is_not_said_again(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("requestCallback", {"phone": "+14155550199", "when": "at 5"}, 0))
    post(talking, said("Actually, at six.", 500))
    speak(talking, write_request("requestCallback", {"when": "at 6"}, 900))
    (only,) = intents(journal)
    assert (only.payload["phone"], only.payload["when"]) == ("+14155550199", "at 6")


def test_a_case_that_was_reworded_is_known_by_what_it_is_now(
    talking: FlaskClient, store: redis.Redis, context: DeliveryContext
) -> None:
    ask(talking, "lookupCustomer")
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said(CORRECTION, 500))
    speak(talking, write_request("createSalesforceCase", OTHER, 900))
    nobody_speaks(store)
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    billing = {"issueType": "billing", "description": "Billed twice"}
    assert "already" not in ask(talking, "createSalesforceCase", billing, call_id="b")["result"]
    technical = {"issueType": "technical", "description": "No dial tone"}
    assert "already" in ask(talking, "createSalesforceCase", technical, call_id="c")["result"]


# -- in the caller's own words ---------------------------------------------------------------------


def test_the_callers_words_take_back_what_is_held(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("Wait, cancel that.", 700))
    (only,) = intents(journal)
    assert only.state is State.CANCELLED


@pytest.mark.parametrize("late_ms", [0, 100, 300])
def test_words_that_arrive_before_the_request_take_it_back_too(
    talking: FlaskClient, journal: Journal, late_ms: int
) -> None:
    post(talking, said("Create a case for order 12345... wait, cancel that.", 0))
    body = write_request("createSalesforceCase", CASE, late_ms)
    assert "taken that back" in speak(talking, body)
    assert "taken that back" in speak(talking, body)  # a redelivery
    (only,) = intents(journal)
    assert only.state is State.CANCELLED


def test_a_request_after_the_words_is_a_new_one(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("Scratch that, it is technical.", 400))
    speak(talking, write_request("createSalesforceCase", OTHER, 1600))
    assert [intent.state for intent in intents(journal)] == [State.CANCELLED, State.HELD]


def test_a_close_is_not_taken_back_by_the_words_that_ask_for_it(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    speak(talking, write_request("cancelCase", {}, 9000))
    post(talking, said("Cancel that.", 8900))
    assert [intent.state for intent in intents(journal)] == [State.DELIVERED, State.HELD]


def test_only_what_was_asked_for_last_is_taken_back(talking: FlaskClient, journal: Journal) -> None:
    speak(talking, write_request("requestCallback", {}, 0))
    speak(talking, write_request("createSalesforceCase", CASE, 800))
    post(talking, said("Never mind.", 1500))
    assert [intent.state for intent in intents(journal)] == [State.HELD, State.CANCELLED]


def test_the_last_request_is_the_one_with_the_latest_time_of_its_own(
    talking: FlaskClient, journal: Journal
) -> None:
    """An amended case keeps its place in the journal."""
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    speak(talking, write_request("requestCallback", {}, 500))
    post(talking, said(CORRECTION, 1000))
    speak(talking, write_request("createSalesforceCase", OTHER, 1500))
    post(talking, said("Never mind.", 2200))
    assert [intent.state for intent in intents(journal)] == [State.CANCELLED, State.HELD]


def test_words_of_ten_minutes_later_take_nothing_back_that_waits_for_salesforce(
    client: FlaskClient, journal: Journal, org: Org, context: DeliveryContext
) -> None:
    speak(client, write_request("createSalesforceCase", CASE, -600_000))
    journal.pause(Kind.CASE_CREATE)
    post(client, said("No, never mind.", 0))
    (only,) = intents(journal)
    assert only.state is State.DUE


def test_words_with_a_time_in_the_far_future_outlast_nothing(
    talking: FlaskClient, store: redis.Redis
) -> None:
    post(talking, said("never mind", 10**12))
    in_time = store.zcount("vs:call:call-1:senses", "-inf", (time.time() + 5) * 1000)
    assert in_time == store.zcard("vs:call:call-1:senses") == 1


def test_messages_that_nothing_tells_apart_are_each_their_own(
    talking: FlaskClient, journal: Journal
) -> None:
    for tool, arguments in (("requestCallback", {}), ("createSalesforceCase", CASE)):
        post(talking, tool_message(("", tool, arguments)))
    post(
        talking, message("transcript", role="user", transcriptType="final", transcript="Forget it")
    )
    assert [intent.state for intent in intents(journal)] == [State.HELD, State.CANCELLED]


def test_the_reason_of_a_close_that_is_not_made_is_not_said(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext, org: Org
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    made = org.records("Case")[-1]
    before = len(org.records("CaseComment"))
    speak(talking, write_request("cancelCase", {"reason": "solved"}, 9000))
    org.edit("Case", made["Id"], Status="Working")  # somebody took it up
    deliver_all(context, journal, store)
    assert [intent.state for intent in intents(journal)] == [
        State.DELIVERED, State.PARKED, State.CANCELLED,
    ]  # fmt: skip
    assert len(org.records("CaseComment")) == before


def test_what_was_asked_for_long_ago_is_not_taken_back_by_words(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    commit_windows_end(store)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    post(talking, said("Never mind.", 60_000))
    (only,) = intents(journal)
    assert only.state is State.DELIVERED


@pytest.mark.parametrize(
    "body",
    [
        said("Cancel that.", 500, role="assistant"),
        said("Cancel that.", 500, kind="partial"),
        said("Cancel my subscription.", 500),
        said("No wait, I also need the invoice.", 500),
        said("No, I don't want that. I want a technical case.", 500),
    ],
)
def test_other_words_take_nothing_back(
    talking: FlaskClient, journal: Journal, body: dict[str, Any]
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, body)
    (only,) = intents(journal)
    assert only.state is State.HELD


@pytest.mark.parametrize(("words", "taken_back"), [("Never mind.", False), ("Cancel that.", True)])
def test_what_may_answer_a_question_of_the_agents_takes_nothing_back(
    talking: FlaskClient, journal: Journal, words: str, taken_back: bool
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("It is noted. Shall I send you a text as well?", 400, role="assistant"))
    post(talking, said(words, 900))
    (only,) = intents(journal)
    assert (only.state is State.CANCELLED) is taken_back


# -- while the caller speaks -----------------------------------------------------------------------


HOLDING = {
    "two words": [said("no wait", 100, kind="partial")],
    "a word that lasts": [speech("started", 0), said("well", 400, kind="partial")],
    "Vapi's own word": [at(message("user-interrupted"), 100)],
    "speech that lasted": [speech("started", 0), speech("stopped", 900)],
    "words that correct it": [
        speech("started", 0),
        said("No, it is technical.", 700),
        speech("stopped", 900),
    ],
}
LETTING_GO = {
    "nothing at all": [],
    "a click": [
        speech("started", 0), said("uh", 150, kind="partial"), speech("stopped", 250),
    ],
    "one short word": [said("uh", 100, kind="partial")],
    "a sentence that is over": [
        speech("started", 0), said("yes thank you", 300, kind="partial"), speech("stopped", 900),
        said("Yes, thank you.", 1000),
    ],
    "the agent's words": [said("I am opening the case", 100, role="assistant", kind="partial")],
}  # fmt: skip


@pytest.mark.parametrize("name", HOLDING)
def test_a_write_is_held_while_the_caller_speaks_until_they_have_said_it(
    talking: FlaskClient, journal: Journal, store: redis.Redis, name: str
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    for body in HOLDING[name]:
        post(talking, body)
    commit_windows_end(store)
    assert leased(journal) == 0
    assert journal.sweep() == ()
    post(talking, said("I also need the invoice.", 1500))
    commit_windows_end(store)
    assert leased(journal) == 1


@pytest.mark.parametrize("name", LETTING_GO)
def test_a_false_interruption_changes_nothing(
    talking: FlaskClient, journal: Journal, store: redis.Redis, name: str
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    for body in LETTING_GO[name]:
        post(talking, body)
    commit_windows_end(store)
    assert leased(journal) == 1
    (only,) = intents(journal)
    assert only.state is State.LEASED


def test_two_seconds_of_silence_end_the_holding(
    talking: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("no wait", 100, kind="partial"))
    commit_windows_end(store)
    assert leased(journal) == 0
    speech_was(store, ms_earlier=2000)
    commit_windows_end(store)
    assert leased(journal) == 1


def test_nobody_speaks_for_ever(talking: FlaskClient, journal: Journal, store: redis.Redis) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, speech("started", 100))
    speech_was(store, ms_earlier=400)  # it has lasted
    commit_windows_end(store)
    assert leased(journal) == 0
    (only,) = intents(journal)
    intent_was_accepted(store, only.id, ms_earlier=15_000)
    commit_windows_end(store)
    assert leased(journal) == 1


def test_a_request_while_the_caller_speaks_can_be_amended_after_its_window(
    talking: FlaskClient, journal: Journal, store: redis.Redis
) -> None:
    speak(talking, write_request("createSalesforceCase", CASE, 0))
    post(talking, said("no wait", 100, kind="partial"))
    commit_windows_end(store)
    post(talking, said("no wait it is technical", 1800))
    post(talking, speech("started", 1900))
    speech_was(store, ms_earlier=400)
    speak(talking, write_request("createSalesforceCase", OTHER, 2000))
    (only,) = intents(journal)
    assert only.payload["issue_type"] == "technical"


def test_a_lookup_waits_for_no_write_and_no_speech(talking: FlaskClient) -> None:
    post(talking, at(message("user-interrupted"), 0))
    speak(talking, write_request("createSalesforceCase", CASE, 10))
    assert "Jane Miller" in speak(talking, write_request("lookupCustomer", {}, 20))


# -- order -----------------------------------------------------------------------------------------


def test_a_write_waits_for_no_earlier_one_about_another_record(
    client: FlaskClient, journal: Journal, context: DeliveryContext
) -> None:
    journal.pause(Kind.CONTACT_UPDATE)
    ask(client, "updateContact", {"mailingCity": "Oakland"})
    ask(client, "createSalesforceCase", CASE)
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}


def test_a_person_who_takes_over_finds_everything_there(
    settings: Settings, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    app = create_app(
        change_settings(settings, commit_window_ms=60_000, fallback_phone_number="+14155550199")
    )
    client = app.test_client()
    post(client, said("My bill is wrong.", 0))
    ask(client, "createSalesforceCase", CASE)
    answer = post(client, message("transfer-destination-request")).get_json()
    assert answer["destination"]["number"] == "+14155550199"
    assert '"Jane Miller" of "Acme' in answer["destination"]["transferPlan"]["message"]
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    comment = org.records("CaseComment")[-1]
    assert "Caller: My bill is wrong." in comment["CommentBody"]
    post(client, message("transfer-destination-request"))
    assert len(intents(journal)) == 2
    app.extensions["service"].close()


def test_each_transfer_notes_what_was_said_since_up_to_a_number_of_transfers(
    settings: Settings, journal: Journal
) -> None:
    app = create_app(change_settings(settings, fallback_phone_number="+14155550199"))
    client = app.test_client()
    ask(client, "createSalesforceCase", CASE)
    for nth in range(MAX_NOTED + 2):
        post(client, said(f"These are words number {nth}.", nth * 100))
        post(client, at(message("transfer-destination-request"), nth * 100 + 50))
    notes = [it.payload["text"] for it in intents(journal) if it.kind is Kind.CASE_COMMENT]
    assert len(notes) == MAX_NOTED
    assert all(f"words number {nth}." in note for nth, note in enumerate(notes))
    app.extensions["service"].close()


# -- any order, any number of times ----------------------------------------------------------------

EVENTS = {
    "begin": at(message("status-update", status="in-progress"), 0),
    "caller": said("Please open a case, and call me back.", 1000),
    "speech": speech("started", 900),
    "write request": at(
        tool_message(("a", "createSalesforceCase", CASE), ("b", "requestCallback", {})), 2000
    ),
    "partial": said("and tell", 2500, kind="partial"),
    "report": at(
        message("end-of-call-report", endedReason="customer-ended-call", summary="Billed twice."),
        5000,
    ),
}
TAKEN_BACK = EVENTS | {"partial": said("No wait, cancel that.", 2300)}


def events_take_back(events: list[dict[str, Any]]) -> bool:
    return TAKEN_BACK["partial"] in events


def deliver_all(context: DeliveryContext, journal: Journal, store: redis.Redis) -> None:
    """Rounds of everything that can be due, until nothing is."""
    nobody_speaks(store)
    for _ in range(6):
        commit_windows_end(store)
        journal.sweep()
        for kind in Kind:
            drain(context, kind)


@pytest.mark.parametrize("last", ["write request", "report", "partial"])
def test_whatever_comes_last_all_of_the_call_reaches_the_org(
    talking: FlaskClient,
    journal: Journal,
    store: redis.Redis,
    context: DeliveryContext,
    org: Org,
    last: str,
) -> None:
    order = [name for name in EVENTS if name != last] + [last]
    for name in order:
        post(talking, EVENTS[name])
    deliver_all(context, journal, store)
    assert {intent.state for intent in intents(journal)} == {State.DELIVERED}
    (case,) = (record for record in org.records("Case") if record["Voice_Reference__c"])
    (log,) = (record for record in org.records("Task") if record["CallObject"] == "call-1")
    assert log["WhatId"] == case["Id"]
    assert org.records("CaseComment")[-1]["CommentBody"].startswith("Call summary: Billed twice.")


def end_state(client: FlaskClient, events: list[dict[str, Any]], store: redis.Redis) -> str:
    """What there is after these events, but for ids and moments of arrival."""
    store.flushall()
    for body in events:
        assert post(client, body).status_code == 200
    journal = Journal(store)
    call = {
        k: v
        for k, v in store.hgetall("vs:call:call-1").items()
        if k not in ("since", "asked_before", "last_speech_at")
    }
    write_requests = [
        [
            intent.kind,
            intent.state,
            intent.tool,
            intent.payload.get("description"),
            intent.payload.get("text"),
        ]
        for intent in journal.of_call("call-1")
        # The summary of a case that was taken back is accepted or not, and never written.
        if not (intent.kind is Kind.CASE_COMMENT and events_take_back(events))
    ]
    stored = [
        store.zrange("vs:call:call-1:speech", 0, -1, withscores=True),
        sorted(store.hvals("vs:call:call-1:transcript")),
        store.zrange("vs:call:call-1:senses", 0, -1),
        store.zrange("vs:calls", 0, -1),
    ]
    return json.dumps([call, sorted(map(str, write_requests)), stored], sort_keys=True)


@pytest.mark.parametrize("events", [EVENTS, TAKEN_BACK], ids=["stored", "taken back"])
def test_every_order_of_a_short_call_comes_to_the_same(
    talking: FlaskClient, store: redis.Redis, events: dict[str, Any]
) -> None:
    ends = {
        end_state(talking, list(order), store) for order in itertools.permutations(events.values())
    }
    assert len(ends) == 1
    (end,) = ends
    assert (State.CANCELLED in end) is (events is TAKEN_BACK)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_events_that_arrive_twice_and_in_any_order_come_to_the_same(
    talking: FlaskClient, store: redis.Redis, data: st.DataObject
) -> None:
    events = data.draw(st.sampled_from([EVENTS, TAKEN_BACK]))
    names = sorted(events)
    again = data.draw(st.lists(st.sampled_from(names), max_size=4))
    order = data.draw(st.permutations([*names, *again]))
    end = end_state(talking, [events[name] for name in order], store)
    assert end == end_state(talking, list(events.values()), store)


# -- what an event costs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        said("Hello there.", 100),
        said("hel", 50, kind="partial"),
        speech("started", 0),
        at(message("user-interrupted"), 10),
        message("status-update", status="in-progress"),
    ],
    ids=lambda body: body["message"]["type"],
)
def test_an_event_that_changes_no_intent_is_one_round_trip_and_no_message(
    talking: FlaskClient,
    store: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
) -> None:
    ask(talking, "lookupCustomer")  # the call's first sign, and every script known
    post(talking, body)
    here = threading.get_ident()  # the snapshot may be on its way beside it
    sent: list[int] = []
    send: Any = redis.Connection.send_packed_command

    def counted(self: redis.Connection, *args: Any, **options: Any) -> None:
        if threading.get_ident() == here:
            sent.append(1)
        send(self, *args, **options)

    monkeypatch.setattr(redis.Connection, "send_packed_command", counted)
    post(talking, body)
    assert len(sent) == 1
    monkeypatch.undo()
    assert not list(store.scan_iter("vs:celery:deliver*"))


# -- a call that never says goodbye ----------------------------------------------------------------


def test_a_quiet_call_is_closed_without_its_report_once(
    talking: FlaskClient, journal: Journal, store: redis.Redis, context: DeliveryContext, org: Org
) -> None:
    post(talking, said("Hello?", 0))
    close_intent = talking.application.extensions["service"].end_of_call
    assert close_intent.end_quiet_calls(600_000) == (0, set())
    call_is_quiet(store, "call-1", for_ms=600_001)
    assert close_intent.end_quiet_calls(600_000)[0] == 1
    assert close_intent.end_quiet_calls(600_000) == (0, set())
    commit_windows_end(store)
    assert drain(context, Kind.CALL_LOG).counts == {"delivered": 1}
    (task,) = (record for record in org.records("Task") if record["CallObject"] == "call-1")
    assert task["CallDisposition"] == "no-report"
    assert "Caller: Hello?" in task["Description"]
    for _ in range(2):
        post(talking, message("end-of-call-report", endedReason="customer-ended-call"))
    assert len(intents(journal)) == 2  # the report amends the Task, once


def test_a_report_in_time_leaves_nothing_to_close(talking: FlaskClient, store: redis.Redis) -> None:
    post(talking, message("status-update", status="in-progress"))
    assert store.zcard("vs:calls") == 1
    post(talking, message("end-of-call-report", endedReason="customer-ended-call"))
    post(talking, message("status-update", status="ended"))  # late
    assert store.zcard("vs:calls") == 0


def test_what_vapi_tells_of_a_call_long_over_opens_it_no_more(
    talking: FlaskClient, store: redis.Redis
) -> None:
    for kind in ("call.deleted", "call.artifact.upload"):
        post(talking, message(kind))
    assert store.zcard("vs:calls") == 0


# -- assistant-request -----------------------------------------------------------------------------


def test_the_assistant_learns_whom_it_will_talk_to(settings: Settings) -> None:
    app = create_app(change_settings(settings, vapi_assistant_id="a-1"))
    answer = post(app.test_client(), message("assistant-request")).get_json()
    assert answer["assistantId"] == "a-1"
    values = answer["assistantOverrides"]["variableValues"]
    assert values["customerName"] == '"Jane Miller"'
    assert values["openCaseCount"] == "2"
    assert "Case 00001002" in values["openCases"]
    assert values["language"] == "en"
    app.extensions["service"].close()


@pytest.mark.parametrize(
    ("number", "greeting"),
    [(KNOWN, 'Hello "Jane Miller", '), ("+14155550102", "Hello, "), ("+14155559999", "Hello, ")],
)
def test_a_caller_who_is_known_is_greeted_by_name(
    settings: Settings, number: str, greeting: str
) -> None:
    """The first message as Vapi speaks it: with the variables of our answer filled in."""
    app = create_app(change_settings(settings, vapi_assistant_id="a-1"))
    body = message("assistant-request", number=number)
    values = post(app.test_client(), body).get_json()["assistantOverrides"]["variableValues"]
    app.extensions["service"].close()
    first = tomllib.loads((ROOT / "agent" / "assistant.toml").read_text())["firstMessage"]
    said = Template(first).render(**values)
    assert said == (
        f"{greeting}you have reached customer service. You are talking with an AI assistant. "
        "This call is recorded. How can I help you?"
    )
    # Where Vapi asks nobody, or got no answer, there are no variables at all.
    assert Template(first).render().startswith("Hello, you have reached")


@pytest.mark.parametrize("number", ["+14155550102", "+14155559999"])
def test_the_assistant_learns_nothing_of_who_is_not_known_for_certain(
    settings: Settings, number: str
) -> None:
    app = create_app(change_settings(settings, vapi_assistant_id="a-1"))
    body = message("assistant-request", number=number)
    values = post(app.test_client(), body).get_json()["assistantOverrides"]["variableValues"]
    assert (values["customerName"], values["openCases"]) == ("", "")
    app.extensions["service"].close()


NOBODY = {
    "customerName": "", "accountName": "", "openCaseCount": "", "openCases": "", "language": "en",
}  # fmt: skip


def test_the_assistant_answers_without_the_caller_when_salesforce_or_the_store_does_not(
    settings: Settings, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.assistant.WAIT_S", 0.2)
    org.fault(hang=True)
    here = change_settings(settings, vapi_assistant_id="a-1")
    for changed in ({}, {"redis_url": "redis://127.0.0.1:1/0"}):
        app = create_app(change_settings(here, **changed))
        answer = post(app.test_client(), message("assistant-request", number=KNOWN))
        overrides = {"variableValues": NOBODY}
        assert answer.get_json() == {"assistantId": "a-1", "assistantOverrides": overrides}
        app.extensions["service"].close()


@pytest.mark.parametrize("number", ["", "anonymous", UNKNOWN])
def test_a_sip_header_never_stands_in_the_prompt(settings: Settings, number: str) -> None:
    """Vapi makes a variable of each X- header, so every variable has to be given a value."""
    here = {"vapi_assistant_id": "a-1", "default_language": "de"}
    app = create_app(change_settings(settings, **here))
    body = message("assistant-request", number=number)
    headers = {"customerName": "Jane Miller", "openCases": "Case 1: all of it"}
    body["message"]["call"]["assistantOverrides"] = {"variableValues": headers}
    answer = post(app.test_client(), body).get_json()
    values = answer["assistantOverrides"]["variableValues"]
    assert values == NOBODY | {"language": "de"}
    app.extensions["service"].close()


def test_the_answer_names_every_variable_of_the_prompt() -> None:
    prompt = (ROOT / "agent" / "prompt.md").read_text()
    inside = " ".join(re.findall(r"{[{%](.*?)[%}]}", prompt, re.DOTALL))
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"', "", inside)))
    assert words - {"if", "else", "elsif", "endif", "and", "or", "default"} == set(VARIABLES)
