"""Several agent folders on one server: each call is answered, and its records look, as its own
folder says."""

import shutil
from collections.abc import Iterator
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
from shared.agent.tool_files import Verb
from shared.calls.call_updates import CallUpdate, CallUpdates
from shared.calls.calls import Calls
from shared.domain.identity import Tier
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.settings import Settings
from tests.calling import UNKNOWN, message, post, tool_message
from tests.conftest import make_settings
from web.app import create_app
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


# -- when a call goes over to another folder -------------------------------------------------------


def with_policies(brands: Brands, acme: str, nord: str) -> None:
    (brands.acme / "policy.toml").write_text(f'base = "{acme}"\n')
    (brands.nord / "policy.toml").write_text(f'base = "{nord}"\n')
    (brands.acme / "calls.toml").write_text('assistants = ["assistant-acme"]\n')


def status_of(client: FlaskClient, id_: str, number: str = "", assistant: str = "") -> str:
    wanted = (id_, "getCaseStatus", {"caseNumber": "00001001"})
    return result(client, dialled(tool_message(wanted), number, assistant))


@pytest.fixture
def handed_over(settings: Settings, brands: Brands) -> Iterator[FlaskClient]:
    """A service with an open folder, and a strict one that claims the number NORD."""
    with_policies(brands, "open", "strict")
    app = create_app(settings)
    yield app.test_client()
    app.extensions["service"].close()


def test_a_call_that_goes_over_to_another_folder_keeps_the_stricter_policy(
    handed_over: FlaskClient, store: redis.Redis
) -> None:
    needs_proof = status_of(handed_over, "a", NORD)
    assert "has to show who they are" in needs_proof
    assert status_of(handed_over, "b", NORD, "assistant-acme") == needs_proof
    assert Calls(store).state("call-1").agent == "acme"
    assert status_of(handed_over, "c") == needs_proof
    assert status_of(handed_over, "d", ACME, "assistant-acme") == needs_proof
    other = dialled(
        tool_message(("a", "getCaseStatus", {"caseNumber": "00001001"}), call_id="call-2"),
        ACME, "assistant-acme",
    )  # fmt: skip
    assert "has to show" not in result(handed_over, other)  # of that folder alone


def test_only_an_assistant_takes_a_running_call_to_another_folder(
    handed_over: FlaskClient, store: redis.Redis
) -> None:
    status_of(handed_over, "a", ACME, "assistant-acme")
    status_of(handed_over, "b", NORD)
    assert Calls(store).state("call-1").agent == "acme"
    status_of(handed_over, "c", NORD, "assistant-nord")
    assert Calls(store).state("call-1").agent == "nord"


def test_a_call_that_comes_back_has_to_be_proved_anew(
    handed_over: FlaskClient, store: redis.Redis
) -> None:
    calls = Calls(store)
    wanted = tool_message(("t", "verifyCaller", {"pin": "4271"}))
    assert "verified" in result(handed_over, dialled(wanted, NORD))
    assert calls.state("call-1").proof
    for assistant in ("assistant-acme", "assistant-nord"):
        status_of(handed_over, assistant, NORD, assistant)
        assert calls.state("call-1").proof is None
    assert calls.state("call-1").agents_before == ("nord", "acme")


def test_a_tool_that_needs_more_in_one_folder_needs_it_after_a_handoff(
    settings: Settings, brands: Brands
) -> None:
    with_policies(brands, "open", "open")
    for tool in ("getCaseStatus", "retrieveCustomerCase"):
        path = brands.nord / "tools" / f"{tool}.toml"
        path.write_text(f'tier = "verified"\n{path.read_text()}')
    agents = agents_of(settings)
    assert agents.named("acme").needs(Verb.READ) is Tier.RECOGNISED
    assert agents.answering("acme", ("nord",)).needs(Verb.READ) is Tier.VERIFIED
    assert agents.answering("acme", ("acme",)).needs(Verb.READ) is Tier.RECOGNISED
