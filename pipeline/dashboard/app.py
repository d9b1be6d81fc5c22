"""Answers requests: reads what was asked for, puts it to the tables, fills in a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.dashboard import queries
from pipeline.dashboard.charts import timeline
from pipeline.dashboard.names import Names
from pipeline.dashboard.queries import Period
from pipeline.dashboard.reader import PublishingError, Reader, Row, Tables, placeholders
from pipeline.dashboard.text import mentions_in, pieces, web_address
from pipeline.errors import ExonymError, UsageError
from pipeline.explain import explain
from pipeline.knowledge.build import INDEX_FOLDER
from pipeline.knowledge.index import Index, IndexMissingError
from pipeline.resolve.explain import search
from pipeline.resolve.methods import METHODS
from pipeline.schemas import LABELS, LANGUAGES, UNDETERMINED
from pipeline.settings import Settings
from pipeline.store import Store

LANGUAGE_NAMES: Final = {
    "hi": "Hindi",
    "ro": "Romanian",
    "tr": "Turkish",
    "en": "English",
    "vi": "Vietnamese",
    UNDETERMINED: "other",
}
LABEL_NAMES: Final = {"PER": "person", "LOC": "place", "ORG": "organisation"}
PERIODS: Final = {"7": "7 days", "30": "30 days", "90": "90 days", "all": "all days"}
_USUAL_PERIOD: Final = "30"

_DAY_ROWS: Final = 50
_SENTENCES: Final = 20
_FOUND: Final = 50
_SUGGESTED: Final = 8
_RUNS: Final = 20
_QUARANTINED: Final = 100
_LONGEST_QUERY: Final = 200
_MOST_PAGES: Final = 500

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""On every answer: nothing from elsewhere, nothing inline, no frame, no trace to where one goes."""


