"""`python -m cli pause|resume KIND`: stop the delivery of a kind of write, and start it again."""

import click

from cli.store import open_journal
from shared.domain.kinds import Kind
from shared.settings import load_settings
from shared.wake_ups import Notifier, celery_app


class KindName(click.Choice[str]):
    """A kind of the code's, or `create.` and the name of an object of the team's."""

    def __init__(self) -> None:
        super().__init__([str(kind) for kind in Kind])

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if Kind(value).sobject else super().convert(value, param, ctx)


KIND = click.argument("kind", type=KindName())
YES = click.option(
    "--yes", is_flag=True, help="Do it. Without --yes the command only shows what it would do."
)


@click.command()
@KIND
@YES
def pause(kind: str, yes: bool) -> None:
    """Stop delivering KIND until you resume it.

    The service still accepts such writes, and none is lost.
    """
    journal = open_journal()
    open_count = journal.counts().get(f"open_{kind}", 0)
    if not yes:
        click.echo(f"would pause {kind} ({open_count} open); add --yes to do it")
    elif journal.pause(Kind(kind)):
        click.echo(f"{kind} is paused ({open_count} open)")
    else:
        click.echo(f"{kind} was paused already")


@click.command()
@KIND
@YES
def resume(kind: str, yes: bool) -> None:
    """Deliver KIND at once: end its pause, or its wait after a failure."""
    journal = open_journal()
    open_count = journal.counts().get(f"open_{kind}", 0)
    if not yes:
        click.echo(f"would resume {kind} ({open_count} open); add --yes to do it")
    elif journal.resume(Kind(kind)):
        Notifier(celery_app(load_settings().store)).notify([Kind(kind)])
        click.echo(f"{kind} is resumed ({open_count} open)")
    else:
        click.echo(f"{kind} was neither paused nor waiting")
