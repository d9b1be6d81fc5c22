"""The named fields of a document, as JSON lines and Parquet rows carry them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pipeline.ingest.records import Draft, Error

FIELDS: Final = ("text", "id", "title", "url", "date", "lang")


class FieldsError(ValueError):
    """Fields that make no document: ``error`` and ``message`` as in a rejection."""

    def __init__(self, error: Error, message: str) -> None:
        """Take the error's short name and the line for people."""
        super().__init__(message)
        self.error = error
        self.message = message


def draft_of(fields: Mapping[str, object], line: int) -> Draft:
    """Return the document in ``fields``, line or row ``line`` of its file.

    A date that is no date is not an error: the document gets another one later on. Raises
    :class:`FieldsError` where ``text`` is missing, or a field of a wrong type or no valid Unicode.
    """
    text = _string(fields, "text")
    if text is None:
        raise FieldsError("missing_text", "there is no `text`: every document needs one")
    return Draft(
        text=text,
        title=_string(fields, "title"),
        date=_date(fields.get("date")),
        lang=_language(_string(fields, "lang")),
        source_id=_id(fields.get("id")),
        url=_string(fields, "url"),
        line=line,
    )


def _string(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise FieldsError(
            "wrong_type", f"`{name}` is {type(value).__name__}, not a string: write it as one"
        )
    return _valid(value, name)


def _valid(value: str, name: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        message = f"`{name}` holds half a surrogate pair at {error.start}: escape it as a whole"
        raise FieldsError("malformed_json", message) from error
    return value


def _id(value: object) -> str | None:
    """Return an id as a string; a blank one and one that is not a number (NaN) are none.

    Several rows without an id must not pass for corrections of each other. A whole number is one
    also in floating point, which is what pandas makes of a column where some ids are missing.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        message = f"`id` is {type(value).__name__}, not a string or a number: write it as one"
        raise FieldsError("wrong_type", message)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    text = _valid(str(value), "id")
    return text if text.strip() else None


def _date(value: object) -> str | None:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if isinstance(value, str) else None


def _language(value: str | None) -> str | None:
    """Return the language of a tag such as ``pt-BR``, lower case, or None."""
    return value.strip().lower().replace("_", "-").partition("-")[0] or None if value else None
