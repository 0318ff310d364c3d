"""The page Now: calls, promises, charts and refused webhooks."""

import re
from collections.abc import Callable

import redis
from flask import Flask
from flask.testing import FlaskClient

from demo.stack import Org
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from shared.journal.minutes import Minute
from shared.settings import Settings
from tests.calling import message, post
from tests.console.conftest import Browser
from tests.console.writing import accept, parked
from web.console.charts import charts_of
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain


def figures(browser: Browser) -> dict[str, str]:
    text = browser.get("/console/now").text
    found = re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]+>)?([^<]+)", text)
    return dict(found)


def test_now_says_how_many_calls_last_and_how_soon_promises_were_kept(
    reader: Browser, client: FlaskClient, journal: Journal, context: DeliveryContext
) -> None:
    before = figures(reader)
    assert before["calls that last"] == "0"
    assert before["from acceptance to record: median"] == "–"
    post(client, message("status-update", status="in-progress"))
    accept(journal, call_id="call-2")
    drain(context, Kind.CASE_CREATE)
    after = figures(reader)
    assert after["calls that last"] == "1"
    assert after["promises kept in the last hour"] == "1"
    assert after["99th percentile"].endswith(" s")


def test_a_call_that_was_set_aside_does_not_last(
    reader: Browser, client: FlaskClient, app: Flask
) -> None:
    post(client, message("status-update", status="in-progress"))
    app.extensions["service"].calls.set_aside("call-1")
    assert figures(reader)["calls that last"] == "0"


def test_the_charts_say_in_words_what_they_show(
    reader: Browser, journal: Journal, context: DeliveryContext, org: Org
) -> None:
    parked(journal, context, org, 2)
    text = reader.get("/console/now").text
    for name, words in [
        ("accepted", "2 in the last hour"),
        ("delivered", "0 in the last hour"),
        ("parked", "2 in the last hour"),
    ]:
        assert f'role="img" aria-label="{name}: {words}' in text
    assert len(re.findall(r'<path class="columns" d="M', text)) == 2, "nothing was delivered"


def test_a_chart_has_its_greatest_minute_at_full_height_and_a_gap_where_nobody_looked() -> None:
    minutes = [
        Minute(0, accepted=2, oldest_ms=0),
        Minute(1, accepted=4, oldest_ms=None),
        Minute(2, accepted=0, oldest_ms=9_000),
    ]
    accepted, *_, oldest = charts_of(minutes)
    assert accepted.path == "M0 60v-30h99V60zM100 60v-60h99V60z"
    assert oldest.path == "M0 60h100M200 0h100"
    assert oldest.text == "at most 9 s in the last hour"
    assert charts_of([Minute(0)])[3].text == "not known yet"


def test_refused_webhooks_are_those_that_the_fleet_counted_by_the_minute(
    reader: Browser, settings: Settings, make_app: Callable[[Settings], Flask], store: redis.Redis
) -> None:
    def lamp() -> str:
        text = reader.get("/console/now").text
        found = re.search(r"<b>refused webhooks</b> <span>([^<]+)", text)
        return found[1] if found else ""

    other = make_app(settings)

    def refuse(times: int) -> None:
        before = set(store.keys())
        for _ in range(times):
            assert other.test_client().post("/webhook/vapi", data=b"{}").status_code == 401
        assert set(store.keys()) == before, "a stranger writes nothing"
        other.extensions["service"].counts.flush()
        store.hincrbyfloat("vs:alarms:refused", "at", -60_000)

    assert lamp() == "none now; 0 in all"
    refuse(4)
    assert lamp() == "4 a minute; 4 in all"
    refuse(0)
    assert lamp() == "none now; 4 in all"
