"""`python -m cli reconcile`: shows the difference to Vapi's list, and records it with --yes."""

import json
import time
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import cli
from demo.stack import Org
from shared.journal.journal import Journal
from shared.settings import load_settings
from tests.workers.listing import KEY, SAID, Listing, asked, iso, listing_in


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listing]:
    with listing_in(tmp_path_factory.mktemp("vapi")) as running:
        yield running


@pytest.fixture
def listing(server: Listing, monkeypatch: pytest.MonkeyPatch) -> Listing:
    server.empty()
    monkeypatch.setenv("VAPI_API_KEY", KEY)
    monkeypatch.setenv("VAPI_BASE_URL", server.url)
    monkeypatch.delenv("VAPI_ASSISTANT_ID")
    monkeypatch.setattr("shared.vapi.call_list._back_off_s", lambda nth: 0.0)
    load_settings.cache_clear()
    return server


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["reconcile", *words])


def test_the_difference_is_shown_first_and_recorded_once_with_yes(
    listing: Listing, journal: Journal
) -> None:
    listing.put("call-1", said=[*SAID, *asked("t1", "createSalesforceCase")])
    listing.put("call-2", said=None)
    listing.put("call-3", ended_min_ago=1)
    shown = run("--since", "2h")
    assert shown.exit_code == 0
    assert "call-1  missing; not reached: createSalesforceCase" in shown.output
    assert "Vapi lists 3 calls: 2 missing, 1 unfinished" in shown.output
    assert "would change 2; add --yes to do it" in shown.output
    assert "1 of these have no words at Vapi" in shown.output
    assert "billed" not in shown.output
    assert "+1415" not in shown.output
    assert journal.newest(10) == []
    assert "recorded 2, completed 0, call-backs 1, failed 0" in run("--since", "2h", "--yes").output
    count = len(journal.newest(10))
    assert count == 3
    assert "recorded 0, completed 0, call-backs 0" in run("--since", "2h", "--yes").output
    assert len(journal.newest(10)) == count


def test_the_difference_is_printed_as_json(listing: Listing) -> None:
    listing.put("call-1")
    row, totals = map(json.loads, run("--since", "2h", "--json").output.splitlines())
    assert (row["call_id"], row["verdict"], row["has_words"]) == ("call-1", "missing", True)
    assert totals["totals"]["missing"] == 1


def test_calls_before_the_time_are_not_asked_for(listing: Listing) -> None:
    listing.put("call-1", ended_min_ago=90)
    since = iso(time.time() - 3600)
    assert "Vapi lists 0 calls: none" in run("--since", since).output
    assert run("--since", "yesterday").exit_code == 2
    assert "Older ones can't be compared" in run("--since", "20d").output


def test_what_stopped_it_is_said_with_exit_code_1(
    listing: Listing, org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing.put("call-1")
    org.fault(status=503, error_code="SERVER_UNAVAILABLE")
    stopped = run("--since", "2h", "--yes")
    assert stopped.exit_code == 1
    assert "Salesforce could not be asked" in stopped.output
    monkeypatch.setenv("VAPI_API_KEY", "another-key")
    load_settings.cache_clear()
    stopped = run("--since", "2h")
    assert stopped.exit_code == 1
    assert "VAPI_API_KEY must be the private key" in stopped.output
    assert "another-key" not in stopped.output
    monkeypatch.delenv("VAPI_API_KEY")
    load_settings.cache_clear()
    assert "VAPI_API_KEY is missing" in run("--since", "2h").output
