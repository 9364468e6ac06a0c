"""Every command_status and every state of a receipt, by table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sms.gateways.base import Accepted, NotSubmitted, Outcome, Rejected, Unknown
from sms.smpp import answers, pdus
from sms.smpp.answers import Receipt, is_receipt, outcome_of, receipt_of
from sms.smpp.pdus import Delivery

RESPONSE = pdus.SUBMIT_SM | pdus.RESPONSE


def said(status: int, body: bytes = b"", command: int = RESPONSE) -> Outcome:
    return outcome_of(pdus.Pdu(command, status, 1, body))


# SMPP 3.4, 5.1.3, the whole table; and what it is silent about.
REFUSED = {
    0x01: "RINVMSGLEN", 0x02: "RINVCMDLEN", 0x03: "RINVCMDID", 0x06: "RINVPRTFLG", 0x07: "RINVREGDLVFLG",
    0x15: "RINVSERTYP", 0x43: "RINVESMCLASS", 0x53: "RINVSYSTYP", 0x54: "RINVREPFLAG", 0x61: "RINVSCHED",
    0x62: "RINVEXPIRY", 0x63: "RINVDFTMSGID", 0xC0: "RINVOPTPARSTREAM", 0xC1: "ROPTPARNOTALLWD",
    0xC2: "RINVPARLEN", 0xC3: "RMISSINGOPTPARAM", 0xC4: "RINVOPTPARAMVAL",
}  # fmt: skip
CLEAR: dict[int, Outcome] = {
    0x04: NotSubmitted("no_connection:not_bound"),
    0x14: NotSubmitted("throttled"),
    0x58: NotSubmitted("throttled"),
    0x0B: Rejected("invalid_destination"),
    0x50: Rejected("invalid_destination"),
    0x51: Rejected("invalid_destination"),
    0x0A: Rejected("sender_not_allowed"),
    0x48: Rejected("sender_not_allowed"),
    0x49: Rejected("sender_not_allowed"),
    **{status: Rejected(f"bad_request:{name}") for status, name in REFUSED.items()},
}


@pytest.mark.parametrize("status", [*range(1, 0x100), 0x400, 0x4FF, 0x500, 0xFFFFFFFF])
def test_every_status_has_its_outcome(status: int) -> None:
    """What is not clear is unknown: RSYSERR (8), RSUBMITFAIL (0x45), RUNKNOWNERR (0xFF), vendors' own among it."""
    assert said(status) == CLEAR.get(status, Unknown(f"unclear:{status:#x}"))


@pytest.mark.parametrize(
    ("body", "gateway_id"),
    [(b"A0F1\0", "a0f1"), (b"A0F1", "a0f1"), (b"\0", ""), (b"", ""), (b"7" * 200, "7" * 100), (b"\xff1\0", "?1")],
)
def test_yes_comes_with_an_id(body: bytes, gateway_id: str) -> None:
    assert said(0, body) == Accepted(gateway_id)


def test_a_nack_in_place_of_the_answer() -> None:
    assert said(3, command=pdus.GENERIC_NACK) == Rejected("bad_request:RINVCMDID")
    assert said(0x58, command=pdus.GENERIC_NACK) == NotSubmitted("throttled")
    assert said(0, command=pdus.GENERIC_NACK) == Unknown("unclear:0x0")  # says nothing


# --- Receipts ---------------------------------------------------------------------------------------
def delivery(text: str = "", esm_class: int = 4, coding: int = 0, **options: bytes) -> pdus.Delivery:
    tags = {"id": 0x1E, "error": 0x423, "state": 0x427}
    octets = text.encode("utf-16-be" if coding == 8 else "latin-1")
    return pdus.Delivery(esm_class, coding, octets, {tags[name]: value for name, value in options.items()})


STATES = [
    (1, "ENROUTE", ""),
    (2, "DELIVRD", "delivered"),
    (3, "EXPIRED", "expired"),
    (4, "DELETED", "undelivered"),
    (5, "UNDELIV", "undelivered"),
    (6, "ACCEPTD", ""),
    (7, "UNKNOWN", ""),
    (8, "REJECTD", "rejected"),
    (9, "SKIPPED", None),
]


