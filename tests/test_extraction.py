"""exonym.extract: what a run finds, without a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import pipeline as exonym
from pipeline.errors import UsageError
from pipeline.schemas import MENTIONS

SENTENCES = [
    "Ayana Temirbekova won the marathon in Bucharest on Sunday.",
    "अयाना तेमिरबेकोवा ने बुखारेस्ट मैराथन जीती।",
    "Sadyr Japarov congratulated the runner.",
]


def test_the_columns_are_those_that_are_promised() -> None:
    columns = [name for name in MENTIONS.names if name not in ("date", "run_id")]
    for nothing in ([], "", ["no name here"]):
        found = exonym.extract(nothing)
        assert list(found.columns) == ["text", *columns, "entity", "status", "wikidata"]
        assert len(found) == 0


def test_it_finds_what_a_run_publishes(published: Path, root: Path) -> None:
    with exonym.Tables(published, config=root / "exonym.toml") as tables:
        texts = tables.documents().order("doc_id").df()["text"]
        wanted = tables.mentions().df()
        status = tables.entities().df().set_index("entity_id")["status"]
    found = exonym.extract(texts, config=root / "exonym.toml")
    columns = [name for name in wanted.columns if name not in ("date", "run_id")]
    pd.testing.assert_frame_equal(
        found[columns].sort_values("mention_id", ignore_index=True),
        wanted[columns].sort_values("mention_id", ignore_index=True),
        check_dtype=False,
    )
    assert (found["status"] == found["entity_id"].map(status)).all()


def test_every_mention_stands_in_its_text() -> None:
    found = exonym.extract(SENTENCES)
    assert {0, 1, 2} == set(found["text"])
    for row in found.itertuples():
        assert SENTENCES[row.text][row.start : row.end] == row.surface


def test_an_unknown_name_is_one_entity_across_texts_and_scripts() -> None:
    found = exonym.extract(SENTENCES)
    runner = found[found["entity"] == "Ayana Temirbekova"]
    assert set(runner["text"]) == {0, 1}
    assert set(runner["status"]) == {"new"}
    assert runner["entity_id"].nunique() == 1
    pd.testing.assert_frame_equal(found, exonym.extract(SENTENCES))


def test_a_text_that_comes_twice_has_its_rows_twice() -> None:
    once = exonym.extract(SENTENCES[2])
    twice = exonym.extract([SENTENCES[2], SENTENCES[0], SENTENCES[2]])
    for number in (0, 2):
        rows = twice[twice["text"] == number].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows.drop(columns="text"), once.drop(columns="text"))


def test_names_of_published_tables_keep_their_ids(published: Path) -> None:
    with exonym.Tables(published) as tables:
        new = tables.sql(
            "SELECT m.*, m.surface || ' came.' AS again FROM mentions m JOIN entities USING"
            " (entity_id) WHERE status = 'new' AND m.lang = 'en' AND m.label = 'PER'"
            " AND m.surface LIKE '% %' ORDER BY mention_id LIMIT 1"
        ).df()
    assert len(new) == 1
    text, wanted = new["again"][0], new["entity_id"][0]
    assert list(exonym.extract(text, tables=published)["entity_id"]) == [wanted]
    assert list(exonym.extract(text)["entity_id"]) != [wanted]


def test_people_decide_here_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = tmp_path / "overrides.toml"
    overrides.write_text('[[ignore]]\nname = "Sadyr Japarov"\nwho = "Ana"\nwhy = "asked"\n')
    assert "Sadyr Japarov" in set(exonym.extract(SENTENCES)["surface"])
    monkeypatch.setenv("EXONYM_OVERRIDES", str(overrides))
    assert "Sadyr Japarov" not in set(exonym.extract(SENTENCES)["surface"])


def test_wrong_input_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="text 1 is int: give strings"):
        exonym.extract(["one", 2])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="text 0 holds half a surrogate pair at 3"):
        exonym.extract("one\ud800")
    with pytest.raises(UsageError, match="nothing is published"):
        exonym.extract("one", tables=tmp_path)


def test_importing_it_is_light() -> None:
    code = (
        "import sys; import pipeline; "
        "print({'duckdb', 'numpy', 'pandas', 'pyarrow', 'spacy', 'torch'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
