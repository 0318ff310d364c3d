"""The account of API use, in the states that tests need it: spent, nearly spent, breaker open."""

import redis

from shared.salesforce.api_budget import ApiBudget, Permit, Use
from shared.salesforce.breaker import MAX_BAD
from shared.salesforce.failures import away


def permit_of(api_budget: ApiBudget, use: Use = Use.LOOKUP) -> Permit:
    permit = api_budget.ask(use, lasts_s=1)
    assert isinstance(permit, Permit)
    return permit


def spend_window(store: redis.Redis, keys: str, use: Use, count: int) -> None:
    """So many requests count in the window, for the next minute."""
    seconds, _ = store.time()
    until = (seconds + 60) * 1000
    store.zadd(f"{keys}window:{use}", {f"earlier-{nth}": until for nth in range(count)})


def report_usage(api_budget: ApiBudget, used: int, limit: int) -> None:
    """An answer says how much of the day is used."""
    api_budget.done(permit_of(api_budget), None, f"api-usage={used}/{limit}")


def open_breaker(api_budget: ApiBudget) -> None:
    for permit in [permit_of(api_budget) for _ in range(MAX_BAD)]:
        api_budget.done(permit, away("HTTP_503", ambiguous=False))
