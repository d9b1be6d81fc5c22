"""What the commands about entities print for people: search, explain, relink and diff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from pipeline.report import table
from pipeline.resolve.grouping import KINSHIPS
from pipeline.resolve.methods import METHODS

if TYPE_CHECKING:  # so that a command loads only what it uses
    from pipeline.diff import Diff
    from pipeline.relink import Relinked
    from pipeline.resolve.explain import Result

_MOST_CANDIDATES: Final = 4
_MOST_PARTS: Final = 3
_MOST_MOVES: Final = 40
_SURE: Final = 0.8
_UNSURE: Final = 0.5
_LABEL_STYLES: Final = {"PER": "cyan", "LOC": "green", "ORG": "magenta"}


def found(name: str, results: Sequence[Result]) -> RenderableType:
    """Return the entities that a name may mean, the likeliest first, as a tree."""
    tree = Tree(Text(name, "bold"))
    for result in results:
        tree.add(
            Text.assemble(
                _score(result["score"]),
                "  ",
                _entity(result),
                "  ",
                (f"{result['method']}: {METHODS[result['method']]}", "dim"),
            )
        )
    if not results:
        tree.add(Text("nothing has that name", "yellow"))
    return tree


def explained(chain: Mapping[str, Any]) -> RenderableType:
    """Return what ``exonym explain`` found as a short tree; ``--json`` prints all of it."""
    return _mention(chain) if "mention" in chain else _whole_entity(chain)


def _mention(chain: Mapping[str, Any]) -> Tree:
    mention, link = chain["mention"], chain["link"]
    tree = Tree(Text.assemble((mention["surface"], "bold"), _dim(f"  {mention['mention_id']}")))
    document, segment = chain["document"], chain["segment"]
    for source in document["sources"]:
        origin = " · ".join(filter(None, (source["source"], source["source_id"], source["url"])))
        tree.add(_line("from", f"{origin}, code points {mention['start']}–{mention['end']}"))
    tree.add(_line("dated", f"{document['date']} ({document['date_origin']})"))
    tree.add(_line("said", mention["sentence"].strip()))
    votes = ", ".join(f"{detector} {lang}" for detector, lang in _items(segment["lang_votes"]))
    language = tree.add(_line("language", segment["lang"], f"{segment['lang_reason']}; {votes}"))
    language.add(_line("segment", f"{segment['segment']}, {segment['kind']}"))
    recognised = chain["recognised"]
    score = recognised["ner_score"]
    tree.add(
        Text.assemble(
            _key("recognised"),
            _label(recognised["ner_label"]),
            "  " if score is None else Text.assemble("  ", _score(score), "  "),
            _dim(f"{recognised['engine']}:{recognised['model']}, run {recognised['run_id']}"),
        )
    )
    keys = ", ".join(dict.fromkeys(reading["key"] for reading in link["readings"]))
    tree.add(_line("read as", mention["name"], f"keys {keys}"))
    _cluster(tree, mention, link)
    _met_as(tree, chain["met_as"])
    _candidates(tree, link)
    _past(tree, chain["past"])
    linked = chain["linked"]
    decided = tree.add(
        Text.assemble(
            _key("decided"),
            (linked["link_method"], "bold"),
            "  ",
            _score(linked["link_score"]),
            "  ",
            _dim(METHODS[linked["link_method"]]),
        )
    )
    if link["ruling"]:
        decided.add(Text(link["ruling"], "yellow"))
    if link["differs"]:
        decided.add(Text("today it would go elsewhere; see 'exonym relink --dry-run'", "yellow"))
    tree.add(Text.assemble(_key("entity"), _entity(chain["entity"])))
    return tree


def _cluster(tree: Tree, mention: Mapping[str, Any], link: Mapping[str, Any]) -> None:
    others = [m for m in link["cluster"] if m["mention_id"] != mention["mention_id"]]
    if others:
        names = dict.fromkeys(
            m["surface"] + (f" ({m['joined']})" if m["joined"] else "") for m in others
        )
        tree.add(_line("together with", ", ".join(names), "in this document"))


def _met_as(tree: Tree, met_as: Sequence[Mapping[str, Any]]) -> None:
    """Say what other names of an unknown entity the mention's name was joined with, and why."""
    others = [met for met in met_as if met["kinship"]]
    if len(met_as) > 1 and others:
        branch = tree.add(_line("in the news as", ", ".join(met["key"] for met in met_as)))
        for met in others[:_MOST_CANDIDATES]:
            branch.add(_line(met["key"], KINSHIPS[met["kinship"]]))


def _candidates(tree: Tree, link: Mapping[str, Any]) -> None:
    candidates = link["candidates"]
    branch = tree.add(
        _line("candidates", "" if candidates else "none", f"a link needs {link['threshold']:.2f}")
    )
    for candidate in candidates[:_MOST_CANDIDATES]:
        chosen = candidate["knowledge_key"] == link["knowledge_key"]
        parts = sorted(candidate["parts"].items(), key=lambda part: (-abs(part[1]), part[0]))
        evidence = ", ".join(f"{name} {value:+.1f}" for name, value in parts[:_MOST_PARTS])
        twig = branch.add(
            Text.assemble(
                ("✔ " if chosen else "· ", "bold green" if chosen else "dim"),
                _score(candidate["score"]),
                "  ",
                (candidate["name"], "bold" if chosen else ""),
                " ",
                _label(candidate["label"]),
                _dim(f"  {candidate['knowledge_key']}"),
            )
        )
        if chosen or not link["knowledge_key"]:
            alias = f"{candidate['found_by']} “{candidate['alias']}” ({candidate['alias_lang']})"
            twig.add(_dim(f"{alias}; {evidence}"))
    if len(candidates) > _MOST_CANDIDATES:
        branch.add(_dim(f"and {len(candidates) - _MOST_CANDIDATES} more"))


