"""What a call passes on its way to the service: webhook, Vapi, Twilio."""

from functools import partial
from typing import Any

from cli.chain import Link, NotSetUp, Problem
from cli.checks.context import CheckContext
from cli.provision import Step, missing_at_twilio
from cli.twilio import OVERRIDES, TwilioRefusedError
from cli.vapi.api import VapiRefusedError
from cli.vapi.probe import ProbeFailedError, probe_webhook
from cli.vapi.wanted import wanted_tools
from shared.settings import Settings, WebSettings

APPLY = "Run: python -m cli provision apply --yes"
TRY_AGAIN = "This is Vapi's own answer. Run the doctor again in a minute."
KEY_REFUSED = (401, 403)
PATHS = {"voice_fallback_url": "/twilio/voice", "status_callback": "/twilio/status"}
MAX_NAMES = 5
MAX_NAME = 80


def _webhook(check_context: CheckContext) -> str:
    url = check_context.settings.web.public_url
    if not url:
        raise NotSetUp("PUBLIC_URL is not set")
    try:
        probe_webhook(f"{url.rstrip('/')}/webhook/vapi", check_context.settings.vapi)
    except ProbeFailedError as failed:
        raise Problem(str(failed), failed.remedy) from None
    scheme = check_context.settings.vapi.auth
    return (
        f"accepts a message that is authenticated by {scheme}, and refuses one that is not; no "
        "proxy changes the body"
    )


def _vapi_key(check_context: CheckContext) -> str:
    settings = check_context.settings
    if not settings.vapi.api_key:
        raise NotSetUp("VAPI_API_KEY is not set")
    refused = check_context.vapi_refusal
    if refused is None:
        return f"accepted at {settings.vapi.base_url}"
    if refused.status in KEY_REFUSED:
        raise Problem(str(refused), "Set VAPI_API_KEY to the account's private key.")
    raise Problem(str(refused), "Check VAPI_BASE_URL, and check that this machine can reach it.")


def _vapi_settings(check_context: CheckContext) -> str:
    """Whether the account has what the settings name. A wrong setting looks like drift in all of
    the account, and `provision apply` would spread it."""
    settings = check_context.settings
    if not settings.web.public_url:
        raise NotSetUp("PUBLIC_URL is not set")
    if not settings.vapi.credential_id:
        raise Problem(
            "VAPI_CREDENTIAL_ID is not set, so Vapi signs nothing and every call is refused",
            "Create a credential in Vapi's dashboard with VAPI_SERVER_SECRET as its secret, and "
            "set VAPI_CREDENTIAL_ID to its id.",
        )
    try:
        steps = check_context.vapi_steps
    except VapiRefusedError as refused:
        raise Problem(
            str(refused),
            "Set VAPI_ASSISTANT_ID to the id of an assistant of this account, or unset it and run: "
            "python -m cli provision plan",
        ) from None
    if url := _everywhere("server.url", steps, settings):
        raise Problem(
            f"PUBLIC_URL is {settings.web.public_url}, and every tool at Vapi calls {url}",
            "Check PUBLIC_URL. If the service moved to this address, run: "
            "python -m cli provision plan",
        )
    if credential := _everywhere("server.credentialId", steps, settings):
        raise Problem(
            f"VAPI_CREDENTIAL_ID is {settings.vapi.credential_id}, and every tool at Vapi uses "
            f"the credential {credential}",
            "Set VAPI_CREDENTIAL_ID to the id of the credential that holds VAPI_SERVER_SECRET. If "
            "it is right, run: python -m cli provision plan",
        )
    return "PUBLIC_URL, VAPI_CREDENTIAL_ID and VAPI_ASSISTANT_ID fit the account"


