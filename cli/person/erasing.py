"""Erases what the store has of a person: what is under way is given up, then all is deleted."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cli.person import families
from cli.person.description import LIVE, UNCLOSED, Description, intent_line
from cli.person.families import Key
from cli.person.finding import OF_NUMBER, Person, is_write_of
from cli.person.scanning import batches, pages, plain, read_many, texts_of
from shared.domain.intent import Intent
from shared.domain.kinds import Kind, State
from shared.journal.erasure import Erasure
from shared.journal.journal import Journal
from shared.phone import finder
from shared.settings import REDIS_PREFIX
from shared.store import translated

KEYS_IN_A_BATCH = 100
INTENTS_IN_A_BATCH = 100

NO_HASH = "ROW"
"""What `Intent.unreadable` says of a row that is not a hash: it parked, and can be discarded."""

REASON = "PERSON_ERASED"
"""Why an intent was cancelled. Its row is deleted in the next step."""


@dataclass(frozen=True)
class Blockers:
    """Why a person can't be erased now.

    sentences: for the operator. can_be_given_up: --discard-unsettled overcomes all of them.
    """

    sentences: tuple[str, ...] = ()
    can_be_given_up: bool = True


def blockers_of(found: Description, idle_min: float) -> Blockers:
    """What still has to happen. idle_min: minutes without an event that end a call."""
    final: list[str] = []
    open_: list[str] = []
    for call in found.calls:
        if call.state == LIVE:
            final.append(f"call {call.id} lasts: try again when it is over")
        elif call.state == UNCLOSED:
            open_.append(
                f"call {call.id} is over, and its end is not recorded yet. That happens at most "
                f"{idle_min:g} minutes after its last event"
            )
    for intent in found.intents:
        if intent.unreadable == NO_HASH:
            open_.append(f"{intent_line(intent)}  is parked, and nobody can read it")
        elif not intent.state.is_known:
            final.append(f"{intent_line(intent)}  can't be read: another version wrote it")
        elif intent.state is State.LEASED or (intent.state is State.DUE and intent.in_doubt):
            final.append(
                f"{intent_line(intent)}  may be in Salesforce already: a worker has to settle it"
            )
        elif intent.state in (State.HELD, State.DUE):
            open_.append(f"{intent_line(intent)}  is not in Salesforce yet")
        elif intent.state is State.PARKED:
            open_.append(f"{intent_line(intent)}  is parked: a person has to decide about it")
    final += [
        f"{intent_id}  of another caller waits for one of these writes: it has to be settled first"
        for intent_id in found.needed_by
    ]
    return Blockers((*final, *open_), can_be_given_up=not final)


@dataclass(frozen=True)
class GivenUp:
    """cancelled, discarded: how many intents. refused: ids of those that can't be given up now."""

    cancelled: int = 0
    discarded: int = 0
    refused: tuple[str, ...] = ()
    due_kinds: tuple[Kind, ...] = ()


def give_up(journal: Journal, intents: Sequence[Intent]) -> GivenUp:
    """Cancels what is held or due and discards what is parked, by the journal's own operations.

    The last accepted goes first, so that no intent becomes due because another one is settled.
    """
    cancelled, refused = 0, []
    due_kinds: set[Kind] = set()
    for intent in reversed(intents):
        if intent.state in (State.HELD, State.DUE):
            state, kinds = journal.cancel(intent.id, REASON)
            due_kinds.update(kinds)
            if state == State.CANCELLED:
                cancelled += 1
            elif state not in (State.DELIVERED, State.PARKED, ""):
                refused.append(intent.id)
    # All in one step: discarding one makes those due again that parked because of it. As settled:
    # nobody is asked to call this person because of it.
    parked = journal.get_many(intent.id for intent in intents)
    discarded = journal.discard(
        (
            intent.id
            for intent in parked.values()
            if intent.state is State.PARKED or intent.unreadable == NO_HASH
        ),
        is_kept_by_hand=True,
    )
    return GivenUp(cancelled, discarded, tuple(refused), tuple(sorted(due_kinds)))


@dataclass
class Erasing:
    """What was erased: calls, intents. texts: intents of others that lost their words.

    open: why something could not be erased, as sentences.
    """

    calls: int = 0
    intents: int = 0
    texts: int = 0
    open: list[str] = field(default_factory=list)


