"""Plain text: one document a file, in UTF-8. A byte order mark is dropped, nothing else changes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Final

from pipeline.ingest.readers.base import Readable, Reader, read_whole, wide_encoding
from pipeline.ingest.records import Draft, Limits, Rejected

_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\n\v\f\r")) + b"\x7f"
_MOST_CONTROLS: Final = 0.1
"""From this share of control characters on, bytes are no text: prose has none."""


class _Text:
    suffixes = (".txt",)

    def read(
        self, file: Readable, night: datetime.date, limits: Limits
    ) -> Iterator[Draft | Rejected]:
        """Yield the file's text, or why it is none."""
        data = read_whole(file, limits)
        if isinstance(data, Rejected):
            yield data
            return
        payload = data[: limits.payload]
        if encoding := wide_encoding(data):
            message = f"the text is in {encoding}: convert it to UTF-8"
            yield Rejected(file.source, "not_utf8", message, payload=payload)
        elif _is_binary(data):
            message = "the file is binary in spite of its name: deliver text"
            yield Rejected(file.source, "binary", message, payload=payload)
        else:
            try:
                yield Draft(text=data.decode("utf-8-sig"))
            except UnicodeDecodeError as error:
                message = f"not UTF-8 at byte {error.start}: convert the file to UTF-8"
                yield Rejected(file.source, "not_utf8", message, payload=payload)


def _is_binary(data: bytes) -> bool:
    controls = len(data) - len(data.translate(None, _CONTROLS))
    return b"\0" in data or controls / len(data) > _MOST_CONTROLS


READER: Final[Reader] = _Text()
