"""What a delivery works with: Salesforce, the journal, and the lease of its batch."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeVar

import redis

from shared.agent.agents import Agents, agents_of
from shared.agent.salesforce import SalesforceMapping
from shared.agent.sentences import Sentences
from shared.calls.calls import Calls
from shared.calls.text_messages import TextMessages
from shared.deadline import Deadline
from shared.domain.intent import Delivered, Intent, Outcome, Scope, TryAgain
from shared.journal.journal import Journal
from shared.journal.record_writes import ContactWrites, RecordWrites
from shared.journal.results import Lease
from shared.logs import log
from shared.salesforce.api_budget import ApiBudget, Capacity, Denied, Use
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.contact_resolver import ContactResolver
from shared.salesforce.failures import FailureClass, SalesforceError
from shared.salesforce.namespace import keys_of, org_name
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.org_setup import OrgSetup, Wanted
from shared.salesforce.records import Records, Written
from shared.salesforce.time_zone import TimeZone
from shared.settings import Settings
from shared.store import StoreUnavailableError
from shared.tracing import in_trace
from workers.delivery.policy import of_itself, outcome_of, unforeseen

CAPACITY_WAIT_S = 4.0
"""How long a delivery waits for capacity; after that the sweeper wakes a worker again."""

REST_MS = 0
"""The unique key makes a repeat harmless, so nothing has to rest."""

REST_UNKEYED_MS = 60_000
"""Without a unique key the record is looked for: the first attempt has this time to appear."""

T = TypeVar("T")


@dataclass(frozen=True)
class DeliveryContext:
    """failures: in a row, of the org, of kinds and of tools, before this batch.

    agents: all that are served. mapping: how the team of the batch's agent folder wants its records
    to look; sentences: for what staff read in them; contacts: by what makes its callers known.
    org_setup: what the org has for all mappings.
    lease: the batch at work, None outside of one.
    """

    settings: Settings
    journal: Journal
    api_budget: ApiBudget
    records: Records
    contacts: ContactResolver
    new_numbers: NewNumbers
    text_messages: TextMessages
    calls: Calls
    time_zone: TimeZone
    contact_writes: ContactWrites
    record_writes: RecordWrites
    case_numbers: CaseNumbers
    mapping: SalesforceMapping
    org_setup: OrgSetup
    sentences: Sentences
    agents: Agents
    failures: Mapping[str, int] = field(default_factory=dict)
    lease: Lease | None = None

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        store: redis.Redis,
        *,
        agents: Agents | None = None,
    ) -> Self:
        """agents: those of the settings when None."""
        agents = agents or agents_of(settings)
        api_budget = ApiBudget(settings.salesforce, store)
        salesforce = SalesforceClient(settings.salesforce, store, api_budget, Use.WRITE)
        records = Records(
            salesforce,
            timeout_s=settings.salesforce.write_timeout_s,
            has_key_fields=settings.salesforce.key_fields,
        )
        keys = keys_of(settings.salesforce)
        new_numbers = NewNumbers(store, keys, settings.calls.new_number_age_h)
        return cls(
            settings=settings,
            journal=Journal(
                store,
                org=org_name(settings.salesforce),
                max_leases=settings.journal.max_leases,
                confirm_replicas=settings.store.confirm_replicas,
            ),
            api_budget=api_budget,
            records=records,
            contacts=ContactResolver(
                records,
                store,
                settings.calls.phone_region,
                keys,
                new_numbers,
                agents.first.identify.rules,
                agents.number_fields,
            ),
            new_numbers=new_numbers,
            text_messages=TextMessages(settings, store),
            calls=Calls(store),
            time_zone=TimeZone(settings.salesforce, store, salesforce),
            contact_writes=ContactWrites(store),
            record_writes=RecordWrites(store),
            case_numbers=CaseNumbers(store, keys),
            mapping=agents.first.salesforce,
            org_setup=OrgSetup(
                settings.salesforce,
                store,
                salesforce,
                Wanted.all_of(agent.salesforce.wanted for agent in agents.all),
            ),
            sentences=agents.first.sentences,
            agents=agents,
        )

    def for_agent(self, name: str) -> Self:
        """The same, with what the agent folder of that name says."""
        agent = self.agents.named(name)
        if agent is self.agents.first:
            return self
        return replace(
            self,
            mapping=agent.salesforce,
            sentences=agent.sentences,
            contacts=self.contacts.by(agent.identify.rules),
        )

    def failed(
        self,
        intent: Intent,
        error: SalesforceError,
        *,
        may_exist: bool,
        optional: frozenset[str] = frozenset(),
        record_id: str = "",
    ) -> Outcome:
        """What a failure means for one intent (see policy.outcome_of)."""
        return outcome_of(
            intent,
            error,
            failures_in_a_row=self.failures.get("org") or self.failures.get(intent.source, 0),
            may_exist=may_exist,
            rest_ms=self.rest_ms,
            optional=optional,
            record_id=record_id,
        )

    def each(
        self, intents: Iterable[Intent], make: Callable[[Intent], T]
    ) -> tuple[dict[str, T], list[Outcome]]:
        """What is made of each intent for the request, by its id, and what becomes of those of
        which nothing can be made: such a defect holds up no other intent, nor its source.

        Raises SalesforceError and StoreUnavailableError as `make` does.
        """
        made: dict[str, T] = {}
        outcomes: list[Outcome] = []
        for intent in intents:
            try:
                made[intent.id] = make(intent)
            except (SalesforceError, StoreUnavailableError):
                raise
            except Exception as defect:
                error = replace(unforeseen(defect), whole=False)
                # Without the defect's text, which may repeat what the caller said.
                reason = str(error)
                with in_trace(intent.trace):
                    log.error(
                        "draft_not_usable", kind=intent.kind, intent_id=intent.id, reason=reason
                    )
                said = self.failed(intent, error, may_exist=intent.in_doubt)
                outcomes.append(of_itself(said))
        return made, outcomes

    def capacity(self) -> Capacity | Denied:
        """Whether the API budget has capacity for a write. Waits while some may be free soon.

        More intents become due meanwhile, and share a request.
        """
        until = Deadline.after(CAPACITY_WAIT_S)
        while True:
            capacity = self.api_budget.capacity()
            if isinstance(capacity, Capacity) or capacity.why == "daily" or until.left_s <= 0:
                return capacity
            time.sleep(max(0.005, min(capacity.wait_ms / 1000, 0.25, until.left_s)))

    def holds_lease(self) -> bool:
        """The batch is still this worker's; asked before what no key keeps from happening twice."""
        return self.lease is None or self.journal.extend(self.lease) == len(self.lease.intents)

    def withdrawn(self, intents: Iterable[Intent]) -> list[Outcome]:
        """The outcomes of a batch that was not sent, because another worker has a part of it. What
        this worker still has is due at once, and no more in doubt than before."""
        return [
            TryAgain(
                intent.id,
                "LEASE_LOST",
                0,
                Scope.RECORD,
                failures_in_a_row=0,
                in_doubt=intent.in_doubt,
                omit_fields=intent.omit_fields,
            )
            for intent in intents
        ]

    @property
    def rest_ms(self) -> int:
        """How long a write that may still be under way is left alone before it is looked for."""
        return REST_MS if self.records.has_key_fields else REST_UNKEYED_MS

    def written(
        self,
        intent: Intent,
        item: Written,
        row: Mapping[str, Any] | None = None,
        optional: frozenset[str] = frozenset(),
        record_id: str = "",
    ) -> Outcome:
        """What became of one record means this for its intent.

        row: the record's fields, as far as they were read. optional: fields that the record may go
        without when Salesforce does not take them. record_id: the record that was to be changed,
        for one that was.
        """
        error = item.error
        if error is None:
            assert item.record_id
            read = row or {}
            return Delivered(
                intent.id, item.record_id, read.get("CaseNumber"), read.get("ContactId")
            )
        # A duplicate key means that the record exists: the next attempt reads first.
        may_exist = error.ambiguous or error.failure is FailureClass.RACE
        return self.failed(
            intent, error, may_exist=may_exist, optional=optional, record_id=record_id
        )


Apply = Callable[[DeliveryContext, Sequence[Intent]], list[Outcome]]
"""Applies intents of one kind and says what became of each.

May raise SalesforceError when nothing more specific is to be said; then all of them try again.
"""
