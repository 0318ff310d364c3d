"""`python -m simulator org|describe|vapi|twilio …`: runs one of them with the other arguments."""

import argparse
import importlib
import sys
from collections.abc import Sequence

SIMULATORS = {
    "org": "simulator.org.server",
    "describe": "simulator.org.described",
    "vapi": "simulator.vapi.main",
    "twilio": "simulator.twilio.main",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one simulator; returns its exit code, 2 when no simulator has that name."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("simulator", choices=sorted(SIMULATORS))
    chosen = parser.parse_args(words[:1]).simulator
    # Imported late: each simulator runs without the other's requirements.
    module = importlib.import_module(SIMULATORS[chosen])
    result = module.main(words[1:])
    return int(result or 0)


if __name__ == "__main__":
    sys.exit(main())
