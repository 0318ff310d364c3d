"""Provisioning: plan shows what differs, apply changes it once, rollback restores it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import cli
from cli.provision import Accounts, missing
from cli.vapi.api import VapiApi, VapiRefusedError
from cli.vapi.wanted import wanted_assistant, wanted_tools
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.settings import load_settings
from shared.vapi.messages import KNOWN
from tests.cli.conftest import Twilio

TOOLS = load_agent("agent").tools


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
    return VapiApi(load_settings().vapi)


def everything() -> str:
    """All tools and assistants, without the times of their changes."""
    found: list[dict[str, Any]] = [*api().list_all("tool"), *api().list_all("assistant")]
    return json.dumps([{k: v for k, v in row.items() if k != "updatedAt"} for row in found])


def test_apply_reaches_the_wanted_state_and_a_second_apply_changes_nothing() -> None:
    assert "+ tool createSalesforceCase" in run("plan", exit_code=2)
    assert "would do: + assistant vapi-salesforce" in run("apply")
    assert api().list_all("tool") == []
    assert f"{len(TOOLS) + 1} done" in run("apply", "--yes")
    assert run("plan") == "nothing to do\n"
    before = everything()
    assert run("apply", "--yes") == "nothing to do\n"
    assert everything() == before
    (assistant,) = api().list_all("assistant")
    ids = {tool["id"] for tool in api().list_all("tool")}
    assert set(assistant["model"]["toolIds"]) == ids
    assert assistant["server"]["url"] == "https://voice.acme.example/webhook/vapi"
    assert assistant["server"]["credentialId"] == "cred-1"
    for tool in api().list_all("tool"):
        assert tool["server"]["url"] == assistant["server"]["url"]
        assert tool["server"]["backoffPlan"]["maxRetries"] == 1
        assert tool["messages"][0]["type"] == "request-response-delayed"


def test_drift_is_shown_repaired_and_restored() -> None:
    run("apply", "--yes")
    (assistant,) = api().list_all("assistant")
    tool = api().list_all("tool")[0]
    api().change("assistant", assistant["id"], {"firstMessage": "Yo"})
    api().change("tool", tool["id"], {"server": {"url": "https://old.example"}})
    drifted = everything()
    output = run("plan", exit_code=2)
    assert "~ assistant vapi-salesforce: firstMessage\n" in output
    assert '    firstMessage: "Yo" → "Hello{% if customerName' in output
    assert f"~ tool {tool['function']['name']}: server.url" in output
    assert (
        '    server.url: "https://old.example" → "https://voice.acme.example/webhook/vapi"'
        in output
    )
    assert "2 done" in run("apply", "--yes")
    assert run("plan") == "nothing to do\n"
    assert "would undo: assistant vapi-salesforce: restore" in run("rollback")
    run("rollback", "--yes")
    assert everything() == drifted
    run("rollback", "--yes")  # of the first apply
    assert json.loads(everything()) == []
    assert "nothing was applied" in run("rollback", exit_code=1)


@pytest.fixture
def with_number(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> Twilio:
    for name, value in twilio.env.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return twilio


def answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply, and set VAPI_ASSISTANT_ID to the new assistant."""
    output = run("apply", "--yes")
    (line,) = (row for row in output.splitlines() if row.startswith("VAPI_ASSISTANT_ID="))
    monkeypatch.setenv(*line.split("=", 1))
    load_settings.cache_clear()


