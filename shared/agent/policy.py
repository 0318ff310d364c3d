"""What each tier of callers may hear and change: `policy.toml` of an agent folder.

Every verb has a default, and single fields may need another tier. The file names one of three
complete policies and replaces lines of it, so every cell is decided.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from shared.agent.errors import AgentError, Mistake
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import Verb
from shared.domain.identity import Tier, highest

FILE = "policy.toml"
BASES = ("strict", "standard", "open")
DEFAULT, ANOTHER_NUMBER = "default", "another_number"
HOUSEHOLD, ACCOUNT_LINE = "household", "account_line"
A_PHONE = "Contact.Phone"

_FOLDER = Path(__file__).parent / "policies"
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*")
_VERBS = tuple(verb for verb in Verb if verb is not Verb.VERIFY)
_WITH_FIELDS = (Verb.IDENTIFY, Verb.READ, Verb.UPDATE)
_OF_IDENTIFY = ("Contact.Name", "Account.Name", "Account.AccountNumber", "Account.Owner")
_OF_CASES = ("Case.Subject", "Case.Type", "Case.Priority")
"""The fields that the code itself asks about. Of a team's own object, each tool asks about its
own."""
_OTHER_CELLS: dict[Verb, tuple[str, ...]] = {
    Verb.IDENTIFY: (ACCOUNT_LINE,),
    Verb.READ: (HOUSEHOLD,),
    Verb.CREATE: (ACCOUNT_LINE,),
    Verb.COMMENT: (HOUSEHOLD,),
    Verb.CLOSE: (HOUSEHOLD,),
    Verb.CALL_BACK: (ANOTHER_NUMBER,),
}
_TIERS = " or ".join(f'"{tier}"' for tier in Tier)

NOTHING: Mapping[str, Tier] = MappingProxyType({})


@dataclass(frozen=True)
class Policy:
    """base: the shipped policy that it starts from. tiers: verb → "default" or field → tier."""

    base: str
    tiers: Mapping[Verb, Mapping[str, Tier]]

    def needs(self, verb: Verb, what: str = DEFAULT) -> Tier:
        """The tier for a verb, or for a field of it, such as "Contact.Email". The case of
        the field's name does not matter, as in Salesforce."""
        of_verb = self.tiers[verb]
        named = (tier for name, tier in of_verb.items() if name.casefold() == what.casefold())
        return next(named, of_verb[DEFAULT])

    def guarding(
        self, phone_fields: Sequence[str], proofs: Mapping[str, Tier] = NOTHING
    ) -> "Policy":
        """This policy, with a cell for each of these fields of Contact.

        phone_fields: they identify callers, so they need what Contact.Phone needs unless the policy
        names them. proofs: field → the tier that it proves, which a change of it needs at least.
        """
        update = self.tiers[Verb.UPDATE]
        own = {f"Contact.{name}": self.needs(Verb.UPDATE, A_PHONE) for name in phone_fields}
        guarded = replace(self, tiers={**self.tiers, Verb.UPDATE: own | dict(update)})
        proving = {
            f"Contact.{name}": highest(guarded.needs(Verb.UPDATE, f"Contact.{name}"), tier)
            for name, tier in proofs.items()
        }
        return replace(
            self, tiers={**self.tiers, Verb.UPDATE: proving | own | dict(update) | proving}
        )

    def allows(self, tier: Tier, verb: Verb, what: str = DEFAULT) -> bool:
        return tier.reaches(self.needs(verb, what))


def read_policy(folder: Path) -> Policy:
    """The policy of an agent folder; `standard` for a folder without the file. Raises
    AgentError."""
    text, content = _content(folder)
    lines = lines_of(text)
    base = content.get("base", "standard")
    mistakes = list(_mistakes(content, lines))
    if mistakes:
        raise AgentError(mistakes, folder)
    shipped = _shipped(base)
    tiers: dict[Verb, Mapping[str, Tier]] = {
        verb: {name: Tier(tier) for name, tier in (shipped[verb] | content.get(verb, {})).items()}
        for verb in _VERBS
    }
    return Policy(base, tiers)


@cache
def _shipped(base: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((_FOLDER / f"{base}.toml").read_text(encoding="utf-8"))


def _content(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / FILE
    if not path.exists():
        return "", {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        return text, tomllib.loads(text)
    except (OSError, UnicodeError):
        remedy = "save it as UTF-8, for the service's user to read"
        raise AgentError([Mistake(FILE, 0, "can't be read", remedy)], folder) from None
    except tomllib.TOMLDecodeError as wrong:
        raise AgentError([not_toml(FILE, text, wrong)], folder) from None


def _mistakes(content: dict[str, Any], lines: dict[tuple[str, ...], int]) -> Iterator[Mistake]:
    for table, entries in content.items():
        line = line_of(lines, (table,))
        if table == "base":
            if entries not in BASES:
                yield Mistake(FILE, line, "base is unknown", f"use {' or '.join(BASES)}")
        elif table not in _VERBS or not isinstance(entries, dict):
            known = ", ".join(("base", *_VERBS))
            yield Mistake(FILE, line, f"{table} is unknown", f"use a table: {known}")
        else:
            yield from _wrong_tiers(Verb(table), entries, lines)


def _wrong_tiers(
    verb: Verb, entries: dict[str, Any], lines: dict[tuple[str, ...], int]
) -> Iterator[Mistake]:
    for name, tier in entries.items():
        line = line_of(lines, (verb, name))
        if tier not in tuple(Tier):
            yield Mistake(FILE, line, f"{verb}.{name} is not a tier", f"write {_TIERS}")
        elif name not in _names(verb) and not (verb in _WITH_FIELDS and _FIELD.fullmatch(name)):
            names = " or ".join(_names(verb))
            fields = ', or a field such as "Contact.Email"' if verb in _WITH_FIELDS else ""
            yield Mistake(FILE, line, f"{verb} has no {name}", f"write {names}{fields}")
        elif known := _without_effect(verb, name):
            remedy = f"write default or {' or '.join(known)}"
            yield Mistake(FILE, line, f"{verb} does not tell {name} apart", remedy)
        elif verb is Verb.CREATE and name == DEFAULT and tier != Tier.UNKNOWN:
            remedy = 'leave it at "unknown"; a tool for another object may say tier = "verified"'
            yield Mistake(FILE, line, "a case is taken from every caller", remedy)


def _without_effect(verb: Verb, name: str) -> tuple[str, ...]:
    """The fields that are asked about, if this one never is; () if it may be."""
    known: tuple[str, ...] = ()
    if verb is Verb.IDENTIFY and "." in name:
        known = _OF_IDENTIFY
    elif verb is Verb.READ and name.casefold().startswith("case."):
        known = _OF_CASES
    return () if name.casefold() in map(str.casefold, known) else known


def _names(verb: Verb) -> tuple[str, ...]:
    return (DEFAULT, *_OTHER_CELLS.get(verb, ()))
