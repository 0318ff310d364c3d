"""What every command needs of Redis: the journal, and a sentence when it does not answer."""

from typing import Any
from urllib.parse import urlsplit

import click
import redis

from cli.checks.env_file import CONVERT, with_carriage_return
from shared.agent.errors import AgentError
from shared.journal.journal import Journal
from shared.operators.actions import Actions
from shared.operators.audit import Audit, command_line_user
from shared.salesforce.namespace import org_name
from shared.settings import Settings, SettingsError, load_settings
from shared.store import StoreUnavailableError, connect
from shared.wake_ups import Notifier, celery_app

LOAD = (
    "Set them in .env (.env.example explains each) and load it: set -a; . ./.env; set +a\n"
    "Comment out what you don't use."
)

CRLF = f".env has Windows line ends (CRLF). {CONVERT}, and load it again."


class Commands(click.Group):
    """A group that answers refused settings and an absent Redis with a sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AgentError as refused:
            raise click.ClickException(str(refused)) from refused
        except SettingsError as refused:
            hint = CRLF if with_carriage_return() else LOAD
            raise click.ClickException(f"{refused}\n{hint}") from refused
        except StoreUnavailableError as trouble:
            address = redis_address(load_settings().store.url)
            raise click.ClickException(
                f"Redis at {address} does not answer ({trouble}). "
                "Check REDIS_URL, and check that the server runs."
            ) from trouble


def redis_address(url: str) -> str:
    """Where the server is, such as "127.0.0.1:6379", or the path of its socket; no password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    host = parts.hostname or "localhost"
    return f"{f'[{host}]' if ':' in host else host}:{parts.port or 6379}"


def open_store() -> redis.Redis:
    return connect(load_settings().store.url, socket_timeout_s=10.0)


def open_journal() -> Journal:
    return journal_of(load_settings(), open_store())


def journal_of(settings: Settings, store: redis.Redis) -> Journal:
    """As web and workers use it."""
    return Journal(
        store,
        org=org_name(settings.salesforce),
        confirm_replicas=settings.store.confirm_replicas,
    )


def open_actions() -> Actions:
    """What this user of the command line does; the audit names them."""
    settings, store = load_settings(), open_store()
    journal = journal_of(settings, store)
    notify = Notifier(celery_app(settings.store)).notify
    return Actions(journal, Audit(store), notify, command_line_user())
