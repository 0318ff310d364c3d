"""The way of a call to the service: webhook, Vapi, Twilio."""

from functools import partial
from typing import Any

from cli.chain import Link, NotSetUp, Problem
from cli.checks.context import CheckContext
from cli.provision import missing_at_twilio
from shared.settings import Settings
from shared.twilio import OVERRIDES, TwilioRefusedError
from shared.vapi.api import VapiRefusedError
from shared.vapi.probe import ProbeFailedError, probe_webhook


def _webhook(context: CheckContext) -> str:
    url = context.settings.public_url
    if not url:
        raise NotSetUp("PUBLIC_URL is not set")
    try:
        probe_webhook(f"{url.rstrip('/')}/webhook/vapi", context.settings)
    except ProbeFailedError as failed:
        raise Problem(str(failed), failed.remedy) from None
    return (
        f"takes a message proved by {context.settings.vapi_auth}, its bytes arrive as they are; "
        "an unsigned one is refused"
    )


def _vapi_key(context: CheckContext) -> str:
    if not context.settings.vapi_api_key:
        raise NotSetUp("VAPI_API_KEY is not set")
    if not context.settings.public_url:
        raise NotSetUp("PUBLIC_URL is not set")
    if not context.settings.vapi_credential_id:
        raise Problem(
            "VAPI_CREDENTIAL_ID is not set: Vapi signs nothing, and every call is refused",
            "make a credential in Vapi's dashboard with VAPI_SERVER_SECRET as its secret",
        )
    try:
        context.vapi_steps  # noqa: B018 - asks
    except VapiRefusedError as refused:
        key = "check VAPI_API_KEY: it must be the account's private key"
        way = "check VAPI_ASSISTANT_ID, and that this machine can reach VAPI_BASE_URL"
        raise Problem(str(refused), key if refused.status in (401, 403) else way) from None
    return "taken"


def _vapi_as_wanted(resource: str, context: CheckContext) -> str:
    steps = [str(step) for step in context.vapi_steps if step.resource == resource]
    if steps:
        raise Problem("; ".join(steps), "python -m cli provision apply --yes")
    return "as wanted"


def _vapi_number(context: CheckContext) -> str:
    settings = context.settings
    if settings.twilio_phone_number and not settings.vapi_assistant_id:
        raise Problem(
            "VAPI_ASSISTANT_ID is not set, and the number waits for it",
            "set it to what `provision apply` printed, restart web, and apply again",
        )
    if settings.twilio_phone_number:
        try:
            context.accounts.twilio.standing()
        except TwilioRefusedError:  # a token that is wrong here would seem to be wrong there
            raise NotSetUp("because of twilio") from None
        _vapi_as_wanted("phone-number", context)
    try:
        numbers = context.accounts.vapi.list_all("phone-number")
    except VapiRefusedError as refused:
        raise Problem(str(refused), "Vapi's own answer; try again") from None
    leading = [item for item in numbers if _leads_here(item, settings)]
    if any(item.get("status") == "blocked" for item in leading):
        raise Problem("Vapi has blocked the number", "Vapi's dashboard says why")
    asking = [item for item in leading if not item.get("assistantId")]
    if any(not item["server"].get("credentialId") for item in asking):
        raise Problem(
            "a number asks this server without a credential: Vapi signs nothing, all is refused",
            "give the number's server the credential, in Vapi's dashboard",
        )
    if asking and not settings.vapi_assistant_id:
        raise Problem(
            "a number asks this server for an assistant, and VAPI_ASSISTANT_ID is not set",
            "set it to what `provision apply` printed, and restart web",
        )
    if not leading:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set, and no number of the account leads here")
    return f"{len(leading)} of the account's {len(numbers)} leads here"


def _leads_here(number: dict[str, Any], settings: Settings) -> bool:
    """By the assistant it is given, or by the server that it asks for one."""
    if number.get("assistantId"):
        return bool(number["assistantId"] == settings.vapi_assistant_id)
    server = number.get("server") or {}
    ours = f"{(settings.public_url or '').rstrip('/')}/webhook/vapi"
    return bool(settings.public_url) and server.get("url") == ours


def _vapi_campaigns(context: CheckContext) -> str:
    """Campaigns that ask this server whom they may ring get no yes (docs/vendors.md V20)."""
    try:
        campaigns = context.accounts.vapi.list_all("campaign")
    except VapiRefusedError as refused:
        if refused.status == 404:
            return "none"
        raise Problem(str(refused), "Vapi's own answer; try again") from None
    asking = [campaign for campaign in campaigns if _asks_whom_to_dial(campaign, context.settings)]
    if asking:
        names = ", ".join(str(item.get("name") or item.get("id"))[:80] for item in asking[:5])
        raise Problem(
            f"this server approves no calls, so these campaigns dial nobody: {names}",
            "take predialPlan off the campaign, or give it a server of yours that decides",
        )
    return f"{len(campaigns)}, none asks this server whom to dial"


def _asks_whom_to_dial(campaign: dict[str, Any], settings: Settings) -> bool:
    plan = campaign.get("predialPlan")
    server = campaign.get("server")
    url = str(server.get("url")) if isinstance(server, dict) else ""
    ours = (settings.public_url or "").rstrip("/")
    return (
        isinstance(plan, dict)
        and plan.get("enabled") is not False
        and campaign.get("status") not in ("ended", "cancelled", "archived")
        and url.rstrip("/") in (f"{ours}/webhook/vapi", f"{ours}/webhook")
    )


def _twilio(context: CheckContext) -> str:
    settings = context.settings
    for name in ("twilio_account_sid", "twilio_auth_token"):
        if not getattr(settings, name):
            raise NotSetUp(f"{name.upper()} is not set")
    try:
        status, kind = context.accounts.twilio.standing()
    except TwilioRefusedError as refused:
        raise Problem(str(refused), "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN") from None
    if status != "active":
        raise Problem(f"the account is {status}", "Twilio's console says why")
    if kind != "Full":
        raise Problem(
            f"a {kind.lower()} account: callers hear a notice, unverified numbers are not rung",
            "upgrade it in Twilio's console",
        )
    return "active, no trial"


def _twilio_number(context: CheckContext) -> str:
    settings = context.settings
    if not settings.twilio_phone_number:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set")
    try:
        number = context.accounts.twilio.number()
        steps = [str(item) for item in missing_at_twilio(context.accounts)]
    except TwilioRefusedError as refused:
        raise Problem(str(refused), "TWILIO_PHONE_NUMBER, and whose account it is in") from None
    if overriding := [name for name in OVERRIDES if number[name]]:
        raise Problem(
            f"{', '.join(overriding)} is set: the number's URLs count for nothing",
            "take the number out of that application or trunk in Twilio's console",
        )
    if not str(number["voice_url"]).startswith(f"{settings.vapi_base_url}/"):
        raise Problem(
            "voice_url is not Vapi's: calls go elsewhere",
            "import the number anew: delete it in Vapi, then python -m cli provision apply --yes",
        )
    if steps:
        raise Problem("; ".join(steps), "python -m cli provision apply --yes")
    return "calls go to Vapi; fallback and status come here"


LINKS = (
    Link("webhook", "", _webhook),
    Link("vapi key", "", _vapi_key),
    Link("vapi tools", "vapi key", partial(_vapi_as_wanted, "tool")),
    Link("vapi assistant", "vapi key", partial(_vapi_as_wanted, "assistant")),
    Link("vapi number", "vapi key", _vapi_number),
    Link("vapi campaigns", "vapi key", _vapi_campaigns),
    Link("twilio", "", _twilio),
    Link("twilio number", "twilio", _twilio_number),
)
