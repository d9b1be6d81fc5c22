"""Which unknown names of different documents name the same thing.

Precision first: names of several words join when a comparison key is the same or every word is
alike; a single word only when its likeliest key and its label are the same. The result depends on
what is joined, not on its order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.resolve.similarity import align, skeleton

ALIKE: Final = 0.92
"""Least similarity of every word at which names of two documents are one name respelled."""


@dataclass(frozen=True, slots=True, order=True)
class Signature:
    """What an unknown name looks like across documents: its label and keys, the likeliest first."""

    label: str
    keys: tuple[str, ...]

    @property
    def join_keys(self) -> tuple[str, ...]:
        """The keys that join it to others: all of several words, or the likeliest of one."""
        long = tuple(key for key in self.keys if " " in key.partition("@")[0])
        return long if long and long[0] == self.keys[0] else self.keys[:1]


def may_join(key: str, label: str, other_label: str) -> bool:
    """Say whether two names that share ``key`` may be one: a person is never a place or a body.

    Places and bodies are often taken for each other, but one word is too little to overlook it.
    """
    if label == other_label:
        return True
    return "PER" not in (label, other_label) and " " in key.partition("@")[0]


def alike(a: str, b: str) -> bool:
    """Say whether two keys of several words are one name, word for word, in any order.

    What stands behind ``@`` has to be the same.
    """
    name, _, place = a.partition("@")
    other, _, other_place = b.partition("@")
    words, others = name.split(), other.split()
    if place != other_place or len(words) < 2 or len(words) != len(others):
        return False
    pairs = align(words, others)
    return len(pairs) == len(words) and min(s for _, _, s in pairs) >= ALIKE


def block(key: str) -> str:
    """Return what two keys must share to be compared by :func:`alike`."""
    return " ".join(sorted(skeleton(key.partition("@")[0]).split()))


def group(
    signatures: Iterable[Signature],
    exact: Mapping[Signature, str],
    registered: Mapping[str, Sequence[tuple[str, str]]],
    near: Mapping[str, Sequence[tuple[str, str, str]]],
) -> dict[Signature, tuple[frozenset[Signature], str | None]]:
    """Return for each signature the group it is in, and the registered entity the group is.

    ``exact`` maps a signature to the entity that it was given before, ``registered`` a key to the
    (entity id, label) that have it, ``near`` a block to the (key, entity id, label) in it. What was
    given before stays; then same keys go before alike ones, registered entities before others, then
    what sorts first; no group ever holds two registered entities, since ids are stable.
    """
    nodes = sorted(set(signatures))
    union = _Union()
    edges = (
        (((exact[node],), _node(node)) for node in nodes if node in exact),
        _same_registered_key(nodes, registered),
        _same_key(nodes),
        _alike_registered(nodes, near),
        _alike(nodes),
    )
    for kind in edges:
        for a, b in sorted(set(kind)):
            union.join(a, b)
    members: dict[_Node, list[Signature]] = defaultdict(list)
    for node in nodes:
        members[union.root(_node(node))].append(node)
    return {
        node: (frozenset(together), union.entity.get(root))
        for root, together in members.items()
        for node in together
    }


_Node = tuple[str, ...]
"""A signature as (label, key, …), or a registered entity as (id,)."""


class _Union:
    """A union-find in which a set holds one registered entity at most."""

    def __init__(self) -> None:
        self.parent: dict[_Node, _Node] = {}
        self.entity: dict[_Node, str] = {}

    def root(self, node: _Node) -> _Node:
        while (up := self.parent.get(node, node)) != node:
            self.parent[node] = self.parent.get(up, up)
            node = up
        if len(node) == 1:
            self.entity[node] = node[0]
        return node

    def join(self, a: _Node, b: _Node) -> None:
        first, second = sorted((self.root(a), self.root(b)))
        if first == second or (first in self.entity and second in self.entity):
            return
        if second in self.entity:
            first, second = second, first
        self.parent[second] = first


def _node(signature: Signature) -> _Node:
    return (signature.label, *signature.keys)


def _same_registered_key(
    nodes: list[Signature], registered: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[tuple[_Node, _Node]]:
    for node in nodes:
        for key in node.join_keys:
            for entity_id, label in registered.get(key, ()):
                if may_join(key, node.label, label):
                    yield (entity_id,), _node(node)


def _same_key(nodes: list[Signature]) -> Iterator[tuple[_Node, _Node]]:
    holders: dict[str, list[Signature]] = defaultdict(list)
    for node in nodes:
        for key in node.join_keys:
            holders[key].append(node)
    for key, together in holders.items():
        for a in together:
            partner = next((b for b in together if b != a and may_join(key, a.label, b.label)), a)
            if partner != a:
                yield _node(a), _node(partner)


def _alike_registered(
    nodes: list[Signature], near: Mapping[str, Sequence[tuple[str, str, str]]]
) -> Iterator[tuple[_Node, _Node]]:
    for node in nodes:
        for key in node.join_keys:
            for other_key, entity_id, label in near.get(block(key), ()):
                if may_join(key, node.label, label) and alike(key, other_key):
                    yield (entity_id,), _node(node)


def _alike(nodes: list[Signature]) -> Iterator[tuple[_Node, _Node]]:
    blocks: dict[str, list[tuple[str, Signature]]] = defaultdict(list)
    for node in nodes:
        for key in node.join_keys:
            blocks[block(key)].append((key, node))
    for members in blocks.values():
        for i, (key, node) in enumerate(members):
            for other_key, other in members[i + 1 :]:
                if (
                    other != node
                    and may_join(key, node.label, other.label)
                    and alike(key, other_key)
                ):
                    yield _node(node), _node(other)
