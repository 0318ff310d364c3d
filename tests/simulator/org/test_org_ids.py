"""Record ids: check characters, forms, prefixes."""

import string

from hypothesis import given
from hypothesis import strategies as st

from simulator.org import ids
from tests.simulator.org.harness import LocalOrg

ID15 = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)


def test_a_documented_id_has_its_documented_check_characters() -> None:
    assert ids.normalise("001D000000IqhSL") == "001D000000IqhSLIAZ"


@given(ID15)
def test_an_18_character_id_survives_the_loss_of_its_case(id15: str) -> None:
    id18 = ids.normalise(id15)
    assert id18 is not None
    assert len(id18) == 18
    assert id18[:15] == id15
    assert ids.normalise(id18) == id18
    assert ids.normalise(id18.lower()) == id18
    assert ids.normalise(id18.upper()) == id18


@given(ID15, ID15)
def test_ids_that_differ_in_case_only_have_different_check_characters(a: str, b: str) -> None:
    if a != b and a.lower() == b.lower():
        assert ids.check_characters(a) != ids.check_characters(b)


@given(st.integers(0, 62**9 - 1), st.integers(0, 62**9 - 1))
def test_numbered_ids_are_well_formed_and_never_collide(a: int, b: int) -> None:
    first, second = ids.make_id("500", a), ids.make_id("500", b)
    assert ids.normalise(first) == first
    assert (first == second) == (a == b)


@given(st.text(max_size=20))
def test_other_text_is_no_id(text: str) -> None:
    normal = ids.normalise(text)
    assert normal is None or (text.isascii() and text.isalnum() and len(text) in (15, 18))


def test_records_have_the_prefix_of_their_object_and_answer_to_both_forms(org: LocalOrg) -> None:
    case_id = org.create("Case", Subject="x")
    assert case_id.startswith("500")
    assert len(case_id) == 18
    assert org.row("Case", case_id[:15])["Id"] == case_id
    assert org.query(f"SELECT Id FROM Case WHERE Id = '{case_id[:15]}'")[0]["Id"] == case_id
