"""From one file to its documents."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from pipeline.ingest.dates import input_date, publication_date
from pipeline.ingest.inputs import InputFile
from pipeline.ingest.readers import reader_of
from pipeline.ingest.records import DateOrigin, Draft, Incoming, Limits, Rejected


def read(file: InputFile, night: datetime.date, limits: Limits) -> Iterator[Incoming | Rejected]:
    """Yield the documents of ``file`` and what had to be rejected, in the file's order.

    ``night`` is the run's date: it is given to documents that carry none, and no document is dated
    later. Memory is bounded by one document, whatever the file's size. Raises nothing: what a
    reader or a file system cannot do is a :class:`Rejected`.
    """
    reader = reader_of(file.path)
    if reader is None:
        yield Rejected(file.source, "unknown_format", "no reader for this file name: rename it")
        return
    try:
        for found in reader.read(file, night, limits):
            yield found if isinstance(found, Rejected) else _finish(found, file, night, limits)
    except OSError as error:
        reason = " ".join(str(error).split())
        yield Rejected(file.source, "unreadable", f"{reason}: check the file and deliver it again")


def _finish(
    draft: Draft, file: InputFile, night: datetime.date, limits: Limits
) -> Incoming | Rejected:
    """Make a document of ``draft``: its title before its text, and a date."""
    title = draft.title if draft.title and not draft.title.isspace() else None
    if not draft.text or draft.text.isspace():
        return Rejected(
            file.source, "empty", "the text is empty: nothing to read here", line=draft.line
        )
    text = with_title(draft.text, title)
    date, origin = _date(draft.date, text, draft.lang, night)
    return Incoming(
        text=text,
        title=title,
        date=date,
        date_origin=origin,
        lang_hint=draft.lang,
        source=file.source,
        line=draft.line,
        source_id=draft.source_id,
        url=draft.url,
    )


def with_title(text: str, title: str | None) -> str:
    """Return ``text`` with ``title`` and a blank line before it, unless it begins with the title.

    The two are compared with every run of white space as one space.
    """
    if title is None or " ".join(text.split()).startswith(" ".join(title.split())):
        return text
    return f"{title}\n\n{text}"


def _date(
    given: str | None, text: str, lang: str | None, night: datetime.date
) -> tuple[datetime.date, DateOrigin]:
    if given is not None and (date := input_date(given, lang, night)):
        return date, "input"
    if date := publication_date(text, night):
        return date, "text"
    return night, "run"
