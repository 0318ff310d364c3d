"""A call is answered in the caller's language, else the assistant's, else the default."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import ROOT, Org
from shared.agent.agents import Agents
from shared.agent.folder import load_agent
from shared.calls.call_updates import CallUpdate
from shared.domain.kinds import Kind
from shared.settings import Settings
from tests.calling import KNOWN, SHARED, UNKNOWN, ask, message, post, reference_in, tool_message
from tests.conftest import change_settings
from web.app import create_app
from web.service import Service
from workers.call_updates import updates_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

CASE = {"issueType": "billing", "description": "Billed twice for October"}


def speaks(org: Org, language: str, *names: str) -> None:
    for contact in org.records("Contact"):
        if contact["Name"] in names:
            org.edit("Contact", contact["Id"], Department=language)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Contacts have their language in Department."""
    here = {"salesforce_language_field": "Department", "vapi_assistant_id": "a-1"}
    made = create_app(change_settings(settings, **here))
    yield made
    made.extensions["service"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def with_assistant(body: dict[str, Any], language: str) -> dict[str, Any]:
    body["message"]["assistant"] = {"transcriber": {"provider": "deepgram", "language": language}}
    return body


@pytest.mark.parametrize(
    ("language", "known", "accepted"),
    [
        ("de-AT", 'Es ruft an: "Jane Miller"', "Der Vorgang zum Thema Abrechnung wird angelegt."),
        ("es", 'Llama "Jane Miller"', "Se está abriendo el caso sobre facturación."),
        ("en", 'The caller is "Jane Miller"', "The billing case is being opened."),
        ("fr", 'The caller is "Jane Miller"', "The billing case is being opened."),
    ],
)
def test_the_callers_own_language_comes_first(
    client: FlaskClient, org: Org, language: str, known: str, accepted: str
) -> None:
    speaks(org, language, "Jane Miller")
    assert ask(client, "lookupCustomer")["result"].startswith(known)
    assert ask(client, "createSalesforceCase", CASE)["result"].startswith(accepted)


def test_wrong_arguments_are_asked_for_in_that_language_and_again_so(
    client: FlaskClient, org: Org
) -> None:
    speaks(org, "de", "Jane Miller")
    body = tool_message(("t-1", "createSalesforceCase", {"issueType": "billing"}))
    first = post(client, body).data  # who is calling may not be known yet
    ask(client, "lookupCustomer")
    assert post(client, body).data == first
    said = ask(client, "updateContact", {"phone": "1"})["error"]
    assert said == "Das ist keine vollständige Telefonnummer. Es wurde nichts gespeichert."


def test_callers_who_share_a_number_get_the_language_that_all_of_them_speak(
    client: FlaskClient, org: Org
) -> None:
    names = [contact["Name"] for contact in org.records("Contact")]
    speaks(org, "de", *names)
    said = ask(client, "lookupCustomer", number=SHARED)["result"]
    assert said.startswith("Zwei Kunden haben diese Telefonnummer.")


def test_otherwise_the_assistants_language_counts(client: FlaskClient) -> None:
    body = with_assistant(message("status-update", status="in-progress", number=UNKNOWN), "es")
    post(client, body)
    said = ask(client, "lookupCustomer", number=UNKNOWN)["result"]
    assert said.startswith("Este número de teléfono no está registrado.")


@pytest.mark.parametrize("language", ["multi", "fr", "", "klingon{}"])
def test_an_assistant_without_a_language_of_ours_gets_the_default(
    client: FlaskClient, language: str
) -> None:
    post(client, with_assistant(message("status-update", number=UNKNOWN), language))
    said = ask(client, "lookupCustomer", number=UNKNOWN)["result"]
    assert said.startswith("This phone number is not on file.")


def test_a_call_update_is_in_the_language_of_its_call(
    app: Flask, context: DeliveryContext, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaks(org, "de", "Jane Miller")
    client, service = app.test_client(), app.extensions["service"]
    assert isinstance(service, Service)
    ask(client, "lookupCustomer")
    reference = reference_in(ask(client, "createSalesforceCase", CASE)["result"])
    updates: list[CallUpdate] = []
    drain(context, Kind.CASE_CREATE, lambda lease, ends: updates.extend(updates_of(lease, ends)))
    (update,) = updates
    language = service.calls.state("call-1").language
    said = service.agents.first.sentences.speak(language, update.said)
    assert said.startswith(f"Der Vorgang mit der Referenz {reference} ist jetzt angelegt.")


def overrides(client: FlaskClient, number: str = KNOWN) -> dict[str, Any]:
    answer = post(client, message("assistant-request", number=number)).get_json()
    found: dict[str, Any] = answer["assistantOverrides"]
    return found


def test_the_assistant_listens_and_speaks_in_the_callers_language(
    client: FlaskClient, org: Org
) -> None:
    """Each override is complete, so that it does not matter whether Vapi merges or replaces it."""
    speaks(org, "de", "Jane Miller")
    assistant = tomllib.loads((ROOT / "agent" / "assistant.toml").read_text())
    given = overrides(client)
    assert given["transcriber"] == assistant["transcriber"] | {"language": "de"}
    assert given["voice"] == assistant["voice"] | {"language": "de"}
    assert given["firstMessage"].startswith('Guten Tag "Jane Miller", ')
    assert given["variableValues"]["openCases"].startswith("Vorgang 0")


@pytest.mark.parametrize("language", ["en", "fr", ""])
def test_the_saved_assistant_stays_as_it_is_in_the_default_language(
    client: FlaskClient, org: Org, language: str
) -> None:
    speaks(org, language, "Jane Miller")
    assert overrides(client).keys() == {"variableValues"}


@pytest.mark.parametrize(
    ("saved", "caller", "greeting"),
    [("de", "de", ""), ("de", "", ""), ("de", "es", 'Hola, "Jane Miller", '), ("multi", "en", "")],
)
def test_an_assistant_in_another_language_than_the_default_stays_in_it_for_its_callers(
    app: Flask, org: Org, monkeypatch: pytest.MonkeyPatch, saved: str, caller: str, greeting: str
) -> None:
    speaks(org, caller, "Jane Miller")
    assistant = {"transcriber": {"provider": "deepgram", "language": saved}}
    agent = replace(app.extensions["service"].agents.first, assistant=assistant)
    serves = replace(app.extensions["service"], agents=Agents((agent,)))
    monkeypatch.setitem(app.extensions, "service", serves)
    given = overrides(app.test_client())
    assert given.get("firstMessage", "").startswith(greeting)
    assert ("firstMessage" in given) is bool(greeting)


def test_a_provider_with_other_names_for_languages_is_left_alone(
    app: Flask, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaks(org, "de", "Jane Miller")
    azure = {"transcriber": {"provider": "azure"}, "voice": {"provider": "vapi", "version": 2}}
    agent = replace(app.extensions["service"].agents.first, assistant=azure)
    serves = replace(app.extensions["service"], agents=Agents((agent,)))
    monkeypatch.setitem(app.extensions, "service", serves)
    assert overrides(app.test_client()).keys() == {"variableValues", "firstMessage"}


def test_the_english_greeting_is_the_assistants_own() -> None:
    agent = load_agent("agent")
    first = agent.assistant["firstMessage"].rpartition("{% endif %}")[2]
    assert agent.sentences.say("en", "greeting").endswith(first)
