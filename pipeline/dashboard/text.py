"""Article text and addresses on their way to a page: never trusted, never markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit


def pieces(text: str, spans: Sequence[Sequence[int]]) -> Iterator[tuple[str, bool]]:
    """Cut ``text`` at ``spans`` (start and end in code points); true are the pieces inside.

    A span that overlaps the one before it, or leaves the text, is passed over.
    """
    for piece, span in _cut(text, [{"start": start, "end": end} for start, end in spans]):
        yield piece, span is not None


def mentions_in(
    text: str, mentions: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """Cut a document at its mentions, in order; with each piece comes its mention, or None."""
    yield from _cut(text, mentions)


def _cut(
    text: str, spans: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    done = 0
    for span in spans:
        start, end = span["start"], span["end"]
        if done <= start < end <= len(text):
            yield text[done:start], None
            yield text[start:end], span
            done = end
    yield text[done:], None


def web_address(url: str | None) -> str | None:
    """Return ``url`` if a browser may be sent there: http or https with a host, and no more."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None
