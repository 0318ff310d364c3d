"""Several agent folders on one server: each call is answered, and its records look, as its own
folder says."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient

from demo.stack import Org, Store
from shared.agent.agents import agents_of
from shared.agent.errors import AgentError
from shared.agent.languages import AGENT_FOLDER
from shared.calls.call_updates import CallUpdate, CallUpdates
from shared.calls.calls import Calls
from shared.domain.identity import Tier
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import UNKNOWN, message, post, tool_message
from tests.conftest import make_settings
from workers.call_updates import updates_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain

ACME, NORD = "+14155550100", "+493012345678"
CASE = {"issueType": "billing", "description": "Billed twice for October"}
NEW_CASE = "createSalesforceCase"


def folder(root: Path, name: str, **files: str) -> Path:
    """A copy of the default folder with an assistant of its own. files: TOML, by file name."""
    made = root / name
    shutil.copytree(AGENT_FOLDER, made)
    text = (made / "assistant.toml").read_text()
    (made / "assistant.toml").write_text(text.replace('"vapi-salesforce"', f'"{name}"', 1))
    for stem, added in files.items():
        (made / f"{stem}.toml").write_text(added)
    return made


@dataclass(frozen=True)
class Brands:
    acme: Path
    nord: Path

    @property
    def agent_dir(self) -> str:
        return f"{self.acme}:{self.nord}"


@pytest.fixture
def brands(tmp_path: Path) -> Brands:
    nord = folder(
        tmp_path,
        "nord",
        calls=f'numbers = ["{NORD}"]\nassistants = ["assistant-nord"]\n',
        salesforce='[case]\norigin = "Nord"\n',
        transfer='[queues]\ndefault = "+493011111111"\n',
    )
    sentences = nord / "sentences" / "en.ftl"
    text = sentences.read_text()
    for key in ("number-not-on-file", "case-open-now"):
        text = text.replace(f"{key} =", f"{key} = Nord:", 1)
    sentences.write_text(text)
    (nord / "tools" / "requestCallback.toml").unlink()
    return Brands(folder(tmp_path, "acme"), nord)


@pytest.fixture
def settings(store: redis.Redis, store_server: Store, org: Org, brands: Brands) -> Settings:
    others = {"agent_dir": brands.agent_dir, "vapi_assistant_id": "assistant-acme"}
    return make_settings(store_server.url, org.url, **others)


def dialled(body: dict[str, Any], number: str = "", assistant: str = "") -> dict[str, Any]:
    """The message of a call to this number, which this assistant answers."""
    if number:
        body["message"]["phoneNumber"] = {"number": number}
    if assistant:
        body["message"]["call"]["assistantId"] = assistant
    return body


def result(client: FlaskClient, body: dict[str, Any]) -> str:
    (found,) = post(client, body).get_json()["results"]
    return str(found.get("result") or found["error"])


def lookup(call_id: str) -> dict[str, Any]:
    return tool_message((f"t-{call_id}", "lookupCustomer", {}), call_id=call_id, number=UNKNOWN)


def accepted(journal: Journal, call_id: str) -> dict[str, str]:
    return {intent.tool: intent.agent for intent in journal.of_call(call_id)}


@pytest.mark.parametrize(
    ("number", "assistant", "is_nord"),
    [
        ("", "", False),
        (ACME, "", False),
        (NORD, "", True),
        ("", "assistant-nord", True),
        (NORD, "assistant-acme", True),  # nobody claims that assistant
        (ACME, "assistant-nord", True),
        ("not a number", "", False),
    ],
)
def test_the_assistant_or_the_number_that_was_dialled_decides_who_answers(
    client: FlaskClient, number: str, assistant: str, is_nord: bool
) -> None:
    said = result(client, dialled(lookup("call-1"), number, assistant))
    assert said.startswith("Nord:") is is_nord


def test_a_call_keeps_its_folder_where_a_later_message_names_no_number(client: FlaskClient) -> None:
    post(client, dialled(message("status-update", number=UNKNOWN, status="in-progress"), NORD))
    assert result(client, lookup("call-1")).startswith("Nord:")


def test_a_tool_of_one_folder_is_none_of_the_other(client: FlaskClient) -> None:
    wanted = ("t-1", "requestCallback", {"reason": "Billing"})
    assert "reference" in result(client, dialled(tool_message(wanted, call_id="call-a"), ACME))
    refused = result(client, dialled(tool_message(wanted, call_id="call-n"), NORD))
    assert "reference" not in refused


def test_records_look_as_the_folder_of_their_call_says(
    client: FlaskClient, context: DeliveryContext, journal: Journal, org: Org
) -> None:
    for call_id, number, issue_type in (("call-a", ACME, "billing"), ("call-n", NORD, "technical")):
        wanted = ("t-1", NEW_CASE, CASE | {"issueType": issue_type})
        post(client, dialled(tool_message(wanted, call_id=call_id), number))
    assert accepted(journal, "call-a") == {NEW_CASE: "acme"}
    assert accepted(journal, "call-n") == {NEW_CASE: "nord"}
    assert drain(context, Kind.CASE_CREATE).counts == {"delivered": 2}
    origins = {case["Origin"] for case in org.records("Case") if case["Call_Key__c"]}
    assert origins == {"Phone", "Nord"}


def test_what_the_service_records_at_the_end_belongs_to_the_folder_too(
    client: FlaskClient, journal: Journal
) -> None:
    post(client, dialled(message("end-of-call-report", endedReason="customer-ended-call"), NORD))
    assert accepted(journal, "call-1") == {"": "nord"}


def test_a_folder_that_is_no_longer_served_leaves_its_intents_to_the_first(
    client: FlaskClient, settings: Settings, brands: Brands, store: redis.Redis, org: Org
) -> None:
    post(client, dialled(tool_message(("t-1", NEW_CASE, CASE)), NORD))
    calls = settings.calls.model_copy(update={"agent_dir": str(brands.acme)})
    alone = DeliveryContext.from_settings(settings.model_copy(update={"calls": calls}), store)
    assert drain(alone, Kind.CASE_CREATE).counts == {"delivered": 1}
    assert [case["Origin"] for case in org.records("Case") if case["Call_Key__c"]] == ["Phone"]


def test_an_update_into_a_call_is_in_the_words_of_its_folder(
    client: FlaskClient, settings: Settings, store: redis.Redis, context: DeliveryContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    said: list[str] = []
    monkeypatch.setattr(
        "shared.calls.call_updates.post_update", lambda _url, text, *_, **__: said.append(text)
    )
    body = dialled(tool_message(("t-1", NEW_CASE, CASE)), NORD)
    body["message"]["call"]["monitor"] = {"controlUrl": "https://x.vapi.ai/control"}
    post(client, body)
    updates: list[CallUpdate] = []
    drain(context, Kind.CASE_CREATE, lambda lease, ends: updates.extend(updates_of(lease, ends)))
    notifier = CallUpdates(Calls(store), settings.vapi, agents_of(settings))
    notifier.notify_agent(updates)
    notifier.close()
    (text,) = said
    assert text.startswith("Nord:")


@pytest.mark.parametrize(
    ("number", "assistant"), [(ACME, "assistant-acme"), (NORD, "assistant-nord")]
)
def test_vapi_is_given_the_assistant_of_the_folder(
    client: FlaskClient, number: str, assistant: str
) -> None:
    given = post(client, dialled(message("assistant-request"), number)).get_json()
    assert given["assistantId"] == assistant


@pytest.mark.parametrize(("number", "has_queue"), [(ACME, False), (NORD, True)])
def test_a_caller_is_transferred_by_the_rules_of_the_folder(
    client: FlaskClient, number: str, has_queue: bool
) -> None:
    given = post(client, dialled(message("transfer-destination-request"), number)).get_json()
    assert ("destination" in given) is has_queue


def test_what_one_folder_takes_as_a_proof_shows_nothing_in_another(
    client: FlaskClient, store: redis.Redis
) -> None:
    calls = Calls(store)
    wanted = ("t-1", "verifyCaller", {"pin": "4271"})
    post(client, tool_message(wanted, call_id="call-1"))
    shown = calls.state("call-1").proof
    assert shown
    assert shown.tier is Tier.VERIFIED
    post(client, dialled(message("status-update", status="in-progress"), NORD))
    assert calls.state("call-1").proof is None


def test_too_many_wrong_answers_to_one_folder_count_in_another(
    client: FlaskClient, store: redis.Redis
) -> None:
    calls = Calls(store)
    for nth in range(3):
        wanted = (f"t-{nth}", "verifyCaller", {"pin": f"111{nth}"})
        post(client, tool_message(wanted, call_id="call-1"))
    post(client, dialled(message("status-update", status="in-progress"), NORD))
    locked = calls.state("call-1").proof
    assert locked
    assert locked.tier is Tier.UNKNOWN


# -- folders that don't go together ----------------------------------------------------------------


def refusal(settings: Settings, *folders: Path) -> list[str]:
    calls = settings.calls.model_copy(update={"agent_dir": ":".join(map(str, folders))})
    with pytest.raises(AgentError) as refused:
        agents_of(settings.model_copy(update={"calls": calls}))
    return [str(mistake) for mistake in refused.value.mistakes]


def test_a_folder_after_the_first_has_to_claim_calls(
    settings: Settings, brands: Brands, tmp_path: Path
) -> None:
    third = folder(tmp_path, "third")
    (mistake,) = refusal(settings, brands.acme, brands.nord, third)
    assert mistake.startswith(f"{third}/calls.toml: claims no call; name numbers or assistants")


def test_two_folders_can_not_claim_the_same_call(
    settings: Settings, brands: Brands, tmp_path: Path
) -> None:
    third = folder(tmp_path, "third", calls=f'numbers = ["{NORD}"]\n')
    (mistake,) = refusal(settings, brands.acme, brands.nord, third)
    assert f"{NORD} is in {brands.nord}/calls.toml as well" in mistake


def test_two_folders_have_different_names_and_assistants(
    settings: Settings, brands: Brands, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    same = folder(tmp_path / "other", "nord", calls='numbers = ["+493099999999"]\n')
    found = refusal(settings, brands.acme, brands.nord, same)
    assert any(f"has the same name as {brands.nord}; rename" in mistake for mistake in found)
    assert any("has the same name as the assistant of" in mistake for mistake in found)


def test_the_mistakes_of_every_folder_are_named(settings: Settings, brands: Brands) -> None:
    (brands.acme / "tools" / "lookupCustomer.toml").write_text('verb = "identify"\n')
    (brands.nord / "calls.toml").write_text("numbers = [1]\nnumber = 2\n")
    found = refusal(settings, brands.acme, brands.nord)
    assert any(mistake.startswith(f"{brands.acme}/tools/lookupCustomer.toml") for mistake in found)
    assert f"{brands.nord}/calls.toml:2: number is unknown; use numbers or assistants" in found
    assert any(m.startswith(f"{brands.nord}/calls.toml:1: numbers has another form") for m in found)
