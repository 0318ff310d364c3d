"""The simulated Vapi reads scenarios strictly, and accepts the commands that Vapi accepts."""

from pathlib import Path

import pytest
import requests

from simulator.vapi.scenario import ScenarioError, read_scenario


def test_control_keeps_known_commands_and_refuses_others(control: str) -> None:
    def post(body: object) -> int:
        return requests.post(f"{control}/call-1/control", json=body, timeout=5).status_code

    say = {"type": "say", "content": "Hello"}
    assert post(say) == 200
    refused: tuple[object, ...] = ({"type": "shout"}, {"type": "say"}, [], "x")
    for bad in refused:
        assert post(bad) == 400
    stored = requests.get(f"{control}/_vapi/control", timeout=5).json()
    assert stored == [{"call": "call-1", "command": say}]
    requests.delete(f"{control}/_vapi/control", timeout=5)
    assert requests.get(f"{control}/_vapi/control", timeout=5).json() == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("title = 'x'", "no step"),
        ("[[step]]\nsing = 'la'", "unknown sing"),
        ("[[step]]\ncaller = 'a'\nagent = 'b'", "exactly one"),
        ("mood = 'bad'\n[[step]]\ncaller = 'a'", "unknown mood"),
        ("[[step]", "scenario.toml"),
    ],
)
def test_a_scenario_that_can_not_be_played_is_refused_with_its_place(
    folder: Path, text: str, complaint: str
) -> None:
    path = folder / "scenario.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=complaint):
        read_scenario(path)
