from __future__ import annotations

import multiprocessing
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from pipeline.knowledge import build as build_module
from pipeline.knowledge import keys as keys_module
from pipeline.knowledge.build import build, ensure
from pipeline.knowledge.files import KnowledgeError
from pipeline.knowledge.index import CURRENT, Index
from tests.knowledge.conftest import PEOPLE, write


def contents(index_dir: Path) -> dict[str, bytes]:
    files = (path for path in index_dir.rglob("*") if path.is_file())
    return {str(path.relative_to(index_dir)): path.read_bytes() for path in files}


def checksum_of_ensured(folder: Path) -> str:
    return ensure(folder).checksum


def test_the_same_files_give_the_same_bytes(knowledge_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(knowledge_dir, copy)
    build(knowledge_dir)
    build(copy)
    assert contents(knowledge_dir / "index") == contents(copy / "index")


def test_chunks_of_n_grams_make_no_difference(
    knowledge_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(knowledge_dir, tmp_path / "whole")
    monkeypatch.setattr(build_module, "_FOLDS_AT_ONCE", 3)
    build(knowledge_dir, tmp_path / "chunks")
    assert contents(tmp_path / "whole") == contents(tmp_path / "chunks")


def test_n_grams_without_postings_still_count(
    knowledge_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build(knowledge_dir, tmp_path / "whole").similar("istanbol", 2)
    monkeypatch.setattr(build_module, "_COMMON_FLOOR", 2)
    pruned = build(knowledge_dir, tmp_path / "pruned").similar("istanbol", 2)
    assert pruned == whole


def test_ensure_builds_once_and_again_only_when_something_changed(knowledge_dir: Path) -> None:
    first = ensure(knowledge_dir)
    current = knowledge_dir / "index" / CURRENT
    written = current.stat().st_mtime_ns
    assert ensure(knowledge_dir).checksum == first.checksum
    assert current.stat().st_mtime_ns == written

    write(knowledge_dir / "people.tsv", PEOPLE[:1])
    assert first.stale(knowledge_dir)
    second = ensure(knowledge_dir)
    assert len(second) == len(first) - 1
    assert not second.stale(knowledge_dir)
    assert first.entry(0) == second.entry(0)  # the old one stays readable where it is open
    folders = {path.name for path in (knowledge_dir / "index").iterdir() if path.is_dir()}
    assert folders == {current.read_text().strip(), "keys"}


def test_only_the_keys_of_what_changed_are_made_again(
    knowledge_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(knowledge_dir)
    made: list[str] = []

    def alias_keys(text: str, lang: str) -> tuple[str, ...]:
        made.append(text)
        return (text.lower(),)

    monkeypatch.setattr(keys_module, "alias_keys", alias_keys)
    write(knowledge_dir / "people.tsv", PEOPLE[:1])
    build(knowledge_dir)
    assert made == ["Sergei Shamba"]
    assert len(list((knowledge_dir / "index" / "keys").iterdir())) == 3


def test_what_is_written_in_pieces_makes_no_difference(
    knowledge_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(knowledge_dir, tmp_path / "whole")
    monkeypatch.setattr(build_module, "_ALIASES_AT_ONCE", 1)
    build(knowledge_dir, tmp_path / "pieces")
    assert contents(tmp_path / "whole") == contents(tmp_path / "pieces")


def test_a_new_file_and_a_lost_one_make_the_index_stale(knowledge_dir: Path) -> None:
    index = build(knowledge_dir)
    extra = knowledge_dir / "extra.tsv"
    shutil.copy(knowledge_dir / "people.tsv", extra)
    assert index.stale(knowledge_dir)
    extra.unlink()
    assert not index.stale(knowledge_dir)
    (knowledge_dir / "people.tsv").unlink()
    assert index.stale(knowledge_dir)


def test_a_bad_file_leaves_the_old_index_in_force(knowledge_dir: Path) -> None:
    before = build(knowledge_dir).checksum
    write(knowledge_dir / "people.tsv", [PEOPLE[0].replace("PER", "MISC")])
    with pytest.raises(KnowledgeError, match="label is 'MISC'"):
        build(knowledge_dir)
    assert Index.open(knowledge_dir / "index").checksum == before
    assert not list((knowledge_dir / "index").glob(".building-*"))


def test_processes_that_ensure_together_agree(knowledge_dir: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=3, mp_context=context) as pool:
        checksums = list(pool.map(checksum_of_ensured, [knowledge_dir] * 3))
    assert set(checksums) == {Index.open(knowledge_dir / "index").checksum}