@pytest.mark.parametrize(("number", "word", "state"), STATES)
def test_every_state_in_both_forms(number: int, word: str, state: str | None) -> None:
    """`None`: nobody can read that; "": it is no news."""
    text = f"id:7A sub:001 dlvrd:001 submit date:2611250300 done date:2611250301 stat:{word} err:000 text:Hello"
    option = delivery(id=b"7A\0", state=bytes((number,)))
    found = [receipt_of(delivery(text)), receipt_of(option), receipt_of(delivery(text.lower()))]
    if state is None:
        assert found == [None, None, None]
    else:
        reason = "network" if state not in ("", "delivered") else ""
        assert found == [Receipt("7a", state, reason)] * 3


WORDS = {
    "DELIVERED": "delivered", "UNDELIVERABLE": "undelivered", "UNDELIVERED": "undelivered", "EXPIRED": "expired",
    "DELETED": "undelivered", "REJECTED": "rejected", "ACCEPTED": "", "ENROUTE": "", "UNKNOWN": "",
    "DELIVERY_FAILED": None, "DELIVER": None, "UNDELI": None,
}  # fmt: skip


@pytest.mark.parametrize(("word", "state"), WORDS.items())
@pytest.mark.parametrize("written", [str.upper, str.lower, str.capitalize])
def test_words_written_out(word: str, state: str | None, written: Callable[[str], str]) -> None:
    """What begins like a word is not that word."""
    found = receipt_of(delivery(f"id:7 stat:{written(word)} err:000"))
    assert (found.state if found else None) == state


@pytest.mark.parametrize(
    ("given", "receipt"),
    [
        # the option counts more than the text
        (delivery("id:1 stat:UNDELIV err:011", id=b"2\0", state=b"\x02"), Receipt("2", "delivered", "")),
        (delivery("id:1 stat:UNDELIV err:011"), Receipt("1", "undelivered", "network:011")),
        (delivery("id:1 stat:EXPIRED err:000"), Receipt("1", "expired", "network")),
        (delivery(id=b"1", state=b"\x05", error=b"\x03\x00\x1b"), Receipt("1", "undelivered", "network:27")),
        # what stands behind text: is the client's
        (delivery("id:1 stat:DELIVRD text:id:9 stat:UNDELIV"), Receipt("1", "delivered", "")),
        (delivery("id: 1 stat: DELIVRD"), Receipt("1", "delivered", "")),
        # a NUL ends a string of C's, and can't be kept
        (delivery("id:1\0 stat:UNDELIV\0 err:011\0"), Receipt("1", "undelivered", "network:011")),
        (delivery("id:1 stat:DELIVRD", coding=8), Receipt("1", "delivered", "")),
        # the alphabet is not the one that was declared
        (Delivery(4, 8, b"id:1 stat:DELIVRD err:000", {}), Receipt("1", "delivered", "")),
        (Delivery(4, 8, b"id:12 stat:DELIVRD err:000", {}), Receipt("12", "delivered", "")),
        (Delivery(4, 0, "id:1 stat:DELIVRD text:Да".encode("utf-16-be"), {}), Receipt("1", "delivered", "")),
        (Delivery(4, 8, "id:1 stat:DELIVRD text:Да".encode("utf-16-le"), {}), Receipt("1", "delivered", "")),
        (Delivery(4, 0, "id:1 stat:DELIVRD text:Да".encode("utf-16-le"), {}), Receipt("1", "delivered", "")),
        (Delivery(4, 8, "id:1 stat:EXPIRED text:Да".encode("utf-16-be"), {}), Receipt("1", "expired", "network")),
        # between the fields
        (delivery("id:1;stat:UNDELIV;err:011;text:id:9"), Receipt("1", "undelivered", "network:011")),
        (delivery("id:1, sub:001, stat:REJECTD, err:000, Text:"), Receipt("1", "rejected", "network")),
        (delivery("ID:1,STAT:DELIVRD"), Receipt("1", "delivered", "")),
        # an empty field takes nothing from the next one
        (delivery("id: stat:DELIVRD"), None),
        (delivery("id:stat:DELIVRD"), None),
        (delivery("id:", id=b"1\0", state=b"\x02"), Receipt("1", "delivered", "")),
        (delivery("id:1 stat: err:011", state=b"\x05"), Receipt("1", "undelivered", "network:011")),
        (delivery("id:1 stat:UNDELIV err: text:011"), Receipt("1", "undelivered", "network")),
        (delivery("id:1 sub:001 dlvrd:001 submit date: done date: stat:DELIVRD"), Receipt("1", "delivered", "")),
        (delivery("id:a:b stat:DELIVRD"), Receipt("a:b", "delivered", "")),
        (delivery("id:1 stat:ENROUTE err:000"), Receipt("1", "", "")),
        (delivery("stat:DELIVRD"), None),
        (delivery("text:id:1 stat:DELIVRD"), None),
        (delivery("id:1"), None),
        (delivery(""), None),
        (delivery(state=b"\x02"), None),
        (delivery(id=b"\0", state=b"\x02"), None),
        (delivery("id:1 stat:DELIVRD", id=b"1\0", state=b""), Receipt("1", "delivered", "")),
    ],
)
def test_receipts(given: pdus.Delivery, receipt: Receipt | None) -> None:
    assert receipt_of(given) == receipt


