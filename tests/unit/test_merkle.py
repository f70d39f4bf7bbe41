"""The tree against the definition in RFC 6962, its published test vectors, and laws."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ledger.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_ranges,
    hash_ranges,
    inclusion_ranges,
    is_consistent,
    root_from_inclusion,
    root_of,
)

# The inputs and roots of Certificate Transparency's reference implementation.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def defined_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m < k:
        return [*defined_path(m, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(m - k, leaves[k:]), defined_root(leaves[:k])]


def defined_proof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [defined_root(leaves)]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if m <= k:
        return [*defined_proof(m, leaves[:k], whole), defined_root(leaves[k:])]
    return [*defined_proof(m - k, leaves[k:], False), defined_root(leaves[:k])]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert root_of(leaf(bytes.fromhex(data)) for data in INPUTS[:size]).hex() == ROOTS[size - 1]


def test_the_tree_without_leaves() -> None:
    assert Tree().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


LEAVES = [leaf(str(i).encode()) for i in range(40)]


def test_every_proof_of_every_small_tree_is_the_defined_one_and_holds() -> None:
    for size in range(1, len(LEAVES) + 1):
        leaves = LEAVES[:size]
        root = root_of(leaves)
        assert root == defined_root(leaves)
        for index in range(size):
            proof = hash_ranges(leaves, inclusion_ranges(index, size))
            assert proof == defined_path(index, leaves)
            assert root_from_inclusion(leaves[index], index, size, proof) == root
        for old in range(1, size + 1):
            proof = hash_ranges(leaves, consistency_ranges(old, size))
            assert proof == defined_proof(old, leaves)
            assert is_consistent(old, root_of(leaves[:old]), size, root, proof)


@given(st.data())
def test_no_altered_proof_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, len(LEAVES)))
    leaves, root = LEAVES[:size], root_of(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    path = hash_ranges(leaves, inclusion_ranges(index, size))
    place = data.draw(st.integers(0, len(path) - 1))
    spoilt = [*path[:place], leaf(path[place]), *path[place + 1 :]]
    assert root_from_inclusion(leaves[index], index, size, spoilt) != root
    assert root_from_inclusion(leaves[index], index, size, path[:-1]) != root
    assert root_from_inclusion(leaves[index], index, size, [*path, root]) != root
    assert root_from_inclusion(leaves[index], (index + 1) % size, size, path) != root
    old = data.draw(st.integers(1, size - 1))
    proof = hash_ranges(leaves, consistency_ranges(old, size))
    assert not is_consistent(old, leaf(b"another"), size, root, proof)
    assert not is_consistent(old, root_of(leaves[:old]), size, leaf(b"another"), proof)
    place = data.draw(st.integers(0, len(proof) - 1))
    spoilt = [*proof[:place], leaf(proof[place]), *proof[place + 1 :]]
    assert not is_consistent(old, root_of(leaves[:old]), size, root, spoilt)


def test_what_cannot_be_asked() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no such leaf"):
            inclusion_ranges(index, size)
        assert root_from_inclusion(LEAVES[0], index, size, []) is None
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="older tree"):
            consistency_ranges(old, new)
        assert not is_consistent(old, EMPTY_ROOT, new, LEAVES[0], [])
    with pytest.raises(ValueError, match="too few"):
        hash_ranges(LEAVES[:3], [(0, 4)])
    with pytest.raises(ValueError, match="overlap"):
        hash_ranges(LEAVES, [(0, 4), (2, 3)])
