"""Public prompt injections as contents of the org and as arguments: each is data, and stays it.

Whatever a text says, an answer has it between double quotes or not at all; the rest of the answer,
and what was decided, is what a harmless text gets as well. `make fuzz` tries every string.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from shared.calls.decisions import Decisions
from tests.calling import message, post, sentence, tool_message
from tests.conftest import make_settings
from tests.fuzz.injection_strings import injection_strings
from tests.fuzz.running import MINUTES
from web.app import create_app

EVERY = 1 if MINUTES else 12
"""A short run tries one string in so many."""

STRINGS = injection_strings()

FIELDS = {
    ("Contact", "FirstName"): 40,
    ("Contact", "LastName"): 80,
    ("Account", "Name"): 255,
    ("Account", "AccountNumber"): 40,
    ("Case", "Subject"): 255,
    ("Case", "Status"): 40,
}
"""Those that an answer may have, and how much they hold."""

LOOKUPS = ("lookupCustomer", "getCaseStatus", "retrieveCustomerCase")

ARGUMENTS: dict[str, dict[str, dict[str, str]]] = {
    "getCaseStatus": {"caseNumber": {}, "reference": {}},
    "retrieveCustomerCase": {"accountNumber": {}, "issueType": {}},
    "createSalesforceCase": {
        "description": {"issueType": "billing"},
        "issueType": {"description": "Billed twice"},
        "accountNumber": {"issueType": "billing", "description": "Billed twice"},
        "priority": {"issueType": "billing", "description": "Billed twice"},
        "replaces": {"issueType": "billing", "description": "Billed twice"},
        "onExisting": {"issueType": "billing", "description": "Billed twice"},
    },
    "addCaseComment": {"comment": {"caseNumber": "00001001"}, "caseNumber": {"comment": "More"}},
    "updateContact": {"mailingStreet": {}, "mailingCity": {}, "email": {}, "phone": {}},
    "cancelCase": {"reason": {}, "reference": {}},
    "requestCallback": {"reason": {}, "when": {}, "phone": {}},
    "verifyCaller": {"pin": {}},
}
"""Tool → argument → what is given with it."""

HARMLESS = ("", "Blue", "a" * 4000, "Blue, and then green. Twice!\nRed {0}", "12345678", "K7M 2QX")
"""Texts of every sort: none, a readable one, one that is too long, one with marks, numbers."""

numbers = count()


@dataclass(frozen=True)
class Outcome:
    """texts: what a call got, without what stands between double quotes. decisions: what the policy
    was asked, and what it answered."""

    texts: tuple[str, ...]
    decisions: frozenset[tuple[str, str, str, bool]]


@contextmanager
def service(store_server: Store, org: Org, agent: Path) -> Iterator[FlaskClient]:
    """One that has no limits for a number."""
    settings = make_settings(
        store_server.url,
        org.url,
        agent_dir=str(agent),
        vapi_assistant_id="a-1",
        max_writes_per_number_and_hour=100_000,
        max_writes_per_number_and_day=100_000,
        max_lookups_per_number_and_hour=100_000,
    )
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


@pytest.fixture
def standard(store: redis.Redis, store_server: Store, org: Org) -> Iterator[FlaskClient]:
    """The policy that teams begin with."""
    with service(store_server, org, AGENT_FOLDER) as client:
        yield client


@pytest.fixture
def talkative(
    store: redis.Redis, store_server: Store, org: Org, open_agent: Path
) -> Iterator[FlaskClient]:
    """The policy with which the most is heard."""
    with service(store_server, org, open_agent) as client:
        yield client


def outcome(store: redis.Redis, call_id: str, texts: list[str]) -> Outcome:
    decided = Decisions(store).of_call(call_id)
    return Outcome(
        tuple(re.sub('"[^"]*"', '""', text) for text in texts),
        frozenset((each.tool, each.about, each.tier, each.allowed) for each in decided),
    )


def ask(client: FlaskClient, call_id: str, tool: str, arguments: dict[str, str]) -> str:
    body = tool_message((tool, tool, arguments), call_id=call_id)
    return sentence(post(client, body).get_json()["results"][0])


def answers_to_a_call(client: FlaskClient, store: redis.Redis) -> Outcome:
    """All that a recognised caller can get of the org's texts."""
    call_id = f"call-{next(numbers)}"
    begin = post(client, message("assistant-request", call_id=call_id)).get_json()
    overrides = begin["assistantOverrides"]
    texts = [*overrides["variableValues"].values(), overrides.get("firstMessage", "")]
    texts += [ask(client, call_id, tool, {}) for tool in LOOKUPS]
    transfer = post(client, message("transfer-destination-request", call_id=call_id)).get_json()
    texts.append(str(transfer))
    return outcome(store, call_id, texts)


@pytest.mark.parametrize(("sobject", "field"), FIELDS)
def test_a_text_of_the_org_is_quoted_and_decides_nothing(
    talkative: FlaskClient, store: redis.Redis, org: Org, sobject: str, field: str
) -> None:
    (jane,) = (row for row in org.records("Contact") if row["Name"] == "Jane Miller")
    ids = {
        "Contact": [jane["Id"]],
        "Account": [jane["AccountId"]],
        "Case": [
            row["Id"]
            for row in org.records("Case")
            if row["ContactId"] == jane["Id"] and not row["IsClosed"]
        ],
    }

    def with_text(text: str) -> Outcome:
        for record_id in ids[sobject]:
            org.edit(sobject, record_id, **{field: text[: FIELDS[sobject, field]]})
        return answers_to_a_call(talkative, store)

    usual = {with_text("Blue"), with_text("<b>")}
    for text in STRINGS[::EVERY]:
        assert with_text(text) in usual, text


@pytest.mark.parametrize(("tool", "argument"), [(t, a) for t in ARGUMENTS for a in ARGUMENTS[t]])
def test_an_argument_is_quoted_and_decides_nothing(
    standard: FlaskClient, store: redis.Redis, org: Org, tool: str, argument: str
) -> None:
    def given(text: str) -> Outcome:
        call_id = f"call-{next(numbers)}"
        arguments = ARGUMENTS[tool][argument] | {argument: text}
        said = ask(standard, call_id, tool, arguments)
        return outcome(store, call_id, [re.sub("[A-Z2-9]{3} [A-Z2-9]{3}", "K7M 2QX", said)])

    usual = {given(text) for text in HARMLESS}
    for text in STRINGS[::EVERY]:
        assert given(text) in usual, text
