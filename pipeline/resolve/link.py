"""From the clusters of one document to decisions: which known entity, or none.

Twice: once by the names alone, then with the countries that the first pass found the document to be
about. Nothing outside the document is looked at but the knowledge base and, where these leave open
who is meant, what past news meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from pipeline.knowledge.prior import COUNTRY_KEY
from pipeline.resolve import countries, generic, score
from pipeline.resolve.candidates import Candidate, Finder, Known, best_of
from pipeline.resolve.forms import Form, looks_like_acronym, read
from pipeline.resolve.indocument import Cluster, Named, cluster
from pipeline.resolve.methods import ALIAS, CONTEXT, KEY, MINTED, NEWS, OVERRIDE, SIMILAR, SURNAME
from pipeline.resolve.past import NONE as NO_PAST
from pipeline.resolve.past import Past
from pipeline.resolve.rulings import NONE, Rulings, Target
from pipeline.resolve.score import Scored
from pipeline.resolve.similarity import name_similarity
from pipeline.schemas import LABELS

_SURE: Final = 0.8
"""Least score at which an entity tells what country the document is about."""

GOOD_EXACT: Final = 0.8
"""An exact candidate this alike makes the search for similar names needless."""

_BESIDE: Final = re.compile(r"(?:['’‘]\w{1,4})?\s+(?:\w{1,3}\s+)?")
"""What may stand between a country and the body it belongs to: ``Russia’s``, ``al``, ``của``."""

_ENUMERATED: Final = re.compile(
    r"\s*,\s*(?:\w{1,4}\s+)?|\s+(?:and|or|și|sau|ve|ile|और|या|và|hoặc)\s+"
)
"""What stands between two names of an enumeration."""

_CONTRADICTION: Final = 0.5
"""Below this likeness a long form says that its acronym means another body."""

_MAIN: Final = 1 / 2
"""Least share of what a text names at which one country is the one that it is about."""

_MOST_KEYS: Final = 12
_CHINESE: Final = frozenset({"CN", "HK", "MO", "TW"})
_VIETNAMESE: Final = "vi"


@dataclass(frozen=True, slots=True)
class Unknown:
    """What other documents need to recognise an entity that the knowledge base does not hold.

    ``name`` in language ``lang`` is its fullest name here; ``keys`` the comparison keys, the
    likeliest first, with ``@`` and a country or document behind them where the name alone does not
    tell (``justice ministry@RU``), or the sort of thing where the key leaves that out (``yntymak
    ordo@palace``).
    """

    name: str
    lang: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one cluster, and everything that was weighed.

    ``forms`` are the names that spoke for the cluster (a surname does not where the full name is
    known), ``ranked`` all candidates with their scores, best first; ``chosen`` is None where none
    was good enough, and then ``unknown`` is set. ``ruled`` is the entity that a person gave the
    name to, whatever was weighed. Without past news the choice would have been another where
    ``by_news``; else ``ranked`` knows nothing of it.
    """

    cluster: Cluster
    votes: Mapping[str, int]
    forms: tuple[Form, ...]
    ranked: tuple[Scored, ...]
    chosen: Scored | None
    by_context: bool
    unknown: Unknown | None
    ruled: Target | None = None
    by_news: bool = False

    @property
    def label(self) -> str:
        """The linked entity's label, else the one most voted for (ties in the order of LABELS)."""
        if self.ruled is not None:
            return self.ruled.label
        if self.chosen is not None:
            return self.chosen.known.label
        return max(LABELS, key=lambda label: (self.votes.get(label, 0), -LABELS.index(label)))

    @property
    def knowledge_key(self) -> str | None:
        """The key of the linked entity; None where the knowledge base does not hold it."""
        if self.ruled is not None:
            return self.ruled.knowledge_key
        return self.chosen.known.key if self.chosen is not None else None

    @property
    def score(self) -> float:
        """How sure the decision is; of an unknown entity, that no known one is meant."""
        if self.ruled is not None:
            return 1.0
        if self.chosen is not None:
            return self.chosen.score
        return 1.0 - (self.ranked[0].score if self.ranked else 0.0)


def link(
    doc_id: str,
    mentions: Sequence[Named],
    text: str,
    finder: Finder,
    rulings: Rulings = NONE,
    past: Past = NO_PAST,
) -> list[Decision]:
    """Return the decisions of one document, one a cluster, by first mention.

    ``mentions`` are sorted by start and do not overlap. ``rulings`` go before all that is weighed.
    """
    return Linker(doc_id, mentions, text, finder, rulings, past).decide()


