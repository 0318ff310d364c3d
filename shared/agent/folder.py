"""Loads an agent folder: what a team says about its assistant and tools, in files.

Everything is checked before anything is used. A folder with a mistake is refused whole, and every
mistake is named with its file, its line and what would be right.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.agent import handoff
from shared.agent.claims import Claims, read_claims
from shared.agent.consistency import wrong_with
from shared.agent.errors import AgentError, Mistake
from shared.agent.identify import Identify, read_identify, wrong_updates
from shared.agent.languages import PROJECT
from shared.agent.policy import DEFAULT, Policy, read_policy
from shared.agent.proofs import known_to_others, open_to_others, proofs_of
from shared.agent.salesforce import SalesforceMapping
from shared.agent.salesforce import read as read_salesforce
from shared.agent.sentences import SHIPPED, Sentences
from shared.agent.toml_errors import not_toml
from shared.agent.toml_lines import line_of, lines_of
from shared.agent.tool_files import AnyFile, ToolFile, UpdateFile, Verb, is_of_team
from shared.agent.tool_sentences import sentences_of_tools
from shared.agent.tools import Tool, tool_of
from shared.agent.transfer import Rules, read_rules
from shared.agent.wording import in_our_words
from shared.domain.identity import Tier, highest
from shared.salesforce.phones import PHONES

TOOL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What the models' providers accept as the name of a function."""

ASSISTANT = "assistant.toml"
MAX_TOOLS = 50
MAX_FILE_BYTES = 256 * 1024

T = TypeVar("T")

FILES: TypeAdapter[AnyFile] = TypeAdapter(ToolFile)


@dataclass(frozen=True)
class Agent:
    """An agent folder. tools: by name. assistant: its `assistant.toml`, with Vapi's field names.

    salesforce, transfer, claims, policy, identify: its `salesforce.toml`, `transfer.toml`,
    `calls.toml`, `policy.toml` and `identify.toml`.
    """

    folder: Path
    tools: Mapping[str, Tool]
    sentences: Sentences
    assistant: Mapping[str, Any]
    salesforce: SalesforceMapping
    transfer: Rules
    claims: Claims
    policy: Policy
    identify: Identify

    @property
    def name(self) -> str:
        """Of the directory."""
        return self.folder.name

    @property
    def contact_fields(self) -> tuple[str, ...]:
        """The fields of a contact that its tools change."""
        names = {
            name
            for tool in self.tools.values()
            if isinstance(tool.file, UpdateFile) and tool.change is None
            for name in tool.file.fields
        }
        return tuple(sorted(names))

    def needs(self, verb: Verb, what: str = DEFAULT, tool: Tool | None = None) -> Tier:
        """The tier that a caller needs by the policy, and by the files of tools.

        tool: the one that says or does it. If it is a tool of another verb, or there is none, as
        for a greeting by name, the tiers of the verb's own tools count as well.
        """
        asked = {tool.name: tool} if tool else {}
        if tool is None or tool.verb is not verb:
            asked |= {
                name: other
                for name, other in self.tools.items()
                if other.verb is verb and not is_of_team(other.file)
            }
        tiers = (other.file.tier for other in asked.values())
        return highest(self.policy.needs(verb, what), *filter(None, tiers))

    def after(self, others: Sequence["Agent"]) -> "Agent":
        """The same for a call that these folders have answered before: everything needs what the
        strictest of them asks for."""
        if not others:
            return self
        policies = [self.policy, *(other.policy for other in others)]
        tiers = {
            verb: {
                name: highest(
                    self.policy.needs(verb, name), *(other.needs(verb, name) for other in others)
                )
                for policy in policies
                for name in policy.tiers[verb]
            }
            for verb in self.policy.tiers
        }
        return replace(self, policy=Policy(self.policy.base, tiers))


