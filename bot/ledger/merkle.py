"""The Merkle tree over the ledger's leaves: roots, inclusion and consistency proofs (RFC 6962 and 9162, section 2.1).

A leaf is given already hashed (``event.leaf``); leaf ``i`` (from 0) is that of event ``i + 1``.

    node = SHA-256(0x01 || left || right)

Proofs are found from the leaves in one pass and little memory, so that a million events need no stored tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

# Root of the tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").digest()

_NODE_PREFIX = b"\x01"

# Leaves from the first up to, and without, the second.
Range = tuple[int, int]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, 32 bytes."""
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


class Tree:
    """A growing tree of which only the roots of its complete subtrees are kept, largest first."""

    def __init__(self) -> None:
        self._peaks: list[bytes] = []
        self._size = 0

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash on the right."""
        node, level = leaf, self._size
        while level & 1:
            node = node_hash(self._peaks.pop(), node)
            level >>= 1
        self._peaks.append(node)
        self._size += 1

    def root(self) -> bytes:
        """Root over all leaves so far, 32 bytes."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = node_hash(peak, node)
        return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root over these leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots prove that leaf ``index`` is in the tree of ``size`` leaves, lowest first.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The subtrees whose roots prove that the tree of ``old`` leaves is the beginning of that of ``new``.

    Raises:
        ValueError: ``old`` is not between 1 and ``new``.
    """
    if not 1 <= old <= new:
        raise ValueError("the older tree must have at least one leaf, and no more than the newer")
    start, end, ranges, whole = 0, new, [], True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    # A complete old tree is its own root, which whoever checks has already.
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def hash_ranges(leaves: Iterable[bytes], ranges: Sequence[Range]) -> list[bytes]:
    """Roots of subtrees, in the order asked; ``leaves`` are all leaf hashes from the first on and are read once.

    Raises:
        ValueError: there are too few leaves, or ranges that overlap.
    """
    order = sorted(range(len(ranges)), key=lambda place: ranges[place])
    found: dict[int, bytes] = {}
    position, stream = 0, iter(leaves)
    for place in order:
        start, end = ranges[place]
        if position > start:
            raise ValueError("subtrees overlap")
        tree = Tree()
        for leaf in stream:
            if position >= start:
                tree.append(leaf)
            position += 1
            if position == end:
                break
        if tree.size != end - start:
            raise ValueError("too few leaves")
        found[place] = tree.root()
    return [found[place] for place in range(len(ranges))]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162, section 2.1.3.2); None when it cannot be one for this place."""
    if not 0 <= index < size:
        return None
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return node if last == 0 else None


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows the older tree to be the beginning of the newer (RFC 9162, section 2.1.4.2)."""
    if not 1 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(node, first), node_hash(node, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, node)
        place, last = place >> 1, last >> 1
    return first == old_root and second == new_root and last == 0


def _split(size: int) -> int:
    """The largest power of two below ``size``, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)
