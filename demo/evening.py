"""`python -m demo.evening`: run the whole service with calls, and practise the runbook on it.

Type the name of a trouble, then find it and end it with docs/runbook.md, the console and the
command line. `heal` repairs what is Salesforce's (the outage, the rule, the right); `start worker`
and `start beat` do what your supervisor would do. The ALARM_... settings of your shell apply.
"""

import asyncio
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis

from demo.agents import script_of
from demo.client import Client
from demo.console import CONSOLE_PASSWORD, OPERATOR_NAME, console_users
from demo.drill import SETTINGS
from demo.history.recording import Recording
from demo.live import Events, LiveCall
from demo.signals import end_in_order
from demo.stack import ROOT, SECRET, Stack

FOLDER = ROOT / ".run" / "evening"
CALLER = "+14155550101"
BETWEEN_CALLS_S = 1.0
AT_ONCE = 8
RULE = "Cases of the phone need an order number."
REFUSED = {"validation_rules": [{"object": "Case", "when": "Origin = 'Phone'", "message": RULE}]}
PARKED = 500


class Evening:
    """A context manager: inside it, a call a second arrives. `troubles` causes faults by name."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._calls = 0
        self._name = f"evening-{int(time.time())}"
        self._over = threading.Event()
        self._caller = threading.Thread(target=self._call, name="caller", daemon=True)
        self.troubles: dict[str, Callable[[], None]] = {
            "outage": lambda: stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE"),
            "rule": lambda: stack.org.fault(**REFUSED),
            "right": lambda: stack.org.fault(deny=["Case.create"]),
            "worker": stack.processes["worker"].stop,
            "beat": stack.processes["beat"].stop,
            "store": self._fill_store,
            "parked": self._park,
            "heal": self._heal,
            "start worker": stack.processes["worker"].start,
            "start beat": stack.processes["beat"].start,
        }

    def __enter__(self) -> "Evening":
        self._caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._caller.join()

    def _call(self) -> None:
        while not self._over.wait(BETWEEN_CALLS_S):
            self._one_call()

    def _one_call(self) -> None:
        self._calls += 1
        asyncio.run(self._ask(self._calls))

    async def _ask(self, nth: int) -> None:
        """A call that asks for the writes in the agent's drill.toml."""
        script = script_of(self.stack.agent)
        client = Client(self.stack.port, "/webhook/vapi", SECRET)
        call = LiveCall(client, Recording(), Events(), CALLER)
        for request in script.writes_of(nth):
            arguments = request.filled(nth, f"{self._name} {nth}")
            await call.ask(request.tool, request.sort, arguments)
        await client.close()

    def _park(self) -> None:
        """A validation rule refuses the cases of PARKED calls, until `heal`."""
        self.stack.org.fault(**REFUSED)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in range(PARKED):
                pool.submit(self._one_call)

    def _fill_store(self) -> None:
        """Limit the store's memory to 1 % more than is in use."""
        with redis.Redis.from_url(self.stack.store.url) as store:
            used = int(store.info("memory")["used_memory"])
            store.config_set("maxmemory", used + used // 100)

    def _heal(self) -> None:
        self.stack.org.fault()


def extra() -> dict[str, str]:
    """The environment of the service. All calls have the same number, so its limits are high."""
    alarms = {name: text for name, text in os.environ.items() if name.startswith("ALARM_")}
    return SETTINGS | alarms | console_users(FOLDER)


def main() -> None:
    end_in_order()
    shutil.rmtree(FOLDER, ignore_errors=True)
    lines = ("web", "ops", "worker", "beat")
    with Stack(FOLDER, lines, extra=extra()) as stack, Evening(stack) as evening:
        print(f"console {stack.ops_url}/console/ ({OPERATOR_NAME}, {CONSOLE_PASSWORD})")
        settings = stack.folder / "settings.env"
        settings.write_text("".join(f"{name}={text!r}\n" for name, text in stack.env.items()))
        print(f"for the command line: set -a; . {settings}")
        print(f"one of: {', '.join(evening.troubles)}; Ctrl-D ends")
        for line in sys.stdin:
            if trouble := evening.troubles.get(line.strip()):
                trouble()
            print("ok" if trouble else "no such trouble", flush=True)


if __name__ == "__main__":
    main()
