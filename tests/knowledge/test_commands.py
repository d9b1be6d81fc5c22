from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.knowledge.build import ensure
from tests.knowledge.wikidata.dump import ENTITIES, text_of, write_dump


def exonym(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["knowledge", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def models(knowledge_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXONYM_MODELS", str(knowledge_dir.parent))


def test_add_and_import_end_in_the_index(knowledge_dir: Path, tmp_path: Path) -> None:
    said = exonym("add", "Ann Lee", "--label", "PER", "--source", "us", "--hi", "ऐन ली")
    assert "exonym:ann-lee" in said
    dump = write_dump(tmp_path / "small.json.bz2", text_of(ENTITIES))
    said = exonym("import", str(dump))
    assert "made-up name of Q5" in said
    index = ensure(knowledge_dir)
    assert index.exact_text("ऐन ली", "hi")[0].entry == index.by_key("exonym:ann-lee")
    assert index.exact_text("अदा वेलीमोर", "hi")[0].entry == index.by_key("wikidata:Q90000100")
