"""What the checks examine. Each part is built as the service builds it, on first use."""

import time
from functools import cached_property

import redis

from cli.agent.choice import narrowed
from cli.chain import Problem
from cli.org.inspection import Inspection
from cli.provision import Accounts, Step, missing_in_vapi
from cli.vapi.api import VapiRefusedError
from shared.agent.agents import Agents, agents_of
from shared.agent.salesforce import SalesforceMapping
from shared.salesforce.api_budget import ApiBudget, Use
from shared.salesforce.client import SalesforceClient
from shared.salesforce.org_setup import OrgSetup, Setup
from shared.settings import Settings
from shared.store import connect

MAX_CLOCK_S = 60


class CheckContext:
    """What the checks share; each part is created when a check first uses it.

    try_writes: whether to write one record of each kind to Salesforce and undo it. agent: the name
    of the agent folder that is compared with the org and Vapi; the first one when None.
    """

    def __init__(
        self, settings: Settings, *, try_writes: bool = False, agent: str | None = None
    ) -> None:
        """Raises SettingsError when AGENT_DIR has no folder of that name."""
        self.agent_dirs = settings.calls.agent_dirs
        self._all_settings = settings
        self.settings = narrowed(settings, agent)
        self.try_writes = try_writes

    def all_agents(self) -> Agents:
        """Every folder of AGENT_DIR. Raises AgentError."""
        return agents_of(self._all_settings)

    @cached_property
    def store(self) -> redis.Redis:
        return connect(self.settings.store.url, socket_timeout_s=5.0)

    @cached_property
    def salesforce(self) -> SalesforceClient:
        api_budget = ApiBudget(self.settings.salesforce, self.store)
        return SalesforceClient(self.settings.salesforce, self.store, api_budget, Use.CHECK)

    @cached_property
    def org(self) -> Inspection:
        return Inspection(self.salesforce)

    @cached_property
    def mapping(self) -> SalesforceMapping:
        """Raises AgentError."""
        return agents_of(self.settings).first.salesforce

    @cached_property
    def setup(self) -> Setup:
        """What the org has now, whatever is stored. Raises SalesforceError."""
        wanted = self.mapping.wanted
        return OrgSetup(self.settings.salesforce, self.store, self.salesforce, wanted).read()

    @cached_property
    def accounts(self) -> Accounts:
        return Accounts(self.settings)

    @cached_property
    def vapi_refusal(self) -> VapiRefusedError | None:
        """What Vapi, or the way to it, answers to a first request; None when it serves us."""
        try:
            self.accounts.vapi.list_all("tool")
        except VapiRefusedError as refused:
            return refused
        return None

    @cached_property
    def vapi_steps(self) -> list[Step]:
        """What differs from the wanted state. Raises VapiRefusedError."""
        return list(missing_in_vapi(self.accounts))


def clock(at_s: float, whose: str) -> str:
    """Raises Problem. at_s: what that clock shows, epoch seconds. whose: "Redis", for example."""
    ahead_s = at_s - time.time()
    if abs(ahead_s) > MAX_CLOCK_S:
        way = "ahead of" if ahead_s > 0 else "behind"
        raise Problem(
            f"The clock of {whose} is {abs(ahead_s) / 60:.0f} minutes {way} this machine's",
            "Synchronise both clocks with NTP.",
        )
    return f"within {MAX_CLOCK_S} s of this machine"
