"""What a power cut takes from the files of a store. `python -m proof.power` cuts it for real."""

import random
from pathlib import Path

from proof.power import cut, synced


def test_a_cut_takes_at_most_what_was_not_synced_and_in_the_end_all_of_it(tmp_path: Path) -> None:
    files, notes = tmp_path / "files", tmp_path / "synced"
    files.mkdir()
    whole, part, never = (files / name for name in ("whole", "part", "never"))
    lengths = set()
    for seed in range(20):
        for file in (whole, part, never):
            file.write_bytes(b"x" * 100)
        inodes = [file.stat().st_ino for file in (whole, part)]
        notes.write_text(f"{inodes[1]} 30\n{inodes[0]} 100\n{inodes[1]} 60\n")
        assert synced(notes) == {inodes[0]: 100, inodes[1]: 60}
        taken = cut(files, notes, random.Random(seed))
        left = [file.stat().st_size for file in (whole, part, never)]
        assert taken == 300 - sum(left)
        assert left[0] == 100
        assert 60 <= left[1] <= 100
        lengths.add(left[1])
    assert {60} < lengths
