"""`python -m proof.clocks`: the clocks of a whole service jump by ten minutes while calls are live.

Web, worker, beat and store run as processes, and a preloaded library (clocks.c) moves the wall
clock of each. One after the other jumps forward, and back, then all at once; a clock that jumped
stays wrong. Salesforce, Vapi and the callers have clocks of their own, which go on, and so does
every monotonic clock.

Each stage plays some forty calls with the script of the drill, and one more that sends nothing
after its beginning, so that beat has to have it ended. In the end every promise has to be in the
org exactly once.

Needs Linux and a C compiler.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import redis
import requests

from demo.client import Client
from demo.contacts import make_callers
from demo.drill import SETTINGS, play_round
from demo.history.checker import Problem, Verdict
from demo.history.recording import MAX_INTENTS, Recording
from demo.history.steps import REPORT
from demo.live import Events, LiveCall
from demo.outage import Stage, children
from demo.processes import wait_until
from demo.signals import end_in_order
from demo.stack import INSTALLED, OPERATOR, SECRET, Stack, Store
from proof.preload import IS_POSSIBLE, NEEDS, compiled
from shared.domain.intent import Intent
from shared.domain.kinds import SETTLED
from shared.journal.journal import Journal
from shared.operators.alarms.board import AlarmBoard

SHIM = Path(__file__).parent / "clocks.c"
ROLES = ("web", "worker", "beat", "store")
ALL, NONE = "all", "none"

JUMP_S = 600
CALLS = 40
LASTS_S = 10.0
"""How long the calls ask for something. The clock jumps halfway."""
SETTLE_S = 150.0
"""More than everything takes without a jump: a call is quiet after a minute, and beat asks for
quiet calls every 30 s."""

ALARM_S = 150.0
"""An alarm about refused messages counts a whole minute."""

TOLERANT = {"IDLE_CALL_MIN": "1", "VAPI_HMAC_TOLERANCE_S": str(2 * JUMP_S)}
"""A call is quiet after a minute, and web accepts signed messages although its clock has jumped."""


class Clocks:
    """The clocks of the roles, at first right."""

    def __init__(self, folder: Path) -> None:
        self._library = compiled(SHIM, folder)
        self._files = {role: folder / f"{role}-is-ahead-s" for role in ROLES}
        self._ahead_s = dict.fromkeys(ROLES, 0)
        self._settled_s: dict[str, float] = {}
        self._before_s, self._jumped_s = 0, 0.0
        for file in self._files.values():
            file.write_bytes(_as_bytes(0))

    def env_of(self, role: str) -> dict[str, str]:
        """The variables of a process that runs on the role's clock."""
        return {"LD_PRELOAD": str(self._library), "AHEAD": str(self._files[role])}

    def check(self, stack: Stack) -> None:
        """Raises AssertionError if a process does not run on its clock."""
        for role, file in self._files.items():
            process = stack.store.process if role == "store" else stack.processes[role]
            for pid in (process.pid, *children(process.pid)):
                mapped = Path(f"/proc/{pid}/maps").read_text()
                assert str(file) in mapped, f"a process of {role} has a clock that can't jump"

    def jump(self, role: str, ahead_s: int, journal: Journal) -> None:
        """The clock of a role, or of ALL, is ahead by so much from now on."""
        roles = ROLES if role == ALL else (role,)
        if "store" in roles:
            settled = (it for it in journal.newest(MAX_INTENTS) if it.state in SETTLED)
            self._settled_s |= {it.id: self.settled_s(it) for it in settled}
            self._before_s, self._jumped_s = self._ahead_s["store"], time.time()
        for name in roles:
            self._ahead_s[name] = ahead_s
            with self._files[name].open("r+b") as file:  # the processes have this very file mapped
                file.write(_as_bytes(ahead_s))

    def settled_s(self, intent: Intent) -> float:
        """When it was settled, by this machine's clock; epoch s. The store stamped it."""
        if known := self._settled_s.get(intent.id):
            return known
        shown_s = (intent.settled_at_ms or 0) / 1000
        on_time_s = shown_s - self._ahead_s["store"]
        return on_time_s if on_time_s >= self._jumped_s else shown_s - self._before_s


def _as_bytes(ahead_s: int) -> bytes:
    return ahead_s.to_bytes(8, sys.byteorder, signed=True)


@dataclass(frozen=True)
class Jump(Stage):
    """Halfway the clock of a role jumps. hits: the role, or ALL, or NONE."""

    service: "Service"
    ahead_s: int

    def hit(self, stack: Stack) -> None:
        if self.hits != NONE:
            self.service.clocks.jump(self.hits, self.ahead_s, self.service.journal)


