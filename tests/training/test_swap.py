from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.recognise.decode import tag_runs
from pipeline.training.augment import TaggedWords
from pipeline.training.swap import names_of, swap_names


def versions(
    sentence: TaggedWords, lang: str, names: Mapping[str, Sequence[Sequence[str]]]
) -> set[str]:
    return {
        " ".join(swap_names(sentence, lang, names, random.Random(seed))[0]) for seed in range(300)
    }


def test_a_name_gives_way_to_one_of_its_label() -> None:
    sentence = (["In", "Ulm", "was", "Eva"], ["O", "B-LOC", "O", "B-PER"])
    names = {"LOC": [("New", "York")], "PER": [("Ada", "King")], "ORG": [("UN",)]}
    assert versions(sentence, "en", names) == {
        "In Ulm was Eva",
        "In New York was Eva",
        "In Ulm was King",
        "In New York was King",
    }


def test_turkish_endings_fit() -> None:
    sentence = (["Ankara", "'", "da"], ["B-LOC", "O", "O"])
    names = {"LOC": [("Bursa",), ("İzmir",), ("Tokat",)]}
    assert versions(sentence, "tr", names) == {"Ankara ' da", "Bursa ' da"}


def test_romanian_genitives_stay_genitives() -> None:
    sentence = (["sediul", "Agenției"], ["O", "B-ORG"])
    names = {"ORG": [("Uniunea", "Europeană"), ("Consiliul", "Europei"), ("NATO",)]}
    assert versions(sentence, "ro", names) == {
        "sediul Agenției",
        "sediul Uniunii Europeană",
        "sediul Consiliului Europei",
        "sediul NATO",
    }


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(["O", "B-PER", "I-PER", "B-ORG"]))),
    st.integers(0, 1000),
)
def test_labels_keep_their_order(rows: list[tuple[str, str]], seed: int) -> None:
    tags = [tag for _, tag in rows]
    names = {"PER": [("A", "B")], "ORG": [("C", "D", "E")]}
    words, new_tags = swap_names(
        ([word for word, _ in rows], tags), "en", names, random.Random(seed)
    )
    assert len(words) == len(new_tags)
    before, after = tag_runs(tags), tag_runs(new_tags)
    assert [label for _, _, label in before] == [label for _, _, label in after]


def test_the_knowledge_base_has_names_of_every_label(root: Path) -> None:
    for lang in ("hi", "ro", "tr", "en", "vi"):
        names = names_of(lang, root / "models/knowledge")
        assert min(len(names[label]) for label in ("PER", "LOC", "ORG")) > 500
        assert all(name for label in names.values() for name in label)
