"""`python -m demo.history FILE`: the verdict on a recording."""

import argparse
import sys
from pathlib import Path

from demo.history.checker import check
from demo.history.steps import BrokenRecordingError, read


def main() -> int:
    """Exit code 0 when nothing was found, 1 when something was, 2 for a broken recording."""
    parser = argparse.ArgumentParser(prog="python -m demo.history", description=__doc__)
    parser.add_argument("file", type=Path, help="what `make drill` or `make soak` recorded")
    options = parser.parse_args()
    try:
        verdict = check(read(options.file))
    except (BrokenRecordingError, OSError, UnicodeDecodeError) as refused:
        print(f"history: {refused}", file=sys.stderr)
        return 2
    for finding in verdict.findings:
        print(finding)
    print(f"history: {verdict.total}")
    return 1 if verdict.findings else 0


if __name__ == "__main__":
    sys.exit(main())
