"""The service itself: its processes, and the writes that an operator must look at."""

import json
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import SecretStr

from cli.chain import Link, Problem, Suspicion
from cli.checks.context import CheckContext
from shared.alive import Alive, Peer, Role
from shared.journal.journal import Journal
from shared.operators.rotation import Rotation

ANSWER_S = 5.0
MAX_BYTES = 1024 * 1024
SWEEP_TOO_OLD_MS = 15_000
REFUSED, TOO_MANY = "refused", "too many"
START = (
    "Start {0} (docs/getting-started.md, step 5) under a supervisor that restarts it when it exits."
)


def _service(check_context: CheckContext) -> str:
    settings = check_context.settings
    bases = [f"http://127.0.0.1:{settings.web.port}", settings.web.public_url]
    urls = [f"{base}/health" for base in bases if base]
    for url in urls:
        health = _ask(url, settings.ops.token)
        if health is None:
            continue
        if health.get("status") == TOO_MANY:
            raise Problem(
                f"{url} answers this address nothing more after too many wrong tokens",
                "Correct OPS_TOKEN, and wait 15 minutes or run: redis-cli DEL vs:sign-ins",
            )
        if health.get("status") == REFUSED:
            raise Problem(
                f"{url} refuses this OPS_TOKEN: web runs with a different one or with none",
                "Set OPS_TOKEN to the same value for web and in this shell.",
            )
        # Other links report the other problems of /health.
        problems = [
            item for item in health.get("problems", []) if item.startswith(("calls:", "retention:"))
        ]
        if problems:
            raise Problem(f"{url} reports {'; '.join(problems)}", "Follow docs/runbook.md.")
        if "problems" not in health and health["status"] != "ok":
            raise Problem(
                f"{url} reports {health['status']} without details",
                "Set OPS_TOKEN to the same value for web and in this shell to see all of them.",
            )
        return f"web answers at {url}"
    raise Problem(f"web does not answer at {' or '.join(urls)}", START.format("web"))


def _ask(url: str, token: SecretStr | None) -> dict[str, Any] | None:
    """What /health says, with status REFUSED for a wrong token, TOO_MANY after too many. None when
    it is not our service."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    request = Request(url, headers=headers)  # noqa: S310 - a checked setting
    try:
        with urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            health = json.loads(answer.read(MAX_BYTES))
    except HTTPError as refused:
        if refused.code == HTTPStatus.UNAUTHORIZED:
            return {"status": REFUSED}
        if refused.code == HTTPStatus.TOO_MANY_REQUESTS:
            return {"status": TOO_MANY}
        try:
            health = json.loads(refused.read(MAX_BYTES))
        except (OSError, ValueError):
            return None
    except (OSError, ValueError):
        return None
    is_ours = isinstance(health, dict) and health.keys() & {"problems", "status"}
    return health if is_ours else None


def _peers(check_context: CheckContext, role: Role) -> list[Peer]:
    return Alive(check_context.store).of(role)


def _workers(check_context: CheckContext) -> str:
    peers = _peers(check_context, "worker")
    if not peers:
        raise Problem(
            "No worker runs, so writes are accepted but not delivered",
            START.format("worker"),
        )
    return f"{len(peers)} running: " + ", ".join(sorted(peer.name or peer.host for peer in peers))


def _beat(check_context: CheckContext) -> str:
    if not _peers(check_context, "beat"):
        raise Problem(
            "beat does not run, so calls without an end-of-call report stay open",
            START.format("beat"),
        )
    return "running"


def _sweeps(check_context: CheckContext) -> str:
    age_ms = Journal(check_context.store).last_sweep_age_ms()
    if age_ms is None or age_ms > SWEEP_TOO_OLD_MS:
        last = "No sweep has run yet" if age_ms is None else f"The last ran {age_ms // 1000} s ago"
        raise Problem(
            f"{last}, so delayed writes are not delivered when they are due",
            "Read the logs of worker and beat, then restart both.",
        )
    return f"the last ran {age_ms / 1000:.1f} s ago"


def _paused(check_context: CheckContext) -> str:
    if paused := sorted(Journal(check_context.store).paused()):
        raise Problem(
            f"An operator paused {', '.join(paused)}: writes are accepted but not delivered, and "
            "lookups are not answered",
            f"Run: python -m cli resume {paused[0]} --yes",
        )
    return "none"


def _failing(check_context: CheckContext) -> str:
    waits = Journal(check_context.store).waits()
    failing = sorted(
        (what, wait) for what, wait in waits.items() if what != "org" and wait.failures_in_a_row
    )
    if failing:
        raise Problem(
            "; ".join(f"{what} waits because of {wait.reason}" for what, wait in failing),
            "Fix the cause in Salesforce (docs/runbook.md lists the codes), then run: "
            f"python -m cli resume {failing[0][0]} --yes",
        )
    return "none"


def _parked(check_context: CheckContext) -> str:
    if count := Journal(check_context.store).counts()["parked"]:
        writes = "1 parked write needs" if count == 1 else f"{count} parked writes need"
        raise Problem(
            f"{writes} an operator's decision", "Run: python -m cli intents list --state parked"
        )
    return "none"


def _rotation(check_context: CheckContext) -> str:
    rotation = Rotation(check_context.store, check_context.settings.vapi).status()
    if rotation is None:
        return "VAPI_SERVER_SECRET_PREVIOUS is not set"
    used_s = rotation.last_used_s
    last_use = "was not used" if used_s is None else f"was last used {_ago(used_s)}"
    message = f"The previous secret is accepted for {rotation.for_s // 3600} hours; it {last_use}"
    if rotation.is_overdue:
        raise Suspicion(
            message,
            "If it is still used, set the new secret in Vapi's credential. Otherwise remove "
            "VAPI_SERVER_SECRET_PREVIOUS and restart web.",
        )
    return message


def _addresses(check_context: CheckContext) -> str:
    web = check_context.settings.web
    if web.trusted_proxy_count:
        return f"X-Forwarded-For is read as {web.trusted_proxy_count} proxies write it"
    if (web.public_url or "").startswith("https://"):
        # web speaks http only.
        raise Suspicion(
            "PUBLIC_URL is https, so a proxy stands in front of web, and TRUSTED_PROXY_COUNT is 0: "
            "all clients share the proxy's address, and anybody's wrong tokens lock operators out",
            "Set TRUSTED_PROXY_COUNT to the number of proxies that add the client's address to "
            "X-Forwarded-For.",
        )
    return "clients connect to web themselves"


def _ago(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds // 60
    return f"{hours} hours ago" if hours >= 2 else f"{minutes} minutes ago"


LINKS = (
    Link("service", "", _service),
    Link("workers", "redis", _workers),
    Link("beat", "redis", _beat),
    Link("sweeps", "workers", _sweeps),
    Link("paused", "redis", _paused),
    Link("failing", "redis", _failing),
    Link("parked writes", "redis", _parked),
    Link("client addresses", "", _addresses),
    Link("secret rotation", "redis", _rotation),
)
