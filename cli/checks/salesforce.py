"""The org: its host, token, version, the rights to what the service reads and writes, its rules."""

import statistics
import time
from functools import partial
from urllib.parse import urlsplit

from cli.chain import Link, NotSetUp, Problem
from cli.checks.context import CheckContext, clock
from shared.addresses import MY_DOMAINS, is_loopback
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.inspection import NEEDS, Need
from shared.salesforce.rules import RulesUnseenError, active_rules, try_writes

ROUND_TRIPS = 3
GIVE_UP_S = 15.0


def _host(context: CheckContext) -> str:
    host = urlsplit(context.settings.salesforce_instance_url).hostname or ""
    if is_loopback(host):
        return "a local org"
    if host.endswith(MY_DOMAINS):
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

NOT_ALLOWED = {FailureClass.MISCONFIGURED, FailureClass.MISSING_FIELD, FailureClass.DENIED}


def _token(context: CheckContext) -> str:
    tokens, grant = context.salesforce.tokens, context.settings.grant
    try:
        if grant == "refresh_token":
            tokens.current(give_up_at=time.monotonic() + GIVE_UP_S)
        else:
            tokens.renew(give_up_at=time.monotonic() + GIVE_UP_S)
    except SalesforceError as error:
        if error.failure is FailureClass.LOGIN_REFUSED:
            raise Problem(
                f"{grant}: {error}", _MENDS.get(error.code, "check the app's OAuth settings")
            ) from None
        raise Problem(f"{grant}: {error}", "check that this machine can reach Salesforce") from None
    return f"given for {grant}"


def _version(context: CheckContext) -> str:
    wanted, served = context.settings.salesforce_api_version, context.org.versions()
    if wanted not in served:
        raise Problem(f"{wanted} is not served", f"SALESFORCE_API_VERSION, at most {served[-1]}")
    return wanted


def _user(context: CheckContext) -> str:
    org_id, user_id = context.org.whoami()
    return f"user {user_id} of org {org_id}"


def _rights(need: Need, context: CheckContext) -> str:
    if lacking := context.org.lacks(need):
        raise Problem(", ".join(lacking), "the permission set Voice_Integration for that user")
    return "as needed"


def _keys(context: CheckContext) -> str:
    if not context.settings.salesforce_key_fields:
        raise NotSetUp("SALESFORCE_KEY_FIELDS=false: keys lie in standard fields")
    if wrong := context.org.keys():
        raise Problem(", ".join(wrong), "deploy salesforce/ and assign Voice_Integration")
    return "there, unique and visible"


def _allowance(context: CheckContext) -> str:
    account = context.salesforce.api_budget.figures()
    if account.daily_limit is None or account.daily_used is None:
        raise NotSetUp("no answer has told it yet")
    left = account.daily_limit - account.daily_used
    reserve = account.daily_limit * context.settings.salesforce_daily_reserve_percent / 100
    said = f"{left} of {account.daily_limit} API requests left today"
    if left <= reserve:
        raise Problem(said, "writes wait until there are more: buy some, or wait")
    return said


def _speed(context: CheckContext) -> str:
    took_ms = statistics.median(context.org.round_trips_ms(ROUND_TRIPS))
    if took_ms > context.settings.lookup_deadline_ms / 2:
        raise Problem(
            f"{took_ms:.0f} ms a query", "the way to Salesforce, or a longer LOOKUP_DEADLINE_MS"
        )
    return f"{took_ms:.0f} ms a query"


def _org_clock(context: CheckContext) -> str:
    return clock(time.time() + context.org.clock_ahead_s(), "Salesforce")


def _rules(context: CheckContext) -> str:
    if context.try_writes:
        try:
            refused = try_writes(context.salesforce)
        except SalesforceError as error:
            if error.failure in NOT_ALLOWED:
                raise NotSetUp("the rights come first: a write was not allowed at all") from None
            raise
        if refused:
            raise Problem(
                refused, "the rule, or an exception from it for the user of the service: it parks"
            )
        return (
            "let a case, a comment, a call log, a call-back and a closing through; undone at once"
        )
    trying = "doctor --try-writes has the org take a case and what hangs on it, and undo it"
    try:
        rules = active_rules(context.salesforce)
    except RulesUnseenError:
        raise NotSetUp(f"only View Setup and Configuration may see them: {trying}") from None
    if rules.refusing:
        raise NotSetUp(f"{', '.join(rules.refusing)} may refuse a write: {trying}")
    routed = f"; new cases go where {', '.join(rules.routing)} says" if rules.routing else ""
    return f"none refuses a write{routed}"


LINKS = (
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
    Link("salesforce rules", "salesforce version", _rules),
    Link("salesforce allowance", "salesforce version", _allowance),
    Link("salesforce speed", "salesforce version", _speed),
)
