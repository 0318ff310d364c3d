"""`python -m simulator vapi play|serve`: plays calls against a webhook; offers call control."""

import argparse
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.vapi.control import serve
from simulator.vapi.player import Player, ToolAnswer, Webhook, as_line
from simulator.vapi.scenario import Scenario, ScenarioError, read_scenario


def main(argv: list[str]) -> int:
    """Exit code 0 when every tool call was answered, 1 when one was not, 2 for a bad scenario."""
    options = _parser().parse_args(argv)
    if options.command == "serve":
        serve(options.port, options.twilio)
        return 0
    try:
        scenarios = [read_scenario(path) for path in options.scenarios]
    except ScenarioError as refused:
        print(refused, file=sys.stderr)
        return 2
    webhook = Webhook(options.url, options.secret, options.auth)
    turns = [(item, nth) for nth in range(1, options.repeat + 1) for item in scenarios]
    writing = threading.Lock()
    unanswered: list[int] = []

    def play(turn: tuple[Scenario, int]) -> list[ToolAnswer]:
        scenario, nth = turn
        said: list[str] = []
        together = options.concurrency > 1
        player = Player(
            webhook,
            scenario,
            seed=options.seed,
            nth=nth,
            # Calls side by side would talk across one another: each is told when it is over.
            describe=said.append if together else _report,
            control_base=options.control,
        )
        answers = player.play()
        unanswered.append(player.unanswered)
        with writing:
            if said and not options.quiet:
                _report("\n".join(said))
            if options.answers:
                with options.answers.open("a", encoding="utf-8") as file:
                    file.writelines(as_line(answer) + "\n" for answer in answers)
        return answers

    with ThreadPoolExecutor(options.concurrency) as pool:
        answers = [item for call in pool.map(play, turns) for item in call]
    errors = sum(answer.is_error for answer in answers)
    looked = sum(answer.kind == "look" for answer in answers)
    print(
        f"vapi: calls={len(turns)} lookups={looked} writes={len(answers) - looked} errors={errors}",
        flush=True,
    )
    return 1 if sum(unanswered) else 0


def _report(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator vapi", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    play = commands.add_parser("play", help="play scenario files against a webhook, signed")
    play.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO")
    play.add_argument("--url", required=True, help="the webhook, such as .../webhook/vapi")
    play.add_argument("--secret", default="", help="the credential's secret")
    play.add_argument("--auth", choices=["hmac", "secret", "bearer"], default="hmac")
    play.add_argument("--seed", type=int, default=1, help="same seed, same call and tool-call ids")
    play.add_argument("--repeat", type=int, default=1, help="how often each scenario is played")
    play.add_argument("--concurrency", type=int, default=1, help="calls at the same time")
    play.add_argument("--quiet", action="store_true", help="tell no story of calls side by side")
    play.add_argument("--answers", type=Path, help="append each answer as a JSON line")
    play.add_argument(
        "--control", default="", help="base of the control URLs, such as serve's http://127.0.0.1:N"
    )
    offer = commands.add_parser("serve", help="offer live call control and the REST API")
    offer.add_argument("--port", type=int, required=True)
    offer.add_argument(
        "--twilio", default="", help="where numbers are imported from, such as http://127.0.0.1:N"
    )
    return parser