def _past(tree: Tree, past: Sequence[Mapping[str, Any]]) -> None:
    """Say how often past news named each candidate, where it decided."""
    if past:
        branch = tree.add(_line("past news", "named in stories of the days before"))
        for row in sorted(past, key=lambda row: -row["n_stories"])[:_MOST_CANDIDATES]:
            beside = f"{row['n_beside']:,} beside another name of this document"
            branch.add(_line(row["name"], f"{row['n_stories']:,}", beside))


def _whole_entity(chain: Mapping[str, Any]) -> Tree:
    entity = chain["entity"]
    tree = Tree(_entity(entity))
    if "redirected" in chain:
        redirect = chain["redirected"]
        tree.add(_line("asked for", redirect["entity_id"], redirect["reason"]))
    seen = f"{entity['n_mentions']:,} mentions in {entity['n_documents']:,} documents"
    tree.add(_line("seen", seen, f"{entity['first_seen']} to {entity['last_seen']}"))
    outside = [
        f"{key} {entity[key]}" for key in ("wikidata", "geonames", "iso_country") if entity[key]
    ]
    if outside:
        tree.add(_line("elsewhere", ", ".join(outside)))
    if chain["knowledge"]:
        known = chain["knowledge"]
        tree.add(_line("known as", known["key"], f"{len(known['aliases'])} aliases"))
    names = tree.add(_key("names"))
    for lang, rows in _by_language(chain["names"]):
        spelled = ", ".join(f"{row['name']} {row['n_mentions']:,}" for row in rows)
        names.add(_line(lang, spelled))
    if chain["former_ids"]:
        tree.add(_line("took in", ", ".join(chain["former_ids"])))
    history = tree.add(_key("history"))
    for decision in chain["decisions"]:
        why = decision["cause"] or decision["meaning"]
        history.add(_line(decision["action"], decision["run_id"], why))
    examples = tree.add(_key("for example"))
    for row in chain["examples"]:
        text = f"{row['surface']}: {' '.join(row['sentence'].split())}"
        examples.add(Text.assemble(text, _dim(f"  {row['link_method']} {row['mention_id']}")))
    return tree


def _by_language(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    languages: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["lang"], -row["n_mentions"], row["name"])):
        languages.setdefault(row["lang"], []).append(row)
    return list(languages.items())


def relinked(done: Relinked, *, dry_run: bool) -> RenderableType:
    """Return what a relink changed, or would change."""
    would = "would go" if dry_run else "went"
    moves = table(
        f"Mentions that {would} to another entity",
        ["entity", "name", "to", "name", "#mentions"],
        (
            (move.entity_id, move.name, move.to_id or "left out", move.to_name, move.n_mentions)
            for move in done.moves[:_MOST_MOVES]
        ),
    )
    parts: list[RenderableType] = [moves] if done.moves else []
    if len(done.moves) > _MOST_MOVES:
        parts.append(_dim(f"and {len(done.moves) - _MOST_MOVES:,} more; --json prints all"))
    if done.redirects:
        parts.append(table("Redirects", ["id", "now"], done.redirects.items()))
    if done.renamed:
        rows = ((entity_id, old, new) for entity_id, (old, new) in done.renamed.items())
        parts.append(table("Shown under another name", ["id", "before", "now"], rows))
    entities = {move.entity_id for move in done.moves}
    outcome = "nothing was published" if done.run_id is None else f"published as {done.run_id}"
    parts.append(
        Text(
            f"{done.n_moved:,} of {done.n_mentions:,} mentions, of {len(entities):,} entities, "
            f"{would} elsewhere; {done.n_new:,} are new; {done.n_changed:,} changed in all; "
            f"{outcome}"
        )
    )
    return Group(*parts)


def difference(result: Diff) -> RenderableType:
    """Return what changed between two runs."""
    from pipeline.diff import CAUSES  # loaded by whoever made the result

    counts: dict[tuple[str, str], int] = {}
    for change in result.changes:
        counts[change.kind, change.cause] = counts.get((change.kind, change.cause), 0) + 1
    summary = ", ".join(f"{n:,} {kind} ({cause})" for (kind, cause), n in counts.items())
    return Group(
        table(
            f"From {result.run_a} to {result.run_b}",
            ["what", "entity", "name", "label", "other", "#mentions", "cause", "why"],
            (change._replace(why=change.why or CAUSES[change.cause]) for change in result.changes),
        ),
        Text(summary or "no entity changed"),
    )


def _entity(row: Mapping[str, Any]) -> Text:
    status = row.get("status")
    return Text.assemble(
        (row["name"], "bold"),
        " ",
        _label(row["label"]),
        _dim(f"  {row['entity_id']}{f', {status}' if status else ''}"),
    )


def _label(label: str) -> Text:
    return Text(label, _LABEL_STYLES.get(label, ""))


def _score(score: float) -> Text:
    style = "green" if score >= _SURE else "yellow" if score >= _UNSURE else "red"
    return Text(f"{score:.2f}", style)


def _line(key: str, value: str, note: str = "") -> Text:
    return Text.assemble(_key(key), value, _dim(f"  {note}" if note else ""))


def _key(key: str) -> Text:
    return Text(f"{key}  ", "blue")


def _dim(text: str) -> Text:
    return Text(text, "dim")


def _items(votes: Any) -> Iterable[tuple[str, str]]:
    """Return the pairs of a map column, which comes as a mapping or as pairs."""
    return votes.items() if isinstance(votes, Mapping) else votes