def application(out: Path, settings: Settings, hosts: Sequence[str] = ("localhost",)) -> Starlette:
    """Return the dashboard over the tables in ``out`` as an ASGI application.

    ``hosts`` are the names it may be called by, so that no other site can send a browser here under
    a name of its own (DNS rebinding); ``*`` admits every name.

    Raises:
        UsageError: nothing is published in ``out``.
    """
    pages = _Pages(Store(out.resolve()), settings)
    routes = [
        Route("/", pages.latest_day),
        Route("/day", pages.chosen_day),
        Route("/day/{day}", pages.day),
        Route("/entity/{entity_id}", pages.entity, name="entity"),
        Route("/mention/{mention_id}", pages.mention),
        Route("/document/{doc_id}", pages.document),
        Route("/search", pages.search),
        Route("/suggest", pages.suggest),
        Route("/compare", pages.compare),
        Route("/runs", pages.runs),
        Mount("/static", StaticFiles(packages=[("pipeline.dashboard", "static")])),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(_SafeHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers={
            HTTPException: pages.error,
            PublishingError: pages.publishing,
            ExonymError: pages.refused,
            Exception: pages.broken,
        },
    )


class _SafeHeaders:
    """Adds the headers that keep a page's content harmless."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class _Pages:
    """One method a page. Plain functions: Starlette runs them in threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._reader = Reader(store)
        self._names = Names(self._reader)
        self._templates = _templates()

    def latest_day(self, request: Request) -> Response:
        """Lead to the last day that has documents."""
        days = self._reader.ask(lambda tables: tables.days())
        return RedirectResponse(f"/day/{days[-1]}", 307)

    def chosen_day(self, request: Request) -> Response:
        """Lead to the day that the form asks for."""
        return RedirectResponse(f"/day/{_day(request.query_params.get('date', ''))}", 303)

    def day(self, request: Request) -> Response:
        """Show who was in the news on a day."""
        day = _day(request.path_params["day"])
        lang = _choice(request, "lang", (*LANGUAGES, UNDETERMINED))
        label = _choice(request, "label", LABELS)
        page = _page(request)

        def question(tables: Tables) -> dict[str, Any]:
            days = tables.days()
            if day not in days:
                raise HTTPException(404, f"There is no {day} in the tables.")
            at = days.index(day)
            return {
                "first_day": days[0],
                "last_day": days[-1],
                "day_before": days[at - 1] if at else None,
                "day_after": days[at + 1] if at + 1 < len(days) else None,
                "totals": queries.day_totals(tables, day),
                "entities": queries.day_entities(
                    tables, day, lang, label, _DAY_ROWS, _DAY_ROWS * (page - 1)
                ),
                "risers": queries.risers(tables, day),
                "new_names": queries.new_names(tables, day),
                "pairs": queries.day_pairs(tables, day),
            }

        content = self._reader.ask(question)
        entities = content["entities"]
        n_all = entities[0]["n_all"] if entities else 0
        last_page = max(1, -(-n_all // _DAY_ROWS))
        return self._render(
            "day.html",
            **content,
            day=day,
            lang=lang,
            label=label,
            page=page,
            n_all=n_all,
            last_page=last_page,
            first_rank=_DAY_ROWS * (page - 1) + 1,
        )

    def entity(self, request: Request) -> Response:
        """Show all there is about one entity; an old id leads to its heir."""
        entity_id = request.path_params["entity_id"]
        days_back = _choice(request, "days", PERIODS) or _USUAL_PERIOD
        lang = _choice(request, "lang", (*LANGUAGES, UNDETERMINED))
        page = _page(request)

        def question(tables: Tables) -> dict[str, Any]:
            entity = queries.entity(tables, entity_id)
            if entity is None:
                raise HTTPException(404, "No entity has this id.")
            live_id = entity["entity_id"]
            merged = queries.merged_into(tables, live_id)
            ids = [live_id, *(row["entity_id"] for row in merged)]
            first = entity["first_seen"] if days_back == "all" else None
            period = _period_until(entity["last_seen"], days_back, first)
            counts = queries.timeline(tables, ids, period)
            days = sorted({row["date"] for row in counts})
            days_in_lang = sorted({row["date"] for row in counts if lang in (None, row["lang"])})
            return {
                "entity": entity,
                "merged": merged,
                "period": period,
                "counts": counts,
                "spellings": queries.spellings(tables, live_id),
                "neighbours": queries.neighbours(tables, ids, days),
                "methods": queries.link_methods(tables, ids, period),
                "sentences": queries.sentences(tables, ids, days_in_lang, lang, _SENTENCES * page),
            }

        content = self._reader.ask(question)
        if content["entity"]["entity_id"] != entity_id:
            return RedirectResponse(f"/entity/{content['entity']['entity_id']}", 308)
        sentences = content.pop("sentences")
        start = _SENTENCES * (page - 1)
        return self._render(
            "entity.html",
            **content,
            timeline=timeline(content["counts"], content["period"]),
            names=_by_language(content["entity"], content["spellings"]),
            sentences=sentences[start : start + _SENTENCES],
            more=len(sentences) > start + _SENTENCES,
            days_back=days_back,
            lang=lang,
            page=page,
        )

    def mention(self, request: Request) -> Response:
        """Show why a mention was joined to its entity."""
        mention_id = request.path_params["mention_id"]
        self._check_index()
        try:
            chain = self._reader.ask(lambda _: explain(self._store, mention_id, self._settings))
        except UsageError:
            raise HTTPException(404, "No mention has this id.") from None
        if "mention" not in chain:
            return RedirectResponse(f"/entity/{mention_id}", 307)
        return self._render("mention.html", chain=chain)

    def document(self, request: Request) -> Response:
        """Show a stored text with its names marked."""
        doc_id = request.path_params["doc_id"]
        document = self._reader.ask(lambda tables: queries.document(tables, doc_id))
        if document is None:
            raise HTTPException(404, "No document has this id.")
        return self._render("document.html", document=document)

    def search(self, request: Request) -> Response:
        """List the entities behind a spelling: those that hold it, then those that resemble it.

        Those that only sound like it come where none holds it.
        """
        text = _query(request)
        found = self._names.find(text, _FOUND)
        alike = self._alike(text) if text else []
        if not found:
            alike += self._names.sounding(text, _SUGGESTED)
        others = {row["entity_id"]: row for row in alike}
        for row in found:
            others.pop(row["entity_id"], None)
        return self._render("search.html", query=text, found=found, alike=list(others.values()))

    def suggest(self, request: Request) -> Response:
        """Return entities for what has been typed so far, as JSON."""
        text = _query(request)
        rows = self._names.find(text, _SUGGESTED) or self._names.sounding(text, _SUGGESTED)
        return JSONResponse(
            [
                {
                    "url": f"/entity/{row['entity_id']}",
                    "name": row["name"],
                    "spelling": row["spelling"] if row["spelling"] != row["name"] else "",
                    "lang": row["lang"],
                    "label": LABEL_NAMES[row["label"]],
                    "n_mentions": row["n_mentions"],
                }
                for row in rows
            ]
        )

    def compare(self, request: Request) -> Response:
        """Show languages and sources side by side."""
        days_back = _choice(request, "days", PERIODS) or _USUAL_PERIOD

        def question(tables: Tables) -> dict[str, Any]:
            days = tables.days()
            period = _period_until(days[-1], days_back, days[0])
            return {
                "period": period,
                "languages": queries.languages(tables, period),
                "top": queries.top_by_language(tables, period),
                "sources": queries.sources(tables, period),
            }

        return self._render("compare.html", **self._reader.ask(question), days_back=days_back)

    def runs(self, request: Request) -> Response:
        """Show the last runs and what is in quarantine."""

        def question(tables: Tables) -> dict[str, Any]:
            with self._store.readable() as state:
                attempts = state.attempts()[-_RUNS:][::-1]
                last_idle = state.last_idle()
            return {
                "attempts": attempts,
                "last_idle": last_idle,
                "counts": queries.quarantine_counts(tables),
                "quarantined": queries.quarantined(tables, _QUARANTINED),
            }

        return self._render("runs.html", **self._reader.ask(question))

    def error(self, request: Request, error: Exception) -> Response:
        """Say what is wrong with a request."""
        assert isinstance(error, HTTPException)
        page = {"title": "Not found" if error.status_code == 404 else "Not understood"}
        return self._render("error.html", error.status_code, message=error.detail, **page)

    def publishing(self, request: Request, error: Exception) -> Response:
        """Ask for a moment's patience."""
        message = "A run is publishing. Reload this page in a moment."
        response = self._render("error.html", 503, title="One moment", message=message)
        response.headers["Retry-After"] = "2"
        return response

    def refused(self, request: Request, error: Exception) -> Response:
        """Pass on an error that says itself what to do."""
        return self._render("error.html", 500, title="This cannot be shown", message=str(error))

    def broken(self, request: Request, error: Exception) -> Response:
        """Own up to a fault; the details are on the command's standard error."""
        message = "This page could not be made. The terminal of exonym dashboard says why."
        response = self._render("error.html", 500, title="Something broke", message=message)
        response.headers.update(_HEADERS)  # answered outside of all middleware
        return response

    def _check_index(self) -> None:
        """Raise an error where giving reasons would first build the index, for a minute or more."""
        knowledge = self._settings.knowledge
        try:
            stale = Index.open(knowledge / INDEX_FOLDER).stale(knowledge)
        except IndexMissingError:
            stale = True
        if stale:
            raise ExonymError(
                "the index of names is not as its files are; call exonym knowledge build"
            )

    def _alike(self, text: str) -> list[Row]:
        """Return published entities that ``exonym search`` finds for ``text``."""
        try:
            index = Index.open(self._settings.knowledge / INDEX_FOLDER)
        except IndexMissingError:
            return []
        with self._store.readable() as state:
            results = search(text, index, state.connection, limit=_SUGGESTED)
        if not results:
            return []
        names, values = placeholders([result["entity_id"] for result in results])
        return self._reader.ask(
            lambda tables: tables.rows(
                "SELECT entity_id, name, label, n_mentions FROM read_parquet($entities)"
                f" WHERE entity_id IN ({names}) ORDER BY n_mentions DESC, name",
                entities=tables.files("entities"),
                **values,
            )
        )

    def _render(self, template: str, status: int = 200, /, **content: Any) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(content), status)


def _templates() -> Environment:
    """Return the pages, which escape whatever they are given."""
    templates = Environment(
        loader=PackageLoader("pipeline.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        number=lambda value: f"{value:,.0f}",
        day=lambda value: f"{value:%a} {value.day} {value:%b %Y}",
        web_address=web_address,
        in_order=_in_order,
    )
    templates.globals.update(
        LANGUAGES=LANGUAGES,
        LANGUAGE_NAMES=LANGUAGE_NAMES,
        LABEL_NAMES=LABEL_NAMES,
        PERIODS=PERIODS,
        METHODS=METHODS,
        pieces=pieces,
        mentions_in=mentions_in,
    )
    return templates


def _in_order(items: Iterable[Any]) -> list[Any]:
    """Sort languages, pairs that begin with one, or rows of one, as every page lists languages."""

    def place(item: Any) -> tuple[int, str]:
        lang = item if isinstance(item, str) else item["lang" if isinstance(item, dict) else 0]
        return (LANGUAGES.index(lang) if lang in LANGUAGES else len(LANGUAGES), lang)

    return sorted(items, key=place)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HTTPException(404, "A day is written like 2025-11-26.") from None


def _choice(request: Request, parameter: str, choices: Sequence[str] | Mapping[str, str]) -> Any:
    """Return the value of a parameter, None where it is not given or empty."""
    value = request.query_params.get(parameter) or None
    if value is not None and value not in choices:
        raise HTTPException(400, f"{parameter} is one of: {', '.join(choices)}.")
    return value


def _page(request: Request) -> int:
    value = request.query_params.get("page", "1")
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_PAGES):
        raise HTTPException(400, f"page is a number from 1 to {_MOST_PAGES}.")
    return int(value)


def _query(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:_LONGEST_QUERY]


def _period_until(last: date, days_back: str, first: date | None) -> Period:
    """Return the period of ``days_back`` days up to ``last``, or from ``first`` for all of them."""
    if days_back == "all" and first is not None:
        return Period(first, last)
    return Period(last - timedelta(int(days_back) - 1), last)


def _by_language(entity: Row, spellings: Sequence[Row]) -> list[Row]:
    """Return for each language that names an entity its usual name and its spellings."""
    groups = []
    for lang in (*LANGUAGES, UNDETERMINED):
        own = [row for row in spellings if row["lang"] == lang]
        usual = entity.get(f"name_{lang}")
        if own or usual:
            groups.append({"lang": lang, "usual": usual, "spellings": own})
    return groups
