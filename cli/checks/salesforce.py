"""The org: its host, token, version, rules, and the user's rights to what the service uses."""

import statistics
import time
from functools import partial
from urllib.parse import urlsplit

from cli.chain import Link, NotSetUp, Problem, Suspicion
from cli.checks import mapping
from cli.checks.context import CheckContext, clock
from cli.checks.mapping import statuses_in_use
from cli.org.inspection import NEEDS
from cli.org.objects import Need
from cli.org.rules import Rules, RulesUnseenError, active_rules, try_writes
from shared.addresses import MY_DOMAINS, is_loopback
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.grants import RefreshTokens

ROUND_TRIPS = 3
GIVE_UP_S = 15.0


def _host(check_context: CheckContext) -> str:
    host = urlsplit(check_context.settings.salesforce.instance_url).hostname or ""
    if is_loopback(host):
        return "a local org"
    if host.endswith(MY_DOMAINS):
        return "a My Domain"
    raise Problem(
        f"SALESFORCE_INSTANCE_URL names {host}, which is not a My Domain",
        "Set SALESFORCE_INSTANCE_URL to https://<domain>.my.salesforce.com (Setup, My Domain).",
    )


REMEDIES = {
    "TOKEN_invalid_client": (
        "Set SALESFORCE_CLIENT_SECRET to the consumer secret that belongs to SALESFORCE_CLIENT_ID."
    ),
    "TOKEN_invalid_client_id": (
        "Set SALESFORCE_CLIENT_ID to the consumer key of an External Client App of this org."
    ),
    "TOKEN_invalid_grant": (
        "Check the app's policies: the run-as user for client_credentials; SALESFORCE_USERNAME and "
        "the certificate for jwt."
    ),
    "NOT_AUTHORISED": "Open /oauth/login in a browser and log in as an operator.",
}
"""By the code of a refused login."""

NOT_ALLOWED = {FailureClass.MISCONFIGURED, FailureClass.MISSING_FIELD, FailureClass.DENIED}


def _token(check_context: CheckContext) -> str:
    tokens, grant = check_context.salesforce.tokens, check_context.settings.salesforce.grant_type
    try:
        if grant == "refresh_token":
            tokens.current(give_up_at=time.monotonic() + GIVE_UP_S)
        else:
            tokens.renew(give_up_at=time.monotonic() + GIVE_UP_S)
    except SalesforceError as error:
        if error.failure is FailureClass.LOGIN_REFUSED:
            raise Problem(
                f"Salesforce refuses the grant {grant}: {error}",
                REMEDIES.get(error.code, "Check the OAuth settings of the External Client App."),
            ) from None
        raise Problem(
            f"The grant {grant} got no token: {error}",
            "Check that this machine can reach Salesforce.",
        ) from None
    return f"granted for {grant}"


def _encryption(check_context: CheckContext) -> str:
    settings = check_context.settings.salesforce
    if RefreshTokens(settings, check_context.store).needs_older_key():
        raise Suspicion(
            "The stored refresh token is encrypted with an older key",
            "Keep that key in TOKEN_ENCRYPTION_KEY, after the newest one. The service encrypts the "
            "token again when it next asks Salesforce for an access token.",
        )
    if keys := settings.token_encryption_keys:
        older = f" (and {len(keys) - 1} older keys are still allowed)" if len(keys) > 1 else ""
        return f"with TOKEN_ENCRYPTION_KEY{older}"
    return "with a key derived from the secret that the service logs in with"


def _version(check_context: CheckContext) -> str:
    wanted, served = check_context.settings.salesforce.api_version, check_context.org.versions()
    if wanted not in served:
        raise Problem(
            f"The org does not serve version {wanted} of the API",
            f"Set SALESFORCE_API_VERSION to {served[-1]} or lower.",
        )
    return wanted


def _user(check_context: CheckContext) -> str:
    org_id, user_id = check_context.org.whoami()
    return f"user {user_id} of org {org_id}"


def _rights(need: Need, check_context: CheckContext) -> str:
    if lacking := check_context.org.lacks(need):
        raise Problem(
            f"The user lacks rights to {need.sobject}: {', '.join(lacking)}",
            "Assign the permission set Voice_Integration to the user.",
        )
    return "the user has all rights"


