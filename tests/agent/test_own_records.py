"""A tool's query reads only records that lead to the caller, whatever its conditions say."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from demo.stack import Org
from shared.agent.own_records import own_records_query, sounds_right
from shared.agent.tool_files import ReadFile
from workers.delivery.context import DeliveryContext


def file_of(**said: Any) -> ReadFile:
    given = {
        "verb": "read",
        "object": "Case",
        "description": "d",
        "contact": "ContactId",
        "order": "CaseNumber",
        "fields": {"number": "CaseNumber", "who": "Contact.Name"},
    }
    return ReadFile.model_validate({**given, **said})


@pytest.fixture
def cases(org: Org) -> list[dict[str, Any]]:
    return org.records("Case")


def numbers(
    context: DeliveryContext, file: ReadFile, owner: Mapping[str, Any], **arguments: Any
) -> list[str]:
    statement = own_records_query(
        file, arguments, contact_id=owner["ContactId"], account_id=owner["AccountId"]
    )
    (rows,) = context.records.query(statement)
    return [row["CaseNumber"] for row in rows]


def numbers_where(cases: list[dict[str, Any]], **values: Any) -> list[str]:
    return sorted(
        it["CaseNumber"] for it in cases if all(it[name] == value for name, value in values.items())
    )


def test_only_the_callers_own_records_are_read(
    context: DeliveryContext, cases: list[dict[str, Any]]
) -> None:
    case = cases[0]
    theirs = numbers_where(cases, ContactId=case["ContactId"])
    assert 0 < len(theirs) < len(cases)
    assert numbers(context, file_of(), case) == theirs
    assert numbers(context, file_of(contact="Contact.Id"), case) == theirs
    assert numbers(context, file_of(order="CaseNumber DESC"), case) == theirs[::-1]
    of_account = numbers_where(cases, AccountId=case["AccountId"])
    assert numbers(context, file_of(contact=None, account="AccountId"), case) == of_account


def test_conditions_narrow_it_and_never_widen_it(
    context: DeliveryContext, cases: list[dict[str, Any]]
) -> None:
    case = cases[0]
    file = file_of(arguments={"number": {}}, where={"CaseNumber": "{number}", "IsClosed": False})
    theirs = numbers_where(cases, ContactId=case["ContactId"], IsClosed=False)
    assert numbers(context, file, case) == theirs  # a condition without its argument is left out
    assert numbers(context, file, case, number=theirs[0]) == theirs[:1]
    other = next(it for it in cases if it["ContactId"] != case["ContactId"])
    assert numbers(context, file, case, number=other["CaseNumber"]) == []
    assert numbers(context, file, case, number="x' OR Id != '") == []


def test_a_date_is_compared_as_a_date(
    context: DeliveryContext, cases: list[dict[str, Any]]
) -> None:
    file = file_of(
        object="Task", contact="WhoId", order="Id", fields={"subject": "Subject"},
        arguments={"day": {"type": "date"}}, where={"ActivityDate": "{day}"},
    )  # fmt: skip
    statement = own_records_query(
        file, {"day": "2026-12-31"}, contact_id=cases[0]["ContactId"], account_id=None
    )
    assert "ActivityDate = 2026-12-31 " in statement
    assert context.records.query(statement) == [[]]


def test_an_identifier_is_compared_as_it_sounds() -> None:
    file = file_of(arguments={"number": {"type": "identifier"}}, where={"CaseNumber": "{number}"})
    said = {"number": "ab-12"}
    statement = own_records_query(file, said, contact_id="003", account_id=None)
    assert "CaseNumber LIKE '" in statement
    assert sounds_right(file, said, {"CaseNumber": "AB 12"})
    assert not sounds_right(file, said, {"CaseNumber": "AB 123"})
    assert sounds_right(file, {}, {"CaseNumber": "AB 123"})


@pytest.mark.parametrize(
    ("contact", "account"), [("ContactId", None), (None, "AccountId"), (None, None)]
)
def test_without_an_owner_there_is_no_query(contact: str | None, account: str | None) -> None:
    file = file_of(contact=contact, account=account)
    with pytest.raises(ValueError, match="nothing leads to this caller"):
        own_records_query(file, {}, contact_id="", account_id=None)


@pytest.mark.parametrize(
    "said",
    [
        {"object": "Case, Contact"},
        {"fields": {"number": "Id FROM Contact"}},
        {"contact": "Id != '' OR ContactId"},
        {"where": {"Id = '' OR Id": "x"}},
        {"order": "Id, Name"},
    ],
)
def test_what_is_no_name_is_no_tool(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        file_of(**said)
