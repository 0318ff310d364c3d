"""What every command needs of the store: the journal, and one line when it is away."""

from typing import Any

import click

from shared.journal.journal import Journal
from shared.settings import load_settings
from shared.store import StoreUnavailableError, connect


class Commands(click.Group):
    """A group in which a store that is away is one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StoreUnavailableError as trouble:
            raise click.ClickException(f"the store does not answer ({trouble})") from trouble


def open_journal() -> Journal:
    return Journal(connect(load_settings().redis_url, socket_timeout_s=10.0))
