"""Which number of a message counts as the caller's: set by a carrier, complete, not withheld."""

from typing import Any

import pytest

from shared.phone import as_e164
from shared.vapi.caller_id import e164, read_caller_id
from shared.vapi.messages import Message

JANE = "+14155550101"
LINE = {"provider": "twilio", "number": "+14155550100"}


def named(body: dict[str, Any]) -> set[str]:
    return set(read_caller_id(Message("status-update", body), region="US").shown)


def shown(body: dict[str, Any], trunks: tuple[str, ...] = ()) -> str:
    return read_caller_id(Message("status-update", body), trunks).number


def inbound(customer: Any, **call: Any) -> dict[str, Any]:
    return {"customer": customer, "call": {"id": "c", "type": "inboundPhoneCall", **call}}


def test_a_carriers_number_counts_on_the_message_and_in_the_call() -> None:
    assert shown(inbound({"number": JANE})) == JANE
    inside = {"call": {"type": "inboundPhoneCall", "customer": {"number": JANE}}}
    assert shown(inside) == JANE
    assert shown({"call": {"type": "outboundPhoneCall", "customer": {"number": JANE}}}) == JANE


@pytest.mark.parametrize(
    "withheld",
    [
        "+86282452253", "+8656696", "+7378742833", "+2562533", "+266696687", "+17378742833",
        "+10000000000", "+19999999999", "+7748483", "+94844353", "+16622553743", "anonymous",
        "Anonymous", "unknown", "", "+0", "0",
    ],
)  # fmt: skip
def test_what_carriers_send_for_a_withheld_number_is_no_number(withheld: str) -> None:
    assert e164(withheld) == ""
    assert shown(inbound({"number": withheld})) == ""


@pytest.mark.parametrize(
    "written",
    [
        f"Jane <{JANE}>", f"x{JANE}", f"{JANE} OR", f" {JANE}", f"{JANE}\n", "+1 415 555 0101",
        "4155550101", "14155550101", "0014155550101", "(415) 555-0101", f"tel:{JANE}",
        f"{JANE};ext=5", "+1415555010", "+141555501011111111", "+１４１５５５５０１０１",
    ],
)  # fmt: skip
def test_the_envelopes_number_is_e164_or_nothing(written: str) -> None:
    assert shown(inbound({"number": written})) == ""


@pytest.mark.parametrize("junk", [None, 1, 14155550101, [], {}, [JANE], {"number": JANE}, True])
def test_a_number_of_another_type_is_nothing(junk: Any) -> None:
    assert shown(inbound({"number": junk})) == ""
    assert shown(inbound([junk])) == ""


@pytest.mark.parametrize("kind", ["webCall", "vapi.websocketCall", "chat", "", "phone", 1, []])
def test_only_phone_calls_show_a_carriers_number(kind: Any) -> None:
    body = {"customer": {"number": JANE}, "call": {"type": kind}, "phoneNumber": LINE}
    assert shown(body) == ""


def test_without_a_type_a_line_of_ours_has_to_show() -> None:
    bare = {"customer": {"number": JANE}, "call": {"id": "c"}}
    assert shown(bare) == ""
    assert shown(bare | {"phoneNumber": LINE}) == JANE
    assert shown({"customer": {"number": JANE}, "call": {"phoneCallProvider": "twilio"}}) == JANE
    assert shown({"customer": {"number": JANE}, "call": {"phoneNumberId": "x"}}) == JANE
    web = {"customer": {"number": JANE}, "call": {"transport": {"provider": "daily"}}}
    assert shown(web) == ""
    assert shown({"customer": {"number": JANE}, "chat": {"id": "c"}}) == ""


SIP = "sip:+14155550101@203.0.113.7:5060"


@pytest.mark.parametrize("trunk", ["203.0.113.7", "203.0.113.0/28", "SIP.carrier.example"])
def test_a_sip_user_counts_for_a_trusted_trunk_alone(trunk: str) -> None:
    uri = SIP if trunk[0] == "2" else "sips:+14155550101@sip.Carrier.example;transport=tls"
    assert shown(inbound({"sipUri": uri})) == ""
    assert shown(inbound({"sipUri": uri}), (trunk,)) == JANE
    assert shown(inbound({"sipUri": uri}), ("198.51.100.1", "carrier.example")) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "sip:jane@203.0.113.7", "sip:4155550101@203.0.113.7", "sip:+14155550101@evil.example",
        "sip:+14155550101@203.0.113.7@evil.example", "sip:+86282452253@203.0.113.7",
        "Jane <sip:+14155550101@203.0.113.7>", "+14155550101@203.0.113.7", "sip:", 5, None,
        "sip:+14155550101@evil.example?x=@203.0.113.7", "sip:+14155550101@203.0.113.7 evil",
    ],
)  # fmt: skip
def test_other_sip_addresses_are_nobodys(uri: Any) -> None:
    assert shown(inbound({"sipUri": uri}), ("203.0.113.7",)) == ""


