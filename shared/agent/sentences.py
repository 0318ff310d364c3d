"""Every sentence that a caller can hear, every text that the agent gets to say, and every text that
staff read in Salesforce.

They are in the agent folder, `sentences/<language>.ftl`, in the format of Project Fluent. A new
file is a new language. Numbers, plurals and the choice between variants are the file's; lists and
dates are put into words here, the way each language does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Self

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.lists import format_list
from babel.numbers import get_decimal_symbol
from fluent.runtime import FluentBundle
from fluent.runtime.types import FluentType, fluent_date
from fluent.syntax import FluentParser, FluentSerializer, ast

from shared.agent.errors import AgentError, Mistake
from shared.agent.languages import (
    AGENT_FOLDER,
    SENTENCES,
    matching,
    sentence_files,
)
from shared.agent.sentence_file import SentenceFile, read_sentence_file
from shared.redaction import plain_line


@dataclass(frozen=True)
class Phrase:
    """A sentence before its language is known: the first of `keys` that exists."""

    keys: tuple[str, ...]
    values: Mapping[str, "Value"] = field(default_factory=dict)


Value = str | int | float | Decimal | date | datetime | Phrase | Sequence["str | Phrase"]


def phrase(*keys: str, **values: Value) -> Phrase:
    return Phrase(keys, values)


class Quoted(FluentType, str):
    """What somebody wrote or said, in one plain line without double quotes. A sentence sets it
    between double quotes, so that a model reads it as data. A selector compares the text."""

    def format(self, _locale: Locale) -> str:  # type: ignore[override]
        return f'"{self}"' if self else ""


def quoted(text: str, max_length: int) -> Quoted:
    return Quoted(plain_line(text, max_length))


def in_quotes(text: str, max_length: int) -> str:
    """As a sentence says it; "" for an empty text."""
    line = plain_line(text, max_length)
    return f'"{line}"' if line else ""


REFERENCE = "{reference}"
"""Stands for the reference in a sentence that is made before the journal has picked one."""

NOT_GIVEN = "none"
"""The value of an argument that the caller did not say, for a selector in a sentence."""

SHIPPED = "en"
"""The language whose file names every sentence that the service says."""


@dataclass(frozen=True)
class _Language:
    locale: Locale
    bundle: FluentBundle
    variables: dict[str, frozenset[str]]


@dataclass(frozen=True)
class Sentences:
    """The sentences of an agent folder. Safe to share between threads.

    default: the language for callers whose own language has no file, and of the team.
    """

    default: str
    _languages: dict[str, _Language]

    @classmethod
    def load(
        cls,
        folder: Path,
        default: str = SHIPPED,
        of_tools: Mapping[str, Sequence[SentenceFile]] | None = None,
    ) -> Self:
        """Reads and checks every language. Raises AgentError, which names every mistake.

        of_tools: by language, the sentences that the tools' own files bring.
        """
        files, mistakes = _read(folder)
        if default not in files:
            missing = Mistake(
                f"{SENTENCES}/{default}.ftl", 0, "is missing", "add it: it is the default language"
            )
            raise AgentError([*mistakes, missing])
        for file in files.values():
            mistakes += file.mistakes
        mistakes += _missing(files[default], _shipped_variables(), may_omit=True)
        expected = _expected(files[default])
        for language, file in files.items():
            if language != default:
                mistakes += _missing(file, expected)
        if mistakes:
            raise AgentError(mistakes)
        of_tools = of_tools or {}
        languages = {
            language: _language(language, [file, *of_tools.get(language, ())])
            for language, file in files.items()
        }
        return cls(default, languages)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._languages)

    def matching(self, tag: str) -> str | None:
        """The language with a file that a tag means; None when there is none."""
        return matching(tag, self._languages)

    def region_tag(self, language: str) -> str:
        """The language with the region it is likeliest spoken in: "de-DE" for "de"."""
        found = self.matching(language) or self.default
        if "-" in found:
            return found
        region = str(get_global("likely_subtags").get(found, "")).rpartition("_")[2]
        return f"{found}-{region}" if region else found

    def say(self, language: str, key: str, **values: Value) -> str:
        """The sentence with this key, in that language or else in the default language.

        Raises LookupError for a key that no file has, and for a value that is missing.
        """
        return self.first(language, (key,), **values)

    def for_staff(self, key: str, **values: Value) -> str:
        """The sentence in the default language: staff read it in Salesforce, or hear it."""
        return self.say(self.default, key, **values)

    def first(self, language: str, keys: Iterable[str], **values: Value) -> str:
        """The first of these sentences that exists and needs no other values than these: a tool's
        own before those of its verb."""
        wanted = tuple(keys)
        why_not = ""
        for tag in dict.fromkeys((self.matching(language) or self.default, self.default)):
            for key in wanted:
                variables = self._languages[tag].variables
                if key not in variables:
                    continue
                if missing := variables[key] - values.keys():
                    why_not = f"the sentence {key} needs {', '.join(sorted(missing))}"
                    continue
                return self._spoken(self._languages[tag], key, values, tag)
        raise LookupError(why_not or f"no sentence {' or '.join(wanted)}")

    @property
    def keys(self) -> frozenset[str]:
        """Of the sentences that every language has."""
        return frozenset(self._languages[self.default].variables)

    def has(self, key: str) -> bool:
        return key in self.keys

    def has_in(self, language: str, key: str) -> bool:
        """Whether this language itself, without its fallback, has the sentence."""
        return key in self._languages[language].variables

    def any_of(self, language: str, words: Sequence[str]) -> str:
        """ "a, b or c"."""
        locale = self._languages[self.matching(language) or self.default].locale
        return str(format_list(words, style="or", locale=_for_the_ear(locale)))

    def speak(self, language: str, phrase: Phrase) -> str:
        return self.first(language, phrase.keys, **phrase.values)

    def _spoken(self, language: _Language, key: str, values: Mapping[str, Value], tag: str) -> str:
        given = {name: self._value(language.locale, tag, value) for name, value in values.items()}
        pattern = language.bundle.get_message(key).value
        assert pattern
        spoken, errors = language.bundle.format_pattern(pattern, given)
        if errors:
            raise LookupError(f"the sentence {key} can't be said: {errors[0]!r}")
        return str(spoken)

    def _value(self, locale: Locale, tag: str, value: Value) -> Any:
        match value:
            case Phrase():
                return self.speak(tag, value)
            case datetime():
                return fluent_date(value, dateStyle="long", timeStyle="short")
            case date():
                return fluent_date(value, dateStyle="long")
            case Decimal():
                return f"{value:f}".replace(".", get_decimal_symbol(locale))
            case str() | int() | float():
                return value
        words = [self.speak(tag, item) if isinstance(item, Phrase) else item for item in value]
        return format_list(words, locale=_for_the_ear(locale))


def _for_the_ear(locale: Locale) -> Locale:
    """CLDR's "en" has a comma before "and", which is no pause in speech; "en-001" has none."""
    return Locale("en", "001") if str(locale) == "en" else locale


