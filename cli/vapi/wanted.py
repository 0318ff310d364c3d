"""What Vapi should contain: the tools and the assistant of the agent folder, the phone number."""

import tomllib
from typing import Any

from shared.agent.folder import load_agent
from shared.settings import Settings, SettingsError

TOOL_SLACK_S = 5
"""A tool's time-out must exceed the lookup's deadline, or the model gets a failure first."""

NUMBER_SECRETS = frozenset({"twilioAuthToken"})
"""Compared only if Vapi shows it, and never stored (docs/vendors.md V13)."""


def wanted_tools(settings: Settings) -> dict[str, dict[str, Any]]:
    """The body of each function tool, by name. Raises SettingsError."""
    common = _read(settings, "tools.toml")
    own_server = _server(settings)
    server = own_server | common["server"] | own_server
    least_s = settings.salesforce.lookup_deadline_ms // 1000 + TOOL_SLACK_S
    server["timeoutSeconds"] = max(server["timeoutSeconds"], least_s)
    has_codes = bool(settings.twilio.verify_service_sid)
    has_messages = settings.twilio.send_references
    return {
        name: {
            "type": "function",
            "function": {
                "name": name,
                "description": tool.description,
                "parameters": tool.parameters(has_codes=has_codes, has_messages=has_messages),
            },
            "messages": common["messages"],
            "server": server,
        }
        for name, tool in load_agent(settings.calls.agent_dir).tools.items()
        if tool.works(has_codes=has_codes)
    }


def wanted_assistant(settings: Settings, tool_ids: list[str]) -> dict[str, Any]:
    """The assistant of the agent folder with prompt, tools and server."""
    body = dict(load_agent(settings.calls.agent_dir).assistant)
    prompt = _text(settings, "prompt.md")
    body["model"] = body["model"] | {
        "messages": [{"role": "system", "content": prompt}],
        "toolIds": tool_ids,
    }
    body["server"] = body.get("server", {}) | _server(settings)
    return body


def wanted_number(settings: Settings) -> dict[str, Any]:
    """The request body that imports TWILIO_PHONE_NUMBER from Twilio.

    The number has no assistant of its own, so for each call Vapi asks the server for one
    (`assistant-request`). If that fails, the call goes to the fallback destination
    (CreateTwilioPhoneNumberDTO).
    """
    token = settings.twilio.auth_token
    body = {
        "provider": "twilio",
        "name": "vapi-salesforce",
        "number": settings.twilio.phone_number,
        "twilioAccountSid": settings.twilio.account_sid,
        "twilioAuthToken": token.get_secret_value() if token else None,
        "smsEnabled": False,  # text messages stay where they go now
        "assistantId": None,
        "server": _server(settings),
    }
    if fallback := settings.calls.fallback_phone_number:
        body["fallbackDestination"] = {"type": "number", "number": fallback}
    return body


def _read(settings: Settings, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(settings, name))
    except tomllib.TOMLDecodeError as trouble:
        raise SettingsError(f"{settings.calls.agent_dir}/{name}: {trouble}") from trouble


def _text(settings: Settings, name: str) -> str:
    try:
        return (load_agent(settings.calls.agent_dir).folder / name).read_text(encoding="utf-8")
    except OSError as trouble:
        raise SettingsError(f"{settings.calls.agent_dir}/{name}: {trouble.strerror}") from trouble


def _server(settings: Settings) -> dict[str, Any]:
    if not settings.web.public_url:
        raise SettingsError(
            "PUBLIC_URL is missing: Vapi needs the address of this server; it must be "
            f"{settings.web.must_be('public_url')}"
        )
    if not settings.vapi.credential_id:
        raise SettingsError(
            "VAPI_CREDENTIAL_ID is missing: without it Vapi does not sign its requests; it "
            f"must be {settings.vapi.must_be('credential_id')}"
        )
    url = f"{settings.web.public_url.rstrip('/')}/webhook/vapi"
    return {"url": url, "credentialId": settings.vapi.credential_id}
