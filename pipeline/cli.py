"""The command ``exonym``: one short function per subcommand, no logic of its own."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console

from pipeline import report, report_links
from pipeline.errors import ExonymError, LockedError, StoppedError, UsageError
from pipeline.garbage import collect_seldom
from pipeline.imports import spare_pandas
from pipeline.logs import JsonLog
from pipeline.progress import Bars, Lines, Reporter, Silent
from pipeline.schemas import LABELS, LANGUAGES, UNDETERMINED
from pipeline.settings import Settings, load
from pipeline.stopping import stop
from pipeline.store import Store

app = typer.Typer(
    help="Reads the news in Hindi, Romanian, Turkish, English and Vietnamese and says who, where "
    "and which organisation it was about.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
quarantine_app = typer.Typer(help="Input that could not be processed.", no_args_is_help=True)
models_app = typer.Typer(help="The models that recognise names.", no_args_is_help=True)
knowledge_app = typer.Typer(help="The knowledge base and its index.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(models_app, name="models")
app.add_typer(knowledge_app, name="knowledge")

Out = Annotated[Path, typer.Option("--out", help="Folder of the published tables.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (exonym.toml).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Worker processes.")]
NamesOption = Annotated[list[str] | None, typer.Option(metavar="NAME", help="A name in it.")]
Night = Annotated[
    datetime | None,
    typer.Option(
        "--date",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The night's date [default: today].",
    ),
]

_INTERRUPTED: Final = 128 + signal.SIGINT
"""The exit code that typer makes of Ctrl-C."""

_OUT: Final = Path("data/processed")
_console = Console(
    width=None if sys.stdout.isatty() else 140,
    markup=False,  # a file may be called [bold]
    highlight=False,
)


@app.command()
def run(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE", help="Files, folders, URIs.")
    ] = None,
    out: Out = _OUT,
    night: Night = None,
    workers: Workers = None,
    executor: Annotated[
        str | None, typer.Option(help="Where the work is done: local or dask.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="URL", help="Of the Dask cluster: tcp://HOST:8786.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Publish a night held back.")] = False,
    reprocess: Annotated[
        str | None,
        typer.Option(metavar="FROM..TO", help="Redo the days published, with the models of now."),
    ] = None,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Publish what is new in the sources.

    They are files, folders or URIs [default: data/raw]. With --accept, a night that a publish gate
    held back is published as it is; sources are then read only where they are named.
    """
    settings = _settings(config, workers, executor, scheduler)
    days = _days("--reprocess", reprocess, several=True) if reprocess else None
    if days and (sources or accept):
        raise UsageError("--reprocess reads what is published: name no sources, and no --accept")
    chosen = sources or ([] if accept else ["data/raw"])
    _run(chosen, out, _night(night), settings, quiet=quiet, accept=accept, reprocess=days)


@app.command()
def status(
    out: Out = _OUT,
    runs: Annotated[int, typer.Option(min=1, help="How many runs to list.")] = 10,
    config: Config = None,
) -> None:
    """Show the last runs, what is live and what is in quarantine."""
    from pipeline.status import status as look

    load(config)
    _console.print(report.status(look(Store(out), runs)))