@pytest.mark.parametrize(
    ("esm_class", "receipt"),
    [(0x00, False), (0x04, True), (0x44, True), (0x20, True), (0x08, False), (0x10, False), (0x40, False)],
)
def test_what_is_a_receipt(esm_class: int, receipt: bool) -> None:
    assert is_receipt(delivery(esm_class=esm_class)) is receipt


@pytest.mark.parametrize(("esm_class", "receipt"), [(0x00, True), (0x40, True), (0x04, True), (0x08, False)])
def test_the_option_that_names_a_message_makes_a_receipt(esm_class: int, receipt: bool) -> None:
    assert is_receipt(delivery(esm_class=esm_class, id=b"1\0", state=b"\x02")) is receipt


# --- Ids --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ids", "answered", "reported"),
    [
        ("same", "0000A0F1", "0000A0F1"),
        ("same", "0000A0F1", "a0f1"),
        ("same", "a0f1", "0xA0F1"),
        ("same", "0X0000a0f1", "A0F1"),
        ("same", " 0041201", "41201"),
        ("same", "41201", "0000000000041201"),
        ("same", "0000", "0"),
        ("same", "0x0", "00"),
        ("same", "7C9E6679-7425-40DE-944B-E07FC1F90AE7", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("same", "SMSC-0042/a", "SMSC-0042/a"),
        ("hex-dec", "0000A0F1", "41201"),
        ("hex-dec", "a0f1", "0041201"),
        ("hex-dec", "0xA0F1", "41201"),
        ("hex-dec", " 0Xa0f1 ", "0041201"),
        ("dec-hex", "41201", "A0F1"),
        ("dec-hex", " 0041201", "0x0000a0f1"),
    ],
)
def test_an_answer_and_its_receipt_have_one_id(ids: str, answered: str, reported: str) -> None:
    accepted = outcome_of(pdus.Pdu(RESPONSE, 0, 1, answered.encode() + b"\0"), ids)
    receipt = receipt_of(delivery(f"id:{reported} stat:DELIVRD"), ids)
    by_option = receipt_of(delivery(id=answered.encode(), state=b"\x02"), ids)
    both = receipt_of(delivery(f"id:{reported} stat:DELIVRD", id=answered.encode(), state=b"\x02"), ids)
    assert isinstance(accepted, Accepted)
    assert receipt is not None
    assert receipt == by_option == both
    assert receipt.gateway_id == accepted.gateway_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("4kZ", "4kz"),  # of a counter in base 62
        ("aB3", "Ab3"),  # the same, by chance of hexadecimal digits alone
        ("0ZZ", "ZZ"),
        ("1 0", "10"),
        ("A0F1", "A0F10"),
        ("0x", "x"),
        ("0", ""),
    ],
)
def test_different_ids_stay_different(one: str, other: str) -> None:
    for of in (answers.id_of_answer, answers.id_of_receipt):
        assert of(one, "same") != of(other, "same")


@pytest.mark.parametrize("written", ["", "no-number", "1_0", "0x", "0xyz", "-5", "٣"])
def test_an_id_that_is_no_number_stays_as_it_is(written: str) -> None:
    assert answers.id_of_receipt(written, "hex-dec") == written
    assert answers.id_of_answer(written, "hex-dec") == written
