"""What a web process is made of: the settings and one of each thing that requests use."""

from dataclasses import dataclass
from typing import Self

import redis

from shared.calls.calls import Calls
from shared.dispatch import Doorbell, celery_app
from shared.journal.answers import Answers
from shared.journal.journal import Journal
from shared.phone import as_e164
from shared.salesforce.client import SalesforceClient
from shared.salesforce.customers import Customers
from shared.settings import Settings
from shared.store import connect
from web.lookup_pool import LookupPool

DOORBELL_TIMEOUT_S = 0.5
"""A caller is on the line; a lost doorbell is made up for by the sweep."""


@dataclass(frozen=True)
class Service:
    settings: Settings
    store: redis.Redis
    journal: Journal
    answers: Answers
    calls: Calls
    salesforce: SalesforceClient
    customers: Customers
    doorbell: Doorbell
    pool: LookupPool

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        store = connect(settings.redis_url)
        salesforce = SalesforceClient(settings, store)
        return cls(
            settings=settings,
            store=store,
            journal=Journal(store, subject_ms=int(settings.repeat_window_h * 3_600_000)),
            answers=Answers(store),
            calls=Calls(store),
            salesforce=salesforce,
            customers=Customers(salesforce, settings.phone_region),
            doorbell=Doorbell(celery_app(settings, socket_timeout_s=DOORBELL_TIMEOUT_S)),
            pool=LookupPool(),
        )

    def close(self) -> None:
        """Let go of threads and connections."""
        self.pool.close()
        self.store.close()

    def normal_number(self, written: str) -> str | None:
        """A phone number in E.164; None when it can't be one."""
        return as_e164(written, self.settings.phone_region)
