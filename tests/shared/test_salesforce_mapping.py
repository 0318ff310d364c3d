"""salesforce.toml: every mistake is named with its line and what would be right."""

from pathlib import Path

import pytest

from shared.agent.errors import AgentError
from shared.agent.languages import AGENT_FOLDER
from shared.agent.salesforce import FILE, SalesforceMapping, read
from shared.salesforce.org_setup import Setup, StatusValue, Wanted


def folder_with(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_the_default_folder_says_what_the_code_takes_for_granted(folder: Path) -> None:
    assert read(AGENT_FOLDER) == SalesforceMapping() == read(folder)


def test_the_default_file_names_every_key() -> None:
    text = (AGENT_FOLDER / FILE).read_text()
    for table in ("case", "call_log", "callback"):
        for key in getattr(SalesforceMapping(), table).model_dump():
            named = f"[{table}.fields]" if key == "fields" else f"\n{key} = "
            assert named in text, (table, key)


@pytest.mark.parametrize(
    ("text", "line", "problem", "remedy"),
    [
        ("[call_log]\ntranscipt = 'none'", 2, "call_log.transcipt is unknown", "write transcript"),
        ("[calls]\nowner = ''", 1, "calls is unknown", "use one of case, call_log"),
        ("[case]\n\nowner = 'Ada'", 3, "case.owner has another value", '"contact_owner"'),
        ("[case]\nowner = 'queue:No Name'", 2, "case.owner has another value", "queue:"),
        ("[call_log]\ntranscript = 'mail'", 2, "call_log.transcript", '"task", "file" or "none"'),
        ("[call_log]\nsummary = 'no'", 2, "call_log.summary", "true or false"),
        ("[call_log]\nstatus = 3", 2, "call_log.status", "a text in quotes"),
        ("[case]\nrecord_type = 'a b'", 2, "case.record_type", "developer name"),
        ("[callback]\nlanguages = 'en'", 2, "callback.languages", '["en", "de"]'),
        ("[callback]\nlanguages = ['en', 'english']", 2, "callback.languages", '["en", "de"]'),
        ("case = 1", 1, "case has another value", "a table [case]"),
        ("[case.fields]\n'Not a Name' = 'x'", 2, "is no name of a field", "Department__c"),
        ("[case.fields]\nX__c = ['x']", 2, "case.fields.X__c is no text", "Department__c"),
        ("[case.fields]\nX__c = 2026-01-01", 2, "case.fields.X__c is no text", "Department__c"),
        ("[call_log.fields]\nSubject = 'x'", 2, "Task.Subject is written", "another field"),
        ("[case.fields]\nOwnerId = 'x'", 2, "Case.OwnerId can't be set", "the key owner"),
        ("[outcome]\n'Lead.X__c' = 'cost'", 2, "'Lead.X__c' is no field", "Task.Sentiment__c"),
        ("[outcome]\n'Task.WhatId' = 'cost'", 2, "Task.WhatId is written", "another field"),
        ("[outcome]\n'Task.X__c' = 'mood'", 2, "'mood' is no result", "structured.NAME"),
        ("[outcome]\n'Task.X__c' = 'structured.'", 2, "is no result of a call", "scorecard.NAME"),
        (
            "[outcome]\nTask.X__c = 'cost'",
            2,
            "outcome.Task has another value",
            '"Task.Sentiment__c"',
        ),
        ("[call_log.fields]\nX__c = 1\n[outcome]\n'Task.X__c' = 'cost'", 4, "also", "keep one"),
        ("[case]\nowner = contact", 2, "is not TOML", 'name = "value"'),
    ],
)
def test_a_mistake_is_named(folder: Path, text: str, line: int, problem: str, remedy: str) -> None:
    with pytest.raises(AgentError) as refused:
        read(folder_with(folder, text))
    (mistake,) = refused.value.mistakes
    assert (mistake.file, mistake.line) == (FILE, line)
    assert problem in mistake.problem
    assert remedy in mistake.remedy


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    text = "[case]\norigin = 1\n[call_log]\nnotes = true\n"
    with pytest.raises(AgentError) as refused:
        read(folder_with(folder, text))
    assert [mistake.line for mistake in refused.value.mistakes] == [2, 4]


@pytest.mark.parametrize("raw", [b"\xff", b"#" * 300_000])
def test_a_file_that_is_no_text_is_refused(folder: Path, raw: bytes) -> None:
    (folder / FILE).write_bytes(raw)
    with pytest.raises(AgentError):
        read(folder)


def test_the_mapping_says_what_it_needs_of_the_org(folder: Path) -> None:
    text = """
        case = {owner = "queue:Phone_Support", record_type = "Voice", fields = {Reason = "Other"}}
        callback = {owner = "user:ada@example.com"}
        outcome = {"Task.Type" = "summary", "Case.Reason" = "structured.x"}
    """
    with pytest.raises(AgentError):
        read(folder_with(folder, text))  # Case.Reason twice
    mapping = read(folder_with(folder, text.replace("Case.Reason", "Case.Language")))
    assert mapping.wanted == Wanted(
        users=("ada@example.com",),
        queues=("Phone_Support",),
        record_types=("Voice",),
        fields=("Case.Language", "Case.Reason", "Task.Type"),
    )


OPEN, DONE, SHUT = (
    StatusValue("Open", False, True),
    StatusValue("Done", True),
    StatusValue("Shut", True, True),
)


@pytest.mark.parametrize(
    ("sobject", "listed", "configured", "usual", "closed", "used"),
    [
        ("Case", [], "", "Closed", True, "Closed"),
        ("Case", [], "Mine", "Closed", True, "Mine"),
        ("Case", [OPEN, DONE], "", "Closed", True, "Done"),
        ("Case", [OPEN, DONE, SHUT], "", "Closed", True, "Shut"),
        ("Case", [OPEN, DONE, SHUT], "", "Done", True, "Done"),
        ("Case", [OPEN, DONE, SHUT], "Done", "Shut", True, "Done"),
        ("Case", [OPEN, DONE], "Open", "Closed", True, "Done"),
        ("Case", [OPEN, DONE], "Nowhere", "Closed", True, "Done"),
        ("Task", [OPEN, DONE], "Open", "Completed", True, "Open"),
        ("Task", [OPEN, DONE], "", "Not Started", False, "Open"),
        ("Task", [DONE], "", "Not Started", False, "Not Started"),
    ],
)
def test_the_status_that_the_org_has(
    sobject: str, listed: list[StatusValue], configured: str, usual: str, closed: bool, used: str
) -> None:
    setup = Setup(statuses={sobject: listed})
    assert setup.status(sobject, configured, usual, closed=closed) == used