class Service:
    """A whole service on clocks that can jump; a context manager."""

    def __init__(
        self, folder: Path, extra: Mapping[str, str] = TOLERANT, programs: Path = INSTALLED
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.clocks = Clocks(folder)
        own = {role: self.clocks.env_of(role) for role in ROLES}
        self.stack = Stack(
            folder,
            extra=SETTINGS | dict(extra),
            store=Store(folder / "store", extra=own["store"]),
            programs=programs,
            of_lines=own,
        )
        self.recording = Recording(self.clocks.settled_s)
        self.store: redis.Redis = redis.Redis.from_url(self.stack.store.url, decode_responses=True)
        self.journal = Journal(self.store)

    def __enter__(self) -> "Service":
        self.stack.__enter__()
        self.clocks.check(self.stack)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.__exit__()

    def begin_quiet_call(self) -> str:
        """Begin a call that sends nothing more. Returns its id. It is recorded as reported, because
        the org has to have its log."""

        async def begin() -> str:
            client = Client(self.stack.port, "/webhook/vapi", SECRET)
            call = LiveCall(client, self.recording, Events(), "")
            await call.event(call.vapi.status("in-progress"))
            await client.close()
            return call.vapi.id

        call_id = asyncio.run(begin())
        self.recording.asked(f"{call_id}/report", call_id, "", "", REPORT)
        self.recording.answered(f"{call_id}/report", REPORT, "")
        return call_id

    def wait_logged(self, call_id: str, for_s: float) -> None:
        """Wait until the log of a call is settled. Raises NotReadyError after for_s seconds."""

        def is_logged() -> bool:
            intents = self.journal.of_call(call_id)
            return bool(intents) and all(it.state in SETTLED for it in intents)

        wait_until(is_logged, for_s=for_s, what="the log of the quiet call")

    def play(self, seed: int, calls: int, stages: Sequence[Stage], settle_s: float) -> float:
        """Returns how long it took until all was settled, from the end of the stages."""
        return play_round(self.stack, self.recording, seed, calls, stages, settle_s).drained_s


def line(role: str, jump_s: int, verdict: Verdict, settled_s: float, quiet_s: float) -> str:
    """quiet_s: from the beginning of the quiet call until its log was settled."""
    total = verdict.total
    return (
        f"clocks: role={role} jump_s={jump_s:+d} calls={total.calls} promised={total.promised} "
        f"kept={total.fulfilled} parked={total.parked} lost={total.lost + total.unrecorded} "
        f"duplicated={len(verdict.of(Problem.DOUBLED))} settled_s={settled_s:.1f} "
        f"quiet_s={quiet_s:.1f}"
    )


def stage(role: str, jump_s: int, calls: int, seed: int) -> bool:
    """Play one stage and print its line. Returns whether all is right. Raises NotReadyError when
    something waits longer than the jump."""
    settle_s = SETTLE_S + abs(jump_s)
    with tempfile.TemporaryDirectory(prefix="clocks-") as name, Service(Path(name)) as service:
        quiet, began = service.begin_quiet_call(), time.monotonic()
        make_callers(service.stack.org, calls)
        jump = Jump("", role, LASTS_S, service, jump_s)
        settled_s = service.play(seed, calls, [jump], settle_s)
        service.wait_logged(quiet, settle_s)
        quiet_s = time.monotonic() - began
        verdict = service.recording.verdict(service.stack)
        parked = service.journal.parked(calls)
    for finding in verdict.findings:
        print(finding)
    for intent in parked:
        print(f"parked: {intent.kind}: {intent.reason}: {intent.detail}")
    print(line(role, jump_s, verdict, settled_s, quiet_s), flush=True)
    return not verdict.findings and not verdict.total.unanswered


def refused(calls: int) -> bool:
    """Web's clock is out of tolerance for some seconds, and then right again. Prints a line with
    how many messages were refused, as the log and /metrics say. Raises NotReadyError when there is
    no alarm."""
    with tempfile.TemporaryDirectory(prefix="clocks-") as name, Service(Path(name), {}) as service:
        make_callers(service.stack.org, calls)
        away, back = (Jump("", "web", LASTS_S, service, ahead_s) for ahead_s in (JUMP_S, 0))
        settled_s = service.play(1, calls, [away, back], SETTLE_S)
        verdict = service.recording.verdict(service.stack)
        board = AlarmBoard(service.store)
        wait_until(lambda: "refused" in board.on(), for_s=ALARM_S, what="the alarm")
        log = service.stack.folder / "web.log"
        logged = log.read_text().count('"webhook_not_authenticated"')
        counted = _refused_by_metrics(service.stack)
    for finding in verdict.findings:
        print(finding)
    said = line("web", JUMP_S, verdict, settled_s, 0.0).rpartition(" ")[0]
    print(f"{said} tolerance_s=300 refused={counted:.0f} logged={logged} alarm=refused", flush=True)
    return not verdict.findings and not verdict.total.unanswered and counted == logged > 0


def _refused_by_metrics(stack: Stack) -> float:
    page = requests.get(f"{stack.url}/metrics", headers=OPERATOR, timeout=10).text
    wanted = (it for it in page.splitlines() if it.startswith("vapi_refused_total{"))
    return sum(float(it.rpartition(" ")[2]) for it in wanted if '"old_timestamp"' in it)


def main() -> int:
    """Exit code 0 when every stage is right."""
    parser = argparse.ArgumentParser(prog="python -m proof.clocks", description=__doc__)
    parser.add_argument("--role", choices=(NONE, *ROLES, ALL), help="only this one")
    parser.add_argument("--jump", type=int, help=f"by so many seconds (default: ±{JUMP_S})")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"live calls (default: {CALLS})")
    parser.add_argument("--seed", type=int, default=1, help="of the calls (default: 1)")
    options = parser.parse_args()
    if not IS_POSSIBLE:
        print(f"clocks: can't be tried, because {NEEDS}")
        return 1
    end_in_order()
    roles = (options.role,) if options.role else (NONE, *ROLES, ALL)
    jumps = (options.jump,) if options.jump is not None else (JUMP_S, -JUMP_S)
    pairs = [(role, 0 if role == NONE else jump_s) for role, jump_s in product(roles, jumps)]
    are_right = [stage(*pair, options.calls, options.seed) for pair in dict.fromkeys(pairs)]
    if not options.role:
        are_right.append(refused(options.calls))
    return 0 if all(are_right) else 1


if __name__ == "__main__":
    sys.exit(main())
