"""docs/personal-data.md says where personal data is: compared with SCHEMA.md and the command."""

import re

from cli.person.families import TYPES
from demo.stack import ROOT
from shared.settings import variables

PAGE = (ROOT / "docs" / "personal-data.md").read_text()
SCHEMA = (ROOT / "shared" / "journal" / "SCHEMA.md").read_text()

EXPIRY = dict(
    re.findall(r"^\* `(vs:[^`]+)` \([a-z ]+, (never expires|expires [^)]+)\)", SCHEMA, re.MULTILINE)
)
"""What SCHEMA.md says of each family of keys."""

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| what | where")
]
OF_REDIS = {row[1].strip("`"): row for row in ROWS if row[1].startswith("`vs:")}
WITHOUT = PAGE.partition("### Keys without personal data")[2].partition("\n## ")[0]


def families_without() -> list[str]:
    return re.findall(r"`(vs:[^`]+)`", WITHOUT)


def test_every_family_of_keys_is_in_the_table_or_in_the_list_of_those_without() -> None:
    assert len(EXPIRY) > 50  # a search that finds nothing proves nothing
    assert {*OF_REDIS, *families_without()} == set(EXPIRY)
    assert set(OF_REDIS) & set(families_without()) == set()
    assert len(families_without()) == len(set(families_without()))
    assert len(OF_REDIS) == sum(row[1].startswith("`vs:") for row in ROWS)


def test_the_table_says_how_long_as_the_schema_does() -> None:
    for family, (_, _, how_long, decided_by, _) in OF_REDIS.items():
        expiry = EXPIRY[family].removeprefix("expires after ")
        if expiry != "never expires":
            assert how_long.startswith(expiry), family
        settings = re.findall(r"`([A-Z_]+)`", f"{expiry} {decided_by}")
        assert set(settings) <= set(variables())
        assert settings or decided_by == "fixed"
        assert set(re.findall(r"`([A-Z_]+)`", how_long)) <= set(settings), family


def test_the_command_deletes_what_the_table_says() -> None:
    assert {family for family, row in OF_REDIS.items() if row[4] == "yes"} == set(TYPES)
    assert {row[4] for row in ROWS} == {"yes", "no", ""}


def test_the_types_of_the_command_are_those_of_the_schema() -> None:
    types = dict(re.findall(r"^\* `(vs:[^`]+)` \(([a-z ]+),", SCHEMA, re.MULTILINE))
    assert {family: types[family] for family in TYPES} == TYPES


def test_the_page_says_of_each_place_outside_the_service_that_it_is_not_reached() -> None:
    outside = PAGE.partition("## What the command does not reach")[2]
    for place in ("Salesforce", "Vapi", "Twilio"):
        assert [row[4] for row in ROWS if row[1] == place] == ["no"]
        assert f"* **{place}.**" in outside
    assert "append-only" in outside
