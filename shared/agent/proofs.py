"""What a folder's verify tools compare, and who could learn or choose it before they are asked.

No other tool has the PIN. What only the caller should know can be heard or changed from the tier on
that it proves.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.agent.errors import Mistake
from shared.agent.policy import FILE, Policy
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import CloseFile, CreateFile, ReadFile, UpdateFile, Verb, VerifyFile
from shared.agent.tool_sentences import place_in
from shared.agent.tools import Tool
from shared.domain.identity import Tier, highest

NAMES = frozenset({"name", "firstname", "middlename", "lastname"})
"""Fields of Contact that a caller who hears the contact's name also hears."""


@dataclass(frozen=True)
class Proofs:
    """The fields of Contact that verify tools compare. pins: they verify; knowledge: it makes a
    caller known."""

    pins: frozenset[str] = frozenset()
    knowledge: frozenset[str] = frozenset()

    @property
    def tiers(self) -> Mapping[str, Tier]:
        """By field, the tier that it proves."""
        known = dict.fromkeys(sorted(self.knowledge), Tier.KNOWN)
        return known | dict.fromkeys(sorted(self.pins), Tier.VERIFIED)

    def __or__(self, other: "Proofs") -> "Proofs":
        return Proofs(self.pins | other.pins, self.knowledge | other.knowledge)


def proofs_of(tools: Iterable[Tool]) -> Proofs:
    files = [tool.file for tool in tools if isinstance(tool.file, VerifyFile)]
    return Proofs(
        frozenset(file.pin for file in files if file.pin),
        frozenset(name for file in files for name in file.knowledge),
    )


def open_to_others(
    folder: Path, tools: Iterable[Tool], policy: Policy, proofs: Proofs
) -> Iterator[Mistake]:
    """Tools, and lines of the policy, by which a caller learns or changes what they are asked for
    later."""
    pins = {name.casefold() for name in proofs.pins}
    known = {name.casefold() for name in proofs.knowledge}
    for tool in tools:
        for where, sobject, path in _fields(tool):
            name = path.rpartition(".")[2].casefold()
            may_be_of_contact = sobject == "Contact" or "." in path
            if name in pins:
                place = place_in(folder, tool.name, where)
                yield Mistake(*place, f"{path} has the PIN of callers", "leave it out")
            elif name in known and may_be_of_contact and not _is_guarded(tool, policy, path):
                place = place_in(folder, tool.name, where)
                problem = f"{path} is what callers are asked for, and lower tiers reach it here"
                yield Mistake(*place, problem, 'write tier = "known", or leave it out')
    for name in sorted(proofs.knowledge):
        cells = {cell.casefold(): tier for cell, tier in policy.tiers[Verb.UPDATE].items()}
        tier = cells.get(f"contact.{name}".casefold(), Tier.VERIFIED)
        if not tier.reaches(Tier.KNOWN):
            lines = lines_of((folder / FILE).read_text(encoding="utf-8-sig"))
            line = line_of(lines, ("update", f"Contact.{name}"))
            problem = f"callers are asked for Contact.{name}"
            yield Mistake(FILE, line, problem, 'write "known" or "verified"')


def known_to_others(
    folder: Path, tools: Iterable[Tool], policy: Policy, phone_fields: Collection[str]
) -> Iterator[Mistake]:
    """Fields that prove nothing: the number of the call, and a name that lower tiers hear."""
    phones = {name.casefold() for name in phone_fields}
    gets_names = not policy.needs(Verb.IDENTIFY, "Contact.Name").reaches(Tier.KNOWN)
    for tool in tools:
        if not isinstance(tool.file, VerifyFile):
            continue
        for name in tool.file.knowledge:
            place = place_in(folder, tool.name, ("knowledge", name))
            if name.casefold() in phones:
                yield Mistake(*place, f"the number of a call may be the {name}", "ask for another")
            elif name.casefold() in NAMES and gets_names:
                problem = f"callers hear their {name} before they are asked for it"
                yield Mistake(*place, problem, "ask for another field")


def _is_guarded(tool: Tool, policy: Policy, path: str) -> bool:
    """Whether the tool opens this only to callers who have shown it, or something better."""
    if tool.verb is Verb.UPDATE:
        return True  # the policy's cell for the field does
    needed = policy.needs(Verb.READ, f"{getattr(tool.file, 'object', '')}.{path}")
    if tool.verb is not Verb.READ:
        needed = policy.needs(tool.verb)
    return highest(needed, tool.file.tier or Tier.UNKNOWN).reaches(Tier.KNOWN)


def _fields(tool: Tool) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(where in the file, object, path) of each field that the tool reads, compares or writes."""
    file = tool.file
    if isinstance(file, ReadFile):
        for name, path in file.fields.items():
            yield ("fields", name), file.object, path
        for path in file.where:
            yield ("where", path), file.object, path
        yield ("order",), file.object, file.order.split(" ")[0]
    if isinstance(file, CreateFile):
        for name, link in file.links.items():
            yield ("links", name, "field"), link.object, link.field
    if isinstance(file, CreateFile | UpdateFile | CloseFile):
        for name in file.fields:
            yield ("fields", name), file.object, name
    if isinstance(file, UpdateFile | CloseFile) and file.record:
        yield ("record", "field"), file.object, file.record.field
