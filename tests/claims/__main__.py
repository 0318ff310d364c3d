"""`python -m tests.claims`: how well claims are found, and what comes of seeded calls."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import redis

from demo.stack import Store
from shared.logs import configure
from tests.claims import evaluation
from tests.claims.evaluation import LANGUAGES, LEAST_PRECISION, LEAST_RECALL
from tests.claims.simulation import Result, simulate
from tests.conftest import make_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.claims", description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, metavar="N", help="0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="list mistakes in the tuned half")
    given = parser.parse_args()
    configure()
    for line in evaluation.lines(show=given.show):
        print(line, flush=True)
    scores = [evaluation.score(language, held_out=True) for language in LANGUAGES]
    passed = all(
        score.recall >= LEAST_RECALL and score.precision >= LEAST_PRECISION for score in scores
    )
    if given.calls:
        began = time.monotonic()
        result = _simulated(given.seed, given.calls)
        for line in result.lines():
            print(line, flush=True)
        print(f"seed {given.seed}, {time.monotonic() - began:.0f} s")
        passed = passed and not result.wrong and result.recall >= LEAST_RECALL
        passed = passed and result.precision >= LEAST_PRECISION
    print("passed" if passed else "failed")
    return 0 if passed else 1


def _simulated(seed: int, calls: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="claims-") as folder:
        server = Store(Path(folder), config="appendfsync no")  # nothing of it has to survive
        server.start()
        try:
            with redis.Redis.from_url(server.url, decode_responses=True) as store:
                settings = make_settings(server.url, "http://127.0.0.1:9")
                return simulate(store, settings, seed=seed, count=calls)
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
