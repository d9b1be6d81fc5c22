from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import files
from pipeline.store.generations import Generations, assemble
from pipeline.store.tables import TableFiles


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    """Three generations, each with its own ``runs`` and one ``redirects`` between them."""
    generations = Generations(tmp_path / "generations")
    shared, own = TableFiles(tmp_path / "shared"), TableFiles(tmp_path / "own")
    shared.write("redirects", [])
    shared.write("runs", [])
    for number in (1, 2, 3):
        own.path("runs").unlink(missing_ok=True)
        own.write("runs", [])
        assemble(generations.place(number), f"run{number}", shared, own)
    return generations


def folders(generations: Generations) -> list[str]:
    return sorted(path.name for path in generations.folder.iterdir())


def test_kept_in_order_and_found_by_run(generations: Generations) -> None:
    assert [kept.run_id for kept in generations.kept()] == ["run1", "run2", "run3"]
    found = generations.find("run2")
    assert found is not None
    assert found.number == 2
    assert generations.find("run4") is None
    assert generations.next_number() == 4


def test_unchanged_files_are_shared_and_a_later_layer_wins(generations: Generations) -> None:
    first, second, _ = (kept.tables for kept in generations.kept())
    assert first.path("redirects").samefile(second.path("redirects"))
    assert not first.path("runs").samefile(second.path("runs"))
    assert files.same(first.path("runs"), second.path("runs"))


def test_one_that_is_read_leaves_the_list_and_stays_until_it_is_let_go(
    generations: Generations,
) -> None:
    with generations.pinned("run1") as pinned:
        assert pinned is not None
        generations.remove(generations.kept()[:2])
        assert [kept.run_id for kept in generations.kept()] == ["run3"]
        assert pinned.tables.read("runs").num_rows == 0
        with generations.pinned("run1") as gone:
            assert gone is None
        assert folders(generations) == ["000001", "000003"]
    generations.remove([])
    assert folders(generations) == ["000003"]


def test_a_withdrawal_does_not_wait_for_readers(generations: Generations) -> None:
    with generations.pinned("run1"):
        generations.remove(generations.kept()[:1])
        generations.remove([], though_read=True)
        assert folders(generations) == ["000002", "000003"]


def test_the_newest_is_pinned_by_default(generations: Generations) -> None:
    with generations.pinned() as newest:
        assert newest is not None
        assert newest.run_id == "run3"
    with Generations(generations.folder / "nowhere").pinned() as none:
        assert none is None
