"""A few dialogues of each family, and the controls, against the whole service."""

from collections.abc import Iterator

import pytest

from demo.stack import OURS
from tests.hostile.attack import report
from tests.hostile.attack.attempt import Dialogue
from tests.hostile.attack.families import FAMILIES, all_dialogues
from tests.hostile.attack.runner import Outcome, run
from tests.hostile.target import LIMITS, OurService

SEED = 7
DIALOGUES = 30
CONTROLS = 6


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    dialogues, words = all_dialogues(SEED)
    with OurService(tmp_path_factory.mktemp("hostile"), programs=OURS) as target:
        yield run(target, short(dialogues), SEED, words, LIMITS)


def short(dialogues: list[Dialogue]) -> list[Dialogue]:
    """The first dialogues of each family in turn, and some controls."""
    of_family: dict[str, list[Dialogue]] = {name: [] for name in FAMILIES}
    for each in dialogues:
        of_family[each.key.partition("/")[0]].append(each)
    controls = of_family.pop("control")[:CONTROLS]
    in_turn = [all_[at] for at in range(3) for all_ in of_family.values()]
    return in_turn[:DIALOGUES] + controls


def test_nobody_gets_or_changes_what_is_not_theirs(outcome: Outcome) -> None:
    assert len(outcome.dialogues) == DIALOGUES
    assert report.passed([outcome]), "\n".join(report.lines(outcome))


def test_rightful_callers_get_service(outcome: Outcome) -> None:
    assert len(outcome.controls) == CONTROLS
    assert [failure for attempt in outcome.controls for failure in attempt.failures] == []