def test_a_number_beside_a_sip_address_of_a_stranger_counts_for_nothing() -> None:
    both = {"number": JANE, "sipUri": "sip:+14155550101@evil.example"}
    assert shown(inbound(both), ("203.0.113.7",)) == ""
    over_sip = {"provider": "vapi.sip"}
    assert shown(inbound({"number": JANE}, transport=over_sip)) == ""
    dialled = inbound({"number": JANE}, transport=over_sip, phoneNumber=LINE)
    assert shown(dialled) == JANE


def test_of_two_fields_the_one_that_is_a_number_counts() -> None:
    assert shown(both_say({"number": "anonymous"}, {"number": JANE})) == JANE
    assert shown(both_say({"number": JANE}, {"number": "anonymous"})) == JANE
    assert shown(both_say({"sipUri": SIP}, {"number": JANE})) == ""  # a SIP call all the same
    assert shown(both_say({"sipUri": SIP}, {"number": JANE}), ("203.0.113.7",)) == JANE


def both_say(outside: Any, inside: Any) -> dict[str, Any]:
    return {"customer": outside, "call": {"type": "inboundPhoneCall", "customer": inside}}


def test_two_numbers_in_one_message_are_nobodys() -> None:
    read = read_caller_id(Message("t", both_say({"number": JANE}, {"number": "+14155550103"})))
    assert read.number == ""
    assert set(read.shown) == {JANE, "+14155550103"}


@pytest.mark.parametrize("extension", ["204", " 204 ", 204, 0, ["204"]])
@pytest.mark.parametrize("kind", ["inboundPhoneCall", "outboundPhoneCall"])
def test_a_number_with_an_extension_is_nobodys_and_counts_as_a_number_of_its_own(
    extension: Any, kind: str
) -> None:
    """Whoever answers a switchboard may be put through to anybody."""
    extended = {"number": JANE, "extension": extension}
    for outside, inside in ((extended, extended), (extended, {}), ({"number": JANE}, extended)):
        body = {"customer": outside, "call": {"type": kind, "customer": inside}}
        assert shown(body) == ""
        (other,) = named(body)
        assert other != JANE
        assert other.startswith(JANE)


def test_a_sip_user_with_an_extension_is_nobodys() -> None:
    uri = SIP.replace("@", ";ext=204@")
    assert shown(inbound({"sipUri": uri}), ("203.0.113.7",)) == ""
    assert named(inbound({"sipUri": uri})) == {f"{JANE};ext=204"}


@pytest.mark.parametrize("extension", [None, "", " "])
def test_without_an_extension_the_number_counts(extension: Any) -> None:
    assert shown(inbound({"number": JANE, "extension": extension})) == JANE


@pytest.mark.parametrize(
    "written",
    ["4155550103", "(415) 555-0103", "tel:+14155550103", " +14155550103", "1 415 5550103"],
)
def test_another_number_in_any_spelling_counts_as_a_second_one(written: str) -> None:
    assert named(both_say({"number": JANE}, {"number": written})) == {JANE, "+14155550103"}
    assert named(inbound({"number": written})) == {"+14155550103"}
    assert shown(inbound({"number": written})) == ""


def test_the_same_number_in_another_spelling_is_no_second_one() -> None:
    both = both_say({"number": JANE}, {"number": "(415) 555-0101"})
    assert named(both) == {JANE}
    assert shown(both) == JANE
    assert named(inbound({"number": f"{JANE};ext=9"})) == {f"{JANE};ext=9"}


@pytest.mark.parametrize(
    "withheld", ["7378742833", "17378742833", "anonymous", "+86282452253", "1", "x" * 5_000]
)
def test_what_is_no_number_counts_as_none(withheld: str) -> None:
    assert named(both_say({"number": JANE}, {"number": withheld})) == {JANE}


@pytest.mark.parametrize(
    "spoken",
    ["555-1234", "000 000 0000", "1234567", "111 111 1111", "123 456 7890", "415 555", "911", "0"],
)
def test_what_is_only_possible_locally_is_no_phone_number(spoken: str) -> None:
    assert as_e164(spoken, "US") is None


@pytest.mark.parametrize(
    "call",
    [
        {"phoneCallProvider": "vapi", "phoneCallTransport": "sip"},
        {"phoneNumber": {"provider": "vapi", "sipUri": "sip:support@sip.vapi.ai"}},
        {"transport": {"provider": "vapi.sip"}},
    ],
)
def test_a_number_that_comes_over_sip_is_nobodys_word_but_the_callers(call: Any) -> None:
    assert shown(inbound({"number": JANE}, **call)) == ""
    assert shown(inbound({"number": JANE}, **call, callId="c") | {"phoneNumber": LINE}) == JANE


@pytest.mark.parametrize("kind", ["chat", "session"])
def test_chats_and_sessions_name_themselves(kind: str) -> None:
    said = {"customer": {"number": JANE}, "phoneNumber": LINE, kind: {"id": "one"}}
    assert shown(said) == ""
