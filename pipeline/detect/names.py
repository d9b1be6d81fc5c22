"""Names in a short text, told by their capitals: what the detectors should not read."""

from __future__ import annotations

from typing import Final

import regex

PARTICLES: Final = frozenset(["al", "bin", "den", "der", "el", "ibn", "ten", "van", "von", "zu"])
"""Words that stand in lower case within a person's name. Those of Romance languages (`de`) are
left out: they are as well what a sentence is known by."""

_SUFFIX: Final = regex.compile(r"['’]\p{Ll}{2,}$")
"""What Turkish adds to a name: no other of the languages writes an ending so."""

_AROUND: Final = "\"'“”‘’«»„()[]-–,.:;!?"
"""Punctuation that clings to words."""


def without_names(text: str) -> tuple[int, str]:
    """Return how many words of ``text`` begin with a capital, and the others but particles.

    A particle is left out behind a name alone. A name with an ending behind an apostrophe is
    among the others too, for its ending: `Bişkek'te`.
    """
    names, rest = 0, []
    in_name = False
    for word in text.split():
        bare = word.strip(_AROUND)
        if bare[:1].isupper():
            names += 1
            in_name = True
            if _SUFFIX.search(bare):
                rest.append(bare)
        elif not (in_name and bare in PARTICLES):
            in_name = False
            rest.append(bare)
    return names, " ".join(filter(None, rest))