def _language(check_context: CheckContext) -> str:
    field = check_context.settings.salesforce.language_field
    if not field:
        language = check_context.settings.calls.default_language
        return f"SALESFORCE_LANGUAGE_FIELD is not set; the agent starts every call in {language}"
    if check_context.org.lacks(Need("Contact", read=(field,))):
        raise Problem(
            f"Contact has no field {field}, or the user can't see it",
            "Set SALESFORCE_LANGUAGE_FIELD to the API name of a field of Contact, and let the user "
            "read it.",
        )
    return f"Contact.{field}"


def _keys(check_context: CheckContext) -> str:
    if not check_context.settings.salesforce.key_fields:
        raise NotSetUp("SALESFORCE_KEY_FIELDS is false, so keys are in standard fields")
    if wrong := check_context.org.keys():
        raise Problem(
            ", ".join(wrong),
            "Deploy salesforce/ and assign the permission set Voice_Integration to the user.",
        )
    return "present, unique and visible"


def _allowance(check_context: CheckContext) -> str:
    figures = check_context.salesforce.api_budget.figures()
    if figures.daily_limit is None or figures.daily_used is None:
        raise NotSetUp("Salesforce has not reported it yet")
    left = figures.daily_limit - figures.daily_used
    reserve = figures.daily_limit * check_context.settings.salesforce.daily_reserve_percent / 100
    message = f"{left} of {figures.daily_limit} API requests are left for the last 24 hours"
    if left <= reserve:
        raise Problem(
            f"{message}, so writes wait and only lookups go on",
            "Wait, buy more API requests, or lower SALESFORCE_DAILY_RESERVE_PERCENT.",
        )
    return message


def _speed(check_context: CheckContext) -> str:
    took_ms = statistics.median(check_context.org.round_trips_ms(ROUND_TRIPS))
    if took_ms > check_context.settings.salesforce.lookup_deadline_ms / 2:
        raise Problem(
            f"A query takes {took_ms:.0f} ms, more than half of LOOKUP_DEADLINE_MS",
            "Run the service closer to the org, or raise LOOKUP_DEADLINE_MS.",
        )
    return f"a query takes {took_ms:.0f} ms"


def _org_clock(check_context: CheckContext) -> str:
    return clock(time.time() + check_context.org.clock_ahead_s(), "Salesforce")


def _rules(check_context: CheckContext) -> str:
    if check_context.try_writes:
        return _tried_rules(check_context)
    trial = "Run: python -m cli doctor --try-writes"
    try:
        rules = active_rules(check_context.salesforce)
    except RulesUnseenError:
        raise NotSetUp(
            "the user needs the right View Setup and Configuration to see the org's rules. "
            f"To test them instead: {trial}"
        ) from None
    if rules.refusing:
        raise NotSetUp(f"{', '.join(rules.refusing)} may refuse a write. To test it: {trial}")
    return f"none refuses a write{_routed(rules)}"


def _tried_rules(check_context: CheckContext) -> str:
    try:
        refused = try_writes(check_context.salesforce, statuses_in_use(check_context))
    except SalesforceError as error:
        if error.failure in NOT_ALLOWED:
            raise NotSetUp("the user lacks the right to a write; the lines above name it") from None
        raise
    if refused:
        raise Problem(
            f"The org's rules refuse a write: {refused}",
            "Change the rule, or exempt the service's user from it. Until then such writes park.",
        )
    return "allow a case, a comment, a call log, a call-back and a closed case (all undone)"


def _routed(rules: Rules) -> str:
    return f"; {', '.join(rules.routing)} assigns new cases" if rules.routing else ""


LINKS = (
    Link("salesforce host", "", _host),
    Link("salesforce token", "redis", _token),
    Link("salesforce token encryption", "salesforce token", _encryption),
    Link("salesforce clock", "salesforce token", _org_clock),
    Link("salesforce version", "salesforce token", _version),
    Link("salesforce user", "salesforce version", _user),
    *(
        Link(f"salesforce {need.sobject}", "salesforce version", partial(_rights, need))
        for need in NEEDS
    ),
    Link("salesforce language", "salesforce version", _language),
    Link("salesforce keys", "salesforce version", _keys),
    *mapping.LINKS,
    Link("salesforce rules", "salesforce version", _rules),
    Link("salesforce allowance", "salesforce version", _allowance),
    Link("salesforce speed", "salesforce version", _speed),
)
