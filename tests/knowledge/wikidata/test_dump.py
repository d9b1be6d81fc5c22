from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.knowledge.files import KnowledgeError
from pipeline.knowledge.wikidata import dump as dump_module
from pipeline.knowledge.wikidata.dump import Place, lines
from tests.knowledge.wikidata.dump import write_dump

TEXT = "एक\n\ntwo\nthree three three\nlast".encode()
LINES = TEXT.split(b"\n")
packings = pytest.mark.parametrize("name", ["x.json.gz", "x.json.bz2", "x.json"])
memberships = pytest.mark.parametrize("members", [1, 5])


@packings
@memberships
def test_lines_come_unpacked(
    tmp_path: Path, name: str, members: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dump_module, "_CHUNK", 7)
    path = write_dump(tmp_path / name, TEXT, members)
    found = list(lines(path, Place()))
    assert [line for line, _ in found] == LINES
    assert [place.line for _, place in found] == [1, 2, 3, 4, 5]


@packings
@memberships
def test_a_reading_goes_on_from_any_place(tmp_path: Path, name: str, members: int) -> None:
    path = write_dump(tmp_path / name, TEXT, members)
    whole = list(lines(path, Place()))
    for done in range(1, len(whole)):
        assert list(lines(path, whole[done - 1][1])) == whole[done:]


def test_only_the_member_that_was_reached_is_unpacked_again(tmp_path: Path) -> None:
    path = write_dump(tmp_path / "x.json.bz2", TEXT, 5)
    whole = list(lines(path, Place()))
    place = whole[2][1]
    assert place.member > 0
    damaged = bytearray(path.read_bytes())
    damaged[: place.member] = bytes(place.member)
    path.write_bytes(damaged)
    assert list(lines(path, place)) == whole[3:]


@pytest.mark.parametrize("name", ["x.json.gz", "x.json.bz2"])
def test_a_file_that_is_cut_off_damaged_or_missing_is_refused(tmp_path: Path, name: str) -> None:
    path = write_dump(tmp_path / name, TEXT)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(KnowledgeError, match="download it again"):
        list(lines(path, Place()))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(KnowledgeError, match="is damaged"):
        list(lines(path, Place()))
    path.unlink()
    with pytest.raises(KnowledgeError, match="there is no file"):
        list(lines(path, Place()))