def method_of(decision: Decision, position: int, form: Form, finder: Finder) -> str:
    """Return ``link_method`` of the mention at ``position``, whose name is ``form``."""
    joined = decision.cluster.joined.get(position)
    if joined is not None:
        return joined
    if decision.ruled is not None:
        return OVERRIDE
    if decision.chosen is None:
        return MINTED
    if decision.by_news:
        return NEWS
    if decision.by_context:
        return CONTEXT
    own = _own(decision.chosen, form, finder)
    return own.method if own else decision.chosen.candidate.method


def name_of(decision: Decision, form: Form, finder: Finder) -> str:
    """Return the reading of ``form`` that fits the decision: ``Rusia`` for ``Rusiei``."""
    own = _own(decision.chosen, form, finder) if decision.chosen else None
    return form.name_under(own.key) if own else form.name


def _own(chosen: Scored, form: Form, finder: Finder) -> Candidate | None:
    entry = chosen.candidate.entry
    return next((c for c in finder.exact(form) if c.entry == entry), None)


def candidates_of(forms: Iterable[Form], finder: Finder, *, person: bool) -> tuple[Candidate, ...]:
    """Return the candidates of all ``forms``: exact ones, and where they are poor, likely others.

    ``person`` also admits well-known persons by surname.
    """
    forms = tuple(forms)
    return _with_likely(forms, finder, _certain(forms, finder, person=person))


