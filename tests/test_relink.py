"""Decisions of people, and new knowledge, applied to the whole history."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import regex

from pipeline import run as nightly
from pipeline import shard
from pipeline.errors import ExonymError, UsageError
from pipeline.knowledge.files import Row, write_rows
from pipeline.recognise import Span
from pipeline.relink import relink
from pipeline.resolve import registry
from pipeline.rollback import roll_back
from pipeline.run import run
from pipeline.schemas import TABLES
from pipeline.settings import Settings, load
from pipeline.store import Store

NIGHTS = {
    1: (
        "today Ilo Makara met Petru Varga.",
        "later Ilo Makara spoke again.",
        "then Elian Novik came, and Dara Kosta left.",
    ),
    2: (
        "so Sadyr Japarov said.",
        "and Sadyr Japarov said it again.",
        "but Sadir Caparov denied it.",
        "only Dara Kosta was silent.",
    ),
}
"""Articles by night; names alone are capitalised."""


class Capitals:
    """Takes every run of capitalised words for a person."""

    name, model, sha256 = "onnx", "capitals", "0" * 64

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        return [
            [
                Span(*found.span(), "PER", 0.9)
                for found in regex.finditer(r"\p{Lu}\p{Ll}+(?: \p{Lu}\p{Ll}+)*", sentence)
            ]
            for sentence in sentences
        ]


class Desk:
    """An output folder after two nights, with a file of decisions beside it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.settings = settings.model_copy(
            update={"overrides": folder / "overrides.toml", "models": folder / "models"}
        )

    def decide(self, kind: str, **values: object) -> None:
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        with self.settings.overrides.open("a", encoding="utf-8") as file:
            file.write("\n".join([f"[[{kind}]]", *lines, 'who = "Ana"', 'why = "asked"', ""]))

    def know(self, *people: str) -> None:
        rows = [
            Row(f"exonym:{n.lower().replace(' ', '-')}", "PER", n, {"en": (n,)}, *[None] * 4, "me")
            for n in people
        ]
        folder = self.settings.knowledge
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / "names.tsv", rows)

    def night(self, day: int, *texts: str) -> None:
        raw = self.folder / "raw"
        raw.mkdir(exist_ok=True)
        lines = [json.dumps({"id": f"{day}-{n}", "text": t}) for n, t in enumerate(texts)]
        (raw / f"{day}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        run([str(raw)], self.out, date(2026, 3, day), self.settings)

    def mentions(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "mentions")

    def id_of(self, surface: str) -> str:
        ids = self.mentions().set_index("surface")["entity_id"]
        found = set(ids.loc[[surface]])
        assert len(found) == 1, f"{surface} has the ids {found}"
        return str(found.pop())

    def entities(self) -> pd.DataFrame:
        return pd.read_parquet(self.out / "entities").set_index("entity_id")

    def redirects(self) -> dict[str, str]:
        table = pd.read_parquet(self.out / "redirects")
        return dict(zip(table["entity_id"], table["replaced_by"], strict=True))

    def log(self, entity_id: str) -> list[tuple[str, str | None]]:
        with Store(self.out).state() as state:
            return state.connection.execute(
                "SELECT action, cause FROM decisions WHERE entity_id = ? ORDER BY sequence",
                (entity_id,),
            ).fetchall()

    def checksums(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for table in TABLES
            for path in sorted((self.out / table).glob("*.parquet"))
        }


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    return load(root / "exonym.toml").model_copy(update={"shard_documents": 2})


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shard, "_load_engines", lambda routing, models: dict.fromkeys(dict(routing), Capitals())
    )
    monkeypatch.setattr(nightly, "checksums", lambda routing, models: [])
    monkeypatch.setattr(
        shard, "_open_index", lambda knowledge: shard.ensure(knowledge)
    )  # the knowledge changes while the process lives


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    """The folder of a desk after both nights, to be copied."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        engine.__wrapped__(monkeypatch)
        desk = Desk(tmp_path_factory.mktemp("published"), settings)
        desk.know("Petru Varga")
        for day, texts in NIGHTS.items():
            desk.night(day, *texts)
    return desk.folder


@pytest.fixture
def desk(tmp_path: Path, published: Path, settings: Settings, engine: None) -> Desk:
    folder = tmp_path / "desk"
    shutil.copytree(published, folder)
    return Desk(folder, settings)


def test_nothing_changes_where_nothing_was_decided(desk: Desk) -> None:
    before = desk.checksums()
    done = relink(desk.out, desk.settings)
    assert (done.run_id, done.n_changed, done.moves) == (None, 0, [])
    assert done.n_mentions == 9
    assert desk.checksums() == before


def test_same_makes_one_of_two_now_and_ever_after(desk: Desk) -> None:
    makara, novik = desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")
    old, gone = sorted((makara, novik))
    desk.decide("same", ids=[makara, novik])
    before = desk.checksums()
    preview = relink(desk.out, desk.settings, dry_run=True)
    assert desk.checksums() == before
    assert [(m.entity_id, m.to_id, m.n_mentions) for m in preview.moves] == [
        (gone, old, 2 if gone == makara else 1)
    ]
    done = relink(desk.out, desk.settings)
    assert (done.moves, done.redirects) == (preview.moves, {gone: old})
    assert desk.id_of("Ilo Makara") == desk.id_of("Elian Novik") == old
    assert desk.redirects() == {gone: old}
    assert desk.entities().loc[old, "n_mentions"] == 3
    assert ("merge", "same in overrides.toml: asked (Ana)") in desk.log(old)
    assert desk.checksums()["mentions/2026-03-02.parquet"] == before["mentions/2026-03-02.parquet"]
    desk.night(3, "here Elian Novik and Ilo Makara sat.")
    assert set(desk.mentions().query("surface == 'Elian Novik'")["entity_id"]) == {old}
    assert relink(desk.out, desk.settings).run_id is None


def test_same_is_undone_when_it_is_taken_out(desk: Desk) -> None:
    makara, novik = desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")
    names = desk.entities()
    desk.decide("same", ids=[makara, novik])
    relink(desk.out, desk.settings)
    old = desk.id_of("Ilo Makara")
    (gone,) = {makara, novik} - {old}
    desk.night(3, "here Elian Novic, the one, and Iló Makara sat.")
    assert desk.id_of("Elian Novic") == desk.id_of("Iló Makara") == old
    desk.settings.overrides.write_text("", encoding="utf-8")
    before = desk.checksums()
    preview = relink(desk.out, desk.settings, dry_run=True)
    assert desk.checksums() == before
    done = relink(desk.out, desk.settings)
    assert done.moves == preview.moves
    assert {(m.entity_id, m.to_id) for m in done.moves} == {(old, gone)}
    assert desk.id_of("Ilo Makara") == desk.id_of("Iló Makara") == makara
    assert desk.id_of("Elian Novik") == desk.id_of("Elian Novic") == novik
    assert desk.redirects() == {}
    columns = ["name", "status"]
    pd.testing.assert_frame_equal(
        desk.entities().loc[[makara, novik], columns], names.loc[[makara, novik], columns]
    )
    assert ("split", "taken out: same in overrides.toml: asked (Ana)") in desk.log(gone)
    desk.night(4, "then Elian Novik and Ilo Makara came.")
    assert desk.id_of("Ilo Makara") == makara
    assert desk.id_of("Elian Novik") == novik
    assert relink(desk.out, desk.settings).run_id is None


def test_of_three_that_are_the_same_two_stay_so(desk: Desk) -> None:
    names = ("Ilo Makara", "Elian Novik", "Dara Kosta")
    ids = [desk.id_of(name) for name in names]
    desk.decide("same", ids=ids[1:])
    kept = desk.settings.overrides.read_text(encoding="utf-8")
    desk.decide("same", ids=ids[:2])
    relink(desk.out, desk.settings)
    assert {desk.id_of(name) for name in names} == {min(ids)}
    desk.settings.overrides.write_text(kept, encoding="utf-8")
    relink(desk.out, desk.settings)
    assert [desk.id_of(name) for name in names] == [ids[0], *[min(ids[1:])] * 2]
    assert desk.redirects() == {max(ids[1:]): min(ids[1:])}


def test_same_and_taken_out_can_be_rolled_back(desk: Desk) -> None:
    desk.decide("same", ids=[desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")])
    merged = relink(desk.out, desk.settings)
    before = desk.checksums()
    desk.settings.overrides.write_text("", encoding="utf-8")
    relink(desk.out, desk.settings)
    assert merged.run_id is not None
    roll_back(desk.out, merged.run_id)
    after = desk.checksums()
    assert {name for name in before if before[name] != after[name]} <= {"runs/runs.parquet"}
    with Store(desk.out).state() as state:
        assert len(registry.overrides_of(state.connection).same) == 1


def test_what_was_merged_can_be_split_by_name(desk: Desk) -> None:
    desk.decide("same", ids=[desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")])
    relink(desk.out, desk.settings)
    both = desk.id_of("Ilo Makara")
    desk.settings.overrides.unlink()  # the merge is remembered
    desk.night(3, "here Elian Novik sat.")
    assert desk.id_of("Elian Novik") == both
    with desk.settings.overrides.open("w", encoding="utf-8") as file:
        file.write("")
    desk.decide("same", ids=[both, desk.redirects().popitem()[0]])
    desk.decide("different", id=both, names=["Elian Novik"])
    relink(desk.out, desk.settings)
    assert desk.id_of("Elian Novik") != desk.id_of("Ilo Makara")
    relinked = relink(desk.out, desk.settings)
    assert relinked.run_id is None


def test_a_split_that_is_taken_out_is_undone(desk: Desk) -> None:
    both = desk.id_of("Sadyr Japarov")
    desk.decide("different", id=both, names=["Sadir Caparov"])
    relink(desk.out, desk.settings)
    apart = desk.id_of("Sadir Caparov")
    decided = desk.settings.overrides.read_text(encoding="utf-8")
    desk.settings.overrides.write_text("", encoding="utf-8")
    relink(desk.out, desk.settings)
    assert desk.id_of("Sadir Caparov") == desk.id_of("Sadyr Japarov") == both
    assert desk.redirects() == {apart: both}
    desk.settings.overrides.write_text(decided, encoding="utf-8")
    relink(desk.out, desk.settings)
    assert desk.id_of("Sadyr Japarov") == both
    assert desk.id_of("Sadir Caparov") not in {both, apart}
    assert relink(desk.out, desk.settings).run_id is None


def test_an_alias_that_is_taken_out_gives_the_old_id_back(desk: Desk) -> None:
    kosta = desk.id_of("Dara Kosta")
    desk.decide("alias", id="exonym:petru-varga", name="Dara Kosta")
    relink(desk.out, desk.settings)
    assert desk.redirects() == {kosta: desk.id_of("Petru Varga")}
    desk.settings.overrides.write_text("", encoding="utf-8")
    relink(desk.out, desk.settings)
    assert desk.id_of("Dara Kosta") == kosta != desk.id_of("Petru Varga")
    assert desk.redirects() == {}
    assert relink(desk.out, desk.settings).run_id is None


def test_different_splits_and_the_larger_part_keeps_the_id(desk: Desk) -> None:
    both = desk.id_of("Sadyr Japarov")
    assert desk.id_of("Sadir Caparov") == both
    desk.decide("different", id=both, names=["Sadir Caparov"])
    done = relink(desk.out, desk.settings)
    apart = desk.id_of("Sadir Caparov")
    assert desk.id_of("Sadyr Japarov") == both != apart
    assert [(m.entity_id, m.to_id, m.n_mentions) for m in done.moves] == [(both, apart, 1)]
    assert desk.redirects() == {}
    assert desk.entities().loc[apart, "name"] == "Sadir Caparov"
    desk.night(3, "now Sadir Caparov and then Sadyr Japarov spoke.")
    assert desk.id_of("Sadir Caparov") == apart
    assert desk.id_of("Sadyr Japarov") == both


def test_a_split_off_majority_takes_the_id_along(desk: Desk) -> None:
    both = desk.id_of("Sadyr Japarov")
    desk.decide("different", id=both, names=["Sadyr Japarov"])
    relink(desk.out, desk.settings)
    assert desk.id_of("Sadyr Japarov") == both
    assert desk.id_of("Sadir Caparov") != both


def test_different_ids_forbid_a_merge_that_knowledge_would_make(desk: Desk) -> None:
    makara, novik = desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")
    desk.decide("different", ids=[makara, novik])
    rows = {"en": ("Ilo Makara", "Elian Novik")}
    row = Row("exonym:ilo-makara", "PER", "Ilo Makara", rows, *[None] * 4, "me")
    write_rows(desk.settings.knowledge / "names.tsv", [row])
    relink(desk.out, desk.settings)
    assert desk.redirects() == {}


def test_an_alias_goes_before_all_evidence(desk: Desk) -> None:
    kosta = desk.id_of("Dara Kosta")
    desk.decide("alias", id="exonym:petru-varga", name="Dara Kosta")
    relink(desk.out, desk.settings)
    varga = desk.id_of("Petru Varga")
    assert desk.id_of("Dara Kosta") == varga
    assert desk.redirects() == {kosta: varga}
    his = desk.mentions().query("surface == 'Dara Kosta'")
    assert set(his["link_method"]) == {"override"}
    desk.night(3, "at noon Dara Kosta spoke.")
    assert desk.id_of("Dara Kosta") == varga


def test_a_new_name_shows_until_it_is_taken_back(desk: Desk) -> None:
    kosta = desk.id_of("Dara Kosta")
    before = desk.mentions()
    desk.decide("rename", id=kosta, name="Dara Costa")
    done = relink(desk.out, desk.settings)
    assert done.renamed == {kosta: ("Dara Kosta", "Dara Costa")}
    assert desk.entities().loc[kosta, "name"] == "Dara Costa"
    pd.testing.assert_frame_equal(desk.mentions(), before)
    desk.night(3, "at noon Dara Kosta spoke.")
    assert desk.entities().loc[kosta, "name"] == "Dara Costa"
    desk.settings.overrides.write_text("", encoding="utf-8")
    relink(desk.out, desk.settings)
    assert desk.entities().loc[kosta, "name"] == "Dara Kosta"


@pytest.mark.parametrize("by", ["name", "id"])
def test_what_is_ignored_leaves_all_tables(desk: Desk, by: str) -> None:
    kosta = desk.id_of("Dara Kosta")
    desk.decide("ignore", **{by: kosta if by == "id" else "Dara Kosta"})
    done = relink(desk.out, desk.settings)
    assert [(m.entity_id, m.to_id, m.n_mentions) for m in done.moves] == [(kosta, None, 2)]
    desk.night(3, "at noon Dara Kosta spoke to Ilo Makara.")
    assert "Dara Kosta" not in set(desk.mentions()["surface"])
    assert kosta not in desk.entities().index


def test_the_registry_remembers_without_the_file(desk: Desk) -> None:
    desk.decide("ignore", name="Dara Kosta")
    relink(desk.out, desk.settings)
    desk.settings.overrides.unlink()
    desk.night(3, "at noon Dara Kosta spoke to Ilo Makara.")
    assert "Dara Kosta" not in set(desk.mentions()["surface"])


def test_what_the_knowledge_learns_keeps_its_id(desk: Desk) -> None:
    kosta = desk.id_of("Dara Kosta")
    desk.know("Petru Varga", "Dara Kosta")
    relink(desk.out, desk.settings)
    assert desk.id_of("Dara Kosta") == kosta
    assert desk.entities().loc[kosta, "status"] == "known"
    assert (registry.PROMOTE, None) in desk.log(kosta)


def test_two_that_the_knowledge_makes_one_leave_a_redirect(desk: Desk) -> None:
    makara, novik = desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")
    names = {"en": ("Ilo Makara", "Elian Novik")}
    row = Row("exonym:ilo-makara", "PER", "Ilo Makara", names, *[None] * 4, "me")
    write_rows(desk.settings.knowledge / "names.tsv", [row])
    relink(desk.out, desk.settings)
    kept, gone = sorted((makara, novik))
    assert desk.redirects() == {gone: kept}
    assert desk.id_of("Ilo Makara") == desk.id_of("Elian Novik") == kept


def test_an_id_that_is_not_there_is_one_line_and_waits_at_night(desk: Desk) -> None:
    desk.decide("same", ids=[desk.id_of("Dara Kosta"), "e000000000000000"])
    before = desk.checksums()
    with pytest.raises(UsageError, match="same 1: nothing has the id 'e000000000000000'"):
        relink(desk.out, desk.settings)
    assert desk.checksums() == before
    desk.night(3, "at noon Dara Kosta spoke.")
    assert desk.id_of("Dara Kosta")


def test_an_unfinished_run_comes_first(desk: Desk) -> None:
    Store(desk.out).staging.write_manifest({"run_id": "begun"})
    with pytest.raises(ExonymError, match="finish it with 'exonym run'"):
        relink(desk.out, desk.settings)


def test_the_last_relink_can_be_taken_back(desk: Desk) -> None:
    makara, novik = desk.id_of("Ilo Makara"), desk.id_of("Elian Novik")
    with Store(desk.out).state() as state:
        before = list(state.connection.execute("SELECT * FROM entity_keys ORDER BY 1, 2"))
        desk.decide("same", ids=[makara, novik])
        both = desk.id_of("Sadyr Japarov")
        desk.decide("different", id=both, names=["Sadir Caparov"])
    done = relink(desk.out, desk.settings)
    assert done.run_id is not None
    with Store(desk.out).state() as state:
        registry.revert(state.connection, done.run_id)
        after = list(state.connection.execute("SELECT * FROM entity_keys ORDER BY 1, 2"))
        assert after == before
        assert registry.overrides_of(state.connection).rows() == []
        assert state.connection.execute("SELECT count(*) FROM redirects").fetchone() == (0,)
