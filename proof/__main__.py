"""`python -m proof`: explore the worlds, two at a time. Exits with 1 if something does not hold."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from proof.engine import Engine, valkey
from proof.explorer import explore
from proof.real import Real
from proof.report import story, summary
from proof.world import World
from proof.worlds import WORLDS

PROCESSES = 2


SAMPLED = 20
"""Of so many states, one is compared with a real Valkey."""


@dataclass(frozen=True)
class Result:
    """What came of a world. text: for people."""

    text: str
    states: int
    transitions: int
    compared: int
    is_sound: bool


def result_of(world: World, max_seconds: float) -> Result:
    with valkey() as client:
        real = Real(client, every=SAMPLED)
        found = explore(Engine(client), world, max_seconds=max_seconds, watch=real.watch)
    lines = [summary(found), f"{'':16} {real.compared:,} steps of {real.states:,} states compared"]
    lines += real.different
    if found.history:
        lines.append(story(found.history))
    is_sound = not found.history and not real.different
    return Result("\n".join(lines), found.states, found.transitions, real.compared, is_sound)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("worlds", nargs="*", metavar="WORLD", help="only these")
    parser.add_argument("--minutes", type=float, default=20, help="for everything (default: 20)")
    parser.add_argument("--faults", type=int, help="how many may happen, instead of a world's own")
    chosen = parser.parse_args()
    worlds = [world for world in WORLDS if not chosen.worlds or world.name in chosen.worlds]
    if unknown := set(chosen.worlds) - {world.name for world in worlds}:
        parser.error(f"no such world: {', '.join(sorted(unknown))}")
    if chosen.faults is not None:
        worlds = [world.with_faults(chosen.faults) for world in worlds]
    rounds = -(-len(worlds) // PROCESSES)
    results = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        within = partial(result_of, max_seconds=chosen.minutes * 60 / rounds)
        for result in pool.map(within, worlds):
            print(result.text, flush=True)
            results.append(result)
    broken = sum(not result.is_sound for result in results)
    print(
        f"proof: states={sum(result.states for result in results)} "
        f"steps={sum(result.transitions for result in results)} "
        f"compared={sum(result.compared for result in results)} violations={broken}"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
