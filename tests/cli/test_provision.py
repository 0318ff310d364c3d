"""Provisioning: what differs is told, made so once, and can be put back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import cli
from cli.provision import missing
from shared.settings import load_settings
from shared.vapi.api import VapiApi, VapiRefusedError
from shared.vapi.messages import KNOWN
from shared.vapi.tools import TOOLS
from shared.vapi.wanted import wanted_assistant, wanted_tools


@pytest.fixture(autouse=True)
def _vapi(vapi: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPI_BASE_URL", vapi)
    monkeypatch.setenv("VAPI_API_KEY", "demo-vapi-key")
    monkeypatch.setenv("VAPI_CREDENTIAL_ID", "cred-1")
    monkeypatch.setenv("PUBLIC_URL", "https://voice.acme.example")
    monkeypatch.delenv("VAPI_ASSISTANT_ID", raising=False)
    load_settings.cache_clear()


def run(*words: str, exit_code: int = 0) -> str:
    result: Result = CliRunner().invoke(cli, ["provision", *words])
    assert result.exit_code == exit_code, result.output
    return result.output


def api() -> VapiApi:
    return VapiApi(load_settings())


def everything() -> str:
    """All there is, but for the moments of change."""
    found: list[dict[str, Any]] = [*api().list_all("tool"), *api().list_all("assistant")]
    return json.dumps([{k: v for k, v in one.items() if k != "updatedAt"} for one in found])


def test_apply_makes_it_so_and_a_second_one_changes_nothing() -> None:
    assert "+ tool createSalesforceCase" in run("plan", exit_code=2)
    assert "would do: + assistant vapi-salesforce" in run("apply")
    assert api().list_all("tool") == []
    assert f"{len(TOOLS) + 1} done" in run("apply", "--yes")
    assert run("plan") == "nothing to do\n"
    before = everything()
    assert run("apply", "--yes") == "nothing to do\n"
    assert everything() == before
    (assistant,) = api().list_all("assistant")
    ids = {one["id"] for one in api().list_all("tool")}
    assert set(assistant["model"]["toolIds"]) == ids
    assert assistant["server"]["url"] == "https://voice.acme.example/webhook/vapi"
    assert assistant["server"]["credentialId"] == "cred-1"


def test_drift_is_shown_mended_and_put_back() -> None:
    run("apply", "--yes")
    (assistant,) = api().list_all("assistant")
    tool = api().list_all("tool")[0]
    api().change("assistant", assistant["id"], {"firstMessage": "Yo"})
    api().change("tool", tool["id"], {"server": {"url": "https://old.example"}})
    drifted = everything()
    told = run("plan", exit_code=2)
    assert "~ assistant vapi-salesforce: firstMessage" in told
    assert f"~ tool {tool['function']['name']}: server.url" in told
    assert "2 done" in run("apply", "--yes")
    assert run("plan") == "nothing to do\n"
    assert "would: assistant vapi-salesforce: put back" in run("rollback")
    run("rollback", "--yes")
    assert everything() == drifted
    run("rollback", "--yes")  # of the first apply
    assert json.loads(everything()) == []
    assert "nothing was applied" in run("rollback", exit_code=1)


def test_nothing_else_of_the_account_is_touched() -> None:
    other = api().create("assistant", {"name": "somebody else's", "firstMessage": "Hi"})
    run("apply", "--yes")
    assert api().find("assistant", other["id"]) == other
    run("rollback", "--yes")
    assert [one["name"] for one in api().list_all("assistant")] == ["somebody else's"]


def test_the_configured_assistant_is_the_one_that_is_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = api().create("assistant", {"name": "mine"})
    monkeypatch.setenv("VAPI_ASSISTANT_ID", mine["id"])
    load_settings.cache_clear()
    run("apply", "--yes")
    (only,) = api().list_all("assistant")
    assert (only["id"], only["name"]) == (mine["id"], "vapi-salesforce")


def test_what_is_provisioned_is_what_the_server_takes() -> None:
    settings = load_settings()
    tools = wanted_tools(settings)
    assert set(tools) == set(TOOLS)
    for name, body in tools.items():
        function = body["function"]
        assert set(function["parameters"]["required"]) <= set(function["parameters"]["properties"])
        assert body["server"]["timeoutSeconds"] * 1000 > settings.lookup_deadline_ms
        assert function["description"], name
    assistant = wanted_assistant(settings, [])
    assert set(assistant["serverMessages"]) <= KNOWN
    assert assistant["server"]["backoffPlan"]["maxRetries"] > 0


def test_a_refusal_is_one_line_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPI_API_KEY", "a-wrong-key")
    load_settings.cache_clear()
    told = run("plan", exit_code=1)
    assert told.startswith("Error: Vapi: HTTP 401")
    assert "a-wrong-key" not in told
    monkeypatch.delenv("VAPI_API_KEY")
    load_settings.cache_clear()
    assert "VAPI_API_KEY is not set" in run("plan", exit_code=1)


def test_the_simulated_vapi_refuses_what_it_does_not_know() -> None:
    with pytest.raises(VapiRefusedError, match="property fisrtMessage should not exist"):
        api().create("assistant", {"fisrtMessage": "Hi"})
    with pytest.raises(VapiRefusedError, match="serverMessages"):
        api().create("assistant", {"serverMessages": ["tool-call"]})
    with pytest.raises(VapiRefusedError, match="type must be one of"):
        api().create("tool", {"function": {"name": "x"}})
    assert list(missing(load_settings(), api()))
    assert not Path(".vapi").exists()
