"""assistant-request: who answers, and what the assistant knows of the caller before it speaks.

Outside the opening hours, and for VIPs, the transfer rules of the agent folder decide.

Vapi waits 7.5 s at most (docs/vendors.md V4). Looking up who is calling gets WAIT_S of it; on any
trouble the assistant answers without knowing the caller.

The answer names every variable of the prompt, always: a SIP header `X-customerName` arrives as a
variable of that name (docs/vendors.md V15), and would stand in the prompt where ours is missing.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from shared.agent.folder import Agent
from shared.agent.languages import language_tag
from shared.agent.sentences import in_quotes, phrase, quoted
from shared.agent.tool_files import Verb
from shared.agent.vip import Vip
from shared.calls.calls import CallState
from shared.deadline import Deadline
from shared.logs import log
from shared.salesforce.failures import SalesforceError
from shared.store import StoreUnavailableError
from web.service import Service
from web.tools.caller import Caller, look_up_caller, may, open_cases
from web.tools.identify import ACCOUNT, MAX_NAME, NAME
from web.tools.sentences import case_sentence
from web.tools.turn import Turn
from web.transfer import destination

WAIT_S = 2.0
MAX_CASES = 3

VARIABLES = ("customerName", "accountName", "openCaseCount", "openCases", "language")
"""What `prompt.md` of the agent folder may use; a test compares the two."""

TRANSCRIBERS = frozenset(
    {
        "11labs", "cartesia", "deepgram", "gladia", "openai", "soniox", "speechmatics",
        "talkscriber", "vapi", "xai",
    }
)  # fmt: skip
VOICES = frozenset({"11labs", "cartesia", "lmnt", "rime-ai", "vapi"})
"""The providers that take a language as two letters (OpenAPI of Vapi, `language` of each). Others
have names of their own for it, or none: there the assistant's own settings stay."""


@dataclass(frozen=True)
class _Found:
    """overrides: what the assistant knows of the caller. is_vip: by the transfer rules."""

    overrides: dict[str, Any]
    is_vip: bool = False


def answer_assistant_request(
    service: Service, agent: Agent, state: CallState | None, now: datetime | None = None
) -> str:
    """agent: the folder that answers the call. state: None when the store does not answer."""
    rules = agent.transfer
    is_open = rules.is_open(now or datetime.now(UTC))
    answer = _for_anybody(service, agent, is_open=is_open)
    vip = rules.vip if rules.vip and (is_open or rules.vip.when_closed) else None
    if "assistantId" not in answer and not vip:
        return json.dumps(answer)
    own = None if rules.closed_assistant and not is_open else answer.get("assistantId")
    found = _Found({"variableValues": _variables(service)})
    if state and state.number:
        turn = Turn(service, replace(state, assistant_language=_saved_language(agent)))
        found = _looked_up(turn) or found
        if vip and found.is_vip:
            log.info("vip_call", call_id=state.call_id)
            answer = _for_a_vip(turn, vip)
    if "assistantId" in answer:
        # Of another assistant, neither voice nor greeting are known here.
        variables = {"variableValues": found.overrides["variableValues"]}
        answer["assistantOverrides"] = (
            found.overrides if answer["assistantId"] == own else variables
        )
    return json.dumps(answer)


def _for_anybody(service: Service, agent: Agent, *, is_open: bool) -> dict[str, Any]:
    """What a call gets whoever calls: an assistant, or what `closed` in transfer.toml says.

    In the default language: who is calling is not looked up.
    """
    rules, sentences = agent.transfer, agent.sentences
    number = service.settings.calls.fallback_phone_number
    match "assistant" if is_open else rules.closed:
        case "transfer" if number:
            message = sentences.say(sentences.default, "closed-transfer")
            return {"destination": destination(rules, number, message)}
        case "transfer" | "sentence":
            return {"error": sentences.say(sentences.default, "closed")}
        case "another-assistant":
            return {"assistantId": rules.closed_assistant}
    assistant_id = next(iter(agent.claims.assistants), service.settings.vapi.assistant_id)
    if not assistant_id:
        log.error("assistant_not_configured", setting="VAPI_ASSISTANT_ID")
        return {"error": sentences.say(sentences.default, "nobody-answers")}
    return {"assistantId": assistant_id}


