"""Which languages an agent folder has sentences for, and which of them a language tag means.

Reads file names only, so that a process can check DEFAULT_LANGUAGE before it starts anything.
"""

from collections.abc import Collection
from pathlib import Path

from babel import Locale, UnknownLocaleError

from shared.settings import Settings, SettingsError

PROJECT = Path(__file__).resolve().parent.parent.parent
AGENT_FOLDER = PROJECT / "agent"
"""The agent folder that comes with the service."""

SENTENCES = "sentences"


def sentence_files(folder: Path) -> dict[str, Path]:
    """The files by language: `sentences/pt-BR.ftl` is Portuguese of Brazil. A language that the
    folder has no file for comes from the shipped folder."""
    return {
        path.stem: path
        for each in (AGENT_FOLDER, folder)
        for path in sorted((each / SENTENCES).glob("*.ftl"))
    }


def matching(tag: str, languages: Collection[str]) -> str | None:
    """The language that a tag means: "de-AT" and "de_AT" mean "de" where there is no "de-AT"."""
    known = {language.lower(): language for language in languages}
    parts = tag.strip().replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        if found := known.get("-".join(parts[:length])):
            return found
    return None


def language_tag(text: str) -> str:
    """The text if it names a language, such as "de" or "pt_BR"; else ""."""
    try:
        Locale.parse(text.strip().replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        return ""
    return text.strip()


def default_language(settings: Settings, folder: Path = AGENT_FOLDER) -> str:
    """The language of DEFAULT_LANGUAGE. Raises SettingsError when the folder does not have it."""
    languages = sentence_files(folder)
    wanted = settings.calls.default_language
    found = matching(wanted, languages)
    if found is None:
        known = ", ".join(languages) or "no language"
        raise SettingsError(
            "settings refused: DEFAULT_LANGUAGE must be a language with a file in "
            f"{folder / SENTENCES}, which has {known}; add {wanted}.ftl there"
        )
    return found
