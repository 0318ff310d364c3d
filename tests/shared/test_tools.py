"""Tool arguments: normalised if possible, else refused with a sentence."""

import re
from typing import Any

import pytest

from shared.agent.arguments import BadArgumentsError, schema_of
from shared.agent.folder import load_agent
from shared.agent.tool_files import ArgumentFile, ArgumentType
from shared.agent.wrong_arguments import sentence_of
from shared.domain.reference import ALPHABET, as_reference, new_reference
from shared.phone import as_e164, has_digits_of, patterns
from shared.vapi.answers import MAX_CHARACTERS, Answer, as_body, as_entry, refusal, result
from shared.vapi.messages import ToolCall

AGENT = load_agent("agent")
TOOLS = AGENT.tools


def read(tool: str, given: dict[str, Any]) -> dict[str, Any]:
    return dict(TOOLS[tool].arguments.read(given, "US").values)


def said_of(tool: str, refused: BadArgumentsError) -> str:
    return sentence_of(AGENT.sentences, "en", tool, TOOLS[tool].verb, refused.problems)


@pytest.mark.parametrize(
    ("tool", "given", "expected"),
    [
        (
            "createSalesforceCase",
            {"issueType": " Billing", "description": " x ", "priority": "HIGH", "invented": 1},
            {"issueType": "billing", "description": "x", "priority": "High"},
        ),
        ("updateContact", {"phone": "(415) 555-0199"}, {"phone": "+14155550199"}),
        ("updateContact", {"email": "Ann@EXAMPLE.com", "phone": ""}, {"email": "Ann@example.com"}),
        ("getCaseStatus", {"caseNumber": 1042}, {"caseNumber": "1042"}),
        ("getCaseStatus", {"caseNumber": "0 0 0 0 1 0 4 2"}, {"caseNumber": "1042"}),
        ("getCaseStatus", {"caseNumber": "cs dash 01042"}, {"caseNumber": "CS1042"}),
        ("getCaseStatus", {"reference": "k7m-2qx"}, {"reference": "K7M 2QX"}),
        ("lookupCustomer", {"accountNumber": None, "name": "  "}, {}),
        ("requestCallback", {"when": "at 5"}, {"when": "at 5"}),
    ],
)
def test_what_was_meant_is_understood(
    tool: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert read(tool, given) == expected


@pytest.mark.parametrize(
    ("tool", "given", "sentence"),
    [
        (
            "createSalesforceCase",
            {"description": "x"},
            "I still need the issue type: billing, technical or account.",
        ),
        (
            "createSalesforceCase",
            {"issueType": "billing", "description": None},
            "I still need a short description of the problem.",
        ),
        (
            "createSalesforceCase",
            {"issueType": "weather", "description": "x"},
            "The issue type must be billing, technical or account.",
        ),
        ("addCaseComment", {}, "I still need to know what the comment should say."),
        (
            "updateContact",
            {},
            "I still need to know what to change: phone, mobile phone, email or mailing address.",
        ),
        ("updateContact", {"phone": "123"}, "That is not a complete phone number."),
        ("updateContact", {"email": "ann at example"}, "That is not a complete email address."),
        ("updateContact", {"mailingCity": "x" * 41}, "The mailing city is too long."),
        ("updateContact", {"mailingStreet": "x\n" * 127}, "The mailing street is too long."),
        ("addCaseComment", {"comment": "x" * 3_901}, "The comment is too long."),
        ("addCaseComment", {"comment": "&" * 781}, "The comment is too long."),
        ("addCaseComment", {"comment": "x\n" * 1_301}, "The comment is too long."),
        (
            "getCaseStatus",
            {"reference": "hello"},
            "A reference has two groups of three letters or digits.",
        ),
        ("getCaseStatus", {"caseNumber": "mine"}, "A case number contains digits."),
        ("getCaseStatus", {"caseNumber": "1" * 31}, "A case number contains digits."),
        ("addCaseComment", {"comment": {"a": 1}}, "I could not read the comment."),
    ],
)
def test_what_can_not_be_used_is_asked_for(tool: str, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadArgumentsError) as refused:
        read(tool, given)
    assert said_of(tool, refused.value) == sentence


@pytest.mark.parametrize("number", ["NaN", "-inf", "Infinity", "1e999", float("nan"), 10**400])
def test_what_json_has_no_number_for_is_no_number(number: Any) -> None:
    """Salesforce would refuse the whole request that it is in."""
    schema = schema_of({"amount": ArgumentFile(type=ArgumentType.NUMBER)})
    with pytest.raises(BadArgumentsError):
        schema.read({"amount": number}, "US")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.DATE, "1699-12-31"),
        (ArgumentType.DATE, "4001-01-01"),
        (ArgumentType.DATETIME, "0001-01-01T00:00:00+14:00"),
        (ArgumentType.DATETIME, "9999-12-31T23:00:00-14:00"),
        (ArgumentType.INTEGER, "1" + "0" * 15),
        (ArgumentType.INTEGER, "-1" + "0" * 4000),
        (ArgumentType.NUMBER, "1e15"),
    ],
)
def test_a_day_or_a_number_that_no_field_can_hold_is_refused(
    kind: ArgumentType, value: str
) -> None:
    schema = schema_of({"given": ArgumentFile(type=kind)})
    with pytest.raises(BadArgumentsError):
        schema.read({"given": value}, "US")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ArgumentType.DATE, "1700-01-01"),
        (ArgumentType.DATE, "4000-12-31"),
        (ArgumentType.DATETIME, "2026-12-01T10:00:00+14:00"),
        (ArgumentType.INTEGER, 10**15 - 1),
        (ArgumentType.NUMBER, -999.5),
    ],
)
def test_what_fields_can_hold_is_taken(kind: ArgumentType, value: Any) -> None:
    schema = schema_of({"given": ArgumentFile(type=kind)})
    assert schema.read({"given": value}, "US").values == {"given": value}


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("junk", [[], {}, [1], {"a": []}, 1e300, True, "x" * 40_000, "\x00"])
def test_nonsense_in_any_argument_is_a_sentence_or_harmless(tool: str, junk: Any) -> None:
    for name in TOOLS[tool].arguments.json_schema()["properties"]:
        said = "."
        try:
            read(tool, {name: junk})
        except BadArgumentsError as refused:
            said = said_of(tool, refused)
        assert said.endswith(".")
        assert "x" * 10 not in said


