"""What an answer shows beside its words: by a filter, by a reference of somebody else's request."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.languages import AGENT_FOLDER
from tests.calling import KNOWN, reference_in, say
from tests.conftest import make_settings
from web.app import create_app
from web.service import Service

LUIS = "+14155550103"
CASE = {"issueType": "billing", "description": "Refund"}
PIN = "4271"


@pytest.fixture
def client_of(
    store: redis.Redis, store_server: Store, org: Org, tmp_path: Path
) -> Iterator[Callable[[str], FlaskClient]]:
    """A client of the service with the given policy."""
    services: list[Service] = []

    def made(base: str) -> FlaskClient:
        folder = Path(shutil.copytree(AGENT_FOLDER, tmp_path / base))
        (folder / "policy.toml").write_text(f'base = "{base}"\n')
        app = create_app(make_settings(store_server.url, org.url, agent_dir=str(folder)))
        services.append(app.extensions["service"])
        return app.test_client()

    yield made
    for service in services:
        service.close()


def test_a_filter_does_not_show_what_a_case_is_about(
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("standard")
    everything = say(client, "retrieveCustomerCase")
    for issue_type in ("billing", "technical", "account"):
        assert say(client, "retrieveCustomerCase", {"issueType": issue_type}) == everything


def test_a_filter_filters_for_those_who_may_hear_what_a_case_is_about(
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("standard")
    say(client, "verifyCaller", {"pin": PIN})
    everything = say(client, "retrieveCustomerCase")
    said = {
        say(client, "retrieveCustomerCase", {"issueType": issue_type})
        for issue_type in ("billing", "technical", "account")
    }
    assert len(said - {everything}) == 3


@pytest.mark.parametrize("is_away", [False, True])
@pytest.mark.parametrize(("who", "number"), [("Jane", KNOWN), ("nobody", "")])
@pytest.mark.parametrize("base", ["strict", "standard"])
def test_a_reference_of_somebody_else_gets_what_a_reference_of_nothing_gets(
    client_of: Callable[[str], FlaskClient],
    org: Org,
    store: redis.Redis,
    base: str,
    who: str,
    number: str,
    is_away: bool,
) -> None:
    client = client_of(base)
    call_back = reference_in(say(client, "requestCallback", call_id="victim", number=LUIS))
    pending = reference_in(say(client, "createSalesforceCase", CASE, call_id="victim", number=LUIS))
    say(client, "lookupCustomer", call_id=who, number=number)
    say(client, "getCaseStatus", {"reference": "YYY YYY"}, call_id=who, number=number)
    if is_away:
        org.fault(status=503, resources=["query"])
    for tool, more in (
        ("addCaseComment", {"comment": "x"}),
        ("cancelCase", {}),
        ("getCaseStatus", {}),
    ):
        answers = set()
        for reference in (call_back, pending, "ZZZ ZZZ"):
            store.delete(*store.scan_iter("*breaker*"), "unused")
            before = org.stats()["requests"]
            said = say(client, tool, {"reference": reference, **more}, call_id=who, number=number)
            answers.add((said, 0 if is_away else org.stats()["requests"] - before))
        assert len(answers) == 1, answers


def test_the_own_request_of_another_kind_is_named_as_one(
    client_of: Callable[[str], FlaskClient],
) -> None:
    client = client_of("standard")
    reference = reference_in(say(client, "requestCallback"))
    said = say(client, "addCaseComment", {"comment": "x", "reference": reference})
    assert said == "That reference is not one of a case."
