from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.training.common import ANNOTATIONS_DIR, catalogue
from pipeline.training.written import WrittenError, read_passage, read_written


def test_marks_become_tags() -> None:
    passage = read_passage("Dün [Büyük Millet Meclisi|ORG]'nde ([Ankara|LOC]) konuştu.")
    assert " ".join(passage.tokens) == "Dün Büyük Millet Meclisi ' nde ( Ankara ) konuştu ."
    assert " ".join(passage.tags) == "O B-ORG I-ORG I-ORG O O O B-LOC O O O"
    assert passage.space_after[:5] == (True, True, True, False, False)


def test_neighbouring_names_stay_two() -> None:
    assert read_passage("[Ion Pop|PER] [Cluj|LOC]").tags == ("B-PER", "I-PER", "B-LOC")


@pytest.mark.parametrize(
    "line",
    ["[Ankara|CITY] x", "[Ankara|LOC x", "Ankara] x", "a | b", "[Ank|LOC]ara", "x[ankara|LOC]"],
)
def test_broken_marks_are_refused(line: str) -> None:
    with pytest.raises(WrittenError):
        read_passage(line)


def test_the_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("[Ulm|LOC]\n[Ulm|\n", encoding="utf-8")
    with pytest.raises(WrittenError, match=r"x\.txt:2: "):
        read_written(path)


def test_every_written_passage_can_be_read(root: Path) -> None:
    files = [corpus.path("train") for corpus in catalogue().values() if corpus.written]
    assert len(files) == len(list((root / ANNOTATIONS_DIR / "written").glob("*.txt"))) == 5
    for file in files:
        assert file is not None
        passages = read_written(root / file)
        assert len({passage.tokens for passage in passages}) == len(passages)
