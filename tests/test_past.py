"""What past news teaches, over nights of a real output folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import pipeline as exonym
from pipeline import extraction, past, shard
from pipeline import run as nightly
from pipeline.explain import explain
from pipeline.knowledge.files import Row, write_rows
from pipeline.relink import relink
from pipeline.rollback import roll_back
from pipeline.run import run
from pipeline.schemas import TABLES
from pipeline.settings import Settings, load
from pipeline.store import Store
from pipeline.withdraw import withdraw

KNOWN = ("Petru Varga", "Anton Varga", "Ilo Makara", "Dara Kosta")
SUBJECTS = (
    "the harvest was poor and grain had to be bought abroad for the winter",
    "a bridge over the river will be closed until the engineers are done",
    "schools open later this year because teachers are still on strike",
    "prices of bread rose again while wages stayed as they had been before",
    "the orchestra plays old dances tonight in the square behind the mill",
    "ships wait outside the harbour since the crane fell into the water",
)


def stories(person: str, *more: str) -> list[str]:
    """Return six articles that are nothing like each other and name the same."""
    beside = "".join(f" with {name}" for name in more)
    return [f"{subject}, so {person}{beside} said." for subject in SUBJECTS]


FULL = stories("Petru Varga", "Dara Kosta")
ALONE = "today Varga was silent."


class Desk:
    """An output folder, its input, and an engine that takes capitalised words for persons."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.raw = folder / "raw"
        self.settings = settings.model_copy(
            update={"overrides": folder / "overrides.toml", "models": folder / "models"}
        )
        knowledge = self.settings.knowledge
        knowledge.mkdir(parents=True)
        rows = [
            Row(f"exonym:{n.lower().replace(' ', '-')}", "PER", n, {"en": (n,)}, *[None] * 4, "me")
            for n in sorted(KNOWN)
        ]
        write_rows(knowledge / "names.tsv", rows)

    def put(self, day: int, texts: Sequence[str]) -> None:
        self.raw.mkdir(exist_ok=True)
        lines = [json.dumps({"id": f"{day}-{n}", "text": t}) for n, t in enumerate(texts)]
        (self.raw / f"{day}.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def night(self, day: int, *texts: str) -> None:
        self.put(day, texts)
        run([str(self.raw)], self.out, date(2026, 3, day), self.settings)

    def links(self, surface: str) -> list[tuple[str | None, str]]:
        """Return the names of the entities of a surface's mentions, and how each was linked."""
        mentions = pd.read_parquet(self.out / "mentions")
        names = pd.read_parquet(self.out / "entities").set_index("entity_id")["name"]
        rows = mentions[mentions["surface"] == surface].sort_values(["date", "doc_id", "start"])
        return [(names[r.entity_id], r.link_method) for r in rows.itertuples()]

    def checksums(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for table in TABLES
            if table != "runs"
            for path in sorted((self.out / table).glob("*.parquet"))
        }


@pytest.fixture
def settings(root: Path) -> Settings:
    return load(root / "exonym.toml").model_copy(update={"shard_documents": 2})


@pytest.fixture
def desk(
    tmp_path: Path, settings: Settings, engine: object, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    monkeypatch.setattr(nightly, "checksums", lambda routing, models: [])
    monkeypatch.setattr(shard, "_open_index", lambda knowledge: shard.ensure(knowledge))
    return Desk(tmp_path / "desk", settings)


NEWS = ("Petru Varga", "news")


def test_a_surname_that_two_bear_means_whom_past_news_named(desk: Desk) -> None:
    desk.night(1, *FULL, "then Anton Varga left.")
    desk.night(2, ALONE)
    assert desk.links("Varga") == [NEWS]


def test_without_past_news_it_stays_open(desk: Desk) -> None:
    desk.night(1, *FULL, "then Anton Varga left.", ALONE)
    ((name, method),) = desk.links("Varga")
    assert (name, method) == ("Varga", "minted")


def test_few_stories_or_divided_ones_tell_nothing(desk: Desk) -> None:
    desk.night(1, *FULL[:1])
    desk.night(2, "now Varga was silent.")
    desk.night(3, *stories("Anton Varga"))
    desk.night(4, *FULL[1:])
    desk.night(5, "again Varga was silent.")
    assert {method for _, method in desk.links("Varga")}.isdisjoint({"news"})


def test_strangers_of_the_name_count(desk: Desk) -> None:
    desk.night(1, *FULL, *stories("Bela Varga"))
    desk.night(2, ALONE)
    assert NEWS not in desk.links("Varga")


def test_who_stands_beside_tells_too(desk: Desk) -> None:
    others = ("Elian Novik", "Oren Tal", "Mira Sol", "Juno Abel")
    elsewhere = [text for one in others for text in stories(one, f"Ana {one.split()[0]}")]
    desk.night(1, *FULL, *stories("Anton Varga", "Ilo Makara"), *elsewhere)
    desk.night(2, "today Varga met Dara Kosta.", "today Varga met Ilo Makara.")
    assert sorted(desk.links("Varga")) == [("Anton Varga", "news"), NEWS]


def test_near_duplicates_are_one_story(desk: Desk) -> None:
    desk.night(1, *(f"{'; '.join(SUBJECTS)}, Petru Varga said in part {n}." for n in range(6)))
    desk.night(2, ALONE)
    assert NEWS not in desk.links("Varga")


def test_only_the_last_days_count_and_none_where_it_is_turned_off(desk: Desk) -> None:
    desk.night(1, *FULL)
    desk.settings = desk.settings.model_copy(update={"past_days": 0})
    desk.night(2, ALONE)
    desk.settings = desk.settings.model_copy(update={"past_days": 5})
    desk.night(20, "nobody said anything.")
    desk.night(21, "again Varga was silent.")
    assert NEWS not in desk.links("Varga")
    desk.settings = desk.settings.model_copy(update={"past_days": 30})
    desk.night(22, "still Varga was silent.")
    assert NEWS in desk.links("Varga")


def test_what_past_news_decided_is_no_evidence(desk: Desk) -> None:
    desk.night(1, *FULL)
    desk.night(2, *(f"{subject}; {ALONE}" for subject in SUBJECTS))
    store = Store(desk.out)
    with store.state() as state:
        days = store.tables.days("mentions")
        counted = past.count(store.tables, days, state.connection, store.scratch)
    rows = {(row["key"], row["other"]): row["n_stories"] for row in counted.to_pylist()}
    assert rows["exonym:petru-varga", None] == len(FULL)
    assert rows["exonym:dara-kosta", "exonym:petru-varga"] == len(FULL)


@pytest.mark.parametrize("how", ["kept", "rolled back", "withdrawn", "superseded"])
def test_news_that_is_taken_back_is_forgotten(desk: Desk, how: str) -> None:
    desk.night(1, "nobody said anything.")
    desk.night(2, *FULL)
    if how == "rolled back":
        roll_back(desk.out, Store(desk.out).generations.kept()[0].run_id)
        (desk.raw / "2.jsonl").unlink()
    elif how == "withdrawn":
        withdraw(desk.out, str(desk.raw / "2.jsonl"))
    elif how == "superseded":
        desk.night(2, *SUBJECTS)
    desk.night(3, ALONE)
    assert (NEWS in desk.links("Varga")) == (how == "kept")


def test_a_relink_leaves_what_past_news_decided(desk: Desk) -> None:
    desk.night(1, *FULL)
    desk.night(2, ALONE)
    desk.night(3, *stories("Anton Varga", "Ilo Makara"))
    desk.night(4, *stories("Anton Varga"))
    before = desk.checksums()
    assert NEWS in desk.links("Varga")
    done = relink(desk.out, desk.settings)
    assert (done.run_id, done.n_changed) == (None, 0)
    assert desk.checksums() == before


def test_people_go_before_past_news(desk: Desk) -> None:
    desk.night(1, *FULL)
    desk.night(2, ALONE)
    assert desk.links("Varga") == [NEWS]
    decision = '[[alias]]\nname = "Varga"\nid = "exonym:anton-varga"\nwho = "Ana"\nwhy = "asked"\n'
    desk.settings.overrides.write_text(decision, encoding="utf-8")
    relink(desk.out, desk.settings)
    desk.night(3, "again Varga was silent.")
    assert {name for name, _ in desk.links("Varga")} == {"Anton Varga"}


def test_a_day_that_is_done_again_is_no_evidence_for_itself(desk: Desk) -> None:
    desk.night(1, *FULL, ALONE)
    day = date(2026, 3, 1)
    run([], desk.out, date(2026, 3, 9), desk.settings, reprocess=(day, day))
    assert desk.links("Varga") == [("Varga", "registry")]
    desk.night(2, "again Varga was silent.")
    run([], desk.out, date(2026, 3, 9), desk.settings, reprocess=(date(2026, 3, 2),) * 2)
    assert NEWS in desk.links("Varga")


def test_explain_says_how_often_it_was_named(desk: Desk) -> None:
    desk.night(1, *FULL, "then Anton Varga left.")
    desk.night(2, ALONE)
    mentions = pd.read_parquet(desk.out / "mentions").set_index("surface")
    chain = explain(Store(desk.out), mentions.loc["Varga", "mention_id"], desk.settings)
    assert (chain["link"]["method"], chain["link"]["differs"]) == ("news", False)
    assert chain["link"]["candidates"][0]["parts"]["news"] > 0
    stories = {row["name"]: row["n_stories"] for row in chain["past"]}
    assert stories["Petru Varga"] == len(FULL)
    assert (
        explain(Store(desk.out), mentions.loc["Anton Varga", "mention_id"], desk.settings)["past"]
        == []
    )


@pytest.mark.parametrize(("asked", "n_days"), [(True, 30), (True, 0), (False, 30)])
def test_names_at_hand_are_settled_by_past_news_of_the_tables_that_are_given(
    asked: bool, n_days: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.night(1, *FULL)
    settings = desk.settings.model_copy(update={"past_days": n_days})
    monkeypatch.setattr(extraction, "load_settings", lambda config: settings)
    before = desk.checksums()
    found = exonym.extract(ALONE, tables=desk.out if asked else None).set_index("surface")
    row = found.loc["Varga"]
    assert ((row["entity"], row["link_method"]) == NEWS) == (asked and n_days > 0)
    assert desk.checksums() == before