def erase(
    store: Any,
    erasure: Erasure,
    person: Person,
    intents: Iterable[Intent],
    *,
    unclosed: Collection[str] = (),
) -> Erasing:
    """Each call in one atomic step, which refuses what is not settled; then what is left of them.

    unclosed: ids of calls that are erased although their end is not recorded. Safe to repeat.
    """
    done = Erasing()
    by_call: dict[str, list[str]] = {call_id: [] for call_id in person.calls}
    for intent in intents:
        by_call.setdefault(intent.call_id, []).append(intent.id)
    erased: set[str] = set()
    erased_calls: set[str] = set()
    for call_id, intent_ids in by_call.items():
        provider_ids = person.provider_ids.get(call_id, [])
        result = erasure.call(
            call_id,
            person.number,
            intent_ids=intent_ids,
            dedup_keys=[key for id_ in intent_ids for key in person.dedup_keys.get(id_, [])],
            provider_ids=provider_ids,
            unclosed=call_id in unclosed,
        )
        if result.unsettled or result.is_unclosed:
            done.open.append(_still_open(call_id, result.unsettled))
            continue
        erased.update(result.erased)
        erased_calls.add(call_id)
        done.calls += bool(call_id)
        # The same call, as it is named by Twilio and by events without Vapi's id.
        for provider_id in provider_ids:
            for name in (provider_id, f"twilio:{provider_id}"):
                if name not in by_call:
                    erasure.call(name, person.number)
    done.intents = len(erased)
    _delete(store, [key for key in person.keys.values() if _is_to_delete(key, erased_calls)])
    _delete_entries(store, person, erased)
    done.texts = sum(
        erasure.texts(batch) for batch in batches(sorted(person.mentioned_in), INTENTS_IN_A_BATCH)
    )
    return done


def _still_open(call_id: str, unsettled: tuple[str, ...]) -> str:
    name = f"call {call_id}" if call_id else "writes of no call"
    why = f"{', '.join(unsettled)} must be settled first" if unsettled else "it goes on"
    return f"{name} was not erased: {why}"


def _is_to_delete(key: Key, erased_calls: set[str]) -> bool:
    """The call's own keys are gone with it, except its stored answers."""
    if key.family in (families.ANSWER, families.MESSAGE):
        return key.parts[0] in erased_calls
    return key.family in OF_NUMBER


def _delete(store: Any, keys: Sequence[Key]) -> None:
    for batch in batches((key.name for key in keys), KEYS_IN_A_BATCH):
        with translated():
            store.unlink(*batch)


def _delete_entries(store: Any, person: Person, erased: set[str]) -> None:
    """Those of the number and of the intents erased, in keys that others use too."""
    for key in person.shared_keys.values():
        with translated():
            if key.family == families.WANTED:
                store.zrem(key.name, person.number)
            else:
                store.srem(key.name, person.number)
    for key, entries in person.writes.items():
        with translated():
            pipe = store.pipeline(transaction=False)
            for text in entries:
                if is_write_of(text, erased):
                    pipe.lrem(key.name, 0, text)
            pipe.execute()
    for key in person.of(*families.LISTS_OF_CALLER):
        _delete_purged(store, key)


def _delete_purged(store: Any, key: Key) -> None:
    """Ids in the caller's list whose intents are gone. An intent of a new call stays in it."""
    with translated():
        listed = store.lrange(key.name, 0, -1)
    names = {f"{REDIS_PREFIX}intent:{intent_id}": intent_id for intent_id in listed}
    for name, exists in read_many(store, names, lambda pipe, name: pipe.exists(name)):
        if not exists:
            with translated():
                store.lrem(key.name, 0, names[name])


@dataclass(frozen=True)
class Leftover:
    """keys: how many were read. mentions: how many of them still have the number, by family."""

    keys: int
    mentions: dict[str, int]


def look_again(store: Any, number: str) -> Leftover:
    """Reads every key that may hold personal data, and looks for the number in any spelling."""
    search = finder(number).search
    read = 0
    mentions: dict[str, str] = {}
    for page in pages(store):
        read += len(page)
        mentions |= {key.name: key.family for key in page if search(key.name)}
        for key, texts in texts_of(store, page):
            if any(search(plain(text)) for text in texts):
                mentions[key.name] = key.family
    return Leftover(read, dict(sorted(Counter(mentions.values()).items())))
