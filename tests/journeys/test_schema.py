"""shared/journal/SCHEMA.md lists every key: compared with the code, and with a store in use."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from demo.stack import ROOT, Stack
from shared.journal.journal import Journal
from tests.journeys.test_calls import DEMO, SECOND_THOUGHTS, play, settled

SCHEMA = (ROOT / "shared" / "journal" / "SCHEMA.md").read_text()
AMENDED = ROOT / "tests" / "scenarios" / "on-second-thought.toml"
SAME = ("hash", "list", "set", "stream", "string")
TYPES = {"sorted set": "zset"} | {name: name for name in SAME}
"""The types of SCHEMA.md, and what the store calls them."""

PLACEHOLDER = re.compile(r"\{[^{}]*\}")
WITH_COLONS = ("{conversation}", "{dedup key}")

PUT_TOGETHER = {
    "vs:lookups:{}:{}",
    "vs:missed:{}",
    "vs:writes:{}:{}:{}",
}
"""Keys that Python makes in more than one step, so that no text of the code shows them whole."""

BEGINNINGS = {"vs:caller:{}", "vs:lookups:{}"}
"""What the code shows of keys whose end it adds elsewhere."""

MIN_PATTERNS = 25


@dataclass(frozen=True)
class Listed:
    """A key of SCHEMA.md. type: as the store calls it."""

    pattern: str
    type: str
    expires: bool

    def is_pattern_of(self, key: str) -> bool:
        literals = PLACEHOLDER.split(self.pattern)
        holes = [
            ".+" if name in WITH_COLONS else "[^:]*" for name in PLACEHOLDER.findall(self.pattern)
        ]
        parts = [re.escape(literals[0])]
        for hole, literal in zip(holes, literals[1:], strict=True):
            parts += [hole, re.escape(literal)]
        return re.fullmatch("".join(parts), key) is not None


@dataclass(frozen=True)
class Found:
    """A key of the store, as it was at some moment."""

    type: str
    expires: bool


LISTED = [
    Listed(pattern, TYPES[kind], expiry != "never expires")
    for pattern, kind, expiry in re.findall(
        r"^\* `(vs:[^`]+)` \(([a-z ]+), (never expires|expires [^)]+)\)", SCHEMA, re.MULTILINE
    )
]


def test_every_line_of_the_list_can_be_read_and_no_key_has_two() -> None:
    assert len(LISTED) == len(re.findall(r"^\* `vs:", SCHEMA, re.MULTILINE))
    assert len({item.pattern for item in LISTED}) == len(LISTED)


def test_the_list_has_every_key_that_the_code_names_and_no_other() -> None:
    listed = {PLACEHOLDER.sub("{}", item.pattern) for item in LISTED}
    named = {*_named_by_scripts(), *_named_by_python()}
    assert len(named) > 40  # a search that finds nothing proves nothing
    assert named - listed == BEGINNINGS
    unnamed = {item for item in listed - named if not item.startswith("vs:celery:")}
    assert unnamed == PUT_TOGETHER


def test_every_key_of_a_store_in_use_is_listed_with_its_type_and_expiry(
    stack: Stack, folder: Path
) -> None:
    stack.empty_journal()
    with redis.Redis.from_url(stack.store.url, decode_responses=True) as store:
        journal = Journal(store)
        with _written(store) as written:
            answers = play(stack, folder / "answers", *DEMO[:4], seed=6)
            stack.org.fault(status=503, error_code="SERVER_UNAVAILABLE")
            try:
                unknown = DEMO[3]
                answers += play(stack, folder / "more", SECOND_THOUGHTS, unknown, AMENDED, seed=7)
                during = _keys_of(store)
            finally:
                stack.org.fault()
            settled(journal, {answer["call_id"] for answer in answers})
            after = _keys_of(store)

    found = during | after  # a key that is in both is judged by the end of its story
    assert written - found.keys()  # short-lived keys were seen as well
    listed = {key: _listed(key) for key in written | found.keys()}
    assert [key for key, item in listed.items() if item is None] == []
    of_key = {key: item for key, item in listed.items() if item}
    wrong = {
        key: (is_, of_key[key])
        for key, is_ in found.items()
        if (is_.type, is_.expires) != (of_key[key].type, of_key[key].expires)
    }
    assert wrong == {}
    seen = {of_key[key].pattern for key in found}
    assert len(seen) >= MIN_PATTERNS, sorted(seen)


def _listed(key: str) -> Listed | None:
    """The line of a key; of several, the most precise: the longest text before a placeholder."""
    fitting = [item for item in LISTED if item.is_pattern_of(key)]
    return max(fitting, key=lambda item: len(PLACEHOLDER.split(item.pattern)[0]), default=None)


def _keys_of(store: Any) -> dict[str, Found]:
    """What is in the store now; a key that expires while it is looked at is left out."""
    found = {}
    for key in store.scan_iter("*", count=1000):
        type_, ttl_ms = store.type(key), store.pttl(key)
        if type_ != "none" and ttl_ms != -2:
            found[key] = Found(type_, ttl_ms != -1)
    return found


@contextmanager
def _written(store: Any) -> Iterator[set[str]]:
    """The names of all keys that are written or expire inside it, however briefly they lived."""
    names: set[str] = set()
    store.config_set("notify-keyspace-events", "KA")
    channel = f"__keyspace@{store.connection_pool.connection_kwargs.get('db', 0)}__:"
    events = store.pubsub(ignore_subscribe_messages=True)
    events.psubscribe(f"{channel}*")
    events.get_message(timeout=5)
    try:
        yield names
        while event := events.get_message(timeout=0.2):
            names.add(event["channel"].removeprefix(channel))
    finally:
        events.close()
        store.config_set("notify-keyspace-events", "")


def _named_by_scripts() -> Iterator[str]:
    """Names that Lua puts together, as `p .. 'due:' .. kind`, with {} for each variable."""
    prefixes = {
        "journal": "vs:",
        "calls": "vs:",
        "metrics": "vs:",
        "operators": "vs:",
        "salesforce": "vs:salesforce:{}:",
    }
    name = re.compile(
        r"\b(p|event\.prefix|key) \.\. ('[^']+'(?: \.\. (?:'[^']*'|[\w.]+(?:\[[^\]]*\])?))*)"
    )
    for folder, prefix in prefixes.items():
        for file in sorted((ROOT / "shared" / folder / "scripts").glob("*.lua")):
            code = re.sub(r"--.*", "", file.read_text())
            for start, rest in name.findall(code):
                # `key` is the call's own wherever something is appended to it.
                begin = "vs:call:{}" if start == "key" else prefix
                parts = rest.split(" .. ")
                yield begin + "".join(
                    part.strip("'") if part.startswith("'") else "{}" for part in parts
                )


def _named_by_python() -> Iterator[str]:
    """Names in f-strings that begin with a prefix, with {} for each expression."""
    name = re.compile(r'f"\{(self\._prefix|self\._keys|keys|keys_of\(settings\)|p)\}([^"{][^"]*)"')
    for folder in (
        "journal",
        "calls",
        "metrics",
        "operators",
        "operators/alarms",
        "salesforce",
        ".",
    ):
        for file in sorted((ROOT / "shared" / folder).glob("*.py")):
            for start, rest in name.findall(file.read_text()):
                begin = "vs:" if start == "self._prefix" else "vs:salesforce:{}:"
                yield begin + PLACEHOLDER.sub("{}", rest)
