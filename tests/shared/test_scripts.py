"""The loader of Lua scripts: flags first, then the package's common functions, then the script."""

from pathlib import Path

import pytest
import redis

from shared import scripts

SHARED = Path(scripts.__file__).parent
SCRIPTS = sorted(
    (path.parent.parent.name, path.stem)
    for path in SHARED.glob("*/scripts/*.lua")
    if not path.stem.startswith("_")
)

PARTS = ("_common", "_breaker", "_window")


@pytest.mark.parametrize(("package", "name"), SCRIPTS)
def test_the_server_accepts_every_script(store: redis.Redis, package: str, name: str) -> None:
    assert store.script_load(scripts.source(package, name))


def test_the_flags_stay_in_the_first_line_in_front_of_the_common_functions() -> None:
    text = scripts.source("journal", "purge")
    common = (SHARED / "journal/scripts/_common.lua").read_text()
    assert text.startswith("#!lua flags=allow-oom\n")
    assert text.index(common) < text.index("-- Retention")


def test_what_a_script_includes_stands_behind_the_common_functions() -> None:
    folder = SHARED / "salesforce/scripts"
    text = scripts.source("salesforce", "admit")
    places = [text.index((folder / f"{part}.lua").read_text()) for part in PARTS]
    assert places == sorted(places)
    assert places[-1] < text.index("-- Decides whether")


def test_a_script_can_include_one_of_another_package() -> None:
    text = scripts.source("journal", "lease")
    part = (SHARED / "calls/scripts/_call.lua").read_text()
    assert text.index(part) < text.index("-- Leases the due intents")


def test_a_package_without_common_functions_needs_none() -> None:
    path = SHARED / "calls/scripts/count.lua"
    assert scripts.source("calls", "count") == path.read_text()
