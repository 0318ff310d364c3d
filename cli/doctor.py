"""`python -m cli doctor`: every link of the chain, what is wrong with it, and the mend.

Exit code 0 when nothing is wrong. No secret is ever printed.
"""

import json
import statistics
import sys
import time
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any
from urllib.parse import urlsplit

import click
import redis

from cli.chain import Finding, Link, NotSetUp, Problem, Status, examine, not_checked
from cli.provision import Accounts, Step, missing_at_twilio, missing_in_vapi
from cli.store import LOAD
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.gate import Gate, Use
from shared.salesforce.inspection import NEEDS, Inspection, Need
from shared.settings import Settings, SettingsError, is_loopback, load_settings
from shared.store import connect, now_ms, translated, unfit
from shared.twilio import OVERRIDES, TwilioRefusedError
from shared.vapi.api import VapiRefusedError
from shared.vapi.probe import ProbeFailedError, probe_webhook

OLDEST_STORE = 7
MOST_CLOCK_S = 60
ROUND_TRIPS = 3
GIVE_UP_S = 15.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
def doctor(as_json: bool) -> None:
    """Check settings, Redis, Salesforce, webhook and Vapi, and say how to mend each."""
    findings = diagnose()
    for one in findings:
        if as_json:
            click.echo(json.dumps(asdict(one), ensure_ascii=False))
            continue
        mark = {Status.OK: "✓", Status.PROBLEM: "✗", Status.NOT_CHECKED: "–"}[one.status]
        click.echo(f"{mark} {one.link}: {one.told}")
        if one.mend:
            click.echo(f"    → {one.mend}")
    sys.exit(1 if any(one.status is Status.PROBLEM for one in findings) else 0)


def diagnose() -> list[Finding]:
    """A finding for each link, settings first."""
    load_settings.cache_clear()
    try:
        subject = Subject(load_settings())
    except SettingsError as refused:
        broken = Finding("settings", Status.PROBLEM, str(refused), LOAD.replace("\n", "; "))
        return [broken, *(not_checked(link.name, "settings") for link in LINKS)]
    complete = Finding("settings", Status.OK, "complete and fit together")
    return [complete, *examine(LINKS, subject)]


