"""`python -m simulator vapi play|serve`: plays calls against a webhook; serves call control."""

import argparse
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.vapi.control import serve
from simulator.vapi.player import Player, ToolAnswer, Webhook, as_line
from simulator.vapi.scenario import Scenario, ScenarioError, read_scenario

SECRET_VARIABLE = "VAPI_SERVER_SECRET"


def main(argv: list[str]) -> int:
    """Exit code 0 when every tool call was answered, 1 when any was not, 2 for a bad scenario."""
    options = _parser().parse_args(argv)
    if options.command == "serve":
        serve(options.port, options.twilio)
        return 0
    try:
        scenarios = [read_scenario(path) for path in options.scenarios]
    except ScenarioError as refused:
        print(refused, file=sys.stderr)
        return 2
    webhook = Webhook(options.url, options.secret, options.auth, not options.no_repeats)
    turns = [(scenario, nth) for nth in range(1, options.repeat + 1) for scenario in scenarios]
    writing = threading.Lock()
    unanswered: list[int] = []

    def play(turn: tuple[Scenario, int]) -> list[ToolAnswer]:
        scenario, nth = turn
        lines: list[str] = []
        is_concurrent = options.concurrency > 1
        player = Player(
            webhook,
            scenario,
            seed=options.seed,
            nth=nth,
            # The lines of concurrent calls would mix, so each call is printed when it has ended.
            report=lines.append if is_concurrent else _print,
            control_base=options.control,
        )
        answers = player.play()
        unanswered.append(player.unanswered)
        with writing:
            if lines and not options.quiet:
                _print("\n".join(lines))
            if options.answers:
                with options.answers.open("a", encoding="utf-8") as file:
                    file.writelines(as_line(answer) + "\n" for answer in answers)
        return answers

    with ThreadPoolExecutor(options.concurrency) as pool:
        answers = [answer for of_call in pool.map(play, turns) for answer in of_call]
    errors = sum(answer.is_error for answer in answers)
    lookups = sum(answer.kind == "look" for answer in answers)
    writes = len(answers) - lookups
    print(
        f"vapi: calls={len(turns)} lookups={lookups} writes={writes} errors={errors}",
        flush=True,
    )
    return 1 if sum(unanswered) else 0


def _print(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator vapi", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    play = commands.add_parser("play", help="play scenario files against a webhook, signed")
    play.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO")
    play.add_argument("--url", required=True, help="the webhook, such as .../webhook/vapi")
    play.add_argument(
        "--secret",
        default=os.environ.get(SECRET_VARIABLE, ""),
        help=f"the credential's secret; the variable {SECRET_VARIABLE} keeps it out of the list of "
        "processes",
    )
    play.add_argument("--auth", choices=["hmac", "secret", "bearer"], default="hmac")
    play.add_argument("--seed", type=int, default=1, help="the same seed gives the same ids")
    play.add_argument("--repeat", type=int, default=1, help="how often each scenario is played")
    play.add_argument("--concurrency", type=int, default=1, help="calls at the same time")
    play.add_argument("--quiet", action="store_true", help="print nothing about concurrent calls")
    play.add_argument("--answers", type=Path, help="append each answer as a JSON line")
    play.add_argument(
        "--control",
        default="",
        help="such as http://127.0.0.1:N: a serve that gets the call control and lists the calls",
    )
    play.add_argument(
        "--no-repeats", action="store_true", help="post no event again, as without a back-off plan"
    )
    serve_command = commands.add_parser("serve", help="serve live call control and the REST API")
    serve_command.add_argument("--port", type=int, required=True)
    serve_command.add_argument(
        "--twilio", default="", help="import numbers from this address, such as http://127.0.0.1:N"
    )
    return parser
