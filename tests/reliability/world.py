"""A small world in which the real command runs fast.

Rules in place of a network, a dozen entries of knowledge, short articles: all else is what runs at
night.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import spacy

from pipeline.knowledge.files import COLUMNS
from pipeline.recognise.cards import hash_files, model_files, write_card

PEOPLE = ("Sadyr Japarov", "Maia Sandu", "Nikol Pashinyan", "Emomali Rahmon")
NAMESAKE = "Akylbek Japarov"
SURNAME = "Japarov"
"""Of the two who bear it past news names one alone."""
PLACES = ("Bishkek", "Ankara", "Chișinău", "Hà Nội", "Astana")
ORGANISATIONS = ("World Bank", "European Union", "Eurasian Bank")
UNKNOWN = ("Aline Toresku", "Bekzat Orolbaev", "Cemre Yıldızhan", "Quỳnh Lâm Thảo", "Orbit Seven")
"""Names that the knowledge does not hold: they get ids of their own."""
NEWCOMER = "Dorukhan Ilgazsoy"
"""Another such name, which stands in no article that is not written for it."""
CHANGING = ("Maia Sandu was in Astana before the talks.", "Maia Sandu was in Ankara after them.")
"""What one file said on the first night and on the second."""

_SENTENCES = (
    "{person} met {unknown} in {place} on day {n} and spoke about the {organisation}.",
    "The {organisation} said in {place} that {unknown} would follow {person}, report {n}.",
    "{unknown} left {place} for talks with the {organisation}, wrote {person} in letter {n}.",
)


@dataclass(frozen=True)
class World:
    """Where the models, the settings and the sources lie."""

    models: Path
    config: Path
    raw: Path


def make(folder: Path, root: Path, n_documents: int, shard_documents: int) -> World:
    """Write models, settings and ``n_documents`` articles below ``folder``.

    Two runs are kept, so that a third one removes the first.
    """
    models = folder / "models"
    _write_knowledge(models / "knowledge")
    write_engine(models / "rules")
    shipped = (root / "exonym.toml").read_text(encoding="utf-8")
    routing = "".join(f'{lang} = "spacy:rules"\n' for lang in _ROUTED)
    settings = shipped.replace('profile = "shipped"', f'profile = "rules"\nmodels = "{models}"')
    settings = settings.replace("shard_documents = 64", f"shard_documents = {shard_documents}")
    settings = settings.replace("keep_runs = 7", "keep_runs = 2")
    config = folder / "exonym.toml"
    config.write_text(f"{settings}\n[profiles.rules]\n{routing}", encoding="utf-8")
    world = World(models, config, folder / "raw")
    world.raw.mkdir()
    add_articles(world, "first", range(n_documents))
    (world.raw / "broken.jsonl").write_text('{"id": 1}\nnonsense\n', encoding="utf-8")
    return world


_ROUTED = ("hi", "ro", "tr", "en", "vi", "und")


def add_articles(world: World, name: str, numbers: range) -> None:
    """Write articles, half of them files of their own, half lines of one file."""
    lines = []
    texts = {n: _article(n) for n in numbers}
    texts[numbers.stop] = f"{SURNAME} alone was silent on day {numbers.stop}."
    for n, text in texts.items():
        if n % 2:
            lines.append(json.dumps({"id": n, "text": text}, ensure_ascii=False))
        else:
            (world.raw / f"{name}-{n:04d}.txt").write_text(text, encoding="utf-8")
    (world.raw / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _article(n: int) -> str:
    names = {
        "person": PEOPLE[n % len(PEOPLE)],
        "place": PLACES[n % len(PLACES)],
        "organisation": ORGANISATIONS[n % len(ORGANISATIONS)],
        "unknown": UNKNOWN[n % len(UNKNOWN)],
    }
    return _SENTENCES[n % len(_SENTENCES)].format(n=n, **names)


def _write_knowledge(folder: Path) -> None:
    folder.mkdir(parents=True)
    entries = [
        *((f"wikidata:Q{n}", "PER", name) for n, name in enumerate((*PEOPLE, NAMESAKE), 11)),
        *((f"geonames:{n}", "LOC", name) for n, name in enumerate(PLACES, 100)),
        *((f"wikidata:Q{n}", "ORG", name) for n, name in enumerate(ORGANISATIONS, 50)),
    ]
    rows = [
        {"key": key, "label": label, "name": name, "en": name, "source": "curated"}
        for key, label, name in sorted(entries)
    ]
    lines = ["\t".join(row.get(column, "") for column in COLUMNS) for row in rows]
    text = "\n".join(["\t".join(COLUMNS), *lines]) + "\n"
    (folder / "names.tsv").write_text(text, encoding="utf-8")


def write_engine(folder: Path, without: str = "") -> None:
    """Write a pipeline that finds all names but ``without``."""
    nlp = spacy.blank("xx")
    ruler = nlp.add_pipe("entity_ruler")
    labelled = [
        ("PERSON", PEOPLE),
        ("GPE", PLACES),
        ("ORG", ORGANISATIONS),
        ("PERSON", (*UNKNOWN, SURNAME, NEWCOMER)),
    ]
    patterns = [
        {"label": label, "pattern": name}
        for label, names in labelled
        for name in names
        if name != without
    ]
    ruler.add_patterns(patterns)  # type: ignore[attr-defined]
    nlp.to_disk(folder)
    card = {"name": "rules", "engine": "spacy", "languages": list(_ROUTED), "licence": "CC0-1.0"}
    write_card(folder, {**card, "files": hash_files(folder, model_files(folder))})
