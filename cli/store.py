"""What every command needs of the store: the journal, and one line when it is away."""

from typing import Any

import click

from shared.journal.journal import Journal
from shared.salesforce.namespace import org_name
from shared.settings import SettingsError, load_settings
from shared.store import StoreUnavailableError, connect

LOAD = (
    "set them in .env (.env.example explains each) and load it: set -a; . ./.env; set +a\n"
    "comment out what you don't use"
)


class Commands(click.Group):
    """A group in which wrong settings, and a store that is away, are a sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as refused:
            raise click.ClickException(f"{refused}\n{LOAD}") from refused
        except StoreUnavailableError as trouble:
            raise click.ClickException(
                f"the store does not answer ({trouble}): check REDIS_URL and whether Redis runs"
            ) from trouble


def open_journal() -> Journal:
    settings = load_settings()
    store = connect(settings.redis_url, socket_timeout_s=10.0)
    return Journal(store, org=org_name(settings))
