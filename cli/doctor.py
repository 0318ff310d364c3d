"""`python -m cli doctor`: every link of the chain, what is wrong with it, and the mend.

Exit code 0 when nothing is wrong. No secret is ever printed.
"""

import json
import sys
from dataclasses import asdict

import click

from cli.chain import Finding, Link, Status, examine, not_checked
from cli.checks import phone, salesforce, service, store
from cli.checks.context import CheckContext
from cli.store import LOAD
from shared.settings import SettingsError, load_settings

LINKS: tuple[Link[CheckContext], ...] = (
    *store.LINKS,
    *service.LINKS,
    *salesforce.LINKS,
    *phone.LINKS,
)

MARKS = {Status.OK: "✓", Status.PROBLEM: "✗", Status.NOT_CHECKED: "–"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
@click.option(
    "--try-writes",
    is_flag=True,
    help="have Salesforce take a case and what hangs on it in a request that is undone as a "
    "whole, to see whether the org's rules let them through (the case's number may be skipped)",
)
def doctor(as_json: bool, try_writes: bool) -> None:
    """Check settings, Redis, the running service, Salesforce, webhook, Vapi and Twilio.

    Whatever is wrong is named with what to do about it."""
    findings = diagnose(try_writes=try_writes)
    for finding in findings:
        if as_json:
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        click.echo(f"{MARKS[finding.status]} {finding.link}: {finding.said}")
        if finding.remedy:
            click.echo(f"    → {finding.remedy}")
    sys.exit(1 if any(finding.status is Status.PROBLEM for finding in findings) else 0)


def diagnose(*, try_writes: bool = False) -> list[Finding]:
    """A finding for each link, settings first."""
    load_settings.cache_clear()
    try:
        context = CheckContext(load_settings(), try_writes=try_writes)
    except SettingsError as refused:
        broken = Finding("settings", Status.PROBLEM, str(refused), LOAD.replace("\n", "; "))
        return [broken, *(not_checked(link.name, "settings") for link in LINKS)]
    complete = Finding("settings", Status.OK, "complete and fit together")
    return [complete, *examine(LINKS, context)]
