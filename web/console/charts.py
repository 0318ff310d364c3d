"""Small charts, drawn here as SVG: what happened in each minute of the last hour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.journal.minutes import Minute
from web.console.rendering import ago

WIDTH, HEIGHT = 300, 60


@dataclass(frozen=True)
class Chart:
    """path: what SVG draws, WIDTH wide and HEIGHT high. text: what the chart shows, for those who
    don't see it. is_filled: columns; else a line."""

    name: str
    path: str
    text: str
    is_filled: bool


def charts_of(minutes: Sequence[Minute]) -> list[Chart]:
    return [
        _counted("accepted", minutes, lambda minute: minute.accepted),
        _counted("delivered", minutes, lambda minute: minute.delivered),
        _counted("parked", minutes, lambda minute: minute.parked),
        _oldest(minutes),
    ]


def _counted(name: str, minutes: Sequence[Minute], count: Callable[[Minute], int]) -> Chart:
    counts = [count(minute) for minute in minutes]
    most, step = max(counts, default=0), WIDTH / max(1, len(counts))
    columns = (
        f"M{at * step:.4g} {HEIGHT}v-{HEIGHT * height / most:.3g}h{step - 1:.3g}V{HEIGHT}z"
        for at, height in enumerate(counts)
        if height
    )
    text = f"{sum(counts)} in the last hour, at most {most} in a minute"
    return Chart(name, "".join(columns), text, is_filled=True)


def _oldest(minutes: Sequence[Minute]) -> Chart:
    """A line with a gap where nobody looked."""
    ages = [minute.oldest_ms for minute in minutes]
    most, step = max((age for age in ages if age is not None), default=0), WIDTH / max(1, len(ages))
    parts, pen = list[str](), "M"
    for at, age in enumerate(ages):
        if age is None:
            pen = "M"
            continue
        height = HEIGHT * age / most if most else 0
        # A minute alone between two gaps is a short line.
        parts.append(f"{pen}{at * step:.4g} {HEIGHT - height:.3g}h{step:.3g}")
        pen = "L"
    text = f"at most {ago(most)} in the last hour" if parts else "not known yet"
    return Chart("age of the oldest due", "".join(parts), text, is_filled=False)
