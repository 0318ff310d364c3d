"""Work beside requests and tasks: again and again, whatever happens, and once at the end."""

import threading

from demo.processes import wait_until
from shared.background import Background
from shared.store import StoreUnavailableError
from tests.log_lines import log_lines


def test_it_goes_on_after_a_defect_and_after_the_store_was_away() -> None:
    errors: list[Exception] = [StoreUnavailableError("away"), KeyError("a defect")]
    done: list[int] = []

    def work() -> None:
        done.append(len(done))
        if errors:
            raise errors.pop(0)

    background = Background("test", work, every_s=0.01)
    with log_lines() as lines:
        background.start()
        wait_until(lambda: len(done) > 4, for_s=5, what="five times")
        background.stop()
    assert len([line for line in lines if "background_work_failed" in line]) == 1
    count = len(done)
    assert not any(thread.name == "test" for thread in threading.enumerate())
    assert len(done) == count


def test_the_end_comes_once_and_after_what_had_begun() -> None:
    order: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        may_end.wait(5)
        order.append("work")

    background = Background("test", work, every_s=0.01, at_end=lambda: order.append("end"))
    background.start()
    begun.wait(5)
    threading.Timer(0.05, may_end.set).start()
    background.stop()
    assert order == ["work", "end"]


def test_a_stop_does_not_wait_for_the_next_time() -> None:
    background = Background("test", lambda: None, every_s=3600, at_end=lambda: None)
    background.start()
    background.stop()
    assert not any(thread.name == "test" for thread in threading.enumerate())