def test_a_number_is_imported_only_with_an_assistant_to_answer_it(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = with_number.number()
    assert "once VAPI_ASSISTANT_ID is set" in run("plan", exit_code=2)
    answered(monkeypatch)
    assert api().list_all("phone-number") == []
    assert with_number.number() == bought
    output = run("apply", "--yes")
    assert "+ phone-number +14155550199" in output
    assert "~ twilio-number +14155550199: voice_fallback_url, status_callback" in output
    assert run("plan") == "nothing to do\n"
    (imported,) = api().list_all("phone-number")
    assert "assistantId" not in imported
    assert imported["server"]["url"] == "https://voice.acme.example/webhook/vapi"
    assert imported["fallbackDestination"] == {"type": "number", "number": "+14155550123"}
    number = with_number.number()
    assert number["voice_url"].endswith("/twilio/inbound_call")
    assert number["voice_fallback_url"] == "https://voice.acme.example/twilio/voice"
    assert number["status_callback"] == "https://voice.acme.example/twilio/status"
    assert number["sms_url"] == bought["sms_url"]


def test_a_number_that_drifted_is_repaired_and_rollback_gives_it_back_as_it_was(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought = with_number.number()
    answered(monkeypatch)
    run("apply", "--yes")
    (imported,) = api().list_all("phone-number")
    api().change("phone-number", imported["id"], {"assistantId": "another"})
    with_number.by_hand("number", status_callback="")
    output = run("plan", exit_code=2)
    assert "~ phone-number +14155550199: assistantId" in output
    assert "~ twilio-number +14155550199: status_callback" in output
    run("apply", "--yes")
    assert run("plan") == "nothing to do\n"
    run("rollback", "--yes")
    assert api().list_all("phone-number")[0]["assistantId"] == "another"
    assert with_number.number()["status_callback"] == ""
    run("rollback", "--yes")
    assert api().list_all("phone-number") == []
    assert with_number.number() == bought


def test_a_rotated_token_goes_to_vapi_and_is_never_stored(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch)
    run("apply", "--yes")
    (imported,) = api().list_all("phone-number")
    api().change("phone-number", imported["id"], {"twilioAuthToken": "the-old-token"})
    assert "~ phone-number +14155550199: twilioAuthToken" in run("plan", exit_code=2)
    output = run("apply", "--yes")
    assert api().list_all("phone-number")[0]["twilioAuthToken"] == "demo-twilio-token"
    stored = "".join(path.read_text() for path in Path(".vapi").glob("*.json"))
    for secret in ("demo-twilio-token", "the-old-token"):
        assert secret not in stored + output
    api().change("phone-number", imported["id"], {"twilioAuthToken": "****"})
    assert run("plan") == "nothing to do\n"  # a hidden token can't be compared


def test_a_number_of_another_account_is_refused_before_anything_is_changed(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch)
    with_number.by_hand("number", phone_number="+14155550177")
    output = run("apply", "--yes", exit_code=1)
    assert output == "Error: Twilio: TWILIO_PHONE_NUMBER must be a number of this account\n"
    assert api().list_all("phone-number") == []


def test_a_prompt_that_drifted_is_shown_by_its_lines() -> None:
    run("apply", "--yes")
    (assistant,) = api().list_all("assistant")
    model = assistant["model"]
    prompt = model["messages"][0]["content"]
    model["messages"][0]["content"] = prompt.replace("# Second thoughts", "# Afterthoughts")
    api().change("assistant", assistant["id"], {"model": model})
    output = run("plan", exit_code=2)
    shown = [line.strip() for line in output.splitlines() if "houghts" in line]
    assert shown == ["-# Afterthoughts", "+# Second thoughts"]


def test_nothing_else_of_the_account_is_touched() -> None:
    other = api().create("assistant", {"name": "somebody else's", "firstMessage": "Hi"})
    run("apply", "--yes")
    assert api().find("assistant", other["id"]) == other
    run("rollback", "--yes")
    assert [assistant["name"] for assistant in api().list_all("assistant")] == ["somebody else's"]


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
        assert body["server"]["timeoutSeconds"] * 1000 > settings.salesforce.lookup_deadline_ms
        assert function["description"], name
    assistant = wanted_assistant(settings, [])
    assert set(assistant["serverMessages"]) <= KNOWN
    assert assistant["server"]["backoffPlan"]["maxRetries"] > 0


def test_the_model_is_offered_codes_only_where_they_can_be_sent(
    twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = wanted_tools(load_settings())["verifyCaller"]["function"]["parameters"]
    assert set(offered["properties"]) == {"pin"}
    for name, value in (twilio.env | {"TWILIO_VERIFY_SERVICE_SID": f"VA{1:032d}"}).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    offered = wanted_tools(load_settings())["verifyCaller"]["function"]["parameters"]
    assert offered["properties"]["sendCode"]["type"] == "boolean"
    assert set(offered["properties"]) == {"pin", "code", "sendCode"}


def test_the_model_is_offered_references_by_message_only_where_they_are_on(
    twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offered() -> set[str]:
        load_settings.cache_clear()
        function = wanted_tools(load_settings())["getCaseStatus"]["function"]
        return set(function["parameters"]["properties"])

    for name, value in (twilio.env | {"SMS_FROM": "+14155550199"}).items():
        monkeypatch.setenv(name, value)
    assert offered() == {"caseNumber", "reference"}
    monkeypatch.setenv("SEND_REFERENCES", "true")
    assert offered() == {"caseNumber", "reference", "sendReference", "textTo"}


def test_rollback_goes_on_where_somebody_deleted_what_apply_had_made() -> None:
    run("apply", "--yes")
    (assistant,) = api().list_all("assistant")
    api().delete("assistant", assistant["id"])
    api().delete("tool", api().list_all("tool")[0]["id"])
    run("rollback", "--yes")
    assert json.loads(everything()) == []


def test_rollback_in_another_account_is_refused_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("apply", "--yes")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(VapiApi, "find", lambda *_: None)  # as with the key of another account
        assert "belongs to the account of the apply" in run("rollback", "--yes", exit_code=1)
    assert len(list(Path(".vapi").glob("*.json"))) == 1


def test_rollback_goes_on_where_the_number_left_twilio(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch)
    run("apply", "--yes")
    (_, last) = sorted(Path(".vapi").glob("*.json"))
    sid = with_number.number()["sid"]
    last.write_text(last.read_text().replace(sid, "PN" + "f" * 32))
    assert "twilio-number +14155550199: already deleted" in run("rollback", "--yes")
    assert api().list_all("phone-number") == []


def test_a_stored_file_is_readable_by_its_owner_alone_and_a_broken_file_is_named() -> None:
    run("apply", "--yes")
    (file,) = Path(".vapi").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("")
    assert f"Error: {file} can't be read" in run("rollback", "--yes", exit_code=1)
    assert file.exists()


def test_a_wrong_assistant_id_is_refused_before_any_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAPI_ASSISTANT_ID", "gone")
    load_settings.cache_clear()
    assert "VAPI_ASSISTANT_ID names no assistant" in run("apply", "--yes", exit_code=1)
    assert api().list_all("tool") == []


def test_steps_before_a_failing_step_are_reported_and_can_be_undone(
    with_number: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch)
    (assistant,) = api().list_all("assistant")
    api().change("assistant", assistant["id"], {"firstMessage": "Yo"})
    with_number.by_hand("number", phone_number="+14155550177")
    output = run("apply", "--yes", exit_code=1)
    assert "~ assistant vapi-salesforce: firstMessage\n" in output
    assert "Error: Twilio: TWILIO_PHONE_NUMBER must be a number of this account\n" in output
    run("rollback", "--yes")
    assert api().list_all("assistant")[0]["firstMessage"] == "Yo"


def test_a_refusal_is_one_line_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAPI_API_KEY", "a-wrong-key")
    load_settings.cache_clear()
    output = run("plan", exit_code=1)
    assert output.startswith("Error: Vapi: HTTP 401")
    assert "a-wrong-key" not in output
    monkeypatch.delenv("VAPI_API_KEY")
    load_settings.cache_clear()
    assert "Set VAPI_API_KEY" in run("plan", exit_code=1)


def test_the_simulated_vapi_refuses_what_it_does_not_know() -> None:
    with pytest.raises(VapiRefusedError, match="property fisrtMessage should not exist"):
        api().create("assistant", {"fisrtMessage": "Hi"})
    with pytest.raises(VapiRefusedError, match="serverMessages"):
        api().create("assistant", {"serverMessages": ["tool-call"]})
    inside = {"type": "object", "properties": {"argument": {"maxLength": 3}}}
    with pytest.raises(VapiRefusedError, match=r"argument.property maxLength should not exist"):
        api().create("tool", {"type": "function", "function": {"name": "x", "parameters": inside}})
    with pytest.raises(VapiRefusedError, match=r"backoffPlan.type should not be empty"):
        api().create("assistant", {"server": {"backoffPlan": {"maxRetries": 1}}})
    with pytest.raises(VapiRefusedError, match="type must be one of"):
        api().create("tool", {"function": {"name": "x"}})
    assert list(missing(Accounts(load_settings())))
    assert not Path(".vapi").exists()


def test_a_setting_that_windows_line_ends_broke_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAPI_AUTH", "hmac\r")
    load_settings.cache_clear()
    output = run("plan", exit_code=1)
    assert "VAPI_AUTH must be" in output
    assert ".env has Windows line ends (CRLF). Run: sed" in output


def test_each_agent_folder_has_its_own_assistant_and_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nord = tmp_path / "nord"
    shutil.copytree(AGENT_FOLDER, nord)
    assistant = (nord / "assistant.toml").read_text()
    (nord / "assistant.toml").write_text(assistant.replace('"vapi-salesforce"', '"nord"', 1))
    (nord / "calls.toml").write_text('numbers = ["+493012345678"]\n')
    tool = nord / "tools" / "lookupCustomer.toml"
    tool.write_text(re.sub(r"(?m)^description = .*$", 'description = "Nord."', tool.read_text()))
    monkeypatch.setenv("AGENT_DIR", f"agent:{nord}")
    load_settings.cache_clear()
    run("apply", "--yes")
    output = run("apply", "--yes", "--agent", "nord")
    (made,) = (row for row in api().list_all("assistant") if row["name"] == "nord")
    assert f'Add to {nord}/calls.toml: assistants = ["{made["id"]}"]' in output
    (nord / "calls.toml").write_text(f'assistants = ["{made["id"]}"]\n')
    assert run("plan") == "nothing to do\n"
    assert run("plan", "--agent", "nord") == "nothing to do\n"
    assert len(api().list_all("tool")) == 2 * len(TOOLS)
    said = {
        tool["function"]["description"]
        for tool in api().list_all("tool")
        if tool["function"]["name"] == "lookupCustomer"
    }
    assert "Nord." in said
    assert len(said) == 2


def test_an_agent_folder_that_is_not_served_is_refused() -> None:
    assert "AGENT_DIR has no folder named nord; it has agent" in run(
        "plan", "--agent", "nord", exit_code=1
    )
