"""`make audit`: are vulnerabilities known of the packages that requirements*.txt pin?

pip-audit asks a database of advisories. It exits with 0 and says "No known vulnerabilities found"
also when the database knew none of the packages, as behind a mirror, and with 1 when the database
can't be reached. So its answer is read here.

Exit codes: 0 nothing is known of any package, 1 something is, 3 some packages were not audited.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT_S = 600.0
CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3
MAX_NAMES = 5


@dataclass
class Audit:
    """found: a line for each vulnerability. audited: packages that the database was asked about.
    skipped: packages without an answer. trouble: why nothing was audited, "" if something was."""

    found: list[str] = field(default_factory=list)
    audited: int = 0
    skipped: list[str] = field(default_factory=list)
    trouble: str = ""


def audit(tool: Path, source: str, file: Path) -> Audit:
    """What the database says of the packages of a file."""
    command = [
        str(tool), "--requirement", str(file), "--require-hashes", "--disable-pip",
        "--vulnerability-service", source, "--format", "json", "--progress-spinner", "off",
    ]  # fmt: skip
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return Audit(trouble=f"no answer within {TIMEOUT_S:.0f} s")
    except OSError as trouble:
        return Audit(trouble=f"pip-audit does not start ({trouble.strerror})")
    return read(ended.stdout, ended.stderr)


def read(stdout: str, stderr: str) -> Audit:
    """What pip-audit printed. Without an answer, the last line that it wrote says why."""
    try:
        packages: list[dict[str, Any]] = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = stderr.strip().splitlines()
        return Audit(trouble=lines[-1][:300] if lines else "pip-audit printed nothing")
    result = Audit()
    for package in packages:
        if "vulns" not in package:
            result.skipped.append(str(package.get("name")))
            continue
        result.audited += 1
        for known in package["vulns"]:
            fixed = ", ".join(known.get("fix_versions") or []) or "no version"
            name = f"{package['name']} {package['version']}"
            result.found.append(f"{name}: {known['id']} (fixed in {fixed})")
    return result


def report(audits: dict[str, Audit], source: str) -> tuple[list[str], int]:
    """The lines to print, and the exit code. audits: by the name of the file."""
    lines: list[str] = []
    for name, done in audits.items():
        lines += [f"{name}: {found}" for found in done.found]
        if done.trouble:
            lines.append(f"{name}: NOT AUDITED, {source} can't be reached: {done.trouble}")
        elif done.skipped:
            few = _listed(done.skipped)
            lines.append(f"{name}: NOT AUDITED, {source} does not know {len(done.skipped)}: {few}")
        if done.audited:
            lines.append(f"{name}: {done.audited} packages audited, {len(done.found)} vulnerable")
    if any(done.found for done in audits.values()):
        return lines, VULNERABLE
    if any(done.trouble or done.skipped or not done.audited for done in audits.values()):
        return [*lines, "audit: this is no clean result"], NOT_AUDITED
    return lines, CLEAN


def _listed(names: Iterable[str]) -> str:
    all_names = sorted(names)
    more = ", ..." if len(all_names) > MAX_NAMES else ""
    return ", ".join(all_names[:MAX_NAMES]) + more


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.audit", description=__doc__)
    parser.add_argument("tool", type=Path, help="pip-audit")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--source", choices=["osv", "pypi"], default="osv")
    options = parser.parse_args(argv)
    audits = {str(file): audit(options.tool, options.source, file) for file in options.files}
    lines, code = report(audits, options.source)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
