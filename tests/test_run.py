"""The nightly run on real models: what it promises to operators."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipeline.errors import ExonymError, LockedError, UsageError
from pipeline.quarantine import sources_to_retry
from pipeline.run import run
from pipeline.schemas import DATED, TABLES
from pipeline.settings import Settings, load
from pipeline.store import Store

NIGHT = date(2026, 3, 5)
TEXTS = {
    "en": "Maia Sandu met Ursula von der Leyen in Brussels. The World Bank praised Moldova.",
    "ro": "Președinta Maia Sandu a vorbit la Chișinău despre Banca Mondială și despre România.",
    "tr": "Cumhurbaşkanı Recep Tayyip Erdoğan Ankara'da Avrupa Birliği temsilcilerini kabul etti.",
    "hi": "प्रधानमंत्री नरेंद्र मोदी ने बुधवार को नई दिल्ली में संयुक्त राष्ट्र के अधिकारियों से मुलाकात की।",
    "vi": "Thủ tướng Phạm Minh Chính đã đến Hà Nội để gặp đại diện Liên Hợp Quốc vào hôm thứ Tư.",
}


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    return load(root / "exonym.toml").model_copy(update={"shard_documents": 2})


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    for lang, text in TEXTS.items():
        (folder / f"{lang}.txt").write_text(text, encoding="utf-8")
    return folder


def checksums(out: Path, *, without_runs: bool = False) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for table in TABLES
        for path in sorted((out / table).glob("*.parquet"))
        if not (without_runs and table == "runs")
    }


def test_every_table_has_a_file_with_its_schema(published: Path) -> None:
    store = Store(published)
    for name, schema in TABLES.items():
        written = store.read(name).schema
        assert written.equals(schema), name
        assert [field.metadata for field in written] == [field.metadata for field in schema]
        assert written.metadata == schema.metadata


def test_offsets_are_exact(published: Path) -> None:
    documents = pd.read_parquet(published / "documents").set_index("doc_id")["text"]
    mentions = pd.read_parquet(published / "mentions")
    assert len(mentions) > 100
    for row in mentions.itertuples():
        assert documents[row.doc_id][row.start : row.end] == row.surface
        start = row.sentence_start
        assert documents[row.doc_id][start : start + len(row.sentence)] == row.sentence


def test_every_id_resolves_and_counts_add_up(published: Path) -> None:
    mentions = pd.read_parquet(published / "mentions")
    entities = pd.read_parquet(published / "entities").set_index("entity_id")
    assert set(mentions["entity_id"]) == set(entities.index)
    assert mentions.groupby("entity_id").size().to_dict() == entities["n_mentions"].to_dict()
    for table, column in (("daily_entities", "entity_id"), ("daily_pairs", "entity_a")):
        assert set(pd.read_parquet(published / table)[column]) <= set(entities.index)
    labels = mentions.groupby("entity_id")["label"].agg(set)
    assert all(labels[entity] == {label} for entity, label in entities["label"].items())


def test_duckdb_reads_the_tables(published: Path) -> None:
    query = f"SELECT count(*), any_value(date) FROM '{published}/mentions/*.parquet'"
    ((rows, day),) = duckdb.sql(query).fetchall()
    assert rows == len(pd.read_parquet(published / "mentions"))
    assert day == date(2025, 11, 26)


def test_one_man_in_five_languages(published: Path) -> None:
    mentions = pd.read_parquet(published / "mentions")
    named = mentions[mentions["surface"].isin(["Japarov", "Caparov", "जापारोव"])]
    assert named["entity_id"].nunique() == 1
    his = mentions[mentions["entity_id"] == named["entity_id"].iloc[0]]
    assert set(his["lang"]) == {"hi", "ro", "tr", "en", "vi"}


def test_the_second_run_does_nothing(raw: Path, tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "out"
    assert len(run([str(raw)], out, NIGHT, settings)) == 1
    before = checksums(out)
    assert run([str(raw)], out, date(2026, 3, 6), settings) == []
    assert checksums(out) == before


def test_tables_accumulate_and_workers_change_nothing(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    late = raw / "late.txt"
    results = []
    for workers in (1, 2):
        late.unlink(missing_ok=True)
        out = tmp_path / f"out{workers}"
        chosen = settings.model_copy(update={"workers": workers, "shard_documents": workers})
        run([str(raw)], out, NIGHT, chosen)
        late.write_text("Kenya and Peru signed an agreement in Nairobi, AFP reported.", "utf-8")
        run([str(raw)], out, date(2026, 3, 6), chosen)
        results.append(checksums(out, without_runs=True))
        documents = pd.read_parquet(out / "documents")
        assert documents.groupby("date").size().to_dict() == {NIGHT: 5, date(2026, 3, 6): 1}
    assert results[0] == results[1]


def test_an_exact_copy_is_one_document_with_two_sources(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    (raw / "copy.txt").write_bytes((raw / "en.txt").read_bytes())
    out = tmp_path / "out"
    run([str(raw)], out, NIGHT, settings)
    assert len(pd.read_parquet(out / "documents")) == 5
    (raw / "again.txt").write_bytes((raw / "en.txt").read_bytes())
    run([str(raw)], out, NIGHT, settings)
    assert len(pd.read_parquet(out / "documents")) == 5
    sources = pd.read_parquet(out / "document_sources")
    assert len(sources) == 7
    assert not sources.duplicated(["doc_id", "source"]).any()


def test_a_corrected_text_supersedes_the_old_one(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    out = tmp_path / "out"
    run([str(raw)], out, NIGHT, settings)
    (raw / "en.txt").write_text("Maia Sandu met Emmanuel Macron in Paris on Thursday.", "utf-8")
    run([str(raw)], out, date(2026, 3, 6), settings)
    documents = pd.read_parquet(out / "documents").set_index("doc_id")
    old = documents[documents["superseded_by"].notna()]
    assert len(old) == 1
    assert documents.loc[old["superseded_by"].iloc[0], "text"].startswith("Maia Sandu met Emm")
    mentions = pd.read_parquet(out / "mentions")
    live = mentions[~mentions["doc_id"].isin(old.index)]
    entities = pd.read_parquet(out / "entities").set_index("entity_id")["n_mentions"]
    counts = live.groupby("entity_id").size().reindex(entities.index, fill_value=0)
    assert counts.to_dict() == entities.to_dict()


def test_broken_input_is_quarantined_and_the_rest_published(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    (raw / "empty.txt").write_bytes(b"")
    (raw / "utf16.txt").write_bytes("खबर".encode("utf-16"))
    line = json.dumps({"text": "Kenya won in Nairobi against Peru.", "id": 1}).encode() + b"\n"
    (raw / "cut.jsonl.gz").write_bytes(gzip.compress(line * 3000)[:-20])
    (raw / "lines.jsonl").write_bytes(b'{"id": 7}\n' + line + b'{"text": "' + b"x" * 50_000_000)
    (raw / "program.txt").write_bytes(bytes(range(256)) * 20)
    out = tmp_path / "out"
    summaries = run([str(raw)], out, NIGHT, settings)
    rows = pd.read_parquet(out / "quarantine")
    found = {(Path(row.source).name, row.error) for row in rows.itertuples()}
    assert found == {
        ("empty.txt", "empty"),
        ("utf16.txt", "not_utf8"),
        ("cut.jsonl.gz", "truncated"),
        ("lines.jsonl", "missing_text"),
        ("lines.jsonl", "too_large"),
        ("program.txt", "binary"),
    }
    assert summaries[0].n_quarantined == len(rows)
    assert len(pd.read_parquet(out / "documents")) == 6
    before = checksums(out)
    assert run([str(raw)], out, NIGHT, settings) == []
    assert checksums(out) == before


def test_retry_takes_in_what_was_repaired_and_counts_the_attempts(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (raw / name).write_bytes(b"")
    out = tmp_path / "out"
    run([str(raw)], out, NIGHT, settings)
    (raw / "a.txt").write_text("Kenya won in Nairobi against Peru.", "utf-8")
    (raw / "c.txt").unlink()
    there, gone = sources_to_retry(Store(out))
    assert [Path(source).name for source in (*there, *gone)] == ["a.txt", "b.txt", "c.txt"]
    run(there, out, NIGHT, settings, retry=there)
    rows = pd.read_parquet(out / "quarantine").set_index("source")["attempts"]
    assert {Path(source).name: n for source, n in rows.items()} == {"b.txt": 2, "c.txt": 1}
    assert len(pd.read_parquet(out / "documents")) == 6


def test_retry_follows_no_link_out_of_the_folder(
    raw: Path, tmp_path: Path, settings: Settings
) -> None:
    secret, out = tmp_path / "secret.txt", tmp_path / "out"
    secret.write_text("Kenya won in Nairobi against Peru.", "utf-8")
    link = raw / "link.txt"
    link.symlink_to(secret)
    run([str(raw)], out, NIGHT, settings)
    assert pd.read_parquet(out / "quarantine")["error"].tolist() == ["outside_source"]
    assert sources_to_retry(Store(out)) == ([], [str(link)])
    link.unlink()
    link.write_text("Kenya won in Nairobi against Peru.", "utf-8")
    there, _ = sources_to_retry(Store(out))
    run(there, out, NIGHT, settings, retry=there)
    assert len(pd.read_parquet(out / "quarantine")) == 0
    assert "Kenya won" in "".join(pd.read_parquet(out / "documents")["text"])


def test_a_document_that_breaks_a_stage_is_set_aside(
    raw: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pipeline.shard as shard

    recognise = shard.recognise

    def brittle(documents, segments, *rest):  # type: ignore[no-untyped-def]
        if any("Brussels" in text for text in documents["text"].to_pylist()):
            raise ValueError("cannot read about Brussels")
        return recognise(documents, segments, *rest)

    monkeypatch.setattr(shard, "recognise", brittle)
    out = tmp_path / "out"
    run([str(raw)], out, NIGHT, settings)
    rows = pd.read_parquet(out / "quarantine")
    assert [(Path(row.source).name, row.stage) for row in rows.itertuples()] == [
        ("en.txt", "recognise")
    ]
    assert "Brussels" in rows["message"][0]
    assert len(pd.read_parquet(out / "documents")) == 4
    monkeypatch.undo()
    there, _ = sources_to_retry(Store(out))
    run(there, out, NIGHT, settings, retry=there)
    assert len(pd.read_parquet(out / "documents")) == 5
    assert len(pd.read_parquet(out / "quarantine")) == 0


@pytest.mark.parametrize("stage", ["detect", "recognise", "resolve", "publish"])
def test_a_stopped_run_is_resumed_to_the_same_tables(
    raw: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    run([str(raw)], straight, NIGHT, settings)
    _stop_in(monkeypatch, stage)
    with pytest.raises((ExonymError, KeyboardInterrupt)):
        run([str(raw)], stopped, NIGHT, settings)
    assert checksums(stopped) == {}
    monkeypatch.undo()
    (summary,) = run([str(raw)], stopped, date(2026, 3, 6), settings)
    assert summary.resumed
    assert checksums(stopped, without_runs=True) == checksums(straight, without_runs=True)
    outcomes = pd.read_parquet(stopped / "runs")["outcome"].tolist()
    assert sorted(outcomes) == ["published", "stopped"]


def _stop_in(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    import pipeline.run as module

    if stage == "publish":

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(module.publish, "stage_tables", stop)
        return
    work = module.shard.work

    def stop_at_second_shard(job):  # type: ignore[no-untyped-def]
        if job.stage == stage and job.shard == 1:
            raise KeyboardInterrupt
        return work(job)

    monkeypatch.setattr(module.shard, "work", stop_at_second_shard)


def test_an_interrupted_publication_is_carried_out(
    raw: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    run([str(raw)], straight, NIGHT, settings)
    replace = Path.replace
    moves = 0

    def replace_some(self: Path, target: Path) -> Path:
        nonlocal moves
        if ".exonym" in self.parts and ".exonym" not in Path(target).parts:
            moves += 1
            if moves > 4:
                raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_some)
    with pytest.raises(KeyboardInterrupt):
        run([str(raw)], killed, NIGHT, settings)
    monkeypatch.undo()
    assert 0 < len(checksums(killed)) < len(checksums(straight))
    with Store(killed).readable() as state:
        assert len(state.published()) == 1
    assert checksums(killed, without_runs=True) == checksums(straight, without_runs=True)
    assert run([str(raw)], killed, NIGHT, settings) == []


def test_two_runs_at_once(raw: Path, tmp_path: Path, settings: Settings) -> None:
    out = tmp_path / "out"
    with Store(out).locked(), pytest.raises(LockedError, match="another run"):
        run([str(raw)], out, NIGHT, settings)


def test_a_source_that_is_not_there(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        run([str(tmp_path / "nowhere")], tmp_path / "out", NIGHT, settings)


def test_a_file_that_vanishes_while_it_is_hashed_is_quarantined(
    raw: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingest import InputFile

    sha256 = InputFile.sha256

    def vanish(self: InputFile) -> str:
        if self.source.endswith("en.txt"):
            raise FileNotFoundError(2, "No such file or directory")
        return sha256(self)

    monkeypatch.setattr(InputFile, "sha256", vanish)
    out = tmp_path / "out"
    run([str(raw)], out, NIGHT, settings)
    assert pd.read_parquet(out / "quarantine")["error"].tolist() == ["unreadable"]
    assert len(pd.read_parquet(out / "documents")) == 4
    monkeypatch.undo()
    run([str(raw)], out, NIGHT, settings)
    assert len(pd.read_parquet(out / "quarantine")) == 0
    assert len(pd.read_parquet(out / "documents")) == 5


def test_an_empty_folder_is_nothing_new(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "raw").mkdir()
    assert run([str(tmp_path / "raw")], tmp_path / "out", NIGHT, settings) == []


def test_dated_tables_have_no_partition_folders(published: Path) -> None:
    for table in DATED:
        names = [path.name for path in (published / table).iterdir()]
        assert names == ["2025-11-26.parquet"]