def _with_likely(
    forms: Iterable[Form], finder: Finder, found: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    """Return the ``found`` candidates of ``forms``, and where they are poor, likely others."""
    likely: list[Candidate] = []
    if _is_poor(found):
        own = {candidate.entry for candidate in found}
        likely = [c for form in forms for c in finder.matched(form) if c.entry not in own]
    return best_of((*found, *likely))


def _certain(forms: Iterable[Form], finder: Finder, *, person: bool) -> list[Candidate]:
    """Return the candidates of ``forms`` by exact name, and with ``person`` by surname."""
    found = [candidate for form in forms for candidate in finder.exact(form)]
    if person:
        found += [c for form in forms for c in finder.surname(form)]
    return found


def _is_poor(found: Iterable[Candidate]) -> bool:
    """Say whether similar names are to be looked for, since none of ``found`` is exact enough."""
    return max((c.similarity for c in found), default=0.0) < GOOD_EXACT


def _homes(forms: Iterable[Form]) -> frozenset[str]:
    return countries.homes({form.lang for form in forms})


def _are_generic(forms: Iterable[Form]) -> bool:
    return all(generic.is_generic(form.key) for form in forms)


def _bare(form: Form) -> str:
    """Return the key without the words that say what it names; empty where there are none.

    What they say stands behind: a park and a residence of one name are two.
    """
    bare = generic.without_heads(form.key)
    if bare == form.key:
        return ""
    sorts = generic.sorts(form.key, form.lang)
    return f"{bare}@{'/'.join(sorted(sorts))}" if sorts else bare


def _is_out(decision: Decision, candidate: Scored) -> bool:
    """Say whether not even past news could put the candidate before all others."""
    return candidate.logit + score.MOST_NEWS < decision.ranked[0].logit


def _is_called_after(candidate: Candidate, known: Known, votes: Mapping[str, int]) -> bool:
    """Say whether what is no person has a name like a person's: it is called after him."""
    return candidate.method == SIMILAR and known.label == "PER" and votes.get("PER", 0) == 0


def _is_reading(candidate: Candidate, known: Known, forms: Iterable[Form]) -> bool:
    """Say whether a place where Chinese is written is found by a Vietnamese name not its own.

    Every other Vietnamese place is called like one in China, by the characters (*Tương Dương*).
    """
    return (
        candidate.method == SIMILAR
        and known.label == "LOC"
        and known.iso_country in _CHINESE
        and all(form.lang == _VIETNAMESE for form in forms)
    )


class _Asked(NamedTuple):
    """What a cluster is called, and by whom: exact candidates, and namesakes by surname.

    ``named`` are ``forms`` and those with a ruler's title; ``ambiguous`` says that the name is a
    part of several full names of the document.
    """

    forms: tuple[Form, ...]
    named: tuple[Form, ...]
    votes: Mapping[str, int]
    ambiguous: bool
    certain: list[Candidate]


class Linker:
    """One document's clusters, and the decisions about them."""

    def __init__(
        self,
        doc_id: str,
        mentions: Sequence[Named],
        text: str,
        finder: Finder,
        rulings: Rulings,
        past: Past,
    ) -> None:
        """Cluster the mentions; the arguments are those of :func:`link`."""
        self.rulings = rulings
        self.past = past
        self.doc_id = doc_id
        self.mentions = mentions
        self.text = text
        self.finder = finder
        self.clusters = cluster(mentions, text, finder.entries, rulings.parted)
        self.parts = {
            word
            for mention in mentions
            if mention.label == "PER" and len(mention.form.words) > 1
            for word in mention.form.words
        }

    def unmatched(self) -> Iterator[Form]:
        """Yield the names of which :meth:`decide` will look for similar ones, or nearly all."""
        for asked in self._asked:
            if _is_poor(asked.certain):
                yield from asked.named

    @cached_property
    def _asked(self) -> list[_Asked]:
        return [self._ask(group, self._forms(group)) for group in self.clusters]

    def _ask(self, group: Cluster, forms: tuple[Form, ...]) -> _Asked:
        votes = group.votes(self.mentions)
        ambiguous = self._ambiguous(forms)
        named = (*forms, *self._titled(group))
        person = votes["PER"] > 0 and not ambiguous
        return _Asked(forms, named, votes, ambiguous, _certain(named, self.finder, person=person))

    def decide(self) -> list[Decision]:
        """Return the decisions, one a cluster, by first mention."""
        first = [
            self._weigh(group, {}, asked)
            for group, asked in zip(self.clusters, self._asked, strict=True)
        ]
        sure = self._mentioned((d for d in first if not self._is_mere_reading(d)), _SURE)
        peers = self._peers(first)
        second = [
            self._again(decision, sure, kinds) for decision, kinds in zip(first, peers, strict=True)
        ]
        if self.past:
            sure = self._mentioned(second, _SURE)
            second = [
                self._by_news(decision, sure, kinds)
                for decision, kinds in zip(second, peers, strict=True)
            ]
        second = self._without_other_spellings(second)
        owners = self._owners(second)
        mentioned = self._mentioned(second, score.THRESHOLD)
        about, dominant = countries.masses(mentioned), countries.dominant(mentioned)
        return [
            self._ruled(d if d.chosen is not None else self._unknown(d, about, owners, dominant))
            for d in second
        ]

    def _without_other_spellings(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Return the decisions without persons found by likeness whom the text names exactly.

        A text spells one name one way: beside António Guterres, Antonio Guiteras is another.
        """
        exact = {
            (d.chosen.candidate.entry, form.lang)
            for d in decisions
            if d.chosen is not None and d.chosen.candidate.method in (ALIAS, KEY)
            for form in d.forms
            if len(form.words) > 1
        }
        return [
            replace(d, chosen=None)
            if d.chosen is not None
            and d.chosen.known.label == "PER"
            and d.chosen.candidate.method == SIMILAR
            and any((d.chosen.candidate.entry, form.lang) in exact for form in d.forms)
            else d
            for d in decisions
        ]

    def _mentioned(self, decisions: Iterable[Decision], least: float) -> dict[Known, int]:
        """Return the known entities decided with at least that score, and their mentions' number.

        Names in credits and related posts do not count.
        """
        counts: Counter[Known] = Counter()
        for decision in decisions:
            number = sum(self.mentions[i].in_body for i in decision.cluster.members)
            if number and decision.chosen is not None and decision.score >= least:
                counts[decision.chosen.known] += number
        return counts

    @staticmethod
    def _is_mere_reading(decision: Decision) -> bool:
        """Say whether what was chosen would be no evidence of a text about China."""
        chosen = decision.chosen
        return chosen is not None and _is_reading(chosen.candidate, chosen.known, decision.forms)

    def _ruled(self, decision: Decision) -> Decision:
        """Return the decision with the entity that a person gave one of its names, if any."""
        target = self.rulings.target(decision.forms)
        return replace(decision, ruled=target) if target else decision

    def _forms(self, group: Cluster) -> tuple[Form, ...]:
        """Return the names that speak for the cluster, the fullest and most frequent first."""
        speaking = [i for i in group.members if group.joined.get(i) != SURNAME]
        counts = Counter(self.mentions[i].form for i in speaking or group.members)
        return tuple(
            sorted(counts, key=lambda form: (-len(form.words), -counts[form], form.surface))
        )

    def _titled(self, group: Cluster) -> tuple[Form, ...]:
        """Return the cluster's names with a ruler's title before them: Queen Camilla."""
        titled = {form for i in group.members if (form := self.mentions[i].titled)}
        return tuple(sorted(titled, key=lambda form: form.surface))

    def _ambiguous(self, forms: Iterable[Form]) -> bool:
        """Say whether the name is a part of several full names of the document.

        Of a single one it would have become a part of that one's cluster.
        """
        return all(len(form.words) == 1 and form.key in self.parts for form in forms)

    def _weigh(self, group: Cluster, about: Mapping[str, float], asked: _Asked) -> Decision:
        forms, votes = asked.forms, asked.votes
        found = _with_likely(asked.named, self.finder, asked.certain)
        barred = self.rulings.not_meant(forms)
        pairs = [
            (candidate, known)
            for candidate in found
            if not (
                (known := self.finder.known(candidate.entry)).label == "PER" and asked.ambiguous
            )
            and known.key not in barred
            and not _is_called_after(candidate, known, votes)
            and not self._contradicted(candidate, forms)
        ]
        ranked = score.weigh(pairs, votes, about, homes=_homes(forms), generic=_are_generic(forms))
        return Decision(
            group, votes, forms, tuple(ranked), score.choose(ranked), by_context=False, unknown=None
        )

    def _contradicted(self, candidate: Candidate, forms: tuple[Form, ...]) -> bool:
        """Say whether an acronym found the candidate but its long form here is another name.

        Only a language in which the knowledge base has a long form can contradict.
        """
        if " " in candidate.key:
            return False
        for form in forms:
            if len(form.words) < 2 or looks_like_acronym(form.surface):
                continue
            theirs = self.finder.long_names(candidate.entry, form.lang)
            if theirs and all(
                name_similarity(form.key, key, self.finder.weight, "ORG") < _CONTRADICTION
                for key in theirs
            ):
                return True
        return False

    def _peers(self, decisions: Sequence[Decision]) -> list[frozenset[str]]:
        """Return for each decision the kinds that all known names enumerated with it may be of."""
        of = {i: number for number, d in enumerate(decisions) for i in d.cluster.members}
        kinds = [{score.kind_of(s.known) for s in d.ranked if s.score >= _SURE} for d in decisions]
        peers: list[frozenset[str]] = [frozenset()] * len(decisions)
        for run in self._enumerations():
            together = {of[i] for i in run}
            for i in together if len(together) > 1 else ():
                others = [kinds[j] for j in together if j != i and kinds[j]]
                peers[i] |= set.intersection(*others) if others else set()
        return peers

    def _enumerations(self) -> Iterator[list[int]]:
        """Yield the mentions of each enumeration: Georgia, Armenia and Azerbaijan."""
        run: list[int] = []
        for i, mention in enumerate(self.mentions):
            last = self.mentions[i - 1] if run else None
            if last and not _ENUMERATED.fullmatch(self.text[last.end : mention.start]):
                yield run
                run = []
            run.append(i)
        yield run

    def _again(
        self, decision: Decision, sure: Mapping[Known, int], peers: Collection[str]
    ) -> Decision:
        """Weigh the candidates once more, knowing what the rest of the document names."""
        own = decision.chosen.known if decision.chosen else None
        rest = countries.masses(countries.without(sure, own))
        if not decision.ranked or not (rest or peers):
            return decision
        pairs = [(s.candidate, s.known) for s in decision.ranked]
        if rest and _CHINESE.isdisjoint(rest):  # then no place there is meant by its characters
            pairs = [pair for pair in pairs if not _is_reading(*pair, decision.forms)]
        ranked = score.weigh(
            pairs,
            decision.votes,
            rest,
            peers=peers,
            homes=_homes(decision.forms),
            generic=_are_generic(decision.forms),
        )
        chosen = score.choose(ranked)
        before = decision.chosen.candidate.entry if decision.chosen else None
        after = chosen.candidate.entry if chosen else None
        return Decision(
            decision.cluster,
            decision.votes,
            decision.forms,
            tuple(ranked),
            chosen,
            by_context=after is not None and after != before,
            unknown=None,
        )

    def _by_news(
        self, decision: Decision, sure: Mapping[Known, int], peers: Collection[str]
    ) -> Decision:
        """Weigh the candidates with what past news meant, too; keep that where it changes who."""
        settled = self.past.settled_for(
            (self.doc_id, self.mentions[i].start) for i in decision.cluster.members
        )
        own = decision.chosen.known if decision.chosen else None
        more = list(self._of_surname(decision, settled))
        if not more and all(s.known == own or _is_out(decision, s) for s in decision.ranked):
            return decision
        pairs = [(s.candidate, s.known) for s in decision.ranked] + more
        rest = countries.without(sure, own)
        news = self.past.evidence(
            (known.key for _, known in pairs),
            (key.text for form in decision.forms if len(form.words) == 1 for key in form.keys),
            (known.key for known in rest),
            settled,
        )
        if not news:
            return decision
        ranked = score.weigh(
            pairs,
            decision.votes,
            countries.masses(rest),
            peers=peers,
            homes=_homes(decision.forms),
            generic=_are_generic(decision.forms),
            news=news,
        )
        chosen = score.choose(ranked)
        if chosen is None or chosen.known == own or chosen.without_news < score.THRESHOLD:
            return decision
        return replace(decision, ranked=tuple(ranked), chosen=chosen, by_news=True)

    def _of_surname(
        self, decision: Decision, settled: frozenset[str]
    ) -> Iterator[tuple[Candidate, Known]]:
        """Yield the persons not weighed yet whom the surname means in past news."""
        if decision.votes.get("PER", 0) == 0 or self._ambiguous(decision.forms):
            return
        keys = self.past.often | settled if settled else self.past.often
        out = {s.known.key for s in decision.ranked} | self.rulings.not_meant(decision.forms)
        found = (c for form in decision.forms for c in self.finder.of_surname(form, keys))
        namesakes = [(c, self.finder.known(c.entry)) for c in best_of(found)]
        all_keys = [known.key for _, known in namesakes]
        for candidate, known in namesakes:
            is_meant = known.key in settled or self.past.is_meant(
                known.key, candidate.key, all_keys
            )
            if is_meant and known.key not in out:
                yield candidate, known

    def _owners(self, decisions: list[Decision]) -> dict[int, Scored]:
        """Return the country that a mention stands directly beside, by the mention's position."""
        chosen = {i: d.chosen for d in decisions for i in d.cluster.members if d.chosen is not None}
        owners: dict[int, Scored] = {}
        for i in range(len(self.mentions) - 1):
            gap = self.text[self.mentions[i].end : self.mentions[i + 1].start]
            if not _BESIDE.fullmatch(gap):
                continue
            for country, other in ((i, i + 1), (i + 1, i)):
                if country in chosen and chosen[country].known.key.startswith(COUNTRY_KEY):
                    owners.setdefault(other, chosen[country])
        return owners

    def _unknown(
        self,
        decision: Decision,
        about: Mapping[str, float],
        owners: Mapping[int, Scored],
        dominant: str | None,
    ) -> Decision:
        """Try an unlinked body with its country's name before it; else say how it is known here."""
        beside = next((owners[i] for i in decision.cluster.members if i in owners), None)
        owner = beside.known if beside is not None else self._main_country(decision, about)
        if owner is not None and decision.label == "ORG":
            owned = tuple(read(f"{owner.name} {form.name}", form.lang) for form in decision.forms)
            asked = self._ask(decision.cluster, owned)
            # A name of its own that is like none is not made like one by a country before it.
            may_be = asked.certain or _are_generic(decision.forms)
            again = self._weigh(decision.cluster, about, asked) if may_be else decision
            if again.chosen is not None and again.chosen.known.iso_country == owner.iso_country:
                return replace(again, forms=decision.forms, by_context=True)
        country = owner.iso_country if owner is not None else dominant
        return Decision(
            decision.cluster,
            decision.votes,
            decision.forms,
            decision.ranked,
            None,
            by_context=False,
            unknown=self._identity(decision.forms, country),
        )

    def _main_country(self, decision: Decision, about: Mapping[str, float]) -> Known | None:
        """Return the country that most of the text is about, for a body that each of them has."""
        if not about or not _are_generic(decision.forms):
            return None
        main = max(about, key=lambda code: (about[code], code))
        if about[main] < _MAIN * sum(about.values()):
            return None
        number = self.finder.index.by_key(f"{COUNTRY_KEY}{main}")
        return self.finder.known(number) if number is not None else None

    def _identity(self, forms: tuple[Form, ...], country: str | None) -> Unknown:
        long = [form for form in forms if not looks_like_acronym(form.surface)] or list(forms)
        fullest = long[0]
        keys = [form.spelled_out.lower() or form.key for form in long]
        keys += [bare for form in long if (bare := _bare(form))]
        keys += [generic.without_company(form.key, form.lang) for form in long]
        keys += [key.text for form in long for key in form.keys[1:]]
        keys = [key for key in dict.fromkeys(keys) if key] or [fullest.surface.casefold()]
        if self._ambiguous(forms):
            keys = [f"{key}@{self.doc_id}" for key in keys]
        elif generic.is_generic(fullest.key):
            keys = [f"{key}@{country or self.doc_id}" for key in keys]
        return Unknown(fullest.name, fullest.lang, tuple(keys[:_MOST_KEYS]))
