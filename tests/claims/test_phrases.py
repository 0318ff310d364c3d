"""What an agent says: claims are found, and nothing else is taken for one."""

import pytest

from shared.agent.languages import AGENT_FOLDER
from shared.agent.sentences import Sentences
from shared.calls.claims import _LANGUAGES, Claim, ClaimKind, _spoken, claims_in
from tests.claims.evaluation import LANGUAGES, LEAST_PRECISION, LEAST_RECALL, phrases, score

SENTENCES = Sentences.load(AGENT_FOLDER)


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_phrases_of_both_sorts(language: str) -> None:
    said = phrases(language)
    assert len({each.text for each in said if each.kind}) >= 150
    assert len({each.text for each in said if not each.kind}) >= 150
    assert len({each.text for each in said}) == len(said)
    assert {each.kind for each in said if each.kind} == {kind.value for kind in ClaimKind}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("held_out", [True, False])
def test_claims_are_found_and_little_else(language: str, held_out: bool) -> None:
    result = score(language, held_out=held_out)
    assert result.claims > 60
    assert result.others > 60
    assert result.recall >= LEAST_RECALL
    assert result.precision >= LEAST_PRECISION


ACCEPTED = {
    "create-accepted": "done",
    "createSalesforceCase-accepted": "opened",
    "comment-accepted": "commented",
    "update-accepted": "changed",
    "close-accepted": "cancelled",
    "close-taken-back": "cancelled",
    "update-record-accepted": "changed",
    "close-record-accepted": "cancelled",
    "close-record-taken-back": "cancelled",
    "call-back-accepted": "call_back",
}
REFUSED = (
    "create-not-known", "case-not-added-to", "existing-case-of-account", "existing-case",
    "update-not-known", "close-nothing", "own-record-not-found",
    "own-record-which", "update-record-nothing", "which-case", "reference-not-checked",
    "caller-on-file", "verify-failed", "replaces-unknown", "proof-needed-from-colleague",
    "close-with-colleague",
)  # fmt: skip
WORDS = {
    "reference": "K7M 2QX", "fields": "MailingCity", "issueType": "billing", "issue": "billing",
    "request": "case", "tool": "verifyCaller",
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ACCEPTED)
def test_what_a_tool_has_the_agent_say_is_a_claim_of_its_kind(language: str, key: str) -> None:
    said = SENTENCES.say(language, key, **WORDS)
    assert ACCEPTED[key] in {claim.kind for claim in claims_in(said, language)}, said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", REFUSED)
def test_a_refusal_of_a_tool_is_none(language: str, key: str) -> None:
    said = SENTENCES.say(language, key, **WORDS)
    assert claims_in(said, language) == (), said


def test_every_language_counts_when_the_transcriber_has_none() -> None:
    assert [claim.kind for claim in claims_in("He abierto un caso.")] == [ClaimKind.OPENED]
    assert [claim.kind for claim in claims_in("I have opened a case.", "xx")] == [ClaimKind.OPENED]
    assert claims_in("He abierto un caso.", "en-GB") == ()


def test_a_claim_says_which_phrase_it_was_and_nothing_of_what_was_said() -> None:
    (claim,) = claims_in("I have opened a case about the money of Jane Miller.", "en-US")
    assert claim == Claim("en.opened.active")
    assert Claim("en.of-another-version.x").kind is None


def test_what_the_agent_asks_to_confirm_is_not_claimed() -> None:
    assert (
        claims_in("Somebody will call you at ten. Your number is 0101. Is that right?", "en") == ()
    )
    assert claims_in("Somebody will call you at ten. Is there anything else?", "en")


def test_a_long_text_without_a_pause_is_looked_at_within_limits() -> None:
    assert claims_in("i " * 4_000 + "have opened a case", "en") == ()


@pytest.mark.parametrize(
    ("tag", "words", "languages"),
    [
        ("", "i have opened a case for you", ["en"]),
        ("", "ich habe einen fall eröffnet", ["de"]),
        ("", "he abierto un caso, and that is all", ["en", "es"]),
        ("", "hm", ["de", "en", "es"]),
        ("de", "i have opened a case for you", ["de"]),
    ],
)
def test_only_languages_that_the_words_show_are_looked_at(
    tag: str, words: str, languages: list[str]
) -> None:
    assert _spoken(tag, words) == [_LANGUAGES.known[name] for name in languages]
