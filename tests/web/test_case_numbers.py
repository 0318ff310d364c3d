"""A case is found by its number in orgs that number their cases otherwise."""

from collections.abc import Iterator

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.drafts import CommentDraft
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import KNOWN, UNKNOWN, say
from tests.workers.delivering import accept, stored
from web.app import create_app
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

FIRST = {"{00000000}": "00001001", "{00000}": "01001", "CS-{00000}": "CS-01001", "{0}": "1001"}


@pytest.fixture(params=FIRST, ids=list(FIRST))
def number(request: pytest.FixtureRequest, org: Org) -> str:
    """Of the first case, Jane's, in an org of that format."""
    org.reset(case_number_format=request.param)
    return FIRST[request.param]


@pytest.fixture
def talking(settings: Settings, number: str) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


@pytest.mark.parametrize("spoken", ["1001", "01001", "0 0 0 0 1 0 0 1", "{number}"])
def test_its_contact_learns_of_it_and_adds_to_it(
    talking: FlaskClient, context: DeliveryContext, org: Org, number: str, spoken: str
) -> None:
    wanted = {"caseNumber": spoken.format(number=number)}
    assert f"Case {number}," in say(talking, "getCaseStatus", wanted)
    say(talking, "addCaseComment", wanted | {"comment": "Please call."})
    assert drain(context, Kind.CASE_COMMENT).counts == {"delivered": 1}
    (jane,) = (record for record in org.records("Case") if record["CaseNumber"] == number)
    assert org.records("CaseComment")[-1]["ParentId"] == jane["Id"]


def test_a_closed_one_and_one_of_somebody_else_are_looked_up_in_the_org(
    talking: FlaskClient, org: Org, number: str
) -> None:
    closed, other = (number.replace("1001", name) for name in ("1003", "1005"))
    assert f"Case {closed}," in say(talking, "getCaseStatus", {"caseNumber": "1003"})
    assert "I can't find a case" in say(talking, "getCaseStatus", {"caseNumber": other})
    assert "I can't find a case" in say(talking, "getCaseStatus", {"caseNumber": "9999"})
    assert "I can't find a case" in say(
        talking, "getCaseStatus", {"caseNumber": number}, number=UNKNOWN, call_id="b"
    )


def test_a_number_that_may_mean_two_cases_is_nobodys_guess(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    """An org that has changed its format: 00001003 and CS-01003 are both Jane's."""
    org.reset(case_number_format="CS-{00000}")
    older = next(record for record in org.records("Case") if record["CaseNumber"] == "CS-01003")
    org.edit("Case", older["Id"], CaseNumber="00001003")
    newer = next(record for record in org.records("Case") if record["CaseNumber"] == "CS-01002")
    org.edit("Case", newer["Id"], CaseNumber="CS-01003", Status="Closed")
    assert "I can't find a case" in say(client, "getCaseStatus", {"caseNumber": "1003"})
    assert "Case CS-01003," in say(client, "getCaseStatus", {"caseNumber": "CS 1003"})
    for number, outcome in (
        ("1003", "parked"),
        ("00001003", "delivered"),
        ("CS-01003", "delivered"),
    ):
        comment = CommentDraft(caller_number=KNOWN, case_number=number, text="x")
        intent_id = accept(journal, Kind.CASE_COMMENT, comment)
        assert drain(context, Kind.CASE_COMMENT).counts == {outcome: 1}
        if outcome == "parked":
            assert stored(journal, intent_id).reason == "CASE_AMBIGUOUS"


def test_the_format_is_asked_for_once_a_day(
    talking: FlaskClient, org: Org, store: redis.Redis, keys: str, number: str
) -> None:
    say(talking, "getCaseStatus", {"caseNumber": "1003"})
    asked = org.stats()["by_resource"]["query"]
    say(talking, "getCaseStatus", {"caseNumber": "1005"})
    assert org.stats()["by_resource"]["query"] == asked + 1
    assert 0 < store.ttl(f"{keys}case_number") <= 24 * 3600
