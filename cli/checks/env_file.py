"""Checks the variables before anything reads them: misspelt names, Windows line ends."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from cli.chain import Problem, Suspicion
from shared.settings import may_be_in_a_file, variables

OF_OTHER_PROGRAMS = frozenset({"FLOWER_PORT"})
"""Variables of the lines of Procfile that are not settings."""

CONVERT = r"Run: sed -i 's/\r$//' .env"
OF_TESTS = "SALESFORCE_CONTRACT_"
OF_OTHERS = (OF_TESTS, "OTEL_")
"""How variables begin that this service does not read; OpenTelemetry reads its own."""

PREFIXES = ("VAPI_", "SALESFORCE_", "TWILIO_")
ALIKE = 0.75
"""From this ratio of difflib on, an unknown name counts as a slip of a known name."""

MAX_BYTES = 1024 * 1024
_VARIABLE = re.compile(r"^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)


def check_env(folder: Path, env: Mapping[str, str] = os.environ) -> str:
    """folder: where .env is, if it is used. Raises Problem and Suspicion."""
    file = folder / ".env"
    text = _text(file)
    known = known_names()
    if broken := with_carriage_return(env):
        raise Problem(
            f"The values of {_listed(broken)} end in a carriage return, because .env has Windows "
            "line ends (CRLF)",
            f"{CONVERT}, and load it again: set -a; . ./.env; set +a",
        )
    if "\r\n" in text:
        raise Suspicion(
            ".env has Windows line ends (CRLF), which a shell takes into the values",
            CONVERT,
        )
    named = {*_VARIABLE.findall(text), *(name for name in env if name.startswith(PREFIXES))}
    slips = {}
    for name in sorted(named - known - OF_OTHER_PROGRAMS):
        if name.startswith(OF_OTHERS):
            continue
        if meant := get_close_matches(name.upper(), known, n=1, cutoff=ALIKE):
            slips[name] = meant[0]
    if slips:
        raise Suspicion(
            "The service does not know " + _listed([*slips]),
            "Correct the name: "
            + ", ".join(f"{name} may be meant as {meant}" for name, meant in slips.items())
            + ".",
        )
    return "no misspelt variable, no Windows line ends"


def with_carriage_return(env: Mapping[str, str] = os.environ) -> list[str]:
    """The settings whose value ends as a line of a Windows file does."""
    return sorted(name for name in known_names() if env.get(name, "").endswith("\r"))


def known_names() -> set[str]:
    """The variable of every setting, and NAME_FILE of those that may come from a file."""
    fields = variables()
    files = {f"{name}_FILE" for name, field in fields.items() if may_be_in_a_file(name, field)}
    return {*fields} | files


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as opened:
            return opened.read(MAX_BYTES)
    except OSError:
        return ""  # the variables may come from elsewhere


def _listed(names: list[str]) -> str:
    shown = names[:5]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(shown) + more