def own(tool: str, verb: str, what: str) -> tuple[str, ...]:
    """The keys of what a tool says: its own sentence, else its verb's. Either may be ""."""
    names = filter(None, (tool, verb.replace("_", "-")))
    return tuple(f"{name}-{what}" for name in names)


def _read(folder: Path) -> tuple[dict[str, SentenceFile], list[Mistake]]:
    files: dict[str, SentenceFile] = {}
    mistakes: list[Mistake] = []
    for language, path in sentence_files(folder).items():
        name = f"{SENTENCES}/{path.name}"
        try:
            Locale.parse(language, sep="-")
        except (ValueError, UnknownLocaleError):
            mistakes.append(
                Mistake(name, 0, "is named after no language", "name it like en.ftl or pt-BR.ftl")
            )
            continue
        try:
            files[language] = read_sentence_file(name, _completed(language, path))
        except OSError:
            mistakes.append(Mistake(name, 0, "can't be read", "let the service's user read it"))
        except UnicodeDecodeError:
            mistakes.append(Mistake(name, 0, "is not UTF-8", "save it as UTF-8"))
    return files, mistakes


def _completed(language: str, path: Path) -> str:
    """The file, followed by what it lacks of the shipped file of its language: a folder has only
    the sentences that differ, and a new version of the service may say something new."""
    text = path.read_text(encoding="utf-8")
    shipped = sentence_files(AGENT_FOLDER).get(language)
    if shipped is None or shipped == path:
        return text
    own = {entry.id.name for entry in _entries(text)}
    rest = [entry for entry in _entries(shipped.read_text("utf-8")) if entry.id.name not in own]
    return text.rstrip() + "\n\n" + FluentSerializer().serialize(ast.Resource([*rest]))


def _entries(text: str) -> list[ast.Message | ast.Term]:
    body = FluentParser().parse(text).body
    return [entry for entry in body if isinstance(entry, ast.Message | ast.Term)]


def _missing(
    file: SentenceFile, expected: dict[str, frozenset[str]], *, may_omit: bool = False
) -> Iterable[Mistake]:
    """What a file lacks of these sentences and their variables, or has too much.

    may_omit: it may do without some variables.
    """
    for key, variables in expected.items():
        line = file.line_of(key)
        if key not in file.variables:
            yield Mistake(file.name, 0, f"has no sentence {key}", "add it")
            continue
        for name in sorted(file.variables[key] - variables):
            known = ", ".join(f"${known}" for known in sorted(variables)) or "no variable"
            yield Mistake(file.name, line, f"{key} does not know ${name}", f"it has {known}")
        for name in () if may_omit else sorted(variables - file.variables[key]):
            yield Mistake(file.name, line, f"{key} leaves ${name} out", f"say {{ ${name} }} in it")


@cache
def _shipped_variables() -> dict[str, frozenset[str]]:
    """What the service itself says: all sentences of the shipped file but those of single tools."""
    path = sentence_files(AGENT_FOLDER)[SHIPPED]
    file = read_sentence_file(path.name, path.read_text(encoding="utf-8"))
    return {
        key: variables
        for key, variables in file.variables.items()
        if key.partition("-")[0].islower()
    }


def _expected(file: SentenceFile) -> dict[str, frozenset[str]]:
    """What every other language has to have too: not the parts that only this one needs."""
    own_parts = file.parts - _shipped_variables().keys()
    return {key: variables for key, variables in file.variables.items() if key not in own_parts}


def _language(language: str, files: Sequence[SentenceFile]) -> _Language:
    # Isolation marks are for the eye; a voice may stumble over them.
    bundle = FluentBundle([language], use_isolating=False)
    variables: dict[str, frozenset[str]] = {}
    for file in files:
        bundle.add_resource(file.resource, allow_overrides=True)
        variables |= file.variables
    return _Language(Locale.parse(language, sep="-"), bundle, variables)
