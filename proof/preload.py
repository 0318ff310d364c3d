"""Compiles the small C libraries that are preloaded into processes."""

import shutil
import subprocess
import sys
from pathlib import Path

COMPILER = "cc"
IS_POSSIBLE = sys.platform == "linux" and shutil.which(COMPILER) is not None
NEEDS = f"it needs Linux and a C compiler ({COMPILER})"


def compiled(source: Path, folder: Path) -> Path:
    """The library of a C file, in that folder; its path is for LD_PRELOAD. Raises OSError and
    CalledProcessError."""
    library = folder / f"{source.stem}.so"
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(library)]
    subprocess.run([*command, str(source), "-ldl"], check=True, timeout=60)
    return library