def _everywhere(path: str, steps: list[Step], settings: Settings) -> str:
    """The wrong value at path that all existing tools agree on; "" if they do not."""
    tools = [step for step in steps if step.resource == "tool"]
    missing = sum(step.current is None for step in tools)
    existing = len(wanted_tools(settings)) - missing
    values = [
        str(difference.current)
        for step in tools
        for difference in step.differs
        if difference.path == path and difference.current
    ]
    if len(values) == existing > 1 and len(set(values)) == 1:
        return values[0]
    return ""


def _vapi_as_wanted(resource: str, check_context: CheckContext) -> str:
    steps = [str(step) for step in check_context.vapi_steps if step.resource == resource]
    if steps:
        raise Problem(f"Vapi lacks or differs in {'; '.join(steps)}", APPLY)
    return "as provisioned"


def _vapi_number(check_context: CheckContext) -> str:
    settings = check_context.settings
    if settings.twilio.phone_number and not settings.vapi.assistant_id:
        raise Problem(
            "VAPI_ASSISTANT_ID is not set, so the number is not imported into Vapi",
            "Set VAPI_ASSISTANT_ID to the id that `provision apply` printed, restart web, and run: "
            "python -m cli provision apply --yes",
        )
    if settings.twilio.phone_number:
        try:
            check_context.accounts.twilio.standing()
        except TwilioRefusedError:  # a token that is wrong here would look like drift at Vapi
            raise NotSetUp("not checked because of twilio") from None
        _vapi_as_wanted("phone-number", check_context)
    try:
        numbers = check_context.accounts.vapi.list_all("phone-number")
    except VapiRefusedError as refused:
        raise Problem(str(refused), TRY_AGAIN) from None
    leading = [number for number in numbers if _leads_here(number, settings)]
    if blocked := [number for number in leading if number.get("status") == "blocked"]:
        raise Problem(f"Vapi has blocked {_names(blocked)}", "Read the reason in Vapi's dashboard.")
    asking = [number for number in leading if not number.get("assistantId")]
    if unsigned := [number for number in asking if not number["server"].get("credentialId")]:
        raise Problem(
            f"The server of {_names(unsigned)} has no credential, so Vapi signs nothing and every "
            "call is refused",
            "Select the credential for the number's server in Vapi's dashboard.",
        )
    if asking and not settings.vapi.assistant_id:
        raise Problem(
            f"{_names(asking)} asks this server for an assistant, and VAPI_ASSISTANT_ID is not set",
            "Set VAPI_ASSISTANT_ID to the id that `provision apply` printed, and restart web.",
        )
    if not leading:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set, and no number of the account leads here")
    return f"{len(leading)} of the account's numbers ({len(numbers)}) reach this server"


def _names(resources: list[dict[str, Any]]) -> str:
    shown = [str(item.get("number") or item.get("name") or item.get("id")) for item in resources]
    return ", ".join(name[:MAX_NAME] for name in shown[:MAX_NAMES])


def _leads_here(number: dict[str, Any], settings: Settings) -> bool:
    """Whether calls to the number get our assistant, or make Vapi ask our server for one."""
    if number.get("assistantId"):
        return bool(number["assistantId"] == settings.vapi.assistant_id)
    server = number.get("server") or {}
    ours = f"{(settings.web.public_url or '').rstrip('/')}/webhook/vapi"
    return bool(settings.web.public_url) and server.get("url") == ours


def _vapi_campaigns(check_context: CheckContext) -> str:
    """This server never approves a dial that a campaign asks about (docs/vendors.md V20)."""
    try:
        campaigns = check_context.accounts.vapi.list_all("campaign")
    except VapiRefusedError as refused:
        if refused.status == 404:
            return "none"
        raise Problem(str(refused), TRY_AGAIN) from None
    web = check_context.settings.web
    asking = [campaign for campaign in campaigns if _asks_whom_to_dial(campaign, web)]
    if asking:
        raise Problem(
            "This server never approves a campaign's calls, so these campaigns dial nobody: "
            f"{_names(asking)}",
            "Remove predialPlan from the campaign, or give the campaign a server that approves.",
        )
    return f"{len(campaigns)}, and none asks this server whom to dial"


