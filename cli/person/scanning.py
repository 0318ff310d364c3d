"""Reads a store of any size without holding it up: pages of keys, batches of values.

Every function raises StoreUnavailableError, and skips a key that is gone or has another type.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from cli.person.families import Key, key_of
from shared.domain.reading import UnreadableError
from shared.settings import REDIS_PREFIX
from shared.store import translated

KEYS_IN_A_PAGE = 1_000
VALUES_IN_A_BATCH = 100
"""Commands in one pipeline. A value is at most some 32 KB, a page of a larger one a tenth of it."""

ITEMS_IN_A_PAGE = 200

T = TypeVar("T")


def pages(store: Any) -> Iterator[list[Key]]:
    """Every key with personal data, in pages. May repeat a key that is written meanwhile."""
    cursor = 0
    while True:
        with translated():
            cursor, names = store.scan(cursor, match=f"{REDIS_PREFIX}*", count=KEYS_IN_A_PAGE)
        yield [key for name in names if (key := key_of(name))]
        if not cursor:
            return


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def read_many(
    store: Any, items: Iterable[T], queue: Callable[[Any, T], Any]
) -> Iterator[tuple[T, Any]]:
    """Each item with the reply to the command that `queue` adds for it."""
    for batch in batches(items, VALUES_IN_A_BATCH):
        with translated():
            pipe = store.pipeline(transaction=False)
            for item in batch:
                queue(pipe, item)
            replies = pipe.execute(raise_on_error=False)
            refused = next(filter(_is_refusal, replies), None)
            if refused:  # passing over it would look like a store without the person
                raise refused
        for item, reply in zip(batch, replies, strict=True):
            if not isinstance(reply, Exception):
                yield item, reply


def _is_refusal(reply: Any) -> bool:
    """The server did not answer, for another reason than the type of this key."""
    return isinstance(reply, Exception) and not str(reply).startswith("WRONGTYPE")


def read_whole(store: Any, key: Key) -> Any:
    """The value: a text, a list, or a dict (of a sorted set: member → score). None when it is gone.

    A large value comes in pages.
    """
    try:
        with translated():
            return _whole(store, key) or None
    except UnreadableError:
        return None


def _whole(store: Any, key: Key) -> Any:
    match key.type:
        case "string":
            return store.get(key.name)
        case "hash":
            return dict(store.hscan_iter(key.name, count=ITEMS_IN_A_PAGE))
        case "list":
            return list(_list_items(store, key.name))
        case "set":
            return sorted(store.sscan_iter(key.name, count=ITEMS_IN_A_PAGE))
        case _:
            return dict(store.zscan_iter(key.name, count=ITEMS_IN_A_PAGE))


def texts_of(store: Any, keys: Sequence[Key]) -> Iterator[tuple[Key, list[str]]]:
    """The texts in each value, a page at a time."""
    for key, reply in read_many(store, keys, _queue_first_page):
        texts, is_whole = _page(key, reply)
        yield key, texts
        if not is_whole:
            value = read_whole(store, key)
            items = value.items() if isinstance(value, dict) else [(item,) for item in value or ()]
            for page in batches(items, ITEMS_IN_A_PAGE):
                yield key, [str(text) for item in page for text in item]


def plain(text: str) -> str:
    """JSON without its escapes, in which digits of a code would join those of a number."""
    if "\\u" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def _queue_first_page(pipe: Any, key: Key) -> None:
    match key.type:
        case "string":
            pipe.get(key.name)
        case "hash":
            pipe.hscan(key.name, count=ITEMS_IN_A_PAGE)
        case "list":
            pipe.lrange(key.name, 0, ITEMS_IN_A_PAGE)
        case "set":
            pipe.sscan(key.name, count=ITEMS_IN_A_PAGE)
        case _:
            pipe.zscan(key.name, count=ITEMS_IN_A_PAGE)


def _page(key: Key, reply: Any) -> tuple[list[str], bool]:
    """The texts of a first page, and whether there are no more."""
    match key.type:
        case "string":
            return [reply or ""], True
        case "list":
            return reply, len(reply) <= ITEMS_IN_A_PAGE
        case "hash":
            cursor, fields = reply
            return [text for item in fields.items() for text in item], not cursor
        case "set":
            cursor, members = reply
            return list(members), not cursor
        case _:
            cursor, scored = reply
            return [member for member, _ in scored], not cursor


def _list_items(store: Any, name: str) -> Iterator[str]:
    start = 0
    while page := store.lrange(name, start, start + ITEMS_IN_A_PAGE - 1):
        yield from page
        start += ITEMS_IN_A_PAGE
