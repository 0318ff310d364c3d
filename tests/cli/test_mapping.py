"""The doctor compares salesforce.toml with the org, and names what does not fit."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest

from cli.chain import Finding, examine
from cli.checks.agent import FOLDER
from cli.checks.context import CheckContext
from cli.checks.mapping import LINKS
from demo.stack import Org
from shared.agent.languages import AGENT_FOLDER
from shared.settings import load_settings
from tests.conftest import change_settings


def findings(folder: Path, text: str) -> dict[str, Finding]:
    """With a copy of the default agent folder that has this file."""
    copy = Path(tempfile.mkdtemp(dir=folder)) / "agent"
    shutil.copytree(AGENT_FOLDER, copy)
    (copy / "salesforce.toml").write_text(text)
    context = CheckContext(change_settings(load_settings(), agent_dir=str(copy)))
    return {finding.link: finding for finding in examine((FOLDER, *LINKS), context)}


def test_the_statuses_in_use_are_named(folder: Path, org: Org) -> None:
    found = findings(folder, "")
    assert {finding.status for finding in found.values()} == {"ok"}
    assert found["salesforce statuses"].message == (
        "Closed for a closed case, Completed for a call log, Not Started for a call-back"
    )
    org.fault(picklists={"Task.Status": ["Offen", {"value": "Fertig", "closed": True}]})
    assert findings(folder, "")["salesforce statuses"].message == (
        "Closed for a closed case, Fertig for a call log, Offen for a call-back"
    )
    org.fault()


@pytest.mark.parametrize(
    ("text", "link", "names"),
    [
        ("[call_log]\nstatus = 'Done'", "salesforce statuses", "call_log.status is 'Done'"),
        ("[case]\nclosed_status = 'Gone'", "salesforce statuses", "case.closed_status is 'Gone'"),
        ("[case]\nclosed_status = 'Working'", "salesforce statuses", "does not close a case"),
        ("[case]\nowner = 'queue:Nobody'", "salesforce mapping", "the org has no queue Nobody"),
        ("[callback]\nowner = 'user:a@b.c'", "salesforce mapping", "no active user has the"),
        ("[case]\nrecord_type = 'Voice'", "salesforce mapping", "no active record type Voice"),
        ("[case.fields]\nX__c = 1", "salesforce mapping", "case.fields.X__c: Case.X__c is missing"),
        ("[outcome]\n'Task.X__c' = 'cost'", "salesforce mapping", "outcome cost: Task.X__c is"),
        ("[outcome]\n'Case.ContactPhone' = 'cost'", "salesforce mapping", "is read-only"),
    ],
)
def test_a_name_that_the_org_does_not_have_is_a_problem(
    folder: Path, org: Org, text: str, link: str, names: str
) -> None:
    found = findings(folder, text)
    assert [item.link for item in found.values() if item.status == "problem"] == [link]
    assert names in found[link].message
    assert found[link].remedy


def test_a_mistake_in_the_file_is_a_problem_with_its_line(folder: Path, org: Org) -> None:
    found = findings(folder, "[case]\norigin = 1\ncolour = 'red'\n")
    problem = found["agent folder"]
    assert problem.status == "problem"
    assert "salesforce.toml:3: case.colour" in problem.message
    assert found["salesforce mapping"].status == "not checked"


@pytest.mark.parametrize(("denied", "status"), [(["TaskStatus.read"], "warning"), ([], "ok")])
def test_statuses_that_the_user_may_not_see_are_a_warning(
    folder: Path, org: Org, denied: list[Any], status: str
) -> None:
    org.fault(deny=denied)
    assert findings(folder, "")["salesforce statuses"].status == status
    org.fault()
