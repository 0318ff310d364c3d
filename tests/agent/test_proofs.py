"""What callers are asked for to be known or verified, they can't choose or hear before."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shared.agent.agents import agents_of
from shared.agent.errors import AgentError
from shared.agent.folder import load_agent
from shared.agent.languages import AGENT_FOLDER
from shared.agent.tool_files import Verb
from shared.domain.identity import Tier
from tests.agent.test_several_folders import folder as brand_folder
from tests.conftest import make_settings

CHANGE_PIN = """\
verb = "update"
description = "Change the PIN."

[arguments.newPin]
type = "identifier"

[fields]
voice_pin__c = "{newPin}"
"""

READ_PIN = """\
verb = "read"
object = "Order__c"
description = "Read an order."
contact = "Contact__c"

[fields]
status = "Status__c"

[where]
"Contact__r.Voice_PIN__c" = "x"
"""

READ_CODE = READ_PIN.replace("Voice_PIN__c", "MailingPostalCode")

SET_CODE = """\
verb = "close"
object = "Contact"
description = "Set the postal code."
contact = "Id"

[arguments.code]

[fields]
Title = "None"
MailingPostalCode = "{code}"
"""


def asking(folder: Path, field: str = "MailingPostalCode") -> None:
    tool = folder / "tools" / "verifyCaller.toml"
    lines = f'[arguments.answer]\ntype = "secret"\n\n[knowledge]\n{field} = "{{answer}}"\n'
    tool.write_text(f"{tool.read_text()}\n{lines}")


def tool(folder: Path, text: str) -> None:
    (folder / "tools" / "oneMore.toml").write_text(text)


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(AgentError) as refused:
        load_agent(str(folder))
    return [str(mistake) for mistake in refused.value.mistakes]


@pytest.mark.parametrize("base", ["strict", "standard", "open"])
def test_what_callers_are_asked_for_needs_the_tier_it_proves_to_be_changed(
    folder: Path, base: str
) -> None:
    asking(folder)
    (folder / "policy.toml").write_text(f'base = "{base}"\n')
    policy = load_agent(str(folder)).policy
    expected = Tier.VERIFIED if base == "strict" else Tier.KNOWN
    assert policy.needs(Verb.UPDATE, "Contact.MailingPostalCode") is expected
    assert policy.needs(Verb.UPDATE, "Contact.Voice_PIN__c") is Tier.VERIFIED
    assert policy.needs(Verb.UPDATE, "Contact.MailingCity") is policy.needs(Verb.UPDATE)


def test_another_folder_guards_it_as_well(tmp_path: Path) -> None:
    nord = brand_folder(tmp_path, "nord", calls='numbers = ["+493012345678"]\n')
    acme = brand_folder(tmp_path, "acme")
    asking(nord)
    settings = make_settings(
        "redis://127.0.0.1:1/0", "http://127.0.0.1:1", agent_dir=f"{acme}:{nord}"
    )
    policy = agents_of(settings).first.policy
    assert policy.needs(Verb.UPDATE, "Contact.MailingPostalCode") is Tier.KNOWN


@pytest.mark.parametrize(
    ("breaks", "mistake"),
    [
        (lambda it: tool(it, CHANGE_PIN), "tools/oneMore.toml:8: voice_pin__c has the PIN"),
        (lambda it: tool(it, READ_PIN), "tools/oneMore.toml:10: Contact__r.Voice_PIN__c has the"),
        (lambda it: asking(it, "LastName"), "tools/verifyCaller.toml:29: callers hear their"),
        (lambda it: asking(it, "MobilePhone"), "tools/verifyCaller.toml:29: the number of a call"),
    ],
)
def test_a_folder_that_gives_a_proof_away_is_refused(
    folder: Path, breaks: Callable[[Path], None], mistake: str
) -> None:
    breaks(folder)
    (found,) = mistakes(folder)
    assert found.startswith(mistake)


@pytest.mark.parametrize("text", [READ_CODE, SET_CODE])
def test_no_lower_tier_reaches_what_is_asked_for_by_another_tool(folder: Path, text: str) -> None:
    asking(folder)
    tool(folder, text)
    (found,) = mistakes(folder)
    assert "is what callers are asked for" in found
    tool(folder, f'tier = "known"\n{text}')
    load_agent(str(folder / ".." / folder.name))  # another path, so that it is read again


def test_a_line_of_the_policy_can_not_open_it(folder: Path) -> None:
    asking(folder)
    text = '[update]\n"Contact.MailingPostalCode" = "recognised"\n'
    (folder / "policy.toml").write_text(text)
    (found,) = mistakes(folder)
    assert found.startswith("policy.toml:2: callers are asked for Contact.MailingPostalCode;")


def test_the_default_folder_gives_nothing_away() -> None:
    assert load_agent(str(AGENT_FOLDER)).tools
