"""A second case of the same account and issue type: the agent asks, and answers with onExisting."""

from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from tests.calling import KNOWN, UNKNOWN, ask, post, reference_in, say, tool_message
from tests.conftest import make_settings
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CASE = {"issueType": "billing", "description": "Billed twice for October"}


def create(client: FlaskClient, call_id: str, number: str = KNOWN, **others: Any) -> str:
    return say(client, "createSalesforceCase", CASE | others, call_id=call_id, number=number)


def test_another_call_of_the_account_is_asked_and_nothing_is_recorded(
    client: FlaskClient, journal: Journal, context: DeliveryContext
) -> None:
    first = create(client, "a")
    reference = reference_in(first)
    asked = create(client, "b", description="Still billed twice")
    assert f"already a case from the past day for this, reference {reference}" in asked
    assert "Nothing was saved yet" in asked
    drain(context, Kind.CASE_CREATE)
    assert "number 00001008" in create(client, "c")
    assert journal.counts()["accepted"] == 1


def test_the_case_is_not_named_while_nobody_says_whose_the_number_is_now(
    client: FlaskClient, context: DeliveryContext, org: Org
) -> None:
    """The number may have changed hands since the call before."""
    create(client, "a")
    drain(context, Kind.CASE_CREATE)
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    asked = create(client, "b")
    assert "There is already a case from the past day for this. Nothing was saved yet" in asked


def test_the_answer_comment_adds_to_the_first_case(
    client: FlaskClient, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    create(client, "a")
    before = len(org.records("CaseComment"))
    assert "comment is being added" in create(client, "b", onExisting="comment")
    (comment,) = journal.of_call("b")
    assert comment.kind is Kind.CASE_COMMENT
    drain(context, Kind.CASE_CREATE)
    drain(context, Kind.CASE_COMMENT)
    assert len(org.records("CaseComment")) == before + 1


def test_the_answer_comment_without_an_earlier_case_opens_one(
    client: FlaskClient, journal: Journal
) -> None:
    assert "being opened" in create(client, "a", onExisting="comment")


def test_the_answer_new_opens_a_second_case(client: FlaskClient, journal: Journal) -> None:
    create(client, "a")
    assert "being opened" in create(client, "b", onExisting="new")
    assert journal.counts()["accepted"] == 2


def test_another_issue_type_and_another_account_are_not_asked(
    client: FlaskClient, journal: Journal
) -> None:
    create(client, "a")
    assert "being opened" in create(client, "b", issueType="technical")
    assert "being opened" in create(client, "c", number="+14155550103")
    assert journal.counts()["accepted"] == 3


@pytest.mark.parametrize("number", [KNOWN, UNKNOWN, ""])
def test_a_second_case_of_the_call_about_the_same_is_asked_about(
    client: FlaskClient, journal: Journal, context: DeliveryContext, number: str
) -> None:
    reference = reference_in(create(client, "a", number=number))
    asked = create(client, "a", number=number, description="I was charged twice")
    assert f"already a billing case from this call, reference {reference}" in asked
    assert "correct that one, add to it, or open another one" in asked
    assert journal.counts()["accepted"] == 1
    drain(context, Kind.CASE_CREATE)
    asked = create(client, "a", number=number, description="Charged twice, I said")
    assert "number 0000" in asked
    more = create(client, "a", number=number, description="Charged twice.", onExisting="comment")
    assert "comment is being added" in more
    create(client, "a", number=number, description="And for May", onExisting="new")
    assert [intent.kind for intent in journal.of_call("a")] == [
        Kind.CASE_CREATE, Kind.CASE_COMMENT, Kind.CASE_CREATE,
    ]  # fmt: skip


def test_cases_of_one_message_are_each_their_own(client: FlaskClient, journal: Journal) -> None:
    listed = [("a", "createSalesforceCase", CASE),
              ("b", "createSalesforceCase", CASE | {"description": "Another"})]  # fmt: skip
    post(client, tool_message(*listed))
    assert len(journal.of_call("call-1")) == 2


def test_a_case_whose_words_are_gone_is_no_reason_to_ask(
    client: FlaskClient, journal: Journal, context: DeliveryContext, store: redis.Redis
) -> None:
    create(client, "a")
    drain(context, Kind.CASE_CREATE)
    journal.purge(data_after_ms=0, receipt_after_ms=10**12)
    assert "being opened" in create(client, "b")


def test_a_stranger_learns_nothing_of_an_account_by_its_number(
    client: FlaskClient, journal: Journal
) -> None:
    create(client, "a", accountNumber="ACC-12345")
    for nth, number in enumerate((UNKNOWN, UNKNOWN, "", "")):
        said = create(client, f"b{nth}", number=number, accountNumber="ACC-12345")
        assert "being opened" in said
    assert journal.counts()["accepted"] == 5


@pytest.mark.parametrize("fate", [State.CANCELLED, State.PARKED])
def test_a_case_that_was_taken_back_or_parked_is_no_reason_to_ask(
    client: FlaskClient, journal: Journal, org: Org, context: DeliveryContext, fate: State
) -> None:
    create(client, "a")
    if fate is State.CANCELLED:
        ask(client, "cancelCase", call_id="a")
    else:
        rule = {"object": "Case", "when": "Type = 'Billing'", "message": "No."}
        org.fault(validation_rules=[rule])
        drain(context, Kind.CASE_CREATE)
        org.fault()
    assert [intent.state for intent in journal.of_call("a")] == [fate]
    assert "being opened" in create(client, "b")


def test_a_window_of_zero_never_asks(
    store: redis.Redis, store_server: Store, org: Org, journal: Journal
) -> None:
    app = create_app(make_settings(store_server.url, org.url, repeat_window_h=0))
    create(app.test_client(), "a")
    assert "being opened" in create(app.test_client(), "b")
    app.extensions["service"].close()


def test_a_colleague_of_the_account_is_asked_without_a_name_and_can_not_add_to_it(
    client: FlaskClient, journal: Journal
) -> None:
    create(client, "a")
    colleague = "+14155550105"
    said = create(client, "b", number=colleague)
    assert said.startswith("There is a case from the past day for this account, but I can't add")
    assert "0000" not in said
    result = ask(
        client, "createSalesforceCase", CASE | {"onExisting": "comment"}, number=colleague,
        call_id="c",
    )  # fmt: skip
    assert "can't add to that case" in result["error"]
    assert "being opened" in create(client, "d", number=colleague, onExisting="new")


def test_the_answer_comment_after_the_case_was_taken_back_opens_one(client: FlaskClient) -> None:
    create(client, "a")
    ask(client, "cancelCase", call_id="a")
    assert "being opened" in create(client, "b", onExisting="comment")
