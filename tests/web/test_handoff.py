"""Which assistant takes over, and how Vapi transfers a call: by the keys of transfer.toml."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from shared.agent.errors import AgentError
from shared.agent.folder import load_agent
from shared.agent.transfer import Rules, read_rules
from shared.settings import Settings
from tests.calling import ask, message, post
from tests.web.test_transfer import CASE, MONDAY_NOON, app_with, with_rules
from web.service import Service
from web.tools.turn import Turn
from web.transfer import answer_transfer, destination

HANDOFF = """
[handoff]
parameter = "department"
[handoff.to.billing]
assistant = "Billing"
history = "words"
[handoff.to.Technical]
assistant_id = "tech-1"
[handoff.to.sales]
squad_id = "squad-1"
history = "none"
"""
DEFAULT = '[handoff.to.default]\nassistant_id = "front-1"\n'
REFUSED = {"error": "I can't hand this call over."}


# -- handoffs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        ({"department": "billing"}, {"destination": {
            "type": "assistant", "assistantName": "Billing",
            "contextEngineeringPlan": {"type": "userAndAssistantMessages"}}}),
        ({"department": " TECHNICAL "}, {"destination": {
            "type": "assistant", "assistantId": "tech-1"}}),
        ('{"department": "sales"}', {"destination": {
            "type": "squad", "squadId": "squad-1", "contextEngineeringPlan": {"type": "none"}}}),
        ({"department": "weather"}, REFUSED),
        ({"department": None}, REFUSED),
        ({}, REFUSED),
        (None, REFUSED),
        ("not json", REFUSED),
        ([1], REFUSED),
    ],
)  # fmt: skip
def test_the_parameter_of_the_handoff_tool_names_the_assistant(
    settings: Settings, tmp_path: Path, parameters: Any, answer: Any
) -> None:
    made = app_with(settings, with_rules(tmp_path, HANDOFF))
    body = message("handoff-destination-request", parameters=parameters)
    assert post(made.test_client(), body).get_json() == answer
    made.extensions["service"].close()


@pytest.mark.parametrize("parameters", [{"department": "weather"}, {}, {"department": "default"}])
def test_everything_else_goes_to_the_default(
    settings: Settings, tmp_path: Path, parameters: Any
) -> None:
    made = app_with(settings, with_rules(tmp_path, HANDOFF + DEFAULT))
    body = message("handoff-destination-request", parameters=parameters)
    assert post(made.test_client(), body).get_json() == {
        "destination": {"type": "assistant", "assistantId": "front-1"}
    }
    made.extensions["service"].close()


def test_a_handoff_is_answered_while_the_store_is_away(
    settings: Settings, tmp_path: Path, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = app_with(settings, with_rules(tmp_path, HANDOFF))
    service: Service = made.extensions["service"]

    def away(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(service.calls, "record_event", away)
    body = message("handoff-destination-request", parameters={"department": "technical"})
    assert post(made.test_client(), body).get_json()["destination"]["assistantId"] == "tech-1"
    service.close()


def test_without_a_rule_a_handoff_is_refused(settings: Settings, tmp_path: Path) -> None:
    made = app_with(settings, with_rules(tmp_path, ""))
    body = message("handoff-destination-request", parameters={"department": "billing"})
    assert post(made.test_client(), body).get_json() == REFUSED
    made.extensions["service"].close()


def test_an_assistant_that_does_not_send_the_message_is_a_mistake_of_the_folder(
    tmp_path: Path,
) -> None:
    folder = Path(with_rules(tmp_path, HANDOFF))
    assistant = folder / "assistant.toml"
    text = assistant.read_text().replace('"handoff-destination-request", ', "")
    assistant.write_text(text)
    with pytest.raises(AgentError) as refused:
        load_agent(str(folder))
    (mistake,) = refused.value.mistakes
    assert (mistake.file, mistake.remedy) == (
        "assistant.toml", 'add "handoff-destination-request"',
    )  # fmt: skip
    assert text.splitlines()[mistake.line - 1].startswith("serverMessages")


# -- how Vapi transfers ----------------------------------------------------------------------------


def plan(text: str, folder: Path) -> dict[str, Any]:
    return read_rules(Path(with_rules(folder, text))).plan("For the colleague.", "Nobody.")


@pytest.mark.parametrize(
    ("text", "has_message", "has_summary"),
    [
        ("", True, False),
        ('mode = "warm-transfer-experimental"\nsummary_prompt = "x"', True, True),
        ('mode = "warm-transfer-say-summary"\nsummary_prompt = "x"', False, True),
        ('mode = "blind-transfer"', False, False),
        ('mode = "blind-transfer-add-summary-to-sip-header"', True, False),
    ],
)
def test_a_plan_has_what_its_mode_reads(
    tmp_path: Path, text: str, has_message: bool, has_summary: bool
) -> None:
    made = plan(text, tmp_path)
    assert ("message" in made, "summaryPlan" in made) == (has_message, has_summary)
    assert made["fallbackPlan"] == {"message": "Nobody.", "endCallEnabled": False}


def test_the_other_keys_stand_under_vapis_names(tmp_path: Path) -> None:
    text = (
        'mode = "warm-transfer-wait-for-operator-to-speak-first-and-then-say-message"\n'
        'wait_s = 20\nsip_verb = "dial"\ndial_s = 30\n'
    )
    made = plan(text, tmp_path)
    assert (made["timeout"], made["sipVerb"], made["dialTimeout"]) == (20, "dial", 30)
    audio = 'mode = "warm-transfer-experimental"\nhold_audio = "https://acme.example/hold.mp3"\n'
    assert plan(audio, tmp_path)["holdAudioUrl"] == "https://acme.example/hold.mp3"


@pytest.mark.parametrize(
    ("caller_id", "shown"),
    [("+14155550100", "+14155550100"), ("caller", "{{customer.number}}"),
     ("called", "{{phoneNumber.number}}")],
)  # fmt: skip
def test_the_colleagues_phone_shows_what_the_file_says(caller_id: str, shown: str) -> None:
    rules = Rules(caller_id=caller_id)
    assert destination(rules, "+14155550190;ext=12", "One moment.") == {
        "type": "number", "number": "+14155550190", "extension": "12", "callerId": shown,
        "message": "One moment.",
    }  # fmt: skip
    assert "callerId" not in destination(rules, "sip:a@example.com", "One moment.")
    dialled = Rules(caller_id=caller_id, sip_verb="dial")
    assert destination(dialled, "sip:a@example.com", "One moment.")["callerId"] == shown


def test_a_sip_header_carries_the_case_of_the_call_and_nothing_that_is_not_known(
    settings: Settings, tmp_path: Path
) -> None:
    rules = (
        '[queues]\ndefault = "sip:support@example.com"\nbilling = "sip:billing@example.com"\n'
        '[sip_headers]\nX-Ref = "ref {reference}"\nX-Case = "{caseNumber}"\nX-Call = "{callId}"\n'
        'X-Brand = "acme"\n'
    )
    made = app_with(settings, with_rules(tmp_path, rules))
    client, service = made.test_client(), made.extensions["service"]

    def headers() -> dict[str, str]:
        state = service.calls.state("call-1")
        given = json.loads(answer_transfer(Turn(service, state), MONDAY_NOON))
        return dict(given["destination"]["sipHeaders"])

    post(client, message("status-update", status="in-progress"))
    assert headers() == {"X-Call": "call-1", "X-Brand": "acme"}
    reference = ask(client, "createSalesforceCase", CASE)["result"].rstrip(".")[-7:]
    assert headers() == {"X-Call": "call-1", "X-Brand": "acme", "X-Ref": f"ref {reference}"}
    service.close()


@pytest.mark.parametrize(
    ("text", "line", "names"),
    [
        ('mode = "warm-transfer-twiml"', 1, "mode has another value"),
        ('owner = true\nsummary_prompt = "x"', 2, "summary_prompt needs a mode with a summary"),
        ('owner = true\nwait_s = 5', 2, "wait_s needs a mode with wait-for-operator"),
        ("owner = true\ndial_s = 5", 2, 'dial_s needs sip_verb = "dial"'),
        ('sip_verb = "dial"\ndial_s = 601', 2, "dial_s has another form; write seconds"),
        ('owner = true\nhold_audio = "https://x.example"', 2, "hold_audio needs mode"),
        ('mode = "warm-transfer-experimental"\nhold_audio = "http://x.example"', 2,
         "an address that begins with https://"),
        ('[sip_headers]\nX-Case = "{description}"', 2, "sip_headers.X-Case can have {reference}"),
        ('[sip_headers]\nCase = "x"', 2, "a name such as X-Case"),
        ('[handoff]\nparameter = "department"', 1, "handoff.to is missing"),
        ('[handoff.to.billing]\nassistant = "A"\nsquad_id = "b"', 1, "needs one of assistant"),
        ('[handoff.to.billing]\nassistant = "A"\nhistory = "some"', 3, "history has another value"),
        ('[handoff.to.billing]\nassistant_id = "a b"', 2, "write an id that Vapi gave"),
        ('[handoff.to.billing]\nname = "A"', 2, "handoff.to.billing.name is unknown"),
    ],
)  # fmt: skip
def test_a_key_that_can_not_be_followed_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, names: str
) -> None:
    with pytest.raises(AgentError) as refused:
        read_rules(Path(with_rules(tmp_path, text)))
    said = str(refused.value)
    assert names in said
    assert line in {mistake.line for mistake in refused.value.mistakes}
    for theirs in ("Input", "Value error", "Extra inputs", "Invalid", "Expected", "Errno"):
        assert theirs not in said
