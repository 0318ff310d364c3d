"""`python -m cli drain`: a deploy waits until nothing accepted is left to deliver."""

import threading

import redis
from click.testing import CliRunner, Result

from cli.__main__ import cli
from shared.alive import Alive, Peer
from shared.domain.drafts import CallbackDraft
from shared.domain.intent import NewIntent, new_intent_id
from shared.domain.kinds import Kind
from shared.journal.journal import Journal
from workers.delivery.context import DeliveryContext
from workers.delivery.engine import drain as deliver


def drain(*words: str) -> Result:
    return CliRunner().invoke(cli, ["drain", *words])


def accept(journal: Journal) -> None:
    draft = CallbackDraft(phone="+14155550199")
    journal.accept("call-1", [NewIntent(id=new_intent_id(), kind=Kind.CALLBACK, draft=draft)])


def test_nothing_left_is_drained_at_once(journal: Journal) -> None:
    done = drain()
    assert (done.exit_code, done.output) == (0, "drained\n")


def test_it_gives_up_with_exit_code_1_and_says_what_is_left_and_why(
    journal: Journal, store: redis.Redis
) -> None:
    accept(journal)
    given_up = drain("--for", "0")
    assert given_up.exit_code == 1
    assert "left: callback 1 due" in given_up.output
    assert "no worker is at work" in given_up.output
    Alive(store).note("worker", Peer.of_this_process())
    assert "no worker" not in drain("--for", "0").output


def test_it_ends_as_soon_as_the_workers_have_delivered(
    journal: Journal, context: DeliveryContext
) -> None:
    accept(journal)
    working = threading.Timer(0.5, deliver, (context, Kind.CALLBACK))
    working.start()
    done = drain("--for", "60")
    working.join()
    assert done.exit_code == 0
    assert done.output.startswith("left: callback 1 due")
    assert done.output.endswith("drained\n")


def test_a_paused_kind_is_left_out_and_named(journal: Journal) -> None:
    accept(journal)
    journal.pause(Kind.CALLBACK)
    done = drain()
    assert done.exit_code == 0
    assert "left out: callback is paused (1 open)" in done.output
