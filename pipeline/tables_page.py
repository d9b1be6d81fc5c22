"""Print ``docs/tables.md`` from the schemas: ``python -m pipeline.tables_page``."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from pipeline.schemas import DATED, SCHEMA_VERSION, TABLES

_HEAD = f"""\
# Tables

Generated from `pipeline/schemas.py` by `make docs`; schema version {SCHEMA_VERSION}.

Parquet files, zstd, under the folder given by `--out`, one folder a table. A dated table is one
file a day, `TABLE/YYYY-MM-DD.parquet`, with the day as the column `date`; the others are one file,
`TABLE/TABLE.parquet`. `pd.read_parquet("data/processed/mentions")` and DuckDB's
`'data/processed/mentions/*.parquet'` read either.
"""


def page() -> str:
    """Return the page in Markdown."""
    sections = ("\n".join(_section(name, schema)) for name, schema in TABLES.items())
    return "\n".join([_HEAD, *sections])


def _section(name: str, schema: pa.Schema) -> Iterator[str]:
    kind = "one file a day" if name in DATED else "one file"
    yield f"## {name}\n"
    yield f"{_description(schema.metadata)} *({kind})*\n"
    yield "| column | type | null | meaning |"
    yield "| --- | --- | --- | --- |"
    for field in schema:
        nullable = "yes" if field.nullable else ""
        meaning = _description(field.metadata).replace("|", "\\|")
        yield f"| `{field.name}` | {_type_name(field.type)} | {nullable} | {meaning} |"
    yield ""


def _description(metadata: dict[bytes, bytes]) -> str:
    return metadata[b"description"].decode()


def _type_name(type_: pa.DataType) -> str:
    if pa.types.is_map(type_):
        return f"map of {type_.key_type} to {type_.item_type}"
    if pa.types.is_struct(type_):
        return "struct of " + ", ".join(field.name for field in type_)
    if pa.types.is_list(type_):
        return f"list of {_type_name(type_.value_type)}"
    return str(type_)


if __name__ == "__main__":
    print(page(), end="")
