"""The bytes that the ledger hashes, against bytes and hashes worked out here."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ledger.errors import EntryError
from bot.ledger.leaf import MAX_DEPTH, MAX_PAYLOAD_BYTES, canonical, leaf_hash, payload_hash, timestamp

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(st.text(max_size=12), json_values, max_size=6)


def test_canonical_bytes_are_those_of_rfc_8785() -> None:
    payload = {
        "z": [True, False, None],
        "risk": "0.534100",
        "n": 30,
        "\u20ac": 'a"b\\c\n\u0001/',  # quote, backslash and controls escaped; solidus not
        "\U0001f600": "é",  # sorts by UTF-16 code unit: D83D before FB33
        "\ufb33": {},
        "a": {"b": 1, "A": -2},
    }
    expected = (
        '{"a":{"A":-2,"b":1},"n":30,"risk":"0.534100","z":[true,false,null],'
        '"\u20ac":"a\\"b\\\\c\\n\\u0001/","\U0001f600":"é","\ufb33":{}}'
    )
    assert canonical(payload) == expected.encode()


def test_any_mapping_and_sequence_will_do() -> None:
    assert canonical(MappingProxyType({"b": (1, (2,)), "a": MappingProxyType({})})) == b'{"a":{},"b":[1,[2]]}'


@given(payloads)
def test_canonical_form_parses_back_to_the_payload(payload: dict[str, object]) -> None:
    body = canonical(payload)
    assert json.loads(body) == payload
    assert canonical(json.loads(body)) == body


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"outcomes": [{"risk": 0.5}]}, r"payload\.outcomes\[0\]\.risk is a float"),
        ({"x": float("nan")}, "is a float"),
        ({"x": Decimal("1.5")}, "Decimal"),
        ({"x": b"bytes"}, "bytes"),
        ({"x": {1, 2}}, "set"),
        ({"x": {1: 2}}, "key that is a int"),
        ({"x": 2**53}, "integer beyond"),
        ({"x": "\ud800"}, "lone surrogate"),
        ({"\ud800": 1}, "lone surrogate"),
        (["not", "a", "mapping"], "not a mapping"),
        ({"x": "y" * MAX_PAYLOAD_BYTES}, "bytes, above"),
    ],
)
def test_what_is_not_json_with_decimals_as_strings_is_refused(payload: dict[str, object], message: str) -> None:
    with pytest.raises(EntryError, match=message):
        canonical(payload)


def test_depth_is_limited() -> None:
    nested: object = 1
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert canonical({"x": nested[0]}).count(b"[") == MAX_DEPTH - 1  # type: ignore[index] # built as lists above
    with pytest.raises(EntryError, match="nested deeper"):
        canonical({"x": nested})


@pytest.mark.parametrize("value", [4807.25, Decimal("4807.25"), 48072500000000000000, "\ud800 4807"])
def test_a_refusal_quotes_neither_value_nor_unplanned_key(value: object) -> None:
    with pytest.raises(EntryError) as refusal:
        canonical({"Mrs Example 4807": {"x": value}})
    assert "4807" not in str(refusal.value)
    assert "Example" not in str(refusal.value)


def test_leaf_is_rfc_6962_over_every_column() -> None:
    salt, body = bytes(range(16)), b'{"a":1}'
    hashed = hashlib.sha256(salt + body)
    line = (
        '{"idem_key":"1333.7\\"x","kind":"delivered","payload_hash":"'
        + hashed.hexdigest()
        + '","ref":11,"seq":12,"time":"2026-11-22T09:30:00.000000Z"}'
    )
    columns = {"idem_key": '1333.7"x', "kind": "delivered", "ref": 11, "seq": 12, "time": "2026-11-22T09:30:00.000000Z"}
    assert payload_hash(salt, body) == hashed.digest()
    leaf = leaf_hash(**columns, payload_hash=hashed.digest())  # type: ignore[arg-type] # one dict holds int and str
    assert leaf == hashlib.sha256(b"\x00" + line.encode()).digest()
    assert leaf_hash(seq=1, idem_key="k", kind="computed", ref=None, time="t", payload_hash=b"\xff") == (
        hashlib.sha256(
            b'\x00{"idem_key":"k","kind":"computed","payload_hash":"ff","ref":null,"seq":1,"time":"t"}'
        ).digest()
    )


def test_time_is_utc_with_microseconds() -> None:
    moment = datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-11-21T23:30:00.000000Z"
    assert timestamp(datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC)) == "2026-01-02T03:04:05.000067Z"
    with pytest.raises(ValueError, match="without a zone"):
        timestamp(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