@app.command()
def rollback(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run that status lists as kept.")],
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Put tables, registry and ledger back to what they were after an earlier run."""
    from pipeline.rollback import roll_back

    load(config)
    undone = roll_back(out, run_id)
    _console.print(f"{run_id} is live; taken back: {', '.join(undone) or 'nothing'}")


@app.command()
def withdraw(
    item: Annotated[str, typer.Argument(metavar="DOC_ID|SOURCE", help="As in document_sources.")],
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Take a document, or all of a source, out of every table and kept version, for good."""
    from pipeline.withdraw import withdraw as take_out

    load(config)
    done = take_out(out, item)
    _console.print(
        f"{len(done.doc_ids)} documents taken out of {done.n_generations} kept versions; "
        "they are not taken in again"
    )


@quarantine_app.command("list")
def quarantine_list(out: Out = _OUT, as_json: Json = False, config: Config = None) -> None:
    """List the input that could not be processed, with the reasons."""
    load(config)
    columns = ["source", "line", "stage", "error", "attempts", "message"]
    rows = Store(out).read("quarantine").select(columns).to_pylist()
    if as_json:
        _print_json_lines(rows)
    else:
        headings = ["source", "#line", "stage", "error", "#attempts", "message"]
        _console.print(report.table("Quarantine", headings, map(_values, rows)))


@quarantine_app.command("retry")
def quarantine_retry(
    out: Out = _OUT,
    night: Night = None,
    workers: Workers = None,
    quiet: Quiet = False,
    config: Config = None,
) -> None:
    """Put the files that have rows in quarantine through again."""
    from pipeline.quarantine import sources_to_retry

    settings = _settings(config, workers)
    there, left = sources_to_retry(Store(out))
    for source in left:
        about = f"{source} is gone, or a link out of its folder; its rows stay in quarantine"
        _console.print(about)
    if there:
        _run(there, out, _night(night), settings, quiet=quiet, retry=there)
    else:
        _console.print("nothing to retry")


@app.command()
def search(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="'-' reads one a line.")],
    lang: Annotated[str | None, typer.Option(help="The names' language.")] = None,
    label: Annotated[str | None, typer.Option(help="PER, LOC or ORG only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Entities shown for a name.")] = 5,
    as_json: Json = False,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Find the entity behind any spelling in any of the five languages."""
    from pipeline.knowledge.build import ensure
    from pipeline.resolve.explain import search as look_up

    _check_choice("--lang", lang, LANGUAGES)
    _check_choice("--label", label, LABELS)
    index = ensure(load(config).knowledge)
    with Store(out).readable() as state:
        for name in _names(names):
            results = look_up(name, index, state.connection, lang, label, limit)
            if as_json:
                _print_json_lines([{"query": name, "results": results}])
            else:
                _console.print(report_links.found(name, results))


@app.command()
def explain(
    item: Annotated[str, typer.Argument(metavar="ID", help="A mention_id or an entity_id.")],
    as_json: Json = False,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Show why a mention was linked as it was, or what an entity is made of."""
    from pipeline.explain import explain as chain_of

    chain = chain_of(Store(out), item, load(config))
    if as_json:
        _print_json_lines([chain])
    else:
        _console.print(report_links.explained(chain))


