"""`python -m cli pause|resume KIND`: hold back a kind of writes, and let it go."""

import click

from cli.store import open_journal
from shared.dispatch import Notifier, celery_app
from shared.domain.kinds import Kind
from shared.settings import load_settings

KIND = click.argument("kind", type=click.Choice([str(item) for item in Kind]))
YES = click.option("--yes", is_flag=True, help="do it; without, only say what would be done")


@click.command()
@KIND
@YES
def pause(kind: str, yes: bool) -> None:
    """Deliver nothing of KIND until resume. It is accepted all the same, and nothing is lost."""
    journal = open_journal()
    waiting = journal.counts()[f"open_{kind}"]
    if not yes:
        click.echo(f"would pause {kind} ({waiting} open); --yes does it")
    elif journal.pause(Kind(kind)):
        click.echo(f"{kind} is paused ({waiting} open)")
    else:
        click.echo(f"{kind} was paused already")


@click.command()
@KIND
@YES
def resume(kind: str, yes: bool) -> None:
    """Deliver KIND again, at once: ends a pause, and the wait after a failure."""
    journal = open_journal()
    waiting = journal.counts()[f"open_{kind}"]
    if not yes:
        click.echo(f"would resume {kind} ({waiting} open); --yes does it")
    elif journal.resume(Kind(kind)):
        Notifier(celery_app(load_settings())).notify([Kind(kind)])
        click.echo(f"{kind} goes on ({waiting} open)")
    else:
        click.echo(f"{kind} was neither paused nor waiting")
