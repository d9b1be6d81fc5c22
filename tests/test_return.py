"""An old text that comes back from the same source and id: the last to come is the live one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipeline.errors import HeldBackError
from pipeline.gates import Moved
from pipeline.rollback import roll_back
from pipeline.run import run
from pipeline.settings import Settings, load
from pipeline.store import Store
from pipeline.withdraw import withdraw

A, B, C = (
    f"Maia Sandu met {name} in Paris on a cold day."
    for name in ("Emmanuel Macron", "Ursula Leyen", "Nikol Pashinyan")
)

MOVED = Moved("all", "unlinked", 0.9, 0.1, 0.0, 0.2)


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    loaded = load(root / "exonym.toml")
    return loaded.model_copy(update={"executor": "inline"})


class Newsroom:
    """A landing folder whose files change from night to night, and what is published of it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.raw, self.out, self.settings = folder / "raw", folder / "out", settings
        self.raw.mkdir()
        self.n_nights = 0

    def night(self, **files: str | list[str]) -> list[str]:
        """Write files, ``.txt`` or with ids all 7 ``.jsonl``, and return the ids of the runs."""
        for name, text in files.items():
            if isinstance(text, str):
                (self.raw / f"{name}.txt").write_text(text, "utf-8")
            else:
                lines = [json.dumps({"id": 7, "text": line}) for line in text]
                (self.raw / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")
        self.n_nights += 1
        night = date(2026, 3, self.n_nights)
        return [one.run_id for one in run([str(self.raw)], self.out, night, self.settings)]

    @property
    def replaced(self) -> dict[str, str | None]:
        """Every text, and the one that it was superseded by."""
        documents = pd.read_parquet(self.out / "documents").set_index("doc_id")
        texts = documents["text"].to_dict()
        pairs = zip(documents["text"], documents["superseded_by"], strict=True)
        return {text: texts[by] if isinstance(by, str) else None for text, by in pairs}

    @property
    def counted(self) -> set[str]:
        """The names that the last table of daily counts has, of all days."""
        return set(pd.read_parquet(self.out / "daily_entities")["name"])


@pytest.fixture
def newsroom(tmp_path: Path, settings: Settings, engine: object) -> Newsroom:
    return Newsroom(tmp_path, settings)


def test_the_last_to_come_is_live(newsroom: Newsroom, engine: Any) -> None:
    newsroom.night(a=A)
    newsroom.night(a=B)
    assert newsroom.replaced == {A: B, B: None}
    assert newsroom.counted == {"Maia Sandu", "Ursula Leyen", "Paris"}
    n_sentences = engine.n_sentences
    assert len(newsroom.night(a=A)) == 1
    assert newsroom.replaced == {A: None, B: A}
    assert newsroom.counted == {"Maia Sandu", "Emmanuel Macron", "Paris"}
    assert newsroom.night(a=A) == []
    assert newsroom.night() == []
    newsroom.night(a=B)
    assert newsroom.replaced == {A: B, B: None}
    assert newsroom.night(a=B) == []
    assert engine.n_sentences == n_sentences
    assert len(pd.read_parquet(newsroom.out / "document_sources")) == 2


def test_after_several_corrections(newsroom: Newsroom) -> None:
    for text in (A, B, C, A):
        newsroom.night(a=text)
    assert newsroom.replaced == {A: None, B: C, C: A}
    newsroom.night(a=C)
    assert newsroom.replaced == {A: C, B: C, C: None}


def test_within_one_file(newsroom: Newsroom) -> None:
    newsroom.night(a=[A, B, A])
    assert newsroom.replaced == {A: None, B: A}
    newsroom.night(a=[A, B, A, C])
    assert newsroom.replaced == {A: C, B: A, C: None}


def test_read_again_a_file_with_both_changes_nothing(newsroom: Newsroom) -> None:
    newsroom.night(a=[A, B])
    for lines in ([A, B, B], [B, A, B], [B]):
        newsroom.night(a=lines)
        assert newsroom.replaced == {A: B, B: None}


def test_another_place_does_not_bring_a_text_back(newsroom: Newsroom) -> None:
    newsroom.night(a=A, b=C)
    newsroom.night(a=B)
    newsroom.night(b=[A])
    assert newsroom.replaced == {A: B, B: None, C: None}
    newsroom.night(b=A)  # a correction at its own place
    assert newsroom.replaced == {A: None, B: None, C: A}
    newsroom.night(a=[B])
    assert newsroom.replaced == {A: None, B: None, C: A}


def test_of_a_file_that_could_not_be_read_meanwhile(newsroom: Newsroom) -> None:
    newsroom.night(a=A)
    (newsroom.raw / "a.txt").write_bytes(b"\xff")
    newsroom.night()
    assert len(pd.read_parquet(newsroom.out / "quarantine")) == 1
    newsroom.night(a=A)
    assert newsroom.replaced == {A: None}
    assert len(pd.read_parquet(newsroom.out / "quarantine")) == 0


def test_rolled_back_it_counts_as_new_again(newsroom: Newsroom) -> None:
    (first,), (second,) = newsroom.night(a=A), newsroom.night(a=B)
    newsroom.night(a=A)
    roll_back(newsroom.out, second)
    assert newsroom.replaced == {A: B, B: None}
    assert len(newsroom.night()) == 1
    assert newsroom.replaced == {A: None, B: A}
    roll_back(newsroom.out, first)
    assert newsroom.replaced == {A: None}
    assert newsroom.night() == []
    newsroom.night(a=B)
    assert newsroom.replaced == {A: B, B: None}


def test_withdrawn_the_correction_leaves_it_live_everywhere(newsroom: Newsroom) -> None:
    newsroom.night(a=A)
    (second,) = newsroom.night(a=B)
    newsroom.night(a=A)
    documents = pd.read_parquet(newsroom.out / "documents").set_index("text")["doc_id"]
    assert withdraw(newsroom.out, documents[B]).doc_ids == (documents[B],)
    assert newsroom.replaced == {A: None}
    roll_back(newsroom.out, second)
    assert newsroom.replaced == {A: None}
    assert newsroom.counted == {"Maia Sandu", "Emmanuel Macron", "Paris"}
    assert newsroom.night(a=B) in ([], newsroom.night())
    assert newsroom.replaced == {A: None}


@pytest.mark.parametrize(("last", "expected"), [(A, {A: None, B: A}), (B, {A: B, B: None})])
def test_while_a_night_is_held_back(
    newsroom: Newsroom,
    monkeypatch: pytest.MonkeyPatch,
    last: str,
    expected: dict[str, str | None],
) -> None:
    newsroom.night(a=A)
    newsroom.night(a=B)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.gates.moved", lambda *_: [MOVED])
        with pytest.raises(HeldBackError):
            newsroom.night(a=A)
    assert newsroom.replaced == {A: B, B: None}
    assert Store(newsroom.out).held.manifest
    newsroom.night(a=last)
    assert newsroom.replaced == expected
    assert newsroom.night() == []


def test_held_back_on_what_is_rolled_back_it_is_read_again(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = newsroom.night(a=A)
    newsroom.night(a=B)
    newsroom.night(a=A)
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.gates.moved", lambda *_: [MOVED])
        with pytest.raises(HeldBackError):
            newsroom.night(a=B)
    roll_back(newsroom.out, first)
    newsroom.night()
    assert newsroom.replaced == {A: B, B: None}


def test_a_correction_that_fails_changes_nothing(
    newsroom: Newsroom, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognise: Callable[..., Any] = engine.recognise

    def fail(sentences: list[str], lang: str) -> Any:
        if any("Leyen" in sentence for sentence in sentences):
            raise ValueError("poison")
        return recognise(sentences, lang)

    monkeypatch.setattr(engine, "recognise", fail)
    newsroom.night(a=A)
    newsroom.night(a=[A, B])
    newsroom.night(a=B)
    assert newsroom.replaced == {A: None}
