"""`python -m cli doctor`: every link of the chain, what is wrong with it, and the remedy.

The output never shows a secret.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from cli.agent.choice import AGENT
from cli.chain import Finding, Link, Status, examine, not_checked
from cli.checks import agent as agent_checks
from cli.checks import callers, console, messages, phone, salesforce, service, store, transfer
from cli.checks.context import CheckContext
from cli.checks.env_file import check_env
from cli.store import LOAD
from shared.settings import SettingsError, load_settings

LINKS: tuple[Link[CheckContext], ...] = (
    *store.LINKS,
    *service.LINKS,
    transfer.RULES,
    agent_checks.FOLDER,
    agent_checks.DISCLOSURE,
    *salesforce.LINKS,
    agent_checks.FIT,
    *phone.LINKS,
    *callers.LINKS,
    transfer.ASSISTANTS,
    *messages.LINKS,
    *console.LINKS,
)

ENV = Link[Path]("variables", "", check_env)

SYMBOLS = {Status.OK: "✓", Status.WARNING: "!", Status.PROBLEM: "✗", Status.NOT_CHECKED: "–"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.option(
    "--try-writes",
    is_flag=True,
    help="Write a case with a comment, a call log and a call-back to Salesforce in one request "
    "that Salesforce undoes as a whole. This shows whether the org's rules allow them. The org "
    "may skip a case number.",
)
@AGENT
def doctor(as_json: bool, try_writes: bool, name: str | None) -> None:
    """Check settings, Redis, the running service, the agent folder, Salesforce, webhook, Vapi and
    Twilio.

    Each problem comes with its remedy. Exit codes: 0 when there is no problem (there may be
    warnings), 1 when there is one.
    """
    findings = diagnose(try_writes=try_writes, agent=name)
    for finding in findings:
        if as_json:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        click.echo(f"{SYMBOLS[finding.status]} {finding.link}: {finding.message}")
        if finding.remedy:
            click.echo(f"    → {finding.remedy}")
    sys.exit(1 if any(finding.status is Status.PROBLEM for finding in findings) else 0)


def diagnose(*, try_writes: bool = False, agent: str | None = None) -> list[Finding]:
    """A finding for each link: first the variables, then the settings made of them.

    agent: the name of the agent folder to check against the org and Vapi; the first one when None.
    """
    (variables,) = examine([ENV], Path.cwd())
    if variables.status is Status.PROBLEM:
        unchecked = ("settings", *(link.name for link in LINKS))
        return [variables, *(not_checked(name, ENV.name) for name in unchecked)]
    load_settings.cache_clear()
    try:
        check_context = CheckContext(load_settings(), try_writes=try_writes, agent=agent)
    except SettingsError as refused:
        broken = Finding("settings", Status.PROBLEM, str(refused), LOAD.replace("\n", " "))
        return [variables, broken, *(not_checked(link.name, "settings") for link in LINKS)]
    complete = Finding("settings", Status.OK, "complete and consistent")
    return [variables, complete, *examine(LINKS, check_context)]
