"""`speak = true` in a tool's file: Vapi says the answer word for word."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import ROOT, Org, Store
from shared.agent.errors import AgentError
from shared.agent.folder import load_agent
from shared.journal.journal import Journal
from shared.settings import Settings
from shared.store import StoreUnavailableError
from tests.calling import UNKNOWN, ask, post, tool_message
from tests.conftest import make_settings

ORDERS = ROOT / "examples" / "orders"
SPEAKING = ("orderStatus", "requestReturn", "requestCallback")
RETURN = {"orderNumber": "O-00001", "reason": "damaged"}


@pytest.fixture
def org(orders_org: Org) -> Org:
    return orders_org


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, tmp_path: Path) -> Settings:
    agent = Path(shutil.copytree(ORDERS, tmp_path / "agent"))
    for tool in SPEAKING:
        file = agent / "tools" / f"{tool}.toml"
        file.write_text(file.read_text().replace("verb = ", "speak = true\nverb = "))
    return make_settings(store_server.url, org.url, agent_dir=str(agent))


def spoken(entry: dict[str, Any]) -> str:
    """What Vapi says by itself; "" when the model does."""
    message = entry.get("message")
    if message is None:
        return ""
    assert message == {"type": "request-complete", "content": entry["result"]}
    return str(message["content"])


def test_what_was_found_is_said_word_for_word(client: FlaskClient) -> None:
    assert "O-00002" in spoken(ask(client, "orderStatus", {"orderNumber": "O-00002"}))
    assert "O-00003" in spoken(ask(client, "orderStatus"))


def test_what_was_accepted_is_said_with_its_reference(
    client: FlaskClient, journal: Journal
) -> None:
    said = spoken(ask(client, "requestReturn", RETURN))
    (intent,) = journal.newest(5)
    assert intent.reference in said
    again = spoken(ask(client, "requestReturn", RETURN, id="another-call"))
    assert intent.reference in again


def test_a_reference_that_was_taken_is_replaced_in_what_is_said_too(
    client: FlaskClient, journal: Journal, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.tools.submit.new_reference", lambda: "K7M 2QX")
    store.set("vs:reference:K7M 2QX", "somebody else's")
    entry = ask(client, "requestReturn", RETURN)
    (intent,) = journal.newest(5)
    assert intent.reference != "K7M 2QX"
    assert intent.reference in spoken(entry)
    store.delete("vs:reference:K7M 2QX")


def test_a_redelivery_gets_the_same_bytes(client: FlaskClient) -> None:
    body = tool_message(("t1", "requestReturn", RETURN))
    first = post(client, body).data
    assert b'"request-complete"' in first
    assert post(client, body).data == first


@pytest.mark.parametrize(
    ("tool", "arguments", "number"),
    [
        ("orderStatus", {"orderNumber": "O-99999"}, None),  # nothing found
        ("orderStatus", {}, UNKNOWN),
        ("requestReturn", {"orderNumber": "O-00001"}, None),  # an argument is missing
        ("lookupCustomer", {}, None),
    ],
)
def test_any_other_answer_is_the_models_to_say(
    client: FlaskClient, tool: str, arguments: Any, number: str | None
) -> None:
    options = {"number": number} if number else {}
    assert spoken(ask(client, tool, arguments, **options)) == ""


def test_a_question_before_a_second_record_is_the_models_to_ask(client: FlaskClient) -> None:
    ask(client, "requestReturn", RETURN)
    other = RETURN | {"reason": "wrong item"}
    entry = ask(client, "requestReturn", other, call_id="call-2")
    assert "Nothing" in entry["result"]
    assert spoken(entry) == ""


def test_several_calls_of_a_message_are_the_models_to_say(client: FlaskClient) -> None:
    body = tool_message(("t1", "orderStatus", {}), ("t2", "requestCallback", {"reason": "x"}))
    entries = post(client, body).get_json()["results"]
    assert [spoken(entry) for entry in entries] == ["", ""]


def test_what_could_not_be_saved_is_the_models_to_say(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailableError("AWAY")

    monkeypatch.setattr("web.tools.dispatch.submit", away)
    entry = ask(client, "requestReturn", RETURN)
    assert "error" in entry
    assert spoken(entry) == ""


def test_a_tool_whose_sentences_are_for_the_agent_can_not_speak(tmp_path: Path) -> None:
    agent = Path(shutil.copytree(ROOT / "agent", tmp_path / "agent"))
    for tool in ("getCaseStatus", "verifyCaller"):
        file = agent / "tools" / f"{tool}.toml"
        file.write_text(file.read_text().replace("verb = ", "speak = true\nverb = "))
    with pytest.raises(AgentError) as refused:
        load_agent(str(agent))
    said = {mistake.file: mistake.problem for mistake in refused.value.mistakes}
    assert said["tools/getCaseStatus.toml"].startswith("speak does not go with")
    assert said["tools/verifyCaller.toml"] == "speak is unknown"