@app.command()
def relink(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Resolve all stored mentions again: after an edit of overrides.toml or of aliases."""
    from pipeline.executors.choice import opened
    from pipeline.relink import relink as link_again

    settings = _settings(config, workers)
    with (
        _reporter(None, quiet=quiet or as_json) as reporter,
        opened(settings, out) as executor,
    ):
        done = link_again(out, settings, dry_run=dry_run, reporter=reporter, executor=executor)
    if as_json:
        _print_json_lines([done.as_dict()])
    elif not quiet:
        _console.print(report_links.relinked(done, dry_run=dry_run))


@app.command()
def diff(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="The earlier run.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The later run.")],
    as_json: Json = False,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Show which entities changed between two published runs, and why."""
    from pipeline.diff import diff as compare

    load(config)
    result = compare(Store(out), run_a, run_b)
    if as_json:
        _print_json_lines(change._asdict() for change in result.changes)
    else:
        _console.print(report_links.difference(result))


@app.command()
def evaluate(
    gold: Annotated[Path, typer.Argument(metavar="GOLD", help="Standoff gold, JSON lines.")],
    as_json: Json = False,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Score the published tables against standoff gold."""
    from pipeline.evaluate import evaluate as compare

    load(config)
    result = compare(gold, Store(out))
    if as_json:
        _print_json_lines([result.as_dict()])
    else:
        _console.print(report.measured(gold, result))
        _console.print(report.evaluation(result))


@models_app.command("list")
def models_list(as_json: Json = False, out: Out = _OUT, config: Config = None) -> None:
    """List engine, model, licence, size and F1 by language."""
    from pipeline.models import list_models

    settings = load(config)
    _print_rows("Models", list_models(settings.models, settings.routing), as_json=as_json)


@models_app.command("verify")
def models_verify(as_json: Json = False, out: Out = _OUT, config: Config = None) -> None:
    """Compare every model file with its checksum; exit 1 when one differs."""
    from pipeline.models import verify

    checks = verify(load(config).models)
    _print_rows("Model files", checks, as_json=as_json)
    if any(check["state"] != "ok" for check in checks):
        raise ExonymError("model files differ from their checksums; restore them from the release")


@models_app.command("add")
def models_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name to route to.")],
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="spacy:PACKAGE_OR_PATH or stanza:PATH.")
    ],
    lang: Annotated[list[str], typer.Option(metavar="XX", help="A language it reads.")],
    licence: Annotated[str, typer.Option(help="Its licence.")] = "unknown",
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Register a spaCy package or path, or a Stanza NER model."""
    from pipeline.models import add

    for value in lang:
        _check_choice("--lang", value, LANGUAGES)
    added = add(load(config).models, name, model, tuple(lang), licence)
    _console.print(added)


@knowledge_app.command("build")
def knowledge_build(as_json: Json = False, out: Out = _OUT, config: Config = None) -> None:
    """Build the index from models/knowledge."""
    from pipeline.knowledge.build import build_command

    summary = build_command(load(config).knowledge)
    if as_json:
        _print_json_lines([asdict(summary)])
    else:
        _console.print(report.knowledge(summary))


@knowledge_app.command("add")
def knowledge_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its international name.")],
    label: Annotated[str, typer.Option(help="PER, LOC or ORG.")],
    source: Annotated[str, typer.Option(help="Where you have it from.")],
    en: NamesOption = None,
    hi: NamesOption = None,
    ro: NamesOption = None,
    tr: NamesOption = None,
    vi: NamesOption = None,
    other: Annotated[
        list[str] | None, typer.Option("--any", help="A name of no particular language.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The entry's key, such as iso:KG.")] = None,
    wikidata: Annotated[str | None, typer.Option(help="Its Wikidata id.")] = None,
    geonames: Annotated[str | None, typer.Option(help="Its GeoNames id.")] = None,
    country: Annotated[str | None, typer.Option(help="Its country's ISO code.")] = None,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Add an entry, or names of an entry.

    It goes to models/knowledge/added.tsv and into the index.
    """
    from pipeline.knowledge.add import FILE, Ids, add

    _check_choice("--label", label, LABELS)
    names = {"en": en, "hi": hi, "ro": ro, "tr": tr, "vi": vi, UNDETERMINED: other}
    given = {lang: forms or [] for lang, forms in names.items()}
    ids = Ids(key, wikidata, geonames, country)
    added = add(load(config).knowledge, name, label, given, source, ids)
    _console.print(f"{added} is in {FILE} and in the index")


@knowledge_app.command("import")
def knowledge_import(
    dump: Annotated[Path, typer.Argument(metavar="FILE", help="Wikidata's JSON, .gz or .bz2.")],
    classes: Annotated[
        Path | None, typer.Option("--classes", help="What to take, instead of the shipped file.")
    ] = None,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Take names from a Wikidata dump.

    People, places and organisations; the same command goes on where it was stopped.
    """
    from pipeline.knowledge.build import build_command
    from pipeline.knowledge.wikidata.importing import import_dump
    from pipeline.knowledge.wikidata.settings import load as load_classes

    folder = load(config).knowledge
    imported = import_dump(dump, folder, load_classes(classes), _console.print)
    _console.print(report.imported(imported))
    _console.print(report.knowledge(build_command(folder)))


@app.command()
def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="One of the published tables.")],
    format_: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    days: Annotated[
        str | None, typer.Option("--date", metavar="DAY|FROM..TO", help="These days only.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="[default: standard output]")
    ] = None,
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Write a table as CSV or JSON lines, for those who cannot read Parquet."""
    from pipeline.export import export as write

    load(config)
    chosen = _days("--date", days) if days else (None, None)
    write(Store(out), table, format_, chosen, target)


@app.command()
def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8610,
    host: Annotated[
        str, typer.Option(help="Address to listen at; another lets other machines in.")
    ] = "127.0.0.1",
    out: Out = _OUT,
    config: Config = None,
) -> None:
    """Show the tables on a local web page."""
    from pipeline.dashboard.server import serve

    serve(out, load(config), host, port)


def main() -> NoReturn:
    """Run the command; errors become one line on standard error and an exit code."""
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    signal.signal(signal.SIGTERM, stop)
    spare_pandas()
    collect_seldom()
    try:
        code = app(arguments, standalone_mode=False, prog_name="exonym")
    except (ExonymError, StoppedError) as error:
        if debug:
            raise
        print(f"exonym: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        raise SystemExit(ExonymError.exit_code) from None
    except typer.TyperException as error:
        print(_usage_error(error), file=sys.stderr)
        raise SystemExit(UsageError.exit_code) from None
    except Exception as error:
        if debug:
            raise
        print(f"exonym: {_unforeseen(error)}", file=sys.stderr)
        raise SystemExit(ExonymError.exit_code) from None
    if code == _INTERRUPTED:
        print("exonym: interrupted; nothing was lost, run it again to go on", file=sys.stderr)
    raise SystemExit(code if isinstance(code, int) else 0)


def _unforeseen(error: Exception) -> str:
    """Return what is wrong, in one line, where no part of Exonym knows."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{reason}; run it again, and with --debug for details"


def _usage_error(error: typer.TyperException) -> str:
    """Return what is wrong with the arguments in one line, or the help where none were given."""
    message: str = error.format_message() if hasattr(error, "format_message") else str(error)
    if "\n" in message:
        return message
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "exonym"
    message = message[:1].lower() + message[1:].rstrip(".").replace("Value error, ", "")
    message = message.replace("formats '%Y-%m-%d'", "form YYYY-MM-DD")
    return f"exonym: {message}; see {command} --help"


def _settings(
    config: Path | None,
    workers: int | None,
    executor: str | None = None,
    scheduler: str | None = None,
) -> Settings:
    """Return the settings with what the options say instead."""
    _check_choice("--executor", executor, ("local", "dask"))
    given = {"workers": workers, "executor": executor, "scheduler": scheduler}
    settings = load(config).model_copy(update={key: value for key, value in given.items() if value})
    if scheduler and settings.executor != "dask":
        raise UsageError("--scheduler is of a Dask cluster: give --executor dask as well")
    return settings


def _night(given: datetime | None) -> date:
    return given.date() if given else date.today()


def _days(option: str, given: str, *, several: bool = False) -> tuple[date, date]:
    """Return a first and a last day: of ``FROM..TO`` or, unless there are to be two, of one day."""
    first, dots, last = given.partition("..")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last if dots or several else first)
    except ValueError:
        one = "" if several else "YYYY-MM-DD, or "
        raise UsageError(f"{option} {given}: write {one}FROM..TO, two dates YYYY-MM-DD") from None
    if days[0] > days[1]:
        raise UsageError(f"{option} {given}: the first day comes after the last; turn them round")
    return days


