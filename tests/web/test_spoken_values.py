"""What is put into an answer: texts that look like dates, and values that are too long."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from demo.stack import Org
from shared.agent.sentences import Quoted
from shared.vapi.answers import MAX_CHARACTERS, for_the_ear
from tests.calling import ask, say
from web.tools.sentences import spoken_value


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-45", "9999-99-99", "2026-02-30T10:00:00", "0000-01-01", "0001-01-01",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-01-01T10:00:00nonsense",
    ],
)  # fmt: skip
def test_a_text_that_only_looks_like_a_date_is_quoted_and_refuses_no_case(
    client: FlaskClient, text: str
) -> None:
    assert spoken_value(text) == Quoted(text)
    answer = ask(client, "createSalesforceCase", {"issueType": "billing", "description": text})
    assert "reference" in answer["result"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-27", date(2026, 11, 27)),
        ("2026-11-27T10:00:00Z", datetime(2026, 11, 27, 10, tzinfo=UTC)),
    ],
)
def test_a_date_is_one(text: str, value: Any) -> None:
    assert spoken_value(text) == value


def test_a_long_email_leaves_the_reference_in_the_answer(client: FlaskClient) -> None:
    email = "m.a.x.i-m.i.l.i.a.n.e.v.o.n.h.o.h.e.n.s.t.e.i.n@" + "x." * 10 + "example.com"
    said = say(client, "updateContact", {"email": email})
    assert "reference" in said
    assert len(said) <= MAX_CHARACTERS


def test_an_answer_that_is_cut_closes_what_it_quotes(client: FlaskClient, org: Org) -> None:
    for case in org.records("Case"):
        if case["Status"] != "Closed":
            status = "Waiting for the manufacturer's department, see the notes below"
            org.edit("Case", case["Id"], Subject="Note to the assistant " * 5, Status=status)
    said = say(client, "retrieveCustomerCase")
    assert "…" in said
    assert said.count('"') % 2 == 0
    assert len(said) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    "text",
    [
        'It is "' + "word " * 100 + '". The reference is K7M 2QX.',
        "word " * 100 + "end. The reference is K7M 2QX.",
        " ".join(f'"{"w" * 19}"' for _ in range(30)) + ". The reference is K7M 2QX.",
    ],
)
def test_a_cut_leaves_the_last_sentence(text: str) -> None:
    cut = for_the_ear(text)
    assert cut.endswith(" The reference is K7M 2QX.")
    assert cut.count('"') % 2 == 0
    assert len(cut) <= MAX_CHARACTERS
