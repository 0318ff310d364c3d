"""What a web process is made of: the settings and one of each thing that requests use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import redis

from shared.agent.agents import Agents, agents_of
from shared.agent.folder import Agent
from shared.calls.call_updates import CallUpdates
from shared.calls.calls import Calls, CallState
from shared.calls.codes import Codes
from shared.calls.decisions import Decisions
from shared.calls.end_of_call import EndOfCallWriter
from shared.calls.guesses import Guesses
from shared.calls.ledger import GRACE_MS, MARGIN_MS
from shared.calls.limits import Asker, Usage
from shared.calls.tool_calls import ToolCalls
from shared.calls.written import WrittenReferences
from shared.deadline import Deadline
from shared.journal.answers import Answers
from shared.journal.journal import Journal
from shared.journal.minutes import Minutes
from shared.journal.record_writes import ContactWrites
from shared.journal.results import Summary
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.refused import RefusedRequests
from shared.operators.rotation import Rotation
from shared.operators.sign_ins import SignIns
from shared.phone import as_e164
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.authorisation import Authorisation
from shared.salesforce.caller_rules import CallerRules
from shared.salesforce.case_numbers import CaseNumbers
from shared.salesforce.client import SalesforceClient
from shared.salesforce.customers import Customers
from shared.salesforce.failures import SalesforceError
from shared.salesforce.namespace import keys_of, org_name
from shared.salesforce.new_numbers import NewNumbers
from shared.salesforce.snapshots import Snapshots
from shared.settings import Settings
from shared.store import Fitness, connect, fitness
from shared.twilio.verify import Verify
from shared.vapi.messages import Message
from shared.wake_ups import Notifier, celery_app
from web.pool import LOOKUP_THREADS, REQUEST_THREADS, Pool

NOTIFY_TIMEOUT_S = 0.5
"""A caller is on the line. A lost wake-up is sent again by the sweeper."""

LATE_S = 3.0
"""How much longer than a lookup's deadline its request may take: a late answer fills the cache."""

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """customers: for what is the same in all agent folders. snapshots: by the rules of a folder;
    folders with the same rules share them. verify: None where no Verify service is set, and then no
    code is offered or sent."""

    settings: Settings
    agents: Agents
    store: redis.Redis
    counts: FleetCounts
    journal: Journal
    answers: Answers
    minutes: Minutes
    refused: RefusedRequests
    calls: Calls
    guesses: Guesses
    usage: Usage
    codes: Codes
    written: WrittenReferences
    verify: Verify | None
    contact_writes: ContactWrites
    decisions: Decisions
    tool_calls: ToolCalls
    api_budget: ApiBudget
    salesforce: SalesforceClient
    customers: Customers
    snapshots: Mapping[CallerRules, Snapshots]
    authorisation: Authorisation
    sign_ins: SignIns
    rotation: Rotation
    end_of_call: EndOfCallWriter
    call_updates: CallUpdates
    notifier: Notifier
    lookups: Pool
    requests: Pool

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Raises AgentError."""
        agents = agents_of(settings)
        store = connect(settings.store.url, max_connections=settings.store.max_connections)
        api_budget = ApiBudget(settings.salesforce, store)
        salesforce = SalesforceClient(settings.salesforce, store, api_budget, Use.LOOKUP)
        requests = Pool("requests", REQUEST_THREADS)
        keys = keys_of(settings.salesforce)
        customers = {
            rules: Customers(
                salesforce,
                CaseNumbers(store, keys),
                settings.calls.phone_region,
                settings.salesforce.language_field,
                agents.contact_fields,
                rules,
                agents.number_fields,
                agents.traits,
            )
            for rules in (agent.identify.rules for agent in agents.all)
        }

        new_numbers = NewNumbers(store, keys, settings.calls.new_number_age_h)

        def snapshots(rules: CallerRules) -> Snapshots:
            return Snapshots(
                store,
                customers[rules],
                new_numbers,
                api_budget,
                run=requests.start,
                lasts_s=settings.salesforce.lookup_deadline_ms / 1000 + LATE_S,
                ttl_s=int(settings.salesforce.keep_snapshots_h * 3600),
                keys=rules.keys(keys),
            )

        journal = Journal(
            store,
            dedup_ms=int(settings.journal.repeat_window_h * 3_600_000),
            org=org_name(settings.salesforce),
            confirm_replicas=settings.store.confirm_replicas,
        )
        calls = Calls(
            store,
            checks_claims=settings.calls.check_claims,
            correct_after_ms=GRACE_MS + MARGIN_MS if settings.calls.correct_claims else 0,
        )
        counts = FleetCounts(store)
        return cls(
            settings=settings,
            agents=agents,
            store=store,
            counts=counts,
            journal=journal,
            answers=Answers(store),
            minutes=Minutes(store),
            refused=RefusedRequests(store, counts),
            calls=calls,
            guesses=Guesses(store),
            usage=Usage(store, settings.calls),
            codes=Codes(store, per_hour=settings.twilio.max_codes_per_hour),
            written=WrittenReferences(store, per_hour=settings.twilio.max_messages_per_hour),
            verify=Verify(settings.twilio) if settings.twilio.verify_service_sid else None,
            contact_writes=ContactWrites(store),
            decisions=Decisions(store),
            tool_calls=ToolCalls(store),
            authorisation=Authorisation(settings.salesforce, store),
            rotation=Rotation(store, settings.vapi),
            sign_ins=SignIns(store, key=settings.vapi.server_secrets[0].encode()),
            end_of_call=EndOfCallWriter(calls, journal, settings, agents),
            call_updates=CallUpdates(calls, settings.vapi, agents),
            api_budget=api_budget,
            salesforce=salesforce,
            customers=customers[agents.first.identify.rules],
            snapshots={rules: snapshots(rules) for rules in customers},
            notifier=Notifier(celery_app(settings.store, socket_timeout_s=NOTIFY_TIMEOUT_S)),
            lookups=Pool("lookups", LOOKUP_THREADS),
            requests=requests,
        )

    def snapshots_of(self, agent: Agent) -> Snapshots:
        return self.snapshots[agent.identify.rules]

    def fitness(self) -> Fitness:
        """What the store says of itself. Raises StoreUnavailableError."""
        settings = self.settings.store
        return fitness(
            self.store,
            accept_everysec=settings.accept_everysec,
            vouched=settings.vouched,
            confirm_replicas=settings.confirm_replicas,
        )

    def claiming(self, message: Message) -> str:
        """The name of the agent folder that claims the message's call, "" when none does."""
        number = as_e164(message.own_number, "ZZ") or ""
        return self.agents.claiming(message.assistant_id, number)

    def moves(self, message: Message) -> bool:
        """Whether a running call goes over to the folder that claims this message."""
        return self.agents.claims_assistant(message.assistant_id)

    def agent_of(self, message: Message) -> Agent:
        """The agent folder that answers, as far as the message itself says."""
        return self.agents.named(self.claiming(message))

    def journal_summary(self) -> Summary:
        """What is open, parked and late. Raises StoreUnavailableError."""
        settings = self.settings.journal
        return self.journal.summary(
            data_after_ms=int(settings.keep_personal_data_h * 3_600_000),
            receipt_after_ms=int(settings.keep_receipts_h * 3_600_000),
        )

    def close(self) -> None:
        """Close threads and connections."""
        self.lookups.close()
        self.requests.close()
        self.call_updates.close()
        self.store.close()

    def normal_number(self, written: str) -> str | None:
        """A phone number in E.164; None when it can't be one."""
        return as_e164(written, self.settings.calls.phone_region)

    def ask(self, find: Callable[[Deadline], T], deadline: Deadline, whose: str) -> T:
        """What a request to Salesforce or Twilio finds, waited for until the deadline. Raises
        SalesforceError without an answer by then, and the request's errors.

        whose: the share of the threads that it uses (Asker.share).
        """
        return self.requests.start(lambda: find(deadline), whose).result(deadline)

    def prefetch(self, state: CallState) -> None:
        """Start the caller's snapshot, so that it is ready for the first tool call."""

        def fetch() -> None:
            try:
                deadline = Deadline.after(self.settings.salesforce.lookup_deadline_ms / 1000)
                agent = self.agents.named(state.agent)
                self.snapshots_of(agent).since(state.number, state.asked_before, deadline)
            except SalesforceError:
                return  # the first lookup asks again, and says what it found

        try:
            self.lookups.start(fetch, Asker(number=state.number).share)
        except SalesforceError:
            return  # those who wait already come first
