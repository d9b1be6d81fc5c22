"""The tables that pass between the parts of this stage and are published by none."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from pipeline.schemas import LANGUAGES, MENTIONS, unfinished

SETTLED: Final = pa.schema(
    [
        *unfinished(MENTIONS),
        # The known entity, null for one that the knowledge base does not hold. (An entity_id that
        # is already set is one that a person gave the name to.)
        pa.field("knowledge_key", pa.string()),
        # Of an unknown one: its cluster's number in the document, its fullest name with language,
        # and the comparison keys under which other documents may name it, the likeliest first.
        pa.field("cluster", pa.string()),
        pa.field("cluster_name", pa.string()),
        pa.field("cluster_lang", pa.string()),
        pa.field("cluster_keys", pa.list_(pa.string())),
    ],
    metadata=MENTIONS.metadata,
)
"""Mentions after their document is settled: ids of entities are still missing."""

CLUSTERS: Final = pa.schema(
    [
        pa.field("entity_id", pa.string()),
        pa.field("knowledge_key", pa.string()),
        pa.field("label", pa.string()),
        pa.field("cluster_name", pa.string()),
        pa.field("cluster_lang", pa.string()),
        pa.field("cluster_keys", pa.list_(pa.string())),
        pa.field("n_mentions", pa.int64()),
        # Where it stands first: the least (doc_id, start).
        pa.field("doc_id", pa.string()),
        pa.field("start", pa.int32()),
    ]
)
"""The distinct names of settled mentions: all that giving ids needs to know of them."""

NAME_COLUMNS: Final = tuple(f"name_{lang}" for lang in LANGUAGES)

REGISTRY_ENTITIES: Final = pa.schema(
    [
        pa.field("action", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        *(pa.field(column, pa.string()) for column in NAME_COLUMNS),
        pa.field("status", pa.string(), nullable=False),
        pa.field("knowledge_key", pa.string()),
        pa.field("wikidata", pa.string()),
        pa.field("geonames", pa.string()),
        pa.field("iso_country", pa.string()),
    ]
)
"""Entities that a run adds to the registry or changes there; ``action`` says which."""

REGISTRY_KEYS: Final = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("likeliest", pa.bool_(), nullable=False),
        pa.field("script", pa.string(), nullable=False),
        pa.field("ended", pa.bool_(), nullable=False),
    ]
)
"""Comparison keys that a run adds to unknown entities, or with ``ended`` takes from them."""

REGISTRY_SIGNATURES: Final = pa.schema(
    [
        pa.field("signature", pa.string(), nullable=False),
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("ended", pa.bool_(), nullable=False),
    ]
)
"""Whole unknown names (JSON: label, keys) that a run gives to entities, or takes from them."""

REGISTRY_REDIRECTS: Final = pa.schema(
    [
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("replaced_by", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("decision", pa.string()),
        pa.field("ended", pa.bool_(), nullable=False),
    ]
)
"""Ids that a run retires, or with ``ended`` makes live again.

``decision`` is the row of :mod:`pipeline.overrides` that a person wrote to merge them, if one did.
"""

REGISTRY_OVERRIDES: Final = pa.schema(
    [
        pa.field("content", pa.string(), nullable=False),
        pa.field("ended", pa.bool_(), nullable=False),
    ]
)
"""Decisions of people that a run is the first to know, or with ``ended`` the last."""

REGISTRY_DECISIONS: Final = pa.schema(
    [
        pa.field("entity_id", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("cause", pa.string(), nullable=False),
    ]
)
"""What a run did with entities besides changing their own columns, and why."""
