"""The same steps on a real Valkey: it must write what the store of Lua tables wrote."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from proof.engine import SCRIPTS, Ran, Value, shipped
from proof.state import NOW_MS, READ_BY_NO_STEP, State, expires
from proof.steps import Action

CLOCK = f"""
local of_server = redis
local redis = {{pcall = of_server.pcall, call = function(name, ...)
  if name == 'TIME' then return {{'{NOW_MS // 1000}', '0'}} end
  return of_server.call(name, ...)
end}}
"""
"""In front of a script: the present of the explored states."""

LATER_MS = 3_600_000
"""Keys that are loaded expire so much later, so that none does meanwhile."""

SLOW_MS = 10_000


class Real:
    """Takes steps of some states again. Its database is emptied for each of them.

    every: of so many states one is taken. compared: how many steps were. different: a sentence for
    each that had another result; ten at most.
    """

    def __init__(self, client: redis.Redis, every: int = 1) -> None:
        self._client: Any = client
        self._every = every
        self._shas = {name: self._client.script_load(CLOCK + shipped(name)) for name in SCRIPTS}
        self.states = 0
        self.compared = 0
        self.different: list[str] = []

    def watch(self, number: int, state: State, ran: Sequence[tuple[Action, Ran]]) -> None:
        if number % self._every or len(self.different) >= 10:
            return
        self.states += 1
        for action, in_tables in ran:
            if action.calls and not in_tables.failed:
                self._compare(state, action, in_tables)

    def _compare(self, state: State, action: Action, in_tables: Ran) -> None:
        self.compared += 1
        self._load(state.store)
        replies = [self._run(call.name, call.args) for call in action.calls]
        expected = state.with_written(in_tables.written).store
        found = self._stored()
        for key in sorted({*expected, *found}):
            if key not in READ_BY_NO_STEP and not _same(expected.get(key), found.get(key)):
                self.different.append(
                    f"{action.name}: {key} is {found.get(key)}, not {expected.get(key)}"
                )
        if _loosely(replies) != _loosely(in_tables.replies):
            self.different.append(f"{action.name}: {replies}, not {in_tables.replies}")

    def _run(self, name: str, args: Sequence[str]) -> Any:
        if name in self._shas:
            return self._client.evalsha(self._shas[name], 0, *args)
        return self._client.execute_command(name, *args)

    def _load(self, store: Mapping[str, Value]) -> None:
        pipe = self._client.pipeline(transaction=False)
        pipe.flushdb()
        for key, value in store.items():
            match value[0]:
                case "h":
                    pipe.hset(key, mapping=value[1])
                case "z":
                    pipe.zadd(key, value[1])
                case "s":
                    pipe.sadd(key, *value[1])
                case "l":
                    pipe.rpush(key, *value[1])
                case _:
                    pipe.set(key, value[1])
            if at := expires(value):
                pipe.pexpire(key, at - NOW_MS + LATER_MS)
        pipe.execute()

    def _stored(self) -> dict[str, Value]:
        keys = self._client.keys("*")
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.type(key)
            pipe.pttl(key)
        said = pipe.execute()
        types, lives = said[::2], said[1::2]
        for key, type_ in zip(keys, types, strict=True):
            match type_:
                case "hash":
                    pipe.hgetall(key)
                case "zset":
                    pipe.zrange(key, 0, -1, withscores=True)
                case "set":
                    pipe.smembers(key)
                case "list":
                    pipe.lrange(key, 0, -1)
                case _:
                    pipe.get(key)
        contents = pipe.execute()
        return {
            key: _value(type_, content, life)
            for key, type_, content, life in zip(keys, types, contents, lives, strict=True)
        }


def _value(type_: str, content: Any, life_ms: int) -> Value:
    letter = {"hash": "h", "zset": "z", "set": "s", "list": "l"}.get(type_, "k")
    if letter == "z":
        content = {member: int(score) for member, score in content}
    if letter == "s":
        content = dict.fromkeys(content, 1)
    return [letter, content] if life_ms < 0 else [letter, content, NOW_MS + life_ms]


def _same(expected: Value | None, found: Value | None) -> bool:
    if not expected or not found:
        return not expected and not found
    if expected[:2] != found[:2]:
        return False
    late = expires(expected) - expires(found)  # by how much the real key expires earlier
    return 0 <= late <= SLOW_MS or 0 <= late + LATER_MS <= SLOW_MS


def _loosely(reply: Any) -> str:
    """A reply as text: lists in any order, and nothing as false."""
    if isinstance(reply, list | tuple | dict):
        return "[" + ",".join(sorted(_loosely(item) for item in reply)) + "]"
    return json.dumps(reply or False)
