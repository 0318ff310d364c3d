"""What Vapi should contain: the tools, the assistant of vapi/assistant.toml, the phone number."""

import tomllib
from pathlib import Path
from typing import Any

from shared.settings import Settings, SettingsError
from shared.vapi.tools import TOOLS

FOLDER = Path(__file__).parent.parent.parent / "vapi"
TOOL_SLACK_S = 5
"""A tool's time-out must exceed the lookup's deadline, or the model gets a failure first."""

NUMBER_SECRETS = frozenset({"twilioAuthToken"})
"""Compared only if Vapi shows it, and never stored (docs/vendors.md V13)."""


def wanted_tools(settings: Settings) -> dict[str, dict[str, Any]]:
    """The body of each function tool, by name. Raises SettingsError."""
    common = _read("tools.toml")
    own_server = _server(settings)
    server = own_server | common["server"] | own_server
    least_s = settings.salesforce.lookup_deadline_ms // 1000 + TOOL_SLACK_S
    server["timeoutSeconds"] = max(server["timeoutSeconds"], least_s)
    return {
        name: {
            "type": "function",
            "function": {
                "name": name,
                "description": " ".join((model.__doc__ or "").split()),
                "parameters": _parameters(model.model_json_schema(by_alias=True)),
            },
            "messages": common["messages"],
            "server": server,
        }
        for name, model in TOOLS.items()
    }


def wanted_assistant(settings: Settings, tool_ids: list[str]) -> dict[str, Any]:
    """The assistant of vapi/assistant.toml with prompt, tools and server."""
    body = _read("assistant.toml")
    prompt = _text("system-prompt.md")
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


def _read(name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(name))
    except tomllib.TOMLDecodeError as trouble:
        raise SettingsError(f"vapi/{name}: {trouble}") from trouble


def _text(name: str) -> str:
    try:
        return (FOLDER / name).read_text(encoding="utf-8")
    except OSError as trouble:
        raise SettingsError(f"vapi/{name}: {trouble.strerror}") from trouble


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


def _parameters(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema in the subset that Vapi accepts (OpenAPI description, JsonSchema): no lengths,
    no titles, and "may be omitted" instead of "or null"."""
    properties = {}
    for name, given in schema.get("properties", {}).items():
        kinds = [kind for kind in given.get("anyOf", [given]) if kind.get("type") != "null"]
        properties[name] = {
            key: value
            for key, value in {**kinds[0], **given}.items()
            if key in ("type", "enum", "description")
        }
    return {
        "type": "object",
        "properties": properties,
        "required": list(schema.get("required", [])),
    }
