"""Whatever stands in policy.toml, it is refused with its mistakes, or every cell is decided."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from shared.agent.errors import AgentError, Mistake
from shared.agent.policy import BASES, read_policy
from shared.agent.tool_files import Verb
from shared.domain.identity import Tier
from tests.fuzz.running import for_all

FIELDS = ("Contact.Email", "Contact.Name", "Case.Subject", "Account.Owner", "Order__c.Status__c")
NAMES = ("default", "another_number", *FIELDS)
VERBS = tuple(verb for verb in Verb if verb is not Verb.VERIFY)

tiers = st.sampled_from(Tier).map(str)
odd = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.lists(st.integers()))
right = st.fixed_dictionaries(
    {"base": st.sampled_from(BASES)},
    optional={
        str(verb): st.dictionaries(st.sampled_from(("default", *fields)), tiers, max_size=3)
        for verb, fields in (
            (Verb.IDENTIFY, ("Contact.Name", "Account.Owner")),
            (Verb.READ, ("Case.Subject", "Order__c.Status__c")),
            (Verb.UPDATE, ("Contact.Email", "Contact.Name")),
        )
    },
)
wrong = st.dictionaries(
    st.sampled_from(("base", "verify", *map(str, VERBS))) | st.text(max_size=6),
    odd | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), tiers | odd, max_size=3),
    max_size=4,
)


def as_toml(content: dict[str, Any]) -> str:
    """JSON's strings are TOML's too, but for a lone surrogate and DEL."""
    lines = [
        f"{json.dumps(name)} = {json.dumps(value)}"
        for name, value in content.items()
        if not isinstance(value, dict)
    ]
    for table, entries in content.items():
        if isinstance(entries, dict):
            lines.append(f"[{json.dumps(table)}]")
            lines += [
                f"{json.dumps(name)} = {json.dumps(value)}" for name, value in entries.items()
            ]
    return "\n".join(lines)


def mistakes_of(folder: Path, text: str) -> list[Mistake]:
    """None for a file that can be used."""
    (folder / "policy.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        read_policy(folder)
    except AgentError as refused:
        return list(refused.mistakes)
    return []


def test_any_policy_is_refused_or_decides_every_cell(tmp_path: Path) -> None:
    def check(content: dict[str, Any]) -> None:
        if mistakes := mistakes_of(tmp_path, as_toml(content)):
            assert all(mistake.problem and mistake.remedy for mistake in mistakes)
            return
        policy = read_policy(tmp_path)
        assert policy.needs(Verb.CREATE) == Tier.UNKNOWN
        for verb in VERBS:
            for name in NAMES:
                tier, stated = policy.needs(verb, name), content.get(verb, {}).get(name)
                assert isinstance(tier, Tier)
                assert stated is None or tier == stated

    for_all(right | wrong, check, count=300)


def test_a_right_policy_is_read_as_it_stands(tmp_path: Path) -> None:
    """The property above would hold for a reader that refuses everything."""

    def check(content: dict[str, Any]) -> None:
        assert mistakes_of(tmp_path, as_toml(content)) == []

    for_all(right, check, count=100)


def test_any_text_is_a_policy_or_refused(tmp_path: Path) -> None:
    for_all(st.text(), lambda text: mistakes_of(tmp_path, text), count=200)


@pytest.mark.parametrize("lower", Tier)
def test_a_higher_tier_never_opens_less(tmp_path: Path, lower: Tier) -> None:
    higher = [tier for tier in Tier if tier.reaches(lower)]
    for base in BASES:
        (tmp_path / "policy.toml").write_text(f'base = "{base}"')
        policy = read_policy(tmp_path)
        for verb in VERBS:
            for name in NAMES:
                if policy.allows(lower, verb, name):
                    assert all(policy.allows(tier, verb, name) for tier in higher)