def test_a_number_behind_a_switchboard_identifies_nobody() -> None:
    assert as_e164("(415) 555-0107 x12", "US") is None


WRITTEN = [
    ("+14155550101", "US", "(415)555-0101"),
    ("+14155550101", "US", "+1 415-5550101 / 415-555-0199"),
    ("+14155550101", "US", "001 415 555 0101"),
    ("+14155550101", "US", "4 1 5 5 5 5 0 1 0 1"),
    ("+14155550101", "US", "home: 415.555.0101 (after six)"),
    ("+14155550101", "US", "415-555-0101 x12"),
    ("+442079460018", "GB", "+44 (0)20 7946 0018"),
    ("+4930123456", "DE", "030/123456"),
    ("+33142685300", "FR", "01.42.68.53.00"),
    ("+390612345678", "IT", "06 12345678"),
    ("+6591234567", "SG", "9123-4567"),
    ("+5491123456789", "AR", "011 15-2345-6789"),
]


@pytest.mark.parametrize(("number", "region", "written"), WRITTEN)
def test_every_spelling_of_a_number_is_found(number: str, region: str, written: str) -> None:
    likes = [re.escape(pattern).replace("%", ".*") for pattern in patterns(number)]
    assert any(re.fullmatch(like, written) for like in likes)
    assert as_e164(written, region) == number or has_digits_of(written, number)


@pytest.mark.parametrize("other", ["+14155550110", "415-555-010", "1"])
def test_another_number_has_not_its_digits(other: str) -> None:
    assert not has_digits_of(other, "+14155550101")


def test_references_can_be_said_and_understood() -> None:
    for _ in range(100):
        reference = new_reference()
        assert as_reference(reference.lower().replace(" ", "-")) == reference
        assert set(reference) - {" "} <= set(ALPHABET)
    assert as_reference("K7M 2Q0") is None


def test_an_answer_is_one_line_never_empty_and_short() -> None:
    call = ToolCall("call_1", "t", {})
    long = as_entry(call, result("word\n" * 200))
    assert "\\n" not in long
    assert len(long) < MAX_CHARACTERS + 60
    assert '"result": "…"' in as_entry(call, Answer(" "))
    assert '"error": "No."' in as_entry(call, refusal("No."))
    assert as_body([as_entry(call, result("ü"))]) == (
        '{"results": [{"toolCallId": "call_1", "name": "t", "result": "ü"}]}'
    )
