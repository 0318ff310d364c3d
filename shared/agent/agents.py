"""The agent folders that AGENT_DIR names, and which of them answers a call.

A call is answered by the folder that claims its assistant, else by the one that claims the number
that was dialled (`calls.toml`), else by the first. A running call goes over to another folder only
where that one claims the assistant who talks now, and keeps the stricter policy. Folders are known
by the name of their directory, which is stored with each call and each intent.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from shared.agent import claims
from shared.agent.errors import AgentError, Mistake
from shared.agent.folder import Agent, load_agent
from shared.agent.identify import wrong_updates
from shared.agent.languages import PROJECT, default_language
from shared.agent.proofs import known_to_others, open_to_others, proofs_of
from shared.domain.intent import source_of
from shared.salesforce.phones import PHONES, STANDARD_NUMBERS, NumberFields
from shared.settings import Settings


@dataclass(frozen=True)
class Agents:
    """At least one, in the order of AGENT_DIR."""

    all: tuple[Agent, ...]

    @property
    def first(self) -> Agent:
        return self.all[0]

    def named(self, name: str) -> Agent:
        """The first folder for "", and for a folder that is not served any more."""
        return next((agent for agent in self.all if agent.name == name), self.first)

    def answering(self, name: str, before: Collection[str]) -> Agent:
        """The folder that answers a call which other folders have answered before."""
        agent = self.named(name)
        others = [other for other in self.all if other.name in before and other is not agent]
        return agent.after(others)

    def claims_assistant(self, assistant_id: str) -> bool:
        return any(assistant_id in agent.claims.assistants for agent in self.all)

    def claiming(self, assistant_id: str, number: str) -> str:
        """The name of the folder that claims a call; "" when none does.

        assistant_id, number: of the call, "" when unknown.
        """
        for agent in self.all:
            if assistant_id and assistant_id in agent.claims.assistants:
                return agent.name
        for agent in self.all:
            if number and number in agent.claims.numbers:
                return agent.name
        return ""

    @cached_property
    def keeps_words(self) -> dict[str, bool]:
        """By the name of a folder, whether the words of its calls are stored while they last; ""
        stands for every other name."""
        by_name = {agent.name: agent.salesforce.call_log.transcript != "none" for agent in self.all}
        return {**by_name, "": by_name[self.first.name]}

    @property
    def number_fields(self) -> NumberFields:
        """Every field whose number makes a caller known in any folder."""
        rules = [agent.identify.rules for agent in self.all]
        return NumberFields(
            _all(STANDARD_NUMBERS.contact, (each.phone_fields for each in rules)),
            _all(STANDARD_NUMBERS.account, (each.account_fields for each in rules)),
        )

    @property
    def tool_sources(self) -> tuple[str, ...]:
        """The tools of all folders, such as "agent/requestReturn"."""
        return tuple(source_of(agent.name, tool) for agent in self.all for tool in agent.tools)

    @property
    def contact_fields(self) -> tuple[str, ...]:
        """The fields of a contact that the tools of any folder change."""
        return tuple(sorted({name for agent in self.all for name in agent.contact_fields}))

    @property
    def traits(self) -> tuple[str, ...]:
        """The fields of a contact, and of its account, that the transfer rules of any folder
        compare."""
        return tuple(sorted({agent.transfer.vip.path for agent in self.all if agent.transfer.vip}))


def _all(first: tuple[str, ...], more: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *(name for names in more for name in names))))


def agents_of(settings: Settings) -> Agents:
    """Raises AgentError, which names every mistake of every folder, and SettingsError when
    DEFAULT_LANGUAGE has no sentences in one of them."""
    dirs = settings.calls.agent_dirs
    languages = tuple(default_language(settings, PROJECT / folder) for folder in dirs)
    return _load(dirs, languages)


@cache
def _load(dirs: tuple[str, ...], languages: tuple[str, ...]) -> Agents:
    agents, refused = [], []
    for agent_dir, language in zip(dirs, languages, strict=True):
        try:
            agents.append(load_agent(agent_dir, language))
        except AgentError as error:
            refused.append((agent_dir, error.mistakes))
    if len(dirs) == 1 and refused:
        raise AgentError(list(refused[0][1]), PROJECT / dirs[0])
    mistakes = [
        replace(mistake, file=str(Path(agent_dir) / mistake.file))
        for agent_dir, of_folder in refused
        for mistake in of_folder
    ]
    if mistakes := mistakes + list(_disagreements(agents)):
        raise AgentError(mistakes)
    # A field that identifies callers of another folder, or proves something there, is as sensitive
    # here.
    guarded = sorted({name for agent in agents for name in agent.identify.phone_fields})
    proofs = proofs_of(tool for agent in agents for tool in agent.tools.values()).tiers
    return Agents(
        tuple(replace(agent, policy=agent.policy.guarding(guarded, proofs)) for agent in agents)
    )


def _disagreements(agents: list[Agent]) -> Iterator[Mistake]:
    """Conflicts between folders that are each right by themselves."""
    phone_fields = {name for agent in agents for name in agent.identify.phone_fields}
    names: dict[str, Path] = {}
    assistants: dict[str, Path] = {}
    claimed: dict[str, Path] = {}
    for place, agent in enumerate(agents):
        of_others = sorted(phone_fields - set(agent.identify.phone_fields) - set(PHONES))
        tools = agent.tools.values()
        found = [*wrong_updates(agent.folder, tools, of_others)]
        for served in agents:
            if served is not agent:
                proofs = proofs_of(served.tools.values())
                found += open_to_others(agent.folder, tools, agent.policy, proofs)
                phones = served.identify.phone_fields
                found += known_to_others(agent.folder, tools, served.policy, phones)
        for mistake in sorted(set(found)):
            yield replace(mistake, file=str(agent.folder / mistake.file))
        if other := names.get(agent.name):
            yield Mistake(
                str(agent.folder), 0, f"has the same name as {other}", "rename one of the two"
            )
        names[agent.name] = agent.folder
        assistant = str(agent.assistant.get("name", ""))
        if other := assistants.get(assistant):
            problem = f"has the same name as the assistant of {other}"
            file = str(agent.folder / "assistant.toml")
            yield Mistake(file, 0, problem, "rename one of the two: provision finds it by its name")
        assistants[assistant] = agent.folder
        own = [*agent.claims.numbers, *agent.claims.assistants]
        if place > 0 and not own:
            remedy = "name numbers or assistants; only the first folder of AGENT_DIR needs none"
            yield Mistake(str(agent.folder / claims.FILE), 0, "claims no call", remedy)
        for claim in own:
            if other := claimed.get(claim):
                problem = f"{claim} is in {other / claims.FILE} as well"
                file = str(agent.folder / claims.FILE)
                yield Mistake(file, 0, problem, "keep it in one of the two")
            claimed[claim] = agent.folder
