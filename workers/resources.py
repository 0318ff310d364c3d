"""What a worker's tasks use, made once per process when a task first needs it."""

from functools import cached_property

import redis

from shared.agent.agents import agents_of
from shared.calls.call_updates import CallUpdates
from shared.calls.calls import Calls
from shared.calls.end_of_call import EndOfCallWriter
from shared.metrics.fleet import FleetCounts
from shared.operators.alarms.watcher import Watcher
from shared.settings import Settings
from shared.store import connect
from workers.delivery.context import DeliveryContext

SOCKET_TIMEOUT_S = 5.0
"""Nobody is on the line here: a worker waits for a slow store."""


class Resources:
    """Not at import, and not before the worker forks: connections belong to one process."""

    def __init__(self, settings: Settings) -> None:
        """Raises AgentError."""
        self.settings = settings
        self.agents = agents_of(settings)

    @cached_property
    def store(self) -> redis.Redis:
        return connect(
            self.settings.store.url,
            socket_timeout_s=SOCKET_TIMEOUT_S,
            max_connections=self.settings.store.max_connections,
        )

    @cached_property
    def counts(self) -> FleetCounts:
        return FleetCounts(self.store)

    @cached_property
    def watcher(self) -> Watcher:
        return Watcher.of(self.settings, self.store, self.counts)

    @cached_property
    def context(self) -> DeliveryContext:
        return DeliveryContext.from_settings(self.settings, self.store, agents=self.agents)

    @cached_property
    def calls(self) -> Calls:
        return Calls(self.store)

    @cached_property
    def call_updates(self) -> CallUpdates:
        return CallUpdates(self.calls, self.settings.vapi, self.agents)

    @cached_property
    def end_of_call(self) -> EndOfCallWriter:
        return EndOfCallWriter(
            self.calls,
            self.context.journal,
            self.settings,
            self.agents,
        )
