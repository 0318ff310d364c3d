"""The charts of docs/scaling.md."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bench.charts import CHARTS, Chart, draw

EVENTS = next(chart for chart in CHARTS if chart.bench == "events")


def measured(chart: Chart, **missing: str) -> dict[str, Any]:
    """A report with 1,000, 2,000, ... for the figures of a chart, without those of a series."""
    figures: dict[str, dict[str, Any]] = {}
    values = iter(range(1_000, 100_000, 1_000))
    for series in chart.series:
        for label in chart.labels:
            name = series.figure.format(label)
            figure = figures.setdefault(name, {"name": name})
            figure[series.side] = None if missing.get("without") == series.title else next(values)
    machine = {"processor": "A processor", "cores": 2}
    bench = {"figures": list(figures.values())}
    return {"machine": machine, "commit": "abc", "benches": {chart.bench: bench}}


def texts(file: Path) -> set[str]:
    return {text.strip() for text in ElementTree.parse(file).getroot().itertext()}


def test_a_chart_shows_each_series_with_its_values_and_where_they_were_measured(
    tmp_path: Path,
) -> None:
    (file,) = draw(measured(EVENTS), tmp_path)
    assert file.name == "bench-events.svg"
    shown = texts(file)
    assert {series.title for series in EVENTS.series} <= shown
    assert {"1,000", "10,000", "2 kB", "20 kB", "A processor, 2 cores, commit abc"} <= shown


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    granian = EVENTS.series[1].title
    (file,) = draw(measured(EVENTS, without=granian), tmp_path)
    assert granian not in texts(file)
    assert EVENTS.series[0].title in texts(file)


def test_the_same_figures_give_the_same_file_and_it_runs_nothing(tmp_path: Path) -> None:
    (file,) = draw(measured(EVENTS), tmp_path)
    first = file.read_text()
    draw(measured(EVENTS), tmp_path)
    assert file.read_text() == first
    assert "<script" not in first


def test_only_what_was_measured_is_drawn(tmp_path: Path) -> None:
    drawn = [draw(measured(chart), tmp_path) for chart in CHARTS]
    assert [[file.stem for file in files] for files in drawn] == [[it.name] for it in CHARTS]