def _asks_whom_to_dial(campaign: dict[str, Any], settings: WebSettings) -> bool:
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


def _twilio(check_context: CheckContext) -> str:
    settings = check_context.settings.twilio
    for name in ("account_sid", "auth_token"):
        if not getattr(settings, name):
            raise NotSetUp(f"{settings.variable(name)} is not set")
    try:
        status, kind = check_context.accounts.twilio.standing()
    except TwilioRefusedError as refused:
        if refused.status:
            remedy = "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to those of Twilio's console."
        else:
            remedy = "Check TWILIO_BASE_URL, and check that this machine can reach it."
        raise Problem(f"Twilio: {refused}", remedy) from None
    if status != "active":
        raise Problem(f"The Twilio account is {status}", "Read the reason in Twilio's console.")
    if kind != "Full":
        raise Problem(
            f"This is a {kind.lower()} account: Twilio plays a message to callers, and dials only "
            "verified numbers",
            "Upgrade the account in Twilio's console.",
        )
    return "active, not a trial"


def _twilio_number(check_context: CheckContext) -> str:
    settings = check_context.settings
    if not settings.twilio.phone_number:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set")
    try:
        number = check_context.accounts.twilio.number()
        steps = list(missing_at_twilio(check_context.accounts))
    except TwilioRefusedError as refused:
        raise Problem(
            str(refused),
            "Check TWILIO_PHONE_NUMBER, and check that TWILIO_ACCOUNT_SID is the number's account.",
        ) from None
    if overriding := [name for name in OVERRIDES if number[name]]:
        raise Problem(
            f"The number has {', '.join(overriding)} set, so Twilio ignores the number's URLs",
            "Remove the number from that application or trunk in Twilio's console.",
        )
    if not str(number["voice_url"]).startswith(f"{settings.vapi.base_url}/"):
        refused_by_vapi = check_context.vapi_refusal if settings.vapi.api_key else None
        if refused_by_vapi and refused_by_vapi.status not in KEY_REFUSED:
            raise NotSetUp("not checked because of vapi key")  # VAPI_BASE_URL may be wrong
        raise Problem(
            f"voice_url does not begin with VAPI_BASE_URL ({settings.vapi.base_url}), so calls do "
            "not reach Vapi",
            "Check VAPI_BASE_URL. If it is right, delete the number in Vapi and run: "
            "python -m cli provision apply --yes",
        )
    if steps and (base := _other_base(number)):
        raise Problem(
            f"PUBLIC_URL is {settings.web.public_url}, and the number's URLs lead to {base}",
            "Check PUBLIC_URL. If the service moved to this address, run: "
            "python -m cli provision plan",
        )
    if steps:
        raise Problem(f"Twilio differs in {'; '.join(map(str, steps))}", APPLY)
    return "calls go to Vapi; fallback and status come to this server"


def _other_base(number: dict[str, Any]) -> str:
    """The base of the number's URLs when all of them lead to one server like ours, "" otherwise."""
    bases = {
        str(number[name]).removesuffix(path) if str(number[name]).endswith(path) else ""
        for name, path in PATHS.items()
    }
    return bases.pop() if len(bases) == 1 else ""


LINKS = (
    Link("webhook", "", _webhook),
    Link("vapi key", "", _vapi_key),
    Link("vapi settings", "vapi key", _vapi_settings),
    Link("vapi tools", "vapi settings", partial(_vapi_as_wanted, "tool")),
    Link("vapi assistant", "vapi settings", partial(_vapi_as_wanted, "assistant")),
    Link("vapi number", "vapi settings", _vapi_number),
    Link("vapi campaigns", "vapi key", _vapi_campaigns),
    Link("twilio", "", _twilio),
    Link("twilio number", "twilio", _twilio_number),
)
