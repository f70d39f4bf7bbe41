"""Receipts as Tarla writes them and as people type them."""

from __future__ import annotations

import pytest

from handlers.receipts import Receipt, read_receipt, read_typed_receipt, receipt_of

LEAF = bytes.fromhex("3f9a" + "00" * 30)


def test_what_is_shown_is_read_back() -> None:
    shown = receipt_of(1284, LEAF)
    receipt = read_receipt(shown)
    assert shown == "1284-3f9a" == str(receipt)
    assert receipt is not None
    assert receipt.fits(LEAF)
    assert not receipt.fits(LEAF[::-1])


@pytest.mark.parametrize("text", ["#1284-3f9a", " 1284-3F9A\n", "1284", "1284-3f9a00", "1284-" + LEAF.hex()])
def test_what_people_type_is_understood_where_they_type_it_and_nowhere_else(text: str) -> None:
    typed = read_typed_receipt(text)
    assert typed is not None
    assert (typed.seq, typed.fits(LEAF)) == (1284, True)
    assert read_receipt(text) is None


@pytest.mark.parametrize(
    "text", ["", "0-3f9a", "01-3f9a", "1284-3f9", "1284-3g9a", "-3f9a", "1284-", "١٢-3f9a", "1" * 19]
)
def test_anything_else_is_none(text: str) -> None:
    assert read_typed_receipt(text) is None
    assert read_receipt(text) is None


def test_a_number_alone_fits_any_event() -> None:
    assert Receipt(7, "").fits(LEAF)
    assert str(Receipt(7, "")) == "7"