class Subject:
    """What is examined, put together as the service does it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> redis.Redis:
        return connect(self.settings.redis_url, socket_timeout_s=5.0)

    @cached_property
    def salesforce(self) -> SalesforceClient:
        gate = Gate(self.settings, self.store)
        return SalesforceClient(self.settings, self.store, gate, Use.CHECK)

    @cached_property
    def org(self) -> Inspection:
        return Inspection(self.salesforce)

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.settings)

    @cached_property
    def vapi_steps(self) -> list[Step]:
        """What differs from the wanted state. Raises VapiRefusedError."""
        return list(missing_in_vapi(self.accounts))


# -- Redis -----------------------------------------------------------------------------------------


def _redis_reached(subject: Subject) -> str:
    with translated():
        subject.store.ping()
        server: dict[str, Any] = subject.store.info("server")
    version = str(server.get("valkey_version") or server.get("redis_version"))
    if int(version.partition(".")[0]) < OLDEST_STORE:
        raise Problem(f"version {version}", f"version {OLDEST_STORE} or later is needed")
    return f"version {version}"


def _redis_keeps(subject: Subject) -> str:
    wrong = unfit(subject.store, accept_everysec=subject.settings.redis_accept_everysec)
    if wrong:
        raise Problem(
            "; ".join(one.removeprefix("store: ") for one in wrong),
            "maxmemory-policy noeviction, appendonly yes, appendfsync always",
        )
    return "evicts nothing, syncs every write"


def _redis_clock(subject: Subject) -> str:
    with translated():
        ahead_s = now_ms(subject.store) / 1000 - time.time()
    return _clock(ahead_s, "Redis")


def _clock(ahead_s: float, whose: str) -> str:
    if abs(ahead_s) > MOST_CLOCK_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        raise Problem(
            f"{whose} is {abs(ahead_s) / 60:.0f} minutes {way} this machine",
            "set both clocks by NTP",
        )
    return f"within {MOST_CLOCK_S} s of this machine"


# -- Salesforce ------------------------------------------------------------------------------------


def _host(subject: Subject) -> str:
    host = urlsplit(subject.settings.salesforce_instance_url).hostname or ""
    if is_loopback(host):
        return "a local org"
    if host.endswith(".my.salesforce.com"):
        return "a My Domain"
    raise Problem(
        f"{host} is no My Domain",
        "SALESFORCE_INSTANCE_URL=https://<domain>.my.salesforce.com (Setup, My Domain)",
    )


_MENDS = {
    "TOKEN_invalid_client": "SALESFORCE_CLIENT_SECRET is not the secret of SALESFORCE_CLIENT_ID",
    "TOKEN_invalid_client_id": "SALESFORCE_CLIENT_ID is no consumer key of this org",
    "TOKEN_invalid_grant": "the app's policies: run-as user, or user and certificate for jwt",
    "NOT_AUTHORISED": "open /oauth/login as an operator",
}


def _token(subject: Subject) -> str:
    tokens, grant = subject.salesforce.tokens, subject.settings.grant
    try:
        if grant == "refresh_token":
            tokens.current(give_up_at=time.monotonic() + GIVE_UP_S)
        else:
            tokens.renew(give_up_at=time.monotonic() + GIVE_UP_S)
    except SalesforceError as error:
        if error.failure is FailureClass.MISCONFIGURED:
            raise Problem(
                f"{grant}: {error}", _MENDS.get(error.code, "the app's OAuth settings")
            ) from None
        raise Problem(f"{grant}: {error}", "whether Salesforce can be reached from here") from None
    return f"given for {grant}"


def _version(subject: Subject) -> str:
    wanted, served = subject.settings.salesforce_api_version, subject.org.versions()
    if wanted not in served:
        raise Problem(f"{wanted} is not served", f"SALESFORCE_API_VERSION, at most {served[-1]}")
    return wanted


def _user(subject: Subject) -> str:
    org_id, user_id = subject.org.whoami()
    return f"user {user_id} of org {org_id}"


def _rights(need: Need, subject: Subject) -> str:
    if lacking := subject.org.lacks(need):
        raise Problem(", ".join(lacking), "the permission set Voice_Integration for that user")
    return "as needed"


def _keys(subject: Subject) -> str:
    if not subject.settings.salesforce_key_fields:
        raise NotSetUp("SALESFORCE_KEY_FIELDS=false: keys lie in standard fields")
    if wrong := subject.org.keys():
        raise Problem(", ".join(wrong), "deploy salesforce/ and assign Voice_Integration")
    return "there, unique and visible"


def _allowance(subject: Subject) -> str:
    account = subject.salesforce.gate.figures()
    if account.daily_limit is None or account.daily_used is None:
        raise NotSetUp("no answer has told it yet")
    left = account.daily_limit - account.daily_used
    reserve = account.daily_limit * subject.settings.salesforce_daily_reserve_percent / 100
    told = f"{left} of {account.daily_limit} API requests left today"
    if left <= reserve:
        raise Problem(told, "writes wait until there are more: buy some, or wait")
    return told


def _speed(subject: Subject) -> str:
    took_ms = statistics.median(subject.org.round_trips_ms(ROUND_TRIPS))
    if took_ms > subject.settings.lookup_deadline_ms / 2:
        raise Problem(
            f"{took_ms:.0f} ms a query", "the way to Salesforce, or a longer LOOKUP_DEADLINE_MS"
        )
    return f"{took_ms:.0f} ms a query"


def _org_clock(subject: Subject) -> str:
    return _clock(subject.org.clock_ahead_s(), "Salesforce")


# -- webhook, Vapi, Twilio -------------------------------------------------------------------------


def _webhook(subject: Subject) -> str:
    url = subject.settings.public_url
    if not url:
        raise NotSetUp("PUBLIC_URL is not set")
    try:
        probe_webhook(f"{url.rstrip('/')}/webhook/vapi", subject.settings)
    except ProbeFailedError as failed:
        raise Problem(str(failed), failed.mend) from None
    return "takes a signed message, its bytes arrive as they are; an unsigned one is refused"


def _vapi_key(subject: Subject) -> str:
    if not subject.settings.vapi_api_key:
        raise NotSetUp("VAPI_API_KEY is not set")
    if not subject.settings.public_url:
        raise NotSetUp("PUBLIC_URL is not set")
    if not subject.settings.vapi_credential_id:
        raise Problem(
            "VAPI_CREDENTIAL_ID is not set: Vapi signs nothing, and every call is refused",
            "make a credential in Vapi's dashboard with VAPI_SERVER_SECRET as its secret",
        )
    try:
        subject.vapi_steps  # noqa: B018 - asks
    except VapiRefusedError as refused:
        key = "VAPI_API_KEY: the private key of the account"
        way = "VAPI_ASSISTANT_ID, and whether VAPI_BASE_URL can be reached from here"
        raise Problem(str(refused), key if "HTTP 40" in str(refused) else way) from None
    return "taken"


def _vapi_as_wanted(resource: str, subject: Subject) -> str:
    steps = [str(one) for one in subject.vapi_steps if one.resource == resource]
    if steps:
        raise Problem("; ".join(steps), "python -m cli provision apply --yes")
    return "as wanted"


def _vapi_number(subject: Subject) -> str:
    settings = subject.settings
    if settings.twilio_phone_number and not settings.vapi_assistant_id:
        raise Problem(
            "VAPI_ASSISTANT_ID is not set, and the number waits for it",
            "set it to what `provision apply` printed, restart web, and apply again",
        )
    if settings.twilio_phone_number:
        try:
            subject.accounts.twilio.standing()
        except TwilioRefusedError:  # a token that is wrong here would seem to be wrong there
            raise NotSetUp("because of twilio") from None
        _vapi_as_wanted("phone-number", subject)
    try:
        numbers = subject.accounts.vapi.list_all("phone-number")
    except VapiRefusedError as refused:
        raise Problem(str(refused), "Vapi's own answer; try again") from None
    leading = [one for one in numbers if _leads_here(one, settings)]
    if any(one.get("status") == "blocked" for one in leading):
        raise Problem("Vapi has blocked the number", "Vapi's dashboard says why")
    if not leading:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set, and no number of the account leads here")
    return f"{len(leading)} of the account's {len(numbers)} leads here"


def _leads_here(number: dict[str, Any], settings: Settings) -> bool:
    """By the assistant it is given, or by the server that it asks for one."""
    if number.get("assistantId"):
        return bool(number["assistantId"] == settings.vapi_assistant_id)
    url = str((number.get("server") or {}).get("url", ""))
    return bool(settings.public_url) and url.startswith(str(settings.public_url))


def _twilio(subject: Subject) -> str:
    settings = subject.settings
    for name in ("twilio_account_sid", "twilio_auth_token"):
        if not getattr(settings, name):
            raise NotSetUp(f"{name.upper()} is not set")
    try:
        status, kind = subject.accounts.twilio.standing()
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


def _twilio_number(subject: Subject) -> str:
    settings = subject.settings
    if not settings.twilio_phone_number:
        raise NotSetUp("TWILIO_PHONE_NUMBER is not set")
    try:
        number = subject.accounts.twilio.number()
        steps = [str(one) for one in missing_at_twilio(subject.accounts)]
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


LINKS: tuple[Link[Subject], ...] = (
    Link("redis", "", _redis_reached),
    Link("redis keeps what it is given", "redis", _redis_keeps),
    Link("redis clock", "redis", _redis_clock),
    Link("salesforce host", "", _host),
    Link("salesforce token", "redis", _token),
    Link("salesforce clock", "salesforce token", _org_clock),
    Link("salesforce version", "salesforce token", _version),
    Link("salesforce user", "salesforce version", _user),
    *(
        Link(f"salesforce {need.sobject}", "salesforce version", partial(_rights, need))
        for need in NEEDS
    ),
    Link("salesforce keys", "salesforce version", _keys),
    Link("salesforce allowance", "salesforce version", _allowance),
    Link("salesforce speed", "salesforce version", _speed),
    Link("webhook", "", _webhook),
    Link("vapi key", "", _vapi_key),
    Link("vapi tools", "vapi key", partial(_vapi_as_wanted, "tool")),
    Link("vapi assistant", "vapi key", partial(_vapi_as_wanted, "assistant")),
    Link("vapi number", "vapi key", _vapi_number),
    Link("twilio", "", _twilio),
    Link("twilio number", "twilio", _twilio_number),
)
