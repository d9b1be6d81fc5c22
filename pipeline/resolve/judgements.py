"""What decisions of people do to ids: merges, splits, ids kept apart, ids left out.

A decision takes effect once, when a run first meets it, and is remembered by what it did: a
redirect, or keys that moved. Deciding the same again changes nothing. A decision that is taken out
of the file is undone by the next run: what it merged is live again, what it split is merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pipeline import languages
from pipeline.errors import UsageError
from pipeline.knowledge.index import Index
from pipeline.overrides import Different, Overrides, from_rows
from pipeline.resolve import registry, rulings
from pipeline.resolve.grouping import Signature
from pipeline.resolve.registry import Registry
from pipeline.resolve.rulings import Name, Rulings, Target
from pipeline.schemas import UNDETERMINED

_ALIAS_TAKEN_OUT: Final = "an alias in overrides.toml that had taken its mentions was taken out"


class Spelling(NamedTuple):
    """How often a published entity is named so in a language."""

    name: str
    lang: str
    n_mentions: int


class Redirect(NamedTuple):
    """Where a retired id goes and why; ``decision`` is the row of a person who said so."""

    heir: str
    reason: str
    decision: str | None = None


@dataclass(slots=True)
class Judgements:
    """What the decisions add to the registry's delta, and what the run has to heed.

    ``known`` are knowledge keys that decisions name; ``minted`` maps the id of a part that was
    split off to its facts, ``restored`` the id that others leave again to those it had before them;
    ``redirects`` an id to its heir and the reason; ``apart`` holds pairs of ids that must not be
    merged; ``ignored`` ids whose mentions are left out. ``keys``, ``signatures``, ``overrides`` and
    ``decisions`` are rows of the delta's tables. ``registry`` is what the run looks up in.
    """

    registry: Registry
    known: set[str] = field(default_factory=set)
    minted: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    restored: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    redirects: dict[str, Redirect] = field(default_factory=dict)
    apart: set[frozenset[str]] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    keys: list[dict[str, Any]] = field(default_factory=list)
    signatures: list[dict[str, Any]] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)
    decisions: list[dict[str, str]] = field(default_factory=list)


def judge(
    frozen: Registry,
    index: Index,
    overrides: Overrides | None,
    published: Mapping[str, list[Spelling]],
    *,
    strict: bool,
) -> Judgements:
    """Return what ``overrides`` do to the registry; those that it remembers where null.

    See :func:`pipeline.resolve.ids.assign` for the parameters and errors.
    """
    return _Judge(frozen, index, published, strict=strict).judge(overrides)


class _Judge:
    def __init__(
        self,
        frozen: Registry,
        index: Index,
        published: Mapping[str, list[Spelling]],
        *,
        strict: bool,
    ) -> None:
        self.published = frozen
        self.frozen = frozen
        self.index = index
        self.names = published
        self.strict = strict
        self.done = Judgements(frozen)

    def judge(self, overrides: Overrides | None) -> Judgements:
        remembered = set(self.published.overrides())
        if overrides is None:
            overrides = from_rows(sorted(remembered))
        rows = set(overrides.rows())
        self.done.overrides = [
            {"content": content, "ended": content in remembered} for content in rows ^ remembered
        ]
        self.frozen = in_force(self.published, self.index, overrides)
        for different in from_rows(sorted(remembered - rows)).different:
            self._unsplit(different)
        ids = {reference: self._find(reference, where) for reference, where in overrides.ids()}
        for same in overrides.same:
            (row,) = Overrides(same=(same,)).rows()
            self._merge([ids[reference] for reference in same.ids], same.cause, row)
        self._unmerge()
        for number, different in enumerate(overrides.different, start=1):
            where = f"different {number}"
            if different.ids:
                self._keep_apart([ids[reference] for reference in different.ids], where)
            elif different.id and (entity_id := ids[different.id]):
                self._split(entity_id, different, where)
        for rename in overrides.rename:
            entity_id = ids[rename.id]
            if entity_id and not remembered.issuperset(Overrides(rename=(rename,)).rows()):
                self._say(entity_id, registry.RENAME, rename.cause)
        found = (ids[ignored.id] for ignored in overrides.ignore if ignored.id)
        self.done.ignored = {entity_id for entity_id in found if entity_id}
        return self.done

    def _find(self, reference: str, where: str) -> str | None:
        """Return the live id that ``reference`` (an id or a knowledge key) stands for."""
        entity_id = _find(self.frozen, self.index, reference)
        if entity_id is None and self.strict:
            raise UsageError(
                f"overrides.toml, {where}: nothing has the id '{reference}'; "
                "look it up with exonym search"
            )
        if entity_id is not None and ":" in reference:
            self.done.known.add(reference)
        return entity_id

    def _unmerge(self) -> None:
        """Let the ids that no decision merges any more be live, and give them back what is theirs.

        What their heir came by since then is given out again by likeness.
        """
        kept = {
            entity_id
            for entity_id in self.frozen.revived & self.done.redirects.keys()
            if self._heir(entity_id) == self.published.heir(entity_id)
        }
        for entity_id in kept:
            del self.done.redirects[entity_id]
        self.done.decisions = [row for row in self.done.decisions if row["entity_id"] not in kept]
        self.frozen = self.done.registry = self.published.reviving(self.frozen.revived - kept)
        for entity_id in sorted(self.frozen.revived):
            merged = self.published.merge_of(entity_id)
            assert merged is not None, f"{entity_id} was not retired"
            heir = self.frozen.heir(merged.replaced_by)
            taken_out = from_rows([merged.decision] if merged.decision else ()).same
            cause = f"taken out: {taken_out[0].cause}" if taken_out else _ALIAS_TAKEN_OUT
            for one in (entity_id, heir) if entity_id not in self.done.redirects else ():
                self._say(one, registry.SPLIT, cause)
            self._give_back(heir, merged.run_id)

    def _give_back(self, heir: str, run_id: str) -> None:
        keys, signatures = self.frozen.gained_since(heir, run_id)
        for key in keys:
            row = {"key": key, "entity_id": heir, "likeliest": False, "script": "", "ended": True}
            if row not in self.done.keys:
                self.done.keys.append(row)
        for text in map(registry.encoded, signatures):
            given = {"signature": text, "entity_id": heir, "ended": True}
            if given not in self.done.signatures:
                self.done.signatures.append(given)
        now, before = self.frozen.by_id(heir), self.frozen.before(heir, run_id)
        if now and before and now["status"] == before["status"] == "new":
            self.done.restored.setdefault(heir, before)

    def _unsplit(self, different: Different) -> None:
        """Merge what a decision that was taken out had split off into what it left."""
        if different.names is None:
            return
        cut = _keys_of_names(different.names)
        for part, whole in self.frozen.split_off(different.cause):
            ends = dict.fromkeys((self.frozen.heir(whole), self.frozen.heir(part)))
            bear = any(
                signature.keys[0].partition("@")[0] in cut
                for end in ends
                for signature in self.frozen.signatures_of(end)
            )
            if bear and len(ends) > 1:
                self._merge_in_order([*ends], f"taken out: {different.cause}", None)

    def _merge(self, ids: Iterable[str | None], cause: str, decision: str | None) -> None:
        """Make one of all: a known one before others, then the oldest."""
        live = {self._heir(entity_id) for entity_id in ids if entity_id}
        self._merge_in_order(sorted(live, key=self._seniority), cause, decision)

    def _merge_in_order(self, live: Sequence[str], cause: str, decision: str | None) -> None:
        for entity_id in live[1:]:
            self.done.redirects[entity_id] = Redirect(live[0], cause, decision)
            self._say(entity_id, registry.MERGE, cause)
        if len(live) > 1:
            self._say(live[0], registry.MERGE, cause)

    def _heir(self, entity_id: str) -> str:
        while entity_id in self.done.redirects:
            entity_id = self.done.redirects[entity_id].heir
        return entity_id

    def _seniority(self, entity_id: str) -> tuple[bool, bool, str, str]:
        row = self.frozen.by_id(entity_id)
        if row is None:  # an entry of the knowledge base that no news named yet
            return (False, True, "", entity_id)
        return (row["status"] != "known", False, row["created_run"], entity_id)

    def _keep_apart(self, ids: Iterable[str | None], where: str) -> None:
        live = [self._heir(entity_id) for entity_id in ids if entity_id]
        if len(set(live)) < len(live) and self.strict:
            raise UsageError(
                f"overrides.toml, {where}: the two were merged before; "
                "split them with 'id' and the 'names' of one of them"
            )
        self.done.apart |= {
            frozenset((one, other)) for one in live for other in live if one != other
        }

    def _split(self, entity_id: str, different: Different, where: str) -> None:
        """Give what bears the names another id than the rest; the larger part keeps the old one.

        An entry of the knowledge base keeps its id whatever the sizes.
        """
        cut = {name for text in different.names or () for name in rulings.names(text, None)}
        keys = _keys_of_names(different.names or ())
        owners = self.frozen.owners_of_signatures(entity_id)
        signatures = sorted(owners)
        part = [s for s in signatures if s.keys[0].partition("@")[0] in keys]
        rest = [s for s in signatures if s not in part]
        row = self.frozen.by_id(entity_id)
        if not part or row is None:
            return  # nothing to move: it was moved before, or names an entry of the knowledge base
        names = self.names.get(entity_id, [])
        inside = [s for s in names if (s.lang, languages.get(s.lang).fold(s.name)) in cut]
        outside = [s for s in names if s not in inside]
        if row["status"] != "known":
            if not rest:
                return  # all of it bears the names
            if _mentions(inside) > _mentions(outside):
                part, rest, inside = rest, part, outside
        moved = {key for signature in part for key in signature.registered_keys}
        kept = {key for signature in rest for key in signature.registered_keys}
        new_id = next(
            one for one in registry.split_ids(entity_id, moved) if self.frozen.by_id(one) is None
        )
        facts = self._facts_of_part(row, part, inside)
        self.done.minted[new_id] = facts
        rows = {
            key: {"key": key, "likeliest": key == signature.keys[0], "script": signature.script}
            for signature in reversed(part)
            for key in signature.registered_keys
        }
        for key in moved:
            self.done.keys.append({**rows[key], "entity_id": new_id, "ended": False})
        for owner in self.frozen.predecessors(entity_id):
            for key in (moved - kept) & self.frozen.keys_of(owner):
                self.done.keys.append({**rows[key], "entity_id": owner, "ended": True})
        for signature in part:
            text = registry.encoded(signature)
            for owner, ended in ((owners[signature], True), (new_id, False)):
                self.done.signatures.append({"signature": text, "entity_id": owner, "ended": ended})
        for one in (entity_id, new_id):
            self._say(one, registry.SPLIT, different.cause)

    def _facts_of_part(
        self, row: Mapping[str, Any], part: list[Signature], names: list[Spelling]
    ) -> Mapping[str, Any]:
        counts = Counter({(s.name, s.lang): s.n_mentions for s in names})
        if not counts:  # never published under these names: only the keys are known
            counts[part[0].keys[0].partition("@")[0].title(), UNDETERMINED] = 1
        return registry.facts_of(row["label"], counts)

    def _say(self, entity_id: str, action: str, cause: str) -> None:
        self.done.decisions.append({"entity_id": entity_id, "action": action, "cause": cause})


def _keys_of_names(texts: Iterable[str]) -> set[str]:
    """Return the comparison keys of names, by the rules of every language."""
    return {key for text in texts for _, key in rulings.names(text, None)}


def in_force(frozen: Registry, index: Index, overrides: Overrides | None) -> Registry:
    """Return the registry without the merges that people have taken back.

    Those of a ``same`` that is no longer in ``overrides``, together with all that hang together
    with it, since the others are then made again; and those of entities of which an ``alias`` that
    is no longer there had taken every mention. Nothing is taken back where ``overrides`` is null.
    """
    if overrides is None:
        return frozen
    gone = from_rows(sorted(set(frozen.overrides()) - set(overrides.rows())))
    decided = {row for same in gone.same for row in Overrides(same=(same,)).rows()}
    merged = list(frozen.merged_by_people()) if decided else []
    heirs = {frozen.heir(m.entity_id) for m in merged if m.decision in decided}
    revived = {m.entity_id for m in merged if frozen.heir(m.entity_id) in heirs}
    for alias in gone.alias:
        target = _find(frozen, index, alias.id)
        keys = {key for _, key in rulings.names(alias.name, alias.lang)}
        for emptied in frozen.merged_into(target) if target else ():
            names = {s.keys[0].partition("@")[0] for s in frozen.signatures_of(emptied.entity_id)}
            if emptied.decision is None and names & keys:
                revived.add(emptied.entity_id)
    return frozen.reviving(revived)


def _mentions(names: Iterable[Spelling]) -> int:
    return sum(spelling.n_mentions for spelling in names)


def _find(frozen: Registry, index: Index, reference: str) -> str | None:
    """Return the live id of an id or a knowledge key; None when there is no such thing."""
    if ":" not in reference:
        return frozen.heir(reference) if frozen.by_id(reference) else None
    if index.by_key(reference) is None:
        return None
    row = frozen.by_knowledge_key(reference)
    return frozen.heir(row["entity_id"]) if row else registry.known_id(reference)


def rulings_of(frozen: Registry, index: Index, overrides: Overrides | None) -> Rulings:
    """Return what ``overrides`` (those that the registry remembers where null) say of names.

    Decisions about ids that are not there are left out.
    """
    frozen = in_force(frozen, index, overrides)
    if overrides is None:
        overrides = from_rows(frozen.overrides())
    aliases: dict[Name, Target] = {}
    for alias in overrides.alias:
        target = _target(frozen, index, alias.id, alias.cause)
        if target is not None:
            # A decision for one language goes before one for all.
            for name in rulings.names(alias.name, alias.lang):
                if alias.lang or name not in aliases:
                    aliases[name] = target
    barred: dict[Name, set[str]] = {}
    for different in overrides.different:
        target = _target(frozen, index, different.id, "") if different.id else None
        if target is not None and target.knowledge_key is not None:
            for text in different.names or ():
                for name in rulings.names(text, None):
                    barred.setdefault(name, set()).add(target.knowledge_key)
    return Rulings(
        aliases,
        frozenset(
            name
            for ignored in overrides.ignore
            if ignored.name
            for name in rulings.names(ignored.name, ignored.lang)
        ),
        {name: frozenset(keys) for name, keys in barred.items()},
        tuple(
            frozenset(name for text in different.names for name in rulings.names(text, None))
            for different in overrides.different
            if different.names
        ),
    )


def _target(frozen: Registry, index: Index, reference: str, cause: str) -> Target | None:
    entity_id = _find(frozen, index, reference)
    if entity_id is None:
        return None
    row = frozen.by_id(entity_id)
    if row is not None:
        key = row["knowledge_key"]
        if key is not None and index.by_key(key) is None:
            key = None  # the knowledge base has lost the entry
        return Target(key, None if key else entity_id, row["label"], cause)
    number = index.by_key(reference)
    assert number is not None, "an id without a row is that of a knowledge entry"
    return Target(reference, None, index.entry(number).label, cause)
