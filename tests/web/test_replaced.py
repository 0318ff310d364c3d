"""Corrections lose nothing, double nothing, and touch nothing of somebody else."""

import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from demo.stack import Org
from shared.agent.languages import AGENT_FOLDER
from shared.domain.intent import Cancelling, Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.results import TooLate
from shared.settings import Settings
from tests.calling import SHARED, message, post, reference_in, say
from tests.conftest import change_settings
from web.app import create_app

T0 = int(time.time() * 1000)
"""When the calls of these tests take place, by Vapi's clock."""

CASE = {"issueType": "technical", "description": "Gas smell in the cellar"}
CORRECTED = CASE | {"description": "Gas smell in the kitchen"}


def client_of(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


@pytest.fixture
def limited(settings: Settings) -> Iterator[FlaskClient]:
    """A service that accepts three writes of a call."""
    yield from client_of(change_settings(settings, max_writes_per_call=3))


def intents(journal: Journal) -> list[Intent]:
    return journal.of_call("call-1")


def test_a_correction_that_a_limit_refuses_leaves_the_request_that_it_was_to_replace(
    limited: FlaskClient, journal: Journal
) -> None:
    reference = reference_in(say(limited, "createSalesforceCase", CASE))
    for reason in ("one", "two"):
        say(limited, "requestCallback", {"reason": reason})
    answer = say(limited, "createSalesforceCase", CORRECTED | {"replaces": reference})
    assert "That is as much as I can note down here" in answer
    first, *_ = intents(journal)
    assert (first.state, first.payload["description"]) == (State.DUE, CASE["description"])
    assert len(intents(journal)) == 3


def test_a_correction_that_is_accepted_cancels_what_it_replaces(
    limited: FlaskClient, journal: Journal
) -> None:
    reference = reference_in(say(limited, "createSalesforceCase", CASE))
    answer = say(limited, "createSalesforceCase", CORRECTED | {"replaces": reference})
    assert "It replaces the technical case" in answer
    assert [intent.state for intent in intents(journal)] == [State.CANCELLED, State.DUE]


def test_nothing_is_recorded_when_what_it_replaces_has_changed_since_it_was_read(
    limited: FlaskClient, journal: Journal
) -> None:
    say(limited, "createSalesforceCase", CASE)
    (first,) = intents(journal)
    new = NewIntent(id=new_intent_id(), kind=Kind.CASE_CREATE, draft=first.draft)
    changed = Cancelling(first.id, is_open=False, reason="caller")
    assert journal.accept("call-1", [new], cancels=[changed]) == TooLate()
    assert [intent.state for intent in intents(journal)] == [State.DUE]


# -- two people in one call ------------------------------------------------------------------------


@pytest.fixture
def standard(settings: Settings) -> Iterator[FlaskClient]:
    """The default policy, with a commit window that outlasts the test."""
    changes = {"agent_dir": str(AGENT_FOLDER), "commit_window_ms": 60_000}
    yield from client_of(change_settings(settings, **changes))


@pytest.mark.parametrize(
    ("tool", "first", "second"),
    [
        ("updateContact", {"email": "paula@new.example"}, {"mailingStreet": "99 Bachelor Road"}),
        ("createSalesforceCase", CASE, CASE | {"issueType": "billing"}),
        ("requestCallback", {"when": "at 5"}, {"when": "at 6"}),
    ],
)
@pytest.mark.parametrize("how", ["replaces", "words"])
def test_one_of_a_household_corrects_nothing_of_the_others(
    standard: FlaskClient,
    journal: Journal,
    org: Org,
    tool: str,
    first: dict[str, str],
    second: dict[str, str],
    how: str,
) -> None:
    novaks = {it["Name"]: it["Id"] for it in org.records("Contact") if "Novak" in it["Name"]}
    paula, peter = novaks["Paula Novak"], novaks["Peter Novak"]
    org.edit("Contact", peter, Voice_PIN__c="7771")
    org.edit("Contact", paula, Voice_PIN__c="9038")
    say(standard, "lookupCustomer", number=SHARED)
    assert "is verified now" in say(standard, "verifyCaller", {"pin": "9038"}, number=SHARED)
    say(standard, tool, first, number=SHARED, timestamp=T0)
    (held,) = intents(journal)
    assert held.payload["contact_id"] == paula
    assert "is verified now" in say(standard, "verifyCaller", {"pin": "7771"}, number=SHARED)
    if how == "replaces":
        again = second | {"replaces": held.reference}
        answer = say(standard, tool, again, number=SHARED, timestamp=T0 + 2000)
        assert "I know no request with the reference" in answer
    else:
        words = {"role": "user", "transcriptType": "final", "transcript": "No wait, it is mine."}
        post(standard, message("transcript", number=SHARED, timestamp=T0 + 1000, **words))
        say(standard, tool, second, number=SHARED, timestamp=T0 + 2000)
        assert intents(journal)[1].payload["contact_id"] == peter
    assert intents(journal)[0].payload == held.payload


def test_a_caller_whom_the_org_names_only_now_corrects_their_request_of_before(
    standard: FlaskClient, journal: Journal, org: Org
) -> None:
    org.fault(refuse=True)
    say(standard, "updateContact", {"mailingCity": "Oakland"}, timestamp=T0)
    (held,) = intents(journal)
    assert held.payload["contact_id"] is None
    org.fault()
    say(standard, "lookupCustomer", timestamp=T0 + 500)
    again = {"mailingCity": "Berkeley", "replaces": held.reference}
    say(standard, "updateContact", again, timestamp=T0 + 1000)
    (only,) = intents(journal)
    assert only.payload["changes"] == {"MailingCity": "Berkeley"}


# -- the part of a change that a person checks -----------------------------------------------------


def checked(journal: Journal) -> list[tuple[str, dict[str, str]]]:
    """What a person checks, as far as it was not taken back."""
    return [
        (intent.kind, intent.payload["changes"])
        for intent in intents(journal)
        if intent.state is not State.CANCELLED
    ]


FIRST = {"mailingCity": "Oakland", "email": "wrong@old.example", "mobilePhone": "+14155550188"}
CHANGED = (Kind.CONTACT_UPDATE, {"MailingCity": "Oakland"})


@pytest.mark.parametrize("how", ["replaces", "words"])
@pytest.mark.parametrize("city", [{"mailingCity": "Oakland"}, {}])
def test_a_corrected_change_is_checked_once_and_taken_back_whole(
    standard: FlaskClient, journal: Journal, how: str, city: dict[str, str]
) -> None:
    said = say(standard, "updateContact", FIRST, timestamp=T0)
    (reference,) = (it.reference for it in intents(journal) if it.reference in said)
    second = city | {"email": "right@new.example"}
    if how == "replaces":
        second["replaces"] = reference
    else:
        speak(standard, "No, wait, it is right at new dot example.", T0 + 1000)
    say(standard, "updateContact", second, timestamp=T0 + 2000)
    to_check = {"Email": "right@new.example", "MobilePhone": "+14155550188"}
    assert checked(journal) == [CHANGED, (Kind.CALLBACK, to_check)]
    speak(standard, "Cancel that.", T0 + 3000)
    assert checked(journal) == []


def test_a_field_that_the_caller_may_change_by_now_is_checked_by_nobody(
    standard: FlaskClient, journal: Journal, org: Org
) -> None:
    (jane,) = (it["Id"] for it in org.records("Contact") if it["Name"] == "Jane Miller")
    org.edit("Contact", jane, Voice_PIN__c="4271")
    say(standard, "updateContact", FIRST, timestamp=T0)
    (reference,) = (it.reference for it in intents(journal) if it.kind is Kind.CONTACT_UPDATE)
    assert "is verified now" in say(standard, "verifyCaller", {"pin": "4271"})
    again = {"email": "right@new.example", "replaces": reference}
    say(standard, "updateContact", again, timestamp=T0 + 2000)
    changes = {"MailingCity": "Oakland", "Email": "right@new.example"}
    assert checked(journal) == [
        (Kind.CONTACT_UPDATE, changes),
        (Kind.CALLBACK, {"MobilePhone": "+14155550188"}),
    ]


def speak(client: FlaskClient, words: str, at_ms: int) -> None:
    said = {"role": "user", "transcriptType": "final", "transcript": words}
    post(client, message("transcript", timestamp=at_ms, **said))


@pytest.mark.parametrize("who_says_so", ["paula", "peter", "nobody"])
@pytest.mark.parametrize("how", ["words", "cancelCase", "cancelCase of a reference"])
def test_one_of_a_household_takes_back_nothing_of_the_others(
    standard: FlaskClient, journal: Journal, org: Org, who_says_so: str, how: str
) -> None:
    novaks = {it["Name"]: it["Id"] for it in org.records("Contact") if "Novak" in it["Name"]}
    org.edit("Contact", novaks["Peter Novak"], Voice_PIN__c="7771")
    say(standard, "verifyCaller", {"pin": "9038"}, number=SHARED)
    say(standard, "createSalesforceCase", CASE, number=SHARED, timestamp=T0)
    (held,) = intents(journal)
    assert held.payload["contact_id"] == novaks["Paula Novak"]
    if who_says_so == "peter":
        say(standard, "verifyCaller", {"pin": "7771"}, number=SHARED)
    if who_says_so == "nobody":
        post(standard, message("transfer-destination-request", number=SHARED))
    if how == "words":
        words = {"role": "user", "transcriptType": "final", "transcript": "Cancel that."}
        post(standard, message("transcript", number=SHARED, timestamp=T0 + 1000, **words))
    else:
        named = {} if how == "cancelCase" else {"reference": held.reference}
        say(standard, "cancelCase", named, number=SHARED, timestamp=T0 + 1000)
    (after, *_) = intents(journal)
    assert (after.state is State.CANCELLED) is (who_says_so != "peter")
