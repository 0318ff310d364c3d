"""`python -m tests.hostile`: play the hostile dialogues against the service on this machine."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hostile.attack import report
from tests.hostile.attack.attempt import Dialogue
from tests.hostile.attack.families import all_dialogues
from tests.hostile.attack.runner import Outcome, run
from tests.hostile.target import LIMITS, OurService


def main() -> int:
    given = _arguments()
    outcomes: list[Outcome] = []
    for seed in given.seeds:
        dialogues, words = all_dialogues(seed)
        wanted = [each for each in dialogues if _is_wanted(each, given.only)]
        with (
            tempfile.TemporaryDirectory(prefix="hostile-") as folder,
            OurService(Path(folder)) as target,
        ):
            outcome = run(target, wanted, seed, words, LIMITS)
        outcomes.append(outcome)
        for line in report.lines(outcome):
            print(line, flush=True)
        if given.steps:
            for attempt in outcome.attempts:
                print("\n".join(report.steps(attempt)))
        print(f"seed {seed}: {report.last_line([outcome])}", flush=True)
    print(report.controls_line(outcomes))
    print(report.last_line(outcomes))
    return 0 if report.passed(outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], metavar="N")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="KEY", help="families or dialogues: replay/07"
    )
    parser.add_argument("--steps", action="store_true", help="show everything that was sent")
    return parser.parse_args()


def _is_wanted(dialogue: Dialogue, only: list[str]) -> bool:
    family = dialogue.key.partition("/")[0]
    return not only or dialogue.key in only or family in only


if __name__ == "__main__":
    sys.exit(main())
