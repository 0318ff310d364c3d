"""The service itself: its processes, and the writes that wait for a person."""

import json
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pydantic import SecretStr

from cli.chain import Link, Problem
from cli.checks.context import CheckContext
from shared.alive import Alive, Peer, Role
from shared.journal.journal import Journal
from shared.settings import SettingsError
from shared.transfer import read_rules

ANSWER_S = 5.0
MAX_BYTES = 1024 * 1024
SWEEP_TOO_OLD_MS = 15_000
REFUSED = "refused"
START = "start {0} (README, step 5), under a supervisor that starts again what exits"


def _service(context: CheckContext) -> str:
    settings = context.settings
    places = [f"http://127.0.0.1:{settings.port}", *([settings.public_url or ""])]
    tried = [f"{place}/health" for place in places if place]
    for url in tried:
        health = _ask(url, settings.ops_token)
        if health is None:
            continue
        if health.get("status") == REFUSED:
            raise Problem(
                f"{url} refuses this OPS_TOKEN: web has another one, or none",
                "set the same OPS_TOKEN for web and in this shell",
            )
        # The other links find out the rest by themselves.
        problems = [
            item for item in health.get("problems", []) if item.startswith(("calls:", "retention:"))
        ]
        if problems:
            raise Problem(f"{url}: {'; '.join(problems)}", "docs/runbook.md says what to do")
        if "problems" not in health and health["status"] != "ok":
            raise Problem(
                f"{url}: {health['status']}; the lines below may name them",
                "for all of them set OPS_TOKEN, the same for web and in this shell",
            )
        return f"web answers at {url}"
    raise Problem(f"web does not answer at {' or '.join(tried)}", START.format("web"))


def _ask(url: str, token: SecretStr | None) -> dict[str, Any] | None:
    """What /health says; its status is REFUSED for a wrong token. None when it is not ours."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    request = Request(url, headers=headers)  # noqa: S310 - a checked setting
    try:
        with urlopen(request, timeout=ANSWER_S) as answer:  # noqa: S310
            said = json.loads(answer.read(MAX_BYTES))
    except HTTPError as refused:
        if refused.code == HTTPStatus.UNAUTHORIZED:
            return {"status": REFUSED}
        try:
            said = json.loads(refused.read(MAX_BYTES))
        except (OSError, ValueError):
            return None
    except (OSError, ValueError):
        return None
    known = isinstance(said, dict) and said.keys() & {"problems", "status"}
    return said if known else None


def _peers(context: CheckContext, role: Role) -> list[Peer]:
    return Alive(context.store).of(role)


def _workers(context: CheckContext) -> str:
    peers = _peers(context, "worker")
    if not peers:
        raise Problem(
            "no worker is at work: writes are accepted, and none is delivered",
            START.format("worker"),
        )
    return f"{len(peers)} at work: " + ", ".join(sorted(peer.name or peer.host for peer in peers))


def _beat(context: CheckContext) -> str:
    if not _peers(context, "beat"):
        raise Problem(
            "beat is not at work: quiet calls are not closed",
            START.format("beat"),
        )
    return "at work"


def _sweeps(context: CheckContext) -> str:
    age_ms = Journal(context.store).last_sweep_age_ms()
    if age_ms is None or age_ms > SWEEP_TOO_OLD_MS:
        since = "none has run yet" if age_ms is None else f"the last ran {age_ms // 1000} s ago"
        raise Problem(
            f"{since}: what has to wait is not delivered when its time comes",
            "look into the logs of worker and beat, and start them again",
        )
    return f"the last ran {age_ms / 1000:.1f} s ago"


def _paused(context: CheckContext) -> str:
    if paused := sorted(Journal(context.store).paused()):
        raise Problem(
            f"{', '.join(paused)}: accepted and not delivered, since a person paused it",
            f"python -m cli resume {paused[0]} --yes",
        )
    return "none"


def _failing(context: CheckContext) -> str:
    waits = Journal(context.store).waits()
    failing = sorted(
        (kind, wait) for kind, wait in waits.items() if kind != "org" and wait.failures_in_a_row
    )
    if failing:
        said = "; ".join(f"{kind} waits because of {wait.reason}" for kind, wait in failing)
        raise Problem(
            said,
            "set it right in Salesforce (docs/runbook.md has the codes), then python -m cli resume "
            f"{failing[0][0]} --yes",
        )
    return "none"


def _parked(context: CheckContext) -> str:
    if count := Journal(context.store).counts()["parked"]:
        writes = "1 write waits" if count == 1 else f"{count} writes wait"
        raise Problem(f"{writes} for a person", "python -m cli intents list --state parked")
    return "none"


def _transfer_rules(context: CheckContext) -> str:
    path = context.settings.transfer_rules
    fallback = context.settings.fallback_phone_number
    if not path:
        goal = f"go to {fallback}" if fallback else "are offered a call back"
        return f"TRANSFER_RULES is not set: calls that want a person {goal}"
    try:
        read_rules(path)
    except SettingsError as refused:
        raise Problem(
            str(refused), "set TRANSFER_RULES to a file like transfer.example.toml, or leave it out"
        ) from None
    return f"{path} can be read"


LINKS = (
    Link("service", "", _service),
    Link("workers", "redis", _workers),
    Link("beat", "redis", _beat),
    Link("sweeps", "workers", _sweeps),
    Link("paused kinds", "redis", _paused),
    Link("failing kinds", "redis", _failing),
    Link("parked writes", "redis", _parked),
    Link("transfer rules", "", _transfer_rules),
)
