"""Corrections lose nothing, double nothing, and touch nothing of somebody else."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from shared.domain.intent import Cancelling, Intent, NewIntent, new_intent_id
from shared.domain.kinds import Kind, State
from shared.journal.journal import Journal
from shared.journal.results import TooLate
from shared.settings import Settings
from tests.calling import reference_in, say
from tests.conftest import change_settings
from web.app import create_app

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
