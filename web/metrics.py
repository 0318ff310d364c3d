"""The figures of /metrics. Labels come from fixed lists, never from a payload.

What a process counts itself (`Counter`, `Histogram`) is added to the fleet's counts in Redis
(shared/metrics/fleet.py). The rest is read from Redis when somebody asks. So all figures are the
same whichever web process answers.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from shared.calls.claims import ClaimKind
from shared.journal.promises import STEPS, seconds_of
from shared.store import StoreUnavailableError

if TYPE_CHECKING:
    from web.service import Service

MESSAGES = Counter(
    "vapi_messages_total", "Server messages by type; unknown types share one label", ["type"]
)
WEBHOOK_SECONDS = Histogram(
    "vapi_webhook_seconds",
    "From a message's authentication to its answer, by type; unknown types share one label",
    ["type"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5),
)
REFUSED = Counter(
    "vapi_refused_total",
    "Requests of Vapi and Twilio that were refused, by status and reason",
    ["status", "reason"],
)
CUT_OFF = Counter(
    "vapi_connections_cut_off_total",
    "Connections cut off while a request was read: timeout (its deadline has passed), connections "
    "or memory (the oldest unauthenticated one was evicted at that limit)",
    ["reason"],
)
SIGN_INS_REFUSED = Counter(
    "vs_sign_ins_refused_total",
    "Attempts of operators to sign in that were refused, by route: wrong (other credentials), "
    "too_many (the address has sent wrong ones too often, and has to wait)",
    ["route", "reason"],
)
TOOL_CALLS = Counter("vapi_tool_calls_total", "Tool calls by tool and outcome", ["tool", "outcome"])
CALLERS = Counter(
    "vapi_callers_total",
    "How it was found who is calling: stored (a snapshot of this call), asked (Salesforce), old "
    "(a snapshot from before, Salesforce could not be asked), none",
    ["source"],
)

LIMITS_REACHED = Counter(
    "vs_limits_reached_total",
    "What callers were refused because they, or all who are alike, had used up their share",
    ["limit"],
)
PROMISES = (
    "promised", "delivered", "kept_by_hand", "taken_back", "broken", "reopened", "made_good",
    "unreachable",
)  # fmt: skip

PROMISE_STEPS = range(3 * STEPS, 8 * STEPS + 1, STEPS // 4)
"""The bounds of the histogram of kept promises: four for each power of ten from 1 s to 28 h."""

BREAKER = {"closed": 0, "half-open": 1, "open": 2}


class FleetCollector(Collector):
    """Reads the journal and the account of API use. Without the store it has no figures."""

    def __init__(self, service: "Service") -> None:
        self._service = service

    def describe(self) -> list[Metric]:
        return []  # nothing is read at registration

    def collect(self) -> Iterator[Metric]:
        try:
            parts = (
                self._store,
                self._journal,
                self._calls,
                self._promises,
                self._account,
                self._rotation,
            )
            yield from [metric for part in parts for metric in part()]
        except StoreUnavailableError:
            return

    def _journal(self) -> Iterator[Metric]:
        journal = self._service.journal
        found, waits, now_ms = self._service.journal_summary(), journal.waits(), journal.now_ms()
        open_ = GaugeMetricFamily(
            "vs_intents_open",
            "Intents that are not settled: held, waiting (for others), due, leased",
            labels=["kind", "state"],
        )
        waiting = GaugeMetricFamily(
            "vs_waiting_seconds", "How long a kind, or the org, still waits", labels=["what"]
        )
        failing = GaugeMetricFamily(
            "vs_kind_failing",
            "1 while a kind fails as a whole: a field or a right is missing",
            labels=["kind"],
        )
        paused = GaugeMetricFamily("vs_kind_paused", "1 while a person paused it", labels=["kind"])
        tool_failing = GaugeMetricFamily(
            "vs_tool_failing",
            "1 while a tool waits because the org no longer fits its file",
            labels=["tool"],
        )
        tool_paused = GaugeMetricFamily(
            "vs_tool_paused", "1 while a person paused it", labels=["tool"]
        )
        by_hand = journal.paused()
        for tool in self._service.agents.tool_sources:
            tool_failing.add_metric([tool], tool in waits and waits[tool].failures_in_a_row > 0)
            tool_paused.add_metric([tool], tool in by_hand)
        kinds = sorted(found.kinds)
        for kind in kinds:
            for state, count in asdict(found.kinds[kind]).items():
                open_.add_metric([kind, state], count)
            failing.add_metric([kind], kind in waits and waits[kind].failures_in_a_row > 0)
            paused.add_metric([kind], kind in by_hand)
        for what in ("org", *kinds):
            left_ms = waits[what].until_ms - now_ms if what in waits else 0
            waiting.add_metric([what], max(0, left_ms) / 1000)
        yield from (open_, waiting, failing, paused, tool_failing, tool_paused)
        yield GaugeMetricFamily("vs_intents_parked", "Intents for a person", found.parked)
        yield GaugeMetricFamily(
            "vs_promises_broken",
            "Of these, those that a caller was told of whose call is over",
            found.broken,
        )
        yield GaugeMetricFamily(
            "vs_oldest_due_seconds",
            "Age of the oldest intent that a worker should have had by now",
            value=max(0, found.oldest_due_ms) / 1000,
        )
        yield GaugeMetricFamily(
            "vs_retention_lag_seconds",
            "How long the oldest personal data, or receipt, should have been forgotten",
            value=found.retention_lag_ms / 1000,
        )

    def _store(self) -> Iterator[Metric]:
        fit = self._service.fitness()
        yield GaugeMetricFamily("vs_store_memory_bytes", "In use", fit.memory.used)
        yield GaugeMetricFamily(
            "vs_store_memory_limit_bytes", "0 when there is none, or none is told", fit.memory.limit
        )
        yield GaugeMetricFamily(
            "vs_store_connections", "Open, of all of its clients", fit.connections
        )
        yield GaugeMetricFamily(
            "vs_store_connections_limit", "0 when it is not told", fit.connections_limit
        )

    def _calls(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "vs_calls_unclosed", "Calls that could not be closed", self._service.calls.unclosed()
        )
        call_updates = CounterMetricFamily(
            "vs_call_updates",
            "Call updates posted to live calls: sent, failed, refused (a host not allowed); "
            "moved: control URLs ignored because they name another host than the call's first one",
            labels=["outcome"],
        )
        counts = self._service.calls.call_update_counts()
        for outcome in ("sent", "failed", "refused", "moved"):
            call_updates.add_metric([outcome], counts.get(outcome, 0))
        yield call_updates
        yield CounterMetricFamily(
            "vs_calls_with_two_numbers",
            "Calls that showed two numbers for their caller, who is nobody then",
            value=self._service.calls.count_with_two_numbers(),
        )

    def _promises(self) -> Iterator[Metric]:
        promises = self._service.journal.promises
        ever = promises.ever()
        counted = CounterMetricFamily(
            "vs_promises",
            "Promises by what became of them; reopened: broken ones that are so no longer; "
            "made_good: a person is asked to call; unreachable: nobody can be called",
            labels=["became"],
        )
        for became in PROMISES:
            counted.add_metric([became], getattr(ever, became))
        yield counted
        buckets = [(str(seconds_of(step)), ever.within(step)) for step in PROMISE_STEPS]
        yield HistogramMetricFamily(
            "vs_promise_seconds",
            "From the sentence in which the agent promises a write to its record in Salesforce",
            buckets=[*buckets, ("+Inf", ever.delivered)],
            sum_value=ever.took_ms / 1000,
        )
        yield GaugeMetricFamily(
            "vs_promises_to_make_good", "Broken promises with no call-back yet", promises.waiting()
        )
        unbacked = CounterMetricFamily(
            "vs_claims_unbacked",
            "Things that agents said they had done and nothing backed, each phrase once in a call",
            labels=["kind"],
        )
        for kind in ClaimKind:
            unbacked.add_metric([kind], ever.unbacked[kind])
        yield unbacked

    def _rotation(self) -> Iterator[Metric]:
        """None of them while no previous secret is set."""
        if not (rotation := self._service.rotation.status()):
            return
        yield GaugeMetricFamily(
            "vs_secret_rotation_seconds", "Since when two webhook secrets are valid", rotation.for_s
        )
        yield GaugeMetricFamily(
            "vs_secret_rotation_overdue", "1 after VAPI_SECRET_ROTATION_H", rotation.is_overdue
        )
        if rotation.last_used_s is not None:
            yield GaugeMetricFamily(
                "vs_secret_previous_used_seconds",
                "Since the last use of the previous webhook secret",
                rotation.last_used_s,
            )

    def _account(self) -> Iterator[Metric]:
        account = self._service.api_budget.figures()
        yield GaugeMetricFamily(
            "vs_breaker", "0 closed, 1 half-open, 2 open", BREAKER[account.breaker.state]
        )
        in_flight = GaugeMetricFamily(
            "vs_salesforce_in_flight", "Requests in flight", labels=["use"]
        )
        window = GaugeMetricFamily(
            "vs_salesforce_window_requests", "Requests that count in the window", labels=["use"]
        )
        for use, count in account.in_flight.items():
            in_flight.add_metric([use], count)
            window.add_metric([use], account.window[use])
        requests = CounterMetricFamily(
            "vs_salesforce_requests",
            "Requests to Salesforce: ok, bad (no answer), other (refused)",
            labels=["use", "outcome"],
        )
        for name, count in sorted(account.counts.items()):
            requests.add_metric(name.split(":"), count)
        yield from (in_flight, window, requests)
        if account.daily_limit is not None and account.daily_used is not None:
            yield GaugeMetricFamily(
                "vs_salesforce_daily_used", "Of the rolling 24 hours", account.daily_used
            )
            yield GaugeMetricFamily(
                "vs_salesforce_daily_limit", "Of the rolling 24 hours", account.daily_limit
            )
