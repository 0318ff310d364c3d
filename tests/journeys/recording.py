"""A recorded store: what a version of this service had accepted and not delivered, as JSON.

`record_store.py` writes one for each release, and `test_upgrade.py` lets this version drain it.

A recording is loaded as if it had been made just now: every time in it moves by the time since
then, and every expiry starts again. It names no org: where the recorded store had the address of
the local org, or the digest of that address, it has a placeholder.
"""

import json
import re
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from simulator.vapi.wire import Call
from tests.accounting import PREFIX

STORES = Path(__file__).parent / "stores"

ORG, DIGEST, HOST = "{org}", "{digest}", "@{host}"
_OF_AN_ORG = re.compile(rf"{PREFIX}salesforce:([0-9a-f]+):")

LEFT_OUT = re.compile(rf"{PREFIX}(salesforce:[^:]+:token.*|alive.*)")
"""The token of an org that is gone, and the processes that ran."""

DAY_MS = 86_400_000
_EPOCH_MS = re.compile(r"(?<![0-9A-Za-z.])1\d{12}(?![0-9A-Za-z])")
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")


@dataclass(frozen=True)
class Key:
    """value: of the type's own shape in JSON; a sorted set is an object of member and score."""

    type: str
    ttl_ms: int | None
    value: Any


@dataclass(frozen=True)
class Expected:
    """A record that the org has to have once everything is delivered, exactly once.

    fields: what the record says. A text has to contain the expected one. is_new: the delivery
    creates it.
    """

    sobject: str
    fields: dict[str, Any]
    is_new: bool = True


@dataclass(frozen=True)
class Answered:
    """A tool call that the recorded version had answered, and the answer."""

    call_id: str
    caller: str
    tool_call_id: str
    tool: str
    arguments: dict[str, str]
    answer: dict[str, Any]

    def message(self) -> dict[str, Any]:
        """The tool call as Vapi sends it again."""
        call = Call(self.call_id, self.caller, started_ms=0)
        return call.tool_calls((self.tool_call_id, self.tool, self.arguments))


@dataclass(frozen=True)
class Recording:
    version: str
    recorded_at_ms: int
    answered: list[Answered]
    expected: list[Expected]
    keys: dict[str, Key]

    def write(self, folder: Path = STORES) -> Path:
        path = folder / f"{self.version}.json"
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
        return path


def read(path: Path) -> Recording:
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Recording(
        version=stored["version"],
        recorded_at_ms=stored["recorded_at_ms"],
        answered=[Answered(**item) for item in stored["answered"]],
        expected=[Expected(**item) for item in stored["expected"]],
        keys={name: Key(**key) for name, key in stored["keys"].items()},
    )


def dump(store: redis.Redis, org_url: str) -> dict[str, Key]:
    """Every key of ours, sorted by name."""
    client: Any = store
    names = sorted(client.scan_iter(f"{PREFIX}*", count=1000))
    digests = {found[1] for name in names if (found := _OF_AN_ORG.match(name))}
    hide = [(urlsplit(org_url).netloc, ORG), (f"@{socket.gethostname()}", HOST)]
    hide += [(digest, DIGEST) for digest in digests]
    keys = {}
    for name in names:
        if LEFT_OUT.fullmatch(name):
            continue
        ttl_ms = client.pttl(name)
        key = Key(client.type(name), ttl_ms if ttl_ms > 0 else None, _value(client, name))
        keys[_replaced(name, hide)] = Key(key.type, key.ttl_ms, _mapped(key.value, hide))
    return keys


def load(recording: Recording, store: redis.Redis, org_url: str, digest: str) -> None:
    """Put the recorded keys into an empty store. digest: of the org's address, as this version
    makes it."""
    client: Any = store
    assert not client.dbsize()
    fill = [(ORG, urlsplit(org_url).netloc), (HOST, f"@{socket.gethostname()}"), (DIGEST, digest)]
    seconds, micros = client.time()
    later_ms = seconds * 1000 + micros // 1000 - recording.recorded_at_ms
    for name, key in recording.keys.items():
        value = _mapped(key.value, fill, lambda text: _later(text, recording, later_ms))
        _set(client, _replaced(name, fill), key.type, value)
        if key.ttl_ms is not None:
            client.pexpire(_replaced(name, fill), key.ttl_ms)


def _value(client: Any, name: str) -> Any:
    match client.type(name):
        case "string":
            return client.get(name)
        case "hash":
            return dict(sorted(client.hgetall(name).items()))
        case "list":
            return client.lrange(name, 0, -1)
        case "set":
            return sorted(client.smembers(name))
        case "zset":
            return dict(client.zrange(name, 0, -1, withscores=True))
        case other:
            raise AssertionError(f"{name} is a {other}, which this can't record")


def _set(client: Any, name: str, type_: str, value: Any) -> None:
    match type_:
        case "string":
            client.set(name, value)
        case "hash":
            client.hset(name, mapping=value)
        case "list":
            client.rpush(name, *value)
        case "set":
            client.sadd(name, *value)
        case "zset":
            client.zadd(name, value)


def _replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _mapped(
    value: Any, pairs: list[tuple[str, str]], then: Callable[[str], str] = lambda text: text
) -> Any:
    """The value with its texts replaced. Scores, which are numbers, become other numbers."""
    if isinstance(value, str):
        return then(_replaced(value, pairs))
    if isinstance(value, float | int):
        return float(then(str(int(value)))) if value == int(value) else value
    if isinstance(value, list):
        return [_mapped(item, pairs, then) for item in value]
    return {_mapped(name, pairs, then): _mapped(of, pairs, then) for name, of in value.items()}


def _later(text: str, recording: Recording, by_ms: int) -> str:
    """The text with the times of the recording moved. Other numbers and dates stay."""

    def is_near(at_ms: float) -> bool:
        return abs(at_ms - recording.recorded_at_ms) < 2 * DAY_MS

    def epoch_ms(match: re.Match[str]) -> str:
        return str(int(match[0]) + by_ms) if is_near(int(match[0])) else match[0]

    def iso(match: re.Match[str]) -> str:
        at = datetime.fromisoformat(match[0])
        if not is_near(at.timestamp() * 1000):
            return match[0]
        moved = (at + timedelta(milliseconds=by_ms)).astimezone(UTC)
        said = moved.isoformat(timespec="milliseconds")
        return said.replace("+00:00", "Z") if match[0].endswith("Z") else said

    return _ISO.sub(iso, _EPOCH_MS.sub(epoch_ms, text))
