"""What the ingest stage takes and gives: limits, drafts, documents and rejections."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

DateOrigin = Literal["input", "text", "run"]

Error = Literal[
    "binary",
    "empty",
    "extraction_failed",
    "malformed_json",
    "missing_text",
    "not_utf8",
    "outside_source",
    "too_large",
    "truncated",
    "unknown_format",
    "unreadable",
    "wrong_type",
]

ERRORS: Final[Mapping[Error, str]] = {
    "binary": "A text file that holds no text: NUL bytes, or control characters throughout.",
    "empty": "A file or a text of nothing but white space, or a file without documents.",
    "extraction_failed": "A web page in which no article was found.",
    "malformed_json": "A line that is not one JSON object, or holds half a surrogate pair.",
    "missing_text": "An object without `text`, or a Parquet file without that column.",
    "not_utf8": "Text in another encoding than UTF-8.",
    "outside_source": "A symbolic link that leads out of the source folder.",
    "too_large": "A document, or an unpacked file, above its limit.",
    "truncated": "A compressed file that ends too early.",
    "unknown_format": "A file that no reader knows by its name.",
    "unreadable": "A file that cannot be opened, or is damaged.",
    "wrong_type": "A field that is not of the type its name asks for.",
}
"""Every error of this stage and what it means."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the readers take in, in bytes.

    ``document``: one document as it arrives (a .txt or .html file, a line, a text in Parquet).
    ``unpacked``: what one compressed file may unpack to. ``payload``: what a rejection keeps of the
    input.
    """

    document: int = 8 * 2**20
    unpacked: int = 16 * 2**30
    payload: int = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as its reader found it; ``date`` is still a string, in any format.

    ``line`` counts lines or rows from 1 and is None where a file is one document.
    """

    text: str
    title: str | None = None
    date: str | None = None
    lang: str | None = None
    source_id: str | None = None
    url: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document that entered the run: its text as stored, and where it came from."""

    text: str
    title: str | None
    date: datetime.date
    date_origin: DateOrigin
    lang_hint: str | None
    source: str
    line: int | None
    source_id: str | None
    url: str | None

    @property
    def doc_id(self) -> str:
        """The first 32 hex digits of the SHA-256 of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:32]

    @property
    def n_chars(self) -> int:
        """Length of the text in Unicode code points."""
        return len(self.text)

    @property
    def n_words(self) -> int:
        """Runs without white space that hold a letter or a digit."""
        return sum(any(map(str.isalnum, run)) for run in self.text.split())


@dataclass(frozen=True, slots=True)
class Rejected:
    """A piece of input that could not be used; ``message`` is one line: what is wrong, what to do.

    ``payload`` is the input itself, as far as :attr:`Limits.payload` allows, or None where there is
    nothing to keep.
    """

    source: str
    error: Error
    message: str
    line: int | None = None
    payload: bytes | None = None
    stage: Literal["ingest"] = "ingest"
