"""Names that have to agree with one another: queues, tasks, and what may live in shared/."""

import re
import subprocess
import sys

from demo.stack import ROOT, UNDER_GRANIAN, environment, procfile
from shared import wake_ups
from shared.domain.kinds import VERBS_OF_TEAMS, Kind

SHARED = {
    "addresses", "agent", "alive", "background", "batches", "calls", "deadline", "domain", "errors",
    "installed", "journal", "listening", "logs", "metrics", "operators", "phone", "redaction",
    "salesforce", "scripts", "settings", "store", "telemetry", "tracing", "twilio", "unlocked",
    "vapi", "wake_ups",
}  # fmt: skip
"""What both sides share. Adding a name here is a decision: a domain word or an outside system."""


def test_shared_holds_these_names_and_no_others() -> None:
    found = {path.stem for path in (ROOT / "shared").iterdir() if not path.name.startswith("__")}
    assert found == SHARED


def test_queues_of_procfile_are_the_queues_declared() -> None:
    worker = procfile()["worker"]
    listened = set(worker[worker.index("--queues") + 1].split(","))
    assert listened == {wake_ups.DELIVER_QUEUE, wake_ups.MAINTENANCE_QUEUE}
    assert set(procfile()) == {"web", "ops", "worker", "beat", "flower"}


def test_the_registered_tasks_are_those_that_are_dispatched_with_their_parameters() -> None:
    program = (
        "import inspect\n"
        "from workers.app import app\n"
        "print({n: list(inspect.signature(app.tasks[n].run).parameters)"
        " for n in sorted(app.tasks) if not n.startswith('celery.')})\n"
        "print(sorted(e['task'] for e in app.conf.beat_schedule.values()))"
    )
    env = environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1", 8080)
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=env, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.splitlines()  # fmt: skip
    quiet = wake_ups.END_QUIET_CALLS
    of_teams = [Kind(f"{verb}.Order__c") for verb in VERBS_OF_TEAMS]
    sent = [wake_ups.deliver_task(kind) for kind in (*Kind, *of_teams)]
    expected = {name: ["kind"] if arguments else [] for name, arguments in sent}
    expected |= {quiet: [], wake_ups.PURGE: [], wake_ups.RECONCILE: [], wake_ups.MAKE_GOOD: []}
    assert said[-2] == str(dict(sorted(expected.items())))
    assert said[-1] == str([quiet, wake_ups.MAKE_GOOD, wake_ups.PURGE])


def test_every_line_of_procfile_refuses_to_start_without_settings_and_names_them() -> None:
    env = environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1", 8080)
    del env["VAPI_SERVER_SECRET"]
    for command in (*procfile().values(), UNDER_GRANIAN):
        ended = subprocess.run(
            command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode != 0
        assert "VAPI_SERVER_SECRET is missing" in ended.stdout + ended.stderr


def test_every_fact_that_is_cited_stands_in_the_vendors_list() -> None:
    known = set(re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "docs/vendors.md").read_text(), re.M))
    folders = ("web", "workers", "shared", "cli", "simulator", "tests")
    cited = {
        fact
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        for some in re.findall(r"vendors\.md ([A-Z]\d+(?:, [A-Z]\d+)*)", file.read_text())
        for fact in some.split(", ")
    }
    assert cited <= known
    assert len(cited) > 10
