"""Web pages: the article's text, by trafilatura, with the title, date and address of its metadata.

Barbaresi (2021), Trafilatura: a web scraping library and command-line tool for text discovery and
extraction, ACL demo. An encoding that the page names is the library's affair.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Iterator
from typing import Any, Final

import lxml.html

from pipeline.ingest.readers.base import Readable, Reader, read_whole
from pipeline.ingest.readers.charset import decoded
from pipeline.ingest.records import Draft, Limits, Rejected

_ELSEWHERE: Final = "ancestor::aside or ancestor::footer or ancestor::nav or ancestor::blockquote"

_DATED: Final = (
    "//head/link[@rel='canonical']"
    " | //head/meta[re:test(concat(@name, @property, @itemprop),"
    " 'dat[ae]|time|publi|issued|created|modified', 'i')]"
    " | //script[@type='application/ld+json']"
    "[re:test(text(), 'date(published|created|modified)', 'i')]"
    f" | //body//*[self::meta or self::time][@itemprop='datePublished'][not({_ELSEWHERE})]"
    f" | (//h1/following::time[@datetime][not({_ELSEWHERE})])[1]"
    "[not(preceding::p[string-length(normalize-space()) > 200])]"
)
"""Where a page states its own date: never in its prose, quoted posts or links to other articles."""

_REGULAR_EXPRESSIONS: Final = {"re": "http://exslt.org/regular-expressions"}


class _Html:
    suffixes = (".html", ".htm")

    def read(
        self, file: Readable, night: datetime.date, limits: Limits
    ) -> Iterator[Draft | Rejected]:
        """Yield the page's article, or why there is none."""
        data = read_whole(file, limits)
        if isinstance(data, Rejected):
            yield data
            return
        reason = "no article was found"
        draft = None
        try:
            draft = _article(data, night)
        except Exception as error:  # A broken page can raise anything in the library.
            reason = (
                f"the extractor failed ({' '.join(str(error).split()) or type(error).__name__})"
            )
        if draft is None:
            message = f"{reason}: deliver the article's page, or its text as .txt"
            yield Rejected(
                file.source, "extraction_failed", message, payload=data[: limits.payload]
            )
        else:
            yield draft


def _article(data: bytes, night: datetime.date) -> Draft | None:
    # Loaded where there is a page to read: they take longer to load than all else here.
    import trafilatura
    from trafilatura.utils import load_html

    page = load_html(decoded(data))
    if page is None:
        return None
    date = _stated_date(page, night)
    found = trafilatura.bare_extraction(
        page,
        include_comments=False,
        with_metadata=True,
        # Its date is not used; a fixed bound keeps the clock out of it.
        date_extraction_params={"extensive_search": False, "max_date": night.isoformat()},
    )
    if not isinstance(found, trafilatura.settings.Document) or not found.text:
        return None
    found.text.encode()
    return Draft(text=found.text, title=found.title, date=date, url=found.url)


def _stated_date(page: Any, night: datetime.date) -> str | None:
    """Return the publication date that the page's markup states, ISO 8601, not after ``night``."""
    import htmldate

    statement = lxml.html.document_fromstring("<html><head></head><body></body></html>")
    for element in page.xpath(_DATED, namespaces=_REGULAR_EXPRESSIONS):
        statement_part = copy.deepcopy(element)
        statement_part.tail = None
        statement[0 if element.getparent().tag == "head" else 1].append(statement_part)
    found: str | None = htmldate.find_date(
        statement, extensive_search=False, original_date=True, max_date=night.isoformat()
    )
    return found


READER: Final[Reader] = _Html()
