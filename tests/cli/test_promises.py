"""`python -m cli promises`: a day's promises, and the claims that nothing backs."""

import json

from click.testing import CliRunner, Result

from cli.__main__ import cli
from shared.domain.intent import Delivered, Parked
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from tests.workers.delivering import BILLING, accept


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["promises", *words])


def some(journal: Journal) -> None:
    first = accept(journal, Kind.CASE_CREATE, BILLING, said="Done.", tool="t")
    second = accept(journal, Kind.CASE_CREATE, BILLING, said="Done.", tool="t")
    lease = journal.lease(Kind.CASE_CREATE, limit=10, max_bytes=10**6)
    journal.settle(lease, [Delivered(first, "500A", "1008"), Parked(second, "REFUSED")])
    journal.promises.note_unbacked("call-1", [("en.opened.active", "opened", 0)])


def test_the_figures_of_today_are_shown_with_the_calls_to_look_at(journal: Journal) -> None:
    some(journal)
    shown = run()
    assert shown.exit_code == 0
    assert "promised 2" in shown.output
    assert "kept 1, half of them within" in shown.output
    assert "broken 1" in shown.output
    assert "claims that nothing backs 1, call-backs for them 0" in shown.output
    assert "call-1  en.opened.active" in shown.output


def test_they_are_printed_as_json_by_day(journal: Journal) -> None:
    some(journal)
    today = json.loads(run("--json").output)
    assert (today["promised"], today["kept"], today["broken"], today["open"]) == (2, 1, 1, 0)
    assert today["kept_median_s"] is not None
    (claim,) = today["unbacked_claims"]
    assert (claim["call_id"], claim["phrase"]) == ("call-1", "en.opened.active")
    before = json.loads(run("--json", "--day", "2020-02-29").output)
    assert (before["day"], before["promised"], before["unbacked_claims"]) == ("2020-02-29", 0, [])


def test_a_word_that_is_no_day_is_refused() -> None:
    assert run("--day", "yesterday").exit_code == 2
