"""docs/adding-a-tool.md, literally: its commands in its order, its files as it shows them."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import ROOT
from tests.journeys.installation import Terminal, bare_environment

GUIDE = (ROOT / "docs" / "adding-a-tool.md").read_text()
PART = re.compile(
    r"^(?:Write this file as|A call is a file as well\. Write this one as) `(?P<path>[^`]+)`:\n\n"
    r"```toml\n(?P<text>.*?)^```|^```sh\n(?P<commands>.*?)^```",
    re.M | re.S,
)


@pytest.fixture
def terminal(installed: Path, tmp_path: Path) -> Iterator[Terminal]:
    """In the clone, with its environment active. `make demo` would install the simulators first."""
    shell = Terminal(installed, bare_environment(tmp_path))
    said, code = shell.run(
        f'. .venv/bin/activate\nmake() {{ "{sys.executable}" -m demo --agent "${{2#AGENT=}}"; }}\n'
    )
    assert code == 0, said
    yield shell
    shell.close()


@pytest.mark.timeout(300)
def test_the_guide_leads_to_a_record_on_an_object_of_ones_own(
    terminal: Terminal, installed: Path
) -> None:
    said = ""
    for part in PART.finditer(GUIDE):
        if part["path"]:
            file = installed / part["path"]
            file.parent.mkdir(exist_ok=True)
            file.write_text(part["text"])
            continue
        said, code = terminal.run(part["commands"])
        assert code == 0, f"{part['commands']}\n{said}"
    assert 'Order "O-00002", placed on November 18, 2026, is "Shipped".' in said
    assert 'The return of order "O-00001" is being registered.' in said
    assert re.search(r"Return_Request__c R-\d+ .*Reason__c: Damaged", said)
    assert re.search(
        r"demo: calls=1 lookups=1 writes=2 delivered=2 parked=0 lost=0 duplicated=0", said
    )