def _for_a_vip(turn: Turn, vip: Vip) -> dict[str, Any]:
    if vip.assistant:
        return {"assistantId": vip.assistant}
    assert vip.number
    message = turn.say("transfer-connecting", whom=phrase("transfer-to-colleague"))
    return {"destination": destination(turn.agent.transfer, vip.number, message)}


def _looked_up(turn: Turn) -> _Found | None:
    """What is found out in time; None on any trouble."""
    deadline, call_id = Deadline.after(WAIT_S), turn.state.call_id
    try:
        return turn.service.lookups.run(lambda: _known(turn, deadline), turn.asker.share)
    except (SalesforceError, StoreUnavailableError) as trouble:
        log.warning("assistant_plain", call_id=call_id, reason=type(trouble).__name__)
    except Exception:
        log.exception("assistant_plain", call_id=call_id)
    return None


def _known(turn: Turn, deadline: Deadline) -> _Found:
    """The one contact with the number, or the callers that share it."""
    caller = look_up_caller(turn, deadline)
    vip, contact = turn.agent.transfer.vip, caller.contact
    is_vip = vip is not None and contact is not None and vip.matches(contact.traits)
    return _Found(_overrides(turn, caller), is_vip)


def _overrides(turn: Turn, caller: Caller) -> dict[str, Any]:
    contact = caller.contact
    may_name = may(turn, caller, Verb.IDENTIFY, NAME)
    spoken = _spoken_language(turn, contact.name if contact and may_name else "")
    if not contact:
        return {"variableValues": _variables(turn.service)} | spoken
    may_account = may(turn, caller, Verb.IDENTIFY, ACCOUNT)
    cases = open_cases(turn, caller) if may(turn, caller, Verb.READ) else []
    values = _variables(
        turn.service,
        customerName=in_quotes(contact.name if may_name else "", MAX_NAME),
        accountName=in_quotes(contact.account_name if may_account else "", MAX_NAME),
        openCaseCount=str(len(cases)) if may(turn, caller, Verb.READ) else "",
        openCases=" ".join(case_sentence(turn, caller, case_) for case_ in cases[:MAX_CASES]),
        language=language_tag(contact.language) if turn.may_show_language else "",
    )
    turn.store_decisions()
    return {"variableValues": values} | spoken


def _spoken_language(turn: Turn, name: str) -> dict[str, Any]:
    """Has the assistant listen, speak and greet in the caller's language, if it is another one
    than its own.

    With the saved provider, an override changes only the fields it names (docs/vendors.md V24). It
    has every field of assistant.toml all the same, so that it is complete where it replaces the
    whole object.
    """
    language = turn.language
    if language == _saved_language(turn.agent):
        return {}
    assistant = turn.agent.assistant
    transcriber, voice = assistant.get("transcriber", {}), assistant.get("voice", {})
    overrides: dict[str, Any] = {}
    if transcriber.get("provider") in TRANSCRIBERS:
        overrides["transcriber"] = transcriber | {"language": language}
    # Version 2 of Vapi's own voices detects the language by itself.
    if voice.get("provider") in VOICES and str(voice.get("version", "1")) == "1":
        overrides["voice"] = voice | {"language": language}
    if name:
        overrides["firstMessage"] = turn.say("greeting-by-name", name=quoted(name, MAX_NAME))
    else:
        overrides["firstMessage"] = turn.say("greeting")
    return overrides


def _saved_language(agent: Agent) -> str:
    """The language of assistant.toml, which is the default one unless its transcriber has one of
    ours."""
    transcriber = agent.assistant.get("transcriber", {})
    return agent.sentences.matching(str(transcriber.get("language", ""))) or (
        agent.sentences.default
    )


def _variables(service: Service, **known: str) -> dict[str, str]:
    """Every variable of the prompt; "" for what is not known."""
    values = {name: known.get(name) or "" for name in VARIABLES}
    return values | {"language": values["language"] or service.settings.calls.default_language}
