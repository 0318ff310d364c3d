"""What a delivery works with: Salesforce, the journal, and the outcomes of a failure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import redis

from shared.domain.intent import Delivered, Intent, Outcome, Parked, Scope, TryAgain
from shared.journal.journal import Journal
from shared.salesforce.client import SalesforceClient
from shared.salesforce.failures import FailureClass, SalesforceError, delay_ms
from shared.salesforce.people import People
from shared.salesforce.records import Records, Written
from shared.settings import Settings

_SCOPES = {
    FailureClass.AWAY: Scope.ORG,
    FailureClass.CONCURRENCY: Scope.ORG,
    FailureClass.DAILY_LIMIT: Scope.ORG,
    FailureClass.SESSION: Scope.ORG,
    FailureClass.ROW_LOCK: Scope.RECORD,
    FailureClass.RACE: Scope.RECORD,
    FailureClass.MISCONFIGURED: Scope.KIND,
}


@dataclass(frozen=True)
class Desk:
    """strikes: how often in a row the kind, or the whole org, has had to wait before this batch."""

    settings: Settings
    journal: Journal
    records: Records
    people: People
    strikes: int = 0

    @classmethod
    def from_settings(cls, settings: Settings, store: redis.Redis) -> Self:
        records = Records(SalesforceClient(settings, store))
        return cls(
            settings=settings,
            journal=Journal(store),
            records=records,
            people=People(records, store, settings.phone_region),
        )

    def failed(self, intent: Intent, error: SalesforceError, *, may_be_there: bool) -> Outcome:
        """What a failure means for one intent.

        may_be_there: an earlier attempt, or this one, may have been committed.
        """
        if error.failure is FailureClass.REFUSED:
            return Parked(intent.id, str(error))
        scope = _SCOPES[error.failure]
        strikes = intent.attempts - 1 if scope is Scope.RECORD else self.strikes
        return TryAgain(intent.id, str(error), delay_ms(error, strikes), scope, may_be_there)

    def written(self, intent: Intent, item: Written, number: str | None = None) -> Outcome:
        """What one item of a collection's answer means for its intent."""
        if item.error:
            # A duplicate key says that the record is there: the next attempt reads first.
            race = item.error.failure is FailureClass.RACE
            return self.failed(intent, item.error, may_be_there=race)
        assert item.record_id
        return Delivered(intent.id, item.record_id, number)


Apply = Callable[[Desk, Sequence[Intent]], list[Outcome]]
"""Applies intents of one kind and says what became of each.

May raise SalesforceError when nothing more specific is to be said; then all of them try again.
"""
