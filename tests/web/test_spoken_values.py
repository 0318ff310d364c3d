"""What is put into an answer: texts that look like dates, and values that are too long."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.agent.sentences import Quoted
from tests.calling import ask
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