@cache
def load_agent(agent_dir: str, language: str = SHIPPED) -> Agent:
    """agent_dir: absolute, or relative to the folder of this project. language: the default one.

    Raises AgentError, which names every mistake of every file.
    """
    folder = PROJECT / agent_dir
    if not (folder / "tools").is_dir():
        problem = "is no agent folder: it has no folder tools/"
        remedy = "name one such as agent; `python -m cli agent new DIR` makes one"
        raise AgentError([Mistake(".", 0, problem, remedy)], folder)
    tools, mistakes = _read_tools(folder)
    of_tools, wrong = sentences_of_tools(folder, tools.values())
    mistakes += wrong

    def part(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except AgentError as refused:
            mistakes.extend(refused.mistakes)
            return None

    sentences = part(lambda: Sentences.load(folder, language, of_tools))
    assistant = part(lambda: _read_assistant(folder))
    salesforce = part(lambda: read_salesforce(folder))
    transfer = part(lambda: read_rules(folder))
    claims = part(lambda: read_claims(folder))
    policy = part(lambda: read_policy(folder))
    if assistant and transfer:
        mistakes += _not_sent(folder, assistant, transfer)
    identify = part(lambda: read_identify(folder))
    if identify:
        guarded = (*PHONES, *identify.phone_fields)
        mistakes += wrong_updates(folder, tools.values(), guarded)
    proofs = proofs_of(tools.values())
    if identify and policy:
        mistakes += open_to_others(folder, tools.values(), policy, proofs)
        mistakes += known_to_others(folder, tools.values(), policy, identify.phone_fields)
    if mistakes or not (
        sentences and assistant and salesforce and transfer and claims and policy and identify
    ):
        raise AgentError(mistakes, folder)
    policy = policy.guarding(identify.phone_fields, proofs.tiers)
    return Agent(
        folder, tools, sentences, assistant, salesforce, transfer, claims, policy, identify
    )


def _not_sent(folder: Path, assistant: Mapping[str, Any], transfer: Rules) -> list[Mistake]:
    """Vapi asks for a handoff only where the assistant lists the message."""
    sent = assistant.get("serverMessages")
    if transfer.handoff is None or sent is None or handoff.MESSAGE in sent:
        return []
    text = (folder / ASSISTANT).read_text(encoding="utf-8-sig")
    problem = f"serverMessages lacks {handoff.MESSAGE}, and transfer.toml has [handoff]"
    line = line_of(lines_of(text), ("serverMessages",))
    return [Mistake(ASSISTANT, line, problem, f'add "{handoff.MESSAGE}"')]


def _read_assistant(folder: Path) -> dict[str, Any]:
    """Raises AgentError."""
    name = ASSISTANT
    try:
        text = (folder / name).read_text(encoding="utf-8-sig")
        if content := tomllib.loads(text):
            return content
        mistake = Mistake(name, 0, "says nothing", "copy the one of the folder agent")
    except FileNotFoundError:
        mistake = Mistake(name, 0, "is missing", "copy the one of the folder agent")
    except (OSError, UnicodeDecodeError):
        remedy = "save it as UTF-8, for the service's user to read"
        mistake = Mistake(name, 0, "can't be read", remedy)
    except tomllib.TOMLDecodeError as wrong:
        mistake = not_toml(name, text, wrong)
    raise AgentError([mistake], folder)


def _read_tools(folder: Path) -> tuple[dict[str, Tool], list[Mistake]]:
    """The tools that can be used, and what is wrong with the others."""
    tools: dict[str, Tool] = {}
    paths = sorted(path for path in (folder / "tools").iterdir() if path.suffix == ".toml")
    mistakes = _alike([path.name for path in paths])
    if not paths:
        mistakes.append(Mistake("tools/", 0, "has no tool", "add a file such as tools/order.toml"))
    if len(paths) > MAX_TOOLS:
        remedy = f"keep {MAX_TOOLS} at most"
        mistakes.append(Mistake("tools/", 0, f"has {len(paths)} tools", remedy))
    for path in paths[:MAX_TOOLS]:
        found = _read_tool(path, f"tools/{path.name}")
        if isinstance(found, Tool):
            tools[found.name] = found
        else:
            mistakes += found
    return tools, mistakes


def _alike(names: list[str]) -> list[Mistake]:
    """Names that differ in case alone, so that a model or a person takes one for the other."""
    first: dict[str, str] = {}
    mistakes = []
    for name in names:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            problem = f"has the name of {other} but for capital letters"
            mistakes.append(Mistake(f"tools/{name}", 0, problem, "give it another name"))
    return mistakes


def _read_tool(path: Path, name: str) -> Tool | list[Mistake]:
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            return [Mistake(name, 0, "is too large", f"keep it under {MAX_FILE_BYTES} bytes")]
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        content = tomllib.loads(text)
    except OSError:
        remedy = "it must be a file that the service's user may read"
        return [Mistake(name, 0, "can't be read", remedy)]
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        return [Mistake(name, line, "is not UTF-8", "save it as UTF-8")]
    except tomllib.TOMLDecodeError as wrong:
        return [not_toml(name, text, wrong)]
    lines = lines_of(text)
    if not TOOL_NAME.fullmatch(path.stem):
        problem = f'"{path.stem}" can\'t be the name of a tool'
        remedy = "rename the file: up to 64 letters, digits, _ and -, with a letter first"
        return [Mistake(name, 0, problem, remedy)]
    try:
        file = FILES.validate_python(content)
    except ValidationError as refused:
        return in_our_words(name, content, lines, refused)
    found = [
        Mistake(name, line_of(lines, where), problem, remedy)
        for where, problem, remedy in wrong_with(file)
    ]
    return found or tool_of(path.stem, file, text)