def _run(
    sources: list[str],
    out: Path,
    night: date,
    settings: Settings,
    *,
    quiet: bool,
    retry: list[str] | None = None,
    accept: bool = False,
    reprocess: tuple[date, date] | None = None,
) -> None:
    from pipeline.executors.choice import opened
    from pipeline.run import run as run_nightly

    log = JsonLog(sys.stdout) if settings.log == "json" and not quiet else None
    try:
        with (
            _reporter(log, quiet=quiet) as reporter,
            opened(settings, out) as executor,
        ):
            summaries = run_nightly(
                sources,
                out,
                night,
                settings,
                reporter=reporter,
                executor=executor,
                retry=retry or (),
                accept=accept,
                reprocess=reprocess,
            )
    except (ExonymError, StoppedError) as error:
        if log:
            log.write("run ended", exit_code=error.exit_code, error=str(error))
        if not isinstance(error, LockedError):
            _write_metrics(out, settings)
        raise
    _write_metrics(out, settings)
    if log:
        log.write("run ended", exit_code=0, runs=[asdict(summary) for summary in summaries])
    elif not quiet:
        for summary in summaries:
            _console.print(report.summary(summary))
        if not summaries:
            _console.print("nothing new to do")


def _write_metrics(out: Path, settings: Settings) -> None:
    from pipeline import metrics

    store = Store(out)
    if not store.exists():
        return
    path = Path(settings.metrics_file) if settings.metrics_file else store.metrics
    with store.readable() as state:
        attempts = state.attempts()
    try:
        metrics.write(path, attempts, store.read("quarantine").num_rows)
    except OSError as error:
        print(f"exonym: cannot write metrics to {path}: {error.strerror}", file=sys.stderr)


@contextmanager
def _reporter(log: JsonLog | None, *, quiet: bool) -> Iterator[Reporter]:
    if quiet:
        yield Silent()
    elif log:
        yield log
    elif _console.is_terminal:
        with Bars(_console) as bars:
            yield bars
    else:
        yield Lines(_console)


def _names(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            yield from (line.strip() for line in sys.stdin if line.strip())
        else:
            yield argument


def _check_choice(option: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise UsageError(f"{option} {value} is not one of: {', '.join(choices)}")


def _print_json_lines(rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))


def _print_rows(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json_lines(rows)
    elif rows:
        _console.print(report.table(title, list(rows[0]), map(_values, rows)))


def _values(row: Mapping[str, Any]) -> list[Any]:
    return list(row.values())
