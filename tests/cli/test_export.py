"""`python -m cli calls export`: a real call as a scenario, without what would name the caller."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import cli
from shared.settings import load_settings
from simulator.vapi.scenario import read_scenario
from tests.workers.listing import KEY, Listing, asked, listing_in

PRIVATE = ("Jane", "Miller", "Harbor", "415", "1008", "jane@", "Schmidt", "4711", "K7M", "call-1")
CASE = {
    "issueType": "billing", "description": "Jane Miller of 12 Harbor Way was billed twice",
    "priority": "High", "replaces": "K7M 2QX", "weather": "Jane",
}  # fmt: skip


def said() -> list[dict[str, Any]]:
    contact = {"email": "jane@example.com", "phone": "+14155550199", "mailingStreet": "12 Harbor"}
    rows: list[dict[str, Any]] = [
        {"role": "system", "message": "You answer the phone for Jane.", "secondsFromStart": 0},
        {"role": "bot", "message": "How can I help?", "secondsFromStart": 1.0},
        {"role": "user", "message": "Jane Miller, 415 555 0199.\nMy case is 1008",
         "secondsFromStart": 4.5},
        *asked("t1", "createSalesforceCase", json.dumps(CASE), result="Your reference is K7M 2QX."),
        *asked("t2", "lookupCustomer", result="Jane"),
        *asked("t3", "updateContact", json.dumps(contact)),
        *asked("t4", "verifyCaller", json.dumps({"pin": "4711"})),
        *asked("t5", "endCall"),
        {"role": "user", "message": "No wait, cancel that, Schmidt", "secondsFromStart": 90},
        {"role": "user", "message": "Oh, my PIN is four, seven one one.\x7f And one more: siete",
         "secondsFromStart": 91},
    ]  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listing]:
    with listing_in(tmp_path_factory.mktemp("vapi")) as running:
        yield running


@pytest.fixture
def listing(server: Listing, monkeypatch: pytest.MonkeyPatch) -> Listing:
    server.empty()
    monkeypatch.setenv("VAPI_API_KEY", KEY)
    monkeypatch.setenv("VAPI_BASE_URL", server.url)
    load_settings.cache_clear()
    return server


def export(*words: str) -> Result:
    return CliRunner().invoke(cli, ["calls", "export", *words])


def test_an_exported_call_can_be_played_and_names_nobody(listing: Listing, folder: Path) -> None:
    artifact = {"messages": said(), "transcript": ""}
    summary = {"summary": "Jane Miller was billed twice."}
    listing.put("call-1", artifact=artifact, analysis=summary, endedReason="silence-timed-out")
    out = folder / "call.toml"
    assert export("call-1", "--out", str(out)).output == f"wrote {out}\n"
    text = out.read_text()
    assert [word for word in PRIVATE if word in text.replace("+14155550101", "")] == []
    scenario = read_scenario(out)
    assert scenario.caller == "+14155550101"
    assert scenario.reason == "silence-timed-out"
    steps = [step for step in scenario.steps if not step.pause_s]
    assert [step.look or step.write or "said" for step in steps] == [
        "said", "said", "createSalesforceCase", "lookupCustomer", "updateContact", "verifyCaller",
        "said", "said",
    ]  # fmt: skip
    assert steps[0].agent == "how can i help?"
    assert "no wait, cancel that" in steps[-2].caller
    assert steps[-1].caller == (
        "oh, my pin is something, something something something. and one more: something"
    )
    arguments = steps[2].arguments
    assert (arguments["issueType"], arguments["priority"]) == ("billing", "High")
    assert arguments["replaces"] == "{reference}"
    assert set(arguments) == {"issueType", "priority", "replaces", "description"}
    assert steps[4].arguments["email"] == "person@example.com"
    assert [step.pause_s for step in scenario.steps if step.pause_s] == [1.0, 3.5, 10.0, 1.0]


def test_a_withheld_number_stays_withheld_and_nothing_is_overwritten(
    listing: Listing, folder: Path
) -> None:
    listing.put("call-1", number="")
    assert 'caller = "+1' not in export("call-1").output
    out = folder / "call.toml"
    out.write_text("mine")
    refused = export("call-1", "--out", str(out))
    assert refused.exit_code == 1
    assert "exists already" in refused.output
    assert out.read_text() == "mine"


def test_a_call_that_vapi_no_longer_has_is_said_to_be_missing(listing: Listing) -> None:
    assert "Vapi has no call call-9" in export("call-9").output
    listing.put("call-2", said=None, artifact={})
    refused = export("call-2")
    assert refused.exit_code == 1
    assert "no words of this call" in refused.output
