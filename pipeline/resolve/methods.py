"""How a link can be decided: the fixed set of values of ``mentions.link_method``."""

from __future__ import annotations

from typing import Final

ALIAS: Final = "alias"
KEY: Final = "key"
SIMILAR: Final = "similar"
ACRONYM: Final = "acronym"
SURNAME: Final = "surname"
CONTEXT: Final = "context"
NEWS: Final = "news"
REGISTRY: Final = "registry"
MINTED: Final = "minted"
OVERRIDE: Final = "override"

METHODS: Final = {
    ALIAS: "the name is written exactly as an alias of the entity",
    KEY: "the name's comparison key is that of an alias (another script, spelling or ending)",
    SIMILAR: "the name is close to an alias, word by word",
    ACRONYM: "the document ties the acronym to its long form, and the long form decided",
    SURNAME: "a part of a full name: of one in the document, or of one well-known person alone",
    CONTEXT: "several entities bear the name; the other entities of the document decided",
    NEWS: "the document leaves open which entity bears the name; past news decided",
    REGISTRY: "not in the knowledge base; an entity met in earlier news",
    MINTED: "not in the knowledge base; first met in this run",
    OVERRIDE: "a person gave the name to the entity (overrides.toml)",
}
"""Every method and what it means, for people."""
