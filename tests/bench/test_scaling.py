"""The calculation of docs/scaling.md."""

from typing import Any

import pytest

from bench.scaling import (
    BEGIN,
    DOCUMENT,
    END,
    FIGURES,
    LIVE_CALLS,
    Costs,
    as_markdown,
    inserted,
    resources,
)


def measured(**changed: float) -> dict[str, Any]:
    """A report in which each cost is 1, except for those that are changed."""
    benches: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for field, figure in FIGURES.items():
        bench, _, name = figure.partition("/")
        figures = benches.setdefault(bench, {"figures": []})["figures"]
        figures.append({"name": name, "ours": changed.get(field, 1.0)})
    return {"benches": benches}


def lasts_until(**changed: float) -> dict[str, int]:
    return {it.name: it.lasts_until for it in resources(Costs.read(measured(**changed)))}


@pytest.mark.parametrize(
    ("cost", "resource"),
    [
        ("event_web", "all processes on one machine"),
        ("write_web", "all processes on one machine"),
        ("record_worker", "all processes on one machine"),
        ("event_store", "the store's only thread"),
        ("write_store", "the store's only thread"),
        ("record_store", "the store's only thread"),
        ("live_kb", "the store's memory"),
        ("hour_kb", "the store's memory"),
        ("day_kb", "the store's memory"),
        ("receipts_kb", "the store's memory"),
        ("requests_per_call", "requests in a window"),
        ("requests_per_call", "the org's requests of a day"),
    ],
)
def test_what_costs_more_lasts_for_fewer_calls(cost: str, resource: str) -> None:
    assert lasts_until(**{cost: 10.0})[resource] < lasts_until()[resource]


def test_faster_deliveries_last_for_more_calls() -> None:
    name = "one kind's batches at a time"
    assert lasts_until(records_per_s=1_000)[name] == 1_000 * lasts_until()[name]


def test_a_cost_that_was_not_measured_is_named() -> None:
    report = measured()
    del report["benches"]["drain"]
    with pytest.raises(KeyError, match="drain/"):
        Costs.read(report)


def test_the_table_has_what_is_used_up_first_in_the_first_column() -> None:
    found = resources(Costs.read(measured(records_per_s=1e9, event_store=100_000)))
    lines = list(as_markdown(found))
    assert lines[0].startswith("| live calls | the store's only thread (cores) |")
    assert [line.split(" | ")[0] for line in lines[2:9]] == [f"| {n:,}" for n in LIVE_CALLS]
    assert "**15**" in lines[2]  # 100 calls with 1.5 events a second of 0.1 s each
    assert lines[-len(found)].startswith("* the store's only thread: 0.7 cores last until 4 live")


def test_the_document_gets_the_table_and_keeps_the_rest() -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    text = inserted(inserted(DOCUMENT.read_text(), "| old |"), "| new |")
    assert text == f"{before}{BEGIN}\n| new |\n{END}{after}"
    assert after
