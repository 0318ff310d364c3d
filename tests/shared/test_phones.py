"""Who has a number, by what the org's phone fields show."""

from typing import Any

import pytest

from shared.salesforce.countries import is_another_country
from shared.salesforce.phones import holders

NUMBER = "+14155550190"


def found(*rows: dict[str, Any], region: str = "US") -> list[str]:
    rows_with_ids = [{"Id": str(nth)} | row for nth, row in enumerate(rows)]
    return [row["Id"] for row in holders(rows_with_ids, NUMBER, region)]


LABELLED = [
    "Fax: 415-555-0190", "c/o Hotel Bob 415-555-0190", "front desk 415-555-0190",
    "415-555-0190 HQ", "415-555-0190 (h)", "415-555-0190 (home)", "415-555-0190/x204",
    "415-555-0190 / x204", "415-555-0190 / 02", "415-555-0190 x2", "415-555-0190 #204",
    "415-555-0190;ext=204", "415-555-0190,204", "(Sekretariat) 415-555-0190", "x204 415-555-0190",
    "415-555-0190 or 415-555-0101", "415-555-0190 доб 12", "+1 415 555 0190 m",
]  # fmt: skip


@pytest.mark.parametrize("written", LABELLED)
def test_a_field_that_shows_more_than_a_number_identifies_nobody(written: str) -> None:
    assert found({"Phone": written}) == []
    assert found({"Phone": "(415) 555-0190"}, {"HomePhone": written}) == ["0", "1"]


@pytest.mark.parametrize(
    "written",
    [
        "4155550190", "(415) 555-0190", "415.555.0190", "415/555-0190", "+1 415-555-0190",
        "1-415-555-0190", "+1 (415) 555‑0190", "\u202a+1\xa0(415)\xa0555‑0190\u202c",
        "415 – 555 – 0190", "011 1 415 555 0190",
    ],
)  # fmt: skip
def test_a_field_that_shows_the_number_alone_identifies_its_contact(written: str) -> None:
    assert found({"Phone": written}) == ["0"]


@pytest.mark.parametrize(
    "written", ["４１５-５５５-０１９０", "٤١٥٥٥٥٠١٩٠", "415-555-019O", "415 555 01 nine 0"]
)
def test_other_digits_and_letters_identify_nobody(written: str) -> None:
    """No pattern of ASCII digits finds them, so nobody could see that they share a number."""
    assert found({"Phone": written}) == []


@pytest.mark.parametrize("country", ["Mexico", "México", " mexico ", "MX", "Mejico", "Deutschland"])
def test_a_number_without_country_code_is_not_one_of_ours_for_a_contact_abroad(
    country: str,
) -> None:
    abroad = {"MailingCountry": country, "Phone": "415 555 0190"}
    assert found(abroad) == []
    assert found({"Phone": NUMBER}, abroad) == ["0", "1"]
    assert found(abroad | {"Phone": "+1 415 555 0190"}) == ["0"]


@pytest.mark.parametrize(
    "country",
    [None, "", "USA", "U.S.A.", "United States", "us", "Canada", "Bay Area", "California"],
)
def test_a_country_that_is_ours_or_unclear_changes_nothing(country: str | None) -> None:
    assert found({"MailingCountry": country, "Phone": "415 555 0190"}) == ["0"]


@pytest.mark.parametrize(
    ("written", "region", "is_another"),
    [
        ("United Kingdom", "GB", False), ("Britain", "GB", False), ("UK", "US", True),
        ("Jersey", "GB", False), ("España", "DE", True), ("Österreich", "AT", False),
        ("Bosnia and Herzegovina", "US", True), ("Côte d'Ivoire", "FR", True),
        ("Antarctica", "US", False), ("GB", "GB", False), ("Heard Island", "US", False),
    ],
)  # fmt: skip
def test_a_country_is_read_as_people_write_it(written: str, region: str, is_another: bool) -> None:
    assert is_another_country(written, region) is is_another
