"""Which country an address names, as people write it. Only what is certain counts."""

import re
import unicodedata
from functools import cache
from importlib.resources import files

import phonenumbers

_ALSO = {
    "US": "USA, America, United States of America, Estados Unidos, Etats-Unis, Vereinigte Staaten",
    "GB": "UK, United Kingdom, Great Britain, England, Scotland, Wales, Northern Ireland",
    "CA": "CAN", "MX": "MEX, Mejico", "DE": "Deutschland, GER, DEU", "AT": "Österreich, AUT",
    "CH": "Schweiz, Suisse, Svizzera, CHE", "FR": "FRA", "IT": "Italia, ITA", "ES": "España, ESP",
    "PT": "PRT", "BR": "Brasil, BRA", "NL": "Nederland, Holland, The Netherlands, NLD",
    "BE": "Belgique, België, BEL", "DK": "Danmark", "SE": "Sverige", "NO": "Norge", "FI": "Suomi",
    "PL": "Polska", "CZ": "Czechia, Cesko", "TR": "Türkiye, Turkiye", "IE": "Eire",
    "RU": "Russian Federation", "KR": "South Korea, Republic of Korea", "KP": "North Korea",
    "JP": "Nippon, JPN", "AU": "AUS", "IN": "Bharat, IND", "VN": "Viet Nam", "ZA": "RSA",
    "AE": "UAE", "CN": "PRC, People's Republic of China, CHN", "SA": "KSA",
}  # fmt: skip
"""Further names. The tz database has each country's English name and its ISO code."""


def is_another_country(written: str | None, region: str) -> bool:
    """Whether the text names a country whose numbers are not dialled like those of region (ISO
    code). False for text that names no country we know, and for countries with one calling code."""
    named = _regions().get(_folded(written or ""))
    if named is None:
        return False
    calling_code = phonenumbers.country_code_for_region
    return calling_code(named) not in (0, calling_code(region))


@cache
def _regions() -> dict[str, str]:
    """Folded name or code → ISO code."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, name = line.split("\t")
            found |= {_folded(code): code, _folded(name): code}
    for code, names in _ALSO.items():
        found |= {_folded(name): code for name in names.split(", ")}
    return found


def _folded(text: str) -> str:
    """Letters only, without accents and case."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", "and"))
    return re.sub(r"[^a-z]", "", plain)
