"""`make bench PICTURES=1`: draw .run/bench.json as SVG into docs/images."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pygal
from lxml import etree
from pygal.style import Style

from bench import report
from bench.servers import BARE, FLASK, GRANIAN, NODE
from demo.stack import ROOT

IMAGES = ROOT / "docs" / "images"
STYLE = Style(
    background="white",
    plot_background="white",
    foreground="#24292f",
    foreground_strong="#24292f",
    foreground_subtle="#57606a",
    colors=("#0969da", "#8c959f", "#bf8700", "#1a7f37", "#8250df"),
    font_family="sans-serif",
    label_font_size=14,
    major_label_font_size=14,
    value_font_size=13,
    legend_font_size=14,
    title_font_size=17,
)


@dataclass(frozen=True)
class Series:
    """A row of bars. figure: the name of the figure for each label, with `{}` for the label."""

    title: str
    side: Literal["ours", "beside"]
    figure: str


@dataclass(frozen=True)
class Chart:
    """name: of the file. bench: where its figures are."""

    name: str
    bench: str
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


CHARTS = (
    Chart(
        "bench-events",
        "events",
        "Events acknowledged a second, by their size",
        ("2 kB", "20 kB"),
        (
            Series("the service", "ours", f"events of {{}}, beside a {BARE}"),
            Series(GRANIAN, "ours", f"events of {{}} under granian, beside a {BARE}"),
            *(
                Series(name, "beside", f"events of {{}}, beside a {name}")
                for name in (BARE, FLASK, NODE)
            ),
        ),
    ),
    Chart(
        "bench-writes",
        "writes",
        "Of 300 writes a second, accepted within 5 s (%): Salesforce ...",
        ("takes 300 ms", "hangs", "refuses"),
        (
            Series("the service", "ours", "Salesforce {}: write accepted in 5 s"),
            Series(FLASK, "beside", "Salesforce {}: write accepted in 5 s"),
        ),
    ),
    Chart(
        "bench-growth",
        "growth",
        "CPU time of an event (µs), by live calls",
        ("10", "100", "1,000", "5,000"),
        (
            Series("web", "ours", "{} live calls: CPU of web"),
            Series("store", "ours", "{} live calls: CPU of store"),
        ),
    ),
    Chart(
        "bench-drain",
        "drain",
        "Records delivered a second, by workers, with Salesforce at 300 ms",
        ("1", "2", "4"),
        (
            Series("MAX_LEASES=8", "ours", "{} workers: records"),
            Series("MAX_LEASES=2 (default), 2 workers", "beside", "{} workers: records"),
        ),
    ),
)


def draw(read: dict[str, Any], folder: Path = IMAGES) -> list[Path]:
    """Draw the charts whose benches the report has. Returns their files."""
    drawn = []
    for chart in CHARTS:
        if bench := read.get("benches", {}).get(chart.bench):
            file = folder / f"{chart.name}.svg"
            file.write_text(_svg(chart, bench, read))
            drawn.append(file)
    return drawn


def _svg(chart: Chart, bench: dict[str, Any], read: dict[str, Any]) -> str:
    figures = {figure["name"]: figure for figure in bench["figures"]}
    machine, commit = read["machine"], read["commit"]
    bars = pygal.Bar(
        title=chart.title,
        x_title=f"{machine['processor']}, {machine['cores']} cores, commit {commit}",
        style=STYLE,
        width=860,
        height=420,
        legend_at_bottom=len(chart.series) > 1,
        legend_at_bottom_columns=3,
        show_legend=len(chart.series) > 1,
        legend_box_size=14,
        print_values=True,
        print_values_position="top",
        value_formatter=_as_text,
        js=(),
        include_x_axis=True,
    )
    bars.x_labels = chart.labels
    bars.uuid = chart.name  # else random, and so is the file
    for series in chart.series:
        names = [series.figure.format(label) for label in chart.labels]
        values = [figures.get(name, {}).get(series.side) for name in names]
        if any(value is not None for value in values):
            bars.add(series.title, values)
    drawing = bars.render_tree()
    for parent in [*drawing.iter()]:
        for child in [*parent]:
            if not isinstance(child.tag, str) or child.tag.endswith("script"):
                parent.remove(child)  # an image in a document runs no scripts
    return str(etree.tostring(drawing, encoding="unicode", pretty_print=True))


def _as_text(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def main() -> int:
    read = report.read()
    if not read:
        sys.exit("no figures: run `make bench` first")
    for file in draw(read):
        print(f"drew {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
