"""What people decided about names, in the shape in which documents are settled.

:mod:`pipeline.overrides` holds the decisions as written, :mod:`pipeline.resolve.registry` makes
rulings of them, with the ids as they stand now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from pipeline import languages
from pipeline.resolve.forms import Form
from pipeline.schemas import LANGUAGES, UNDETERMINED

Name = tuple[str, str]
"""A language and a comparison key by its rules."""


@dataclass(frozen=True, slots=True)
class Target:
    """The entity that a name was given to: by knowledge key where it has one, else by id."""

    knowledge_key: str | None
    entity_id: str | None
    label: str
    cause: str


@dataclass(frozen=True, slots=True)
class Rulings:
    """Decisions about names.

    ``aliases`` give a name to an entity; names in ``ignored`` are none; ``barred`` says which
    knowledge entries (keys) a name does not mean; of each set in ``cuts`` the names are another's
    than those spelled much like them. A mention has a name when its likeliest reading
    or the name as written has that key in the mention's language.
    """

    aliases: dict[Name, Target] = field(default_factory=dict)
    ignored: frozenset[Name] = frozenset()
    barred: dict[Name, frozenset[str]] = field(default_factory=dict)
    cuts: tuple[frozenset[Name], ...] = ()

    def target(self, forms: Iterable[Form]) -> Target | None:
        """Return the entity that the first ruled name among ``forms`` was given to."""
        if not self.aliases:
            return None
        found = (self.aliases.get(name) for form in forms for name in names_of(form))
        return next((target for target in found if target is not None), None)

    def ignores(self, form: Form) -> bool:
        """Say whether the name is to be left out."""
        return bool(self.ignored) and any(name in self.ignored for name in names_of(form))

    def not_meant(self, forms: Iterable[Form]) -> frozenset[str]:
        """Return the knowledge keys that none of the names means."""
        if not self.barred:
            return frozenset()
        return frozenset(
            key for form in forms for name in names_of(form) for key in self.barred.get(name, ())
        )

    def parted(self, form: Form, other: Form) -> bool:
        """Say whether one of two names spelled alike was given to another entity."""
        if not self.cuts:
            return False
        ours, theirs = set(names_of(form)), set(names_of(other))
        return any(ours.isdisjoint(cut) != theirs.isdisjoint(cut) for cut in self.cuts)


NONE: Final = Rulings()
"""Where nobody decided anything."""


def names_of(form: Form) -> Iterator[Name]:
    """Yield the names under which rulings on ``form`` are found."""
    for key in form.keys:
        if key.text == form.key or (key.cost == 0.0 and key.text in form.read):
            yield form.lang, key.text


def names(text: str, lang: str | None) -> Iterator[Name]:
    """Yield the names that a ruling on ``text`` covers: in ``lang``, or in every language."""
    for code in (lang,) if lang else (*LANGUAGES, UNDETERMINED):
        yield code, languages.get(code).fold(text)
