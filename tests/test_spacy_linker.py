"""The spaCy component: found by its entry point, behind whatever finds names."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import DocBin

import pipeline as exonym
from pipeline.errors import UsageError

PATTERNS = [
    {"label": "PERSON", "pattern": "Sadîr Japarov"},
    {"label": "PERSON", "pattern": "Sadyr Japarov"},
    {"label": "PERSON", "pattern": "Japarov"},
    {"label": "PERSON", "pattern": "Ayana Temirbekova"},
    {"label": "PERSON", "pattern": "अयाना तेमिरबेकोवा"},
    {"label": "GPE", "pattern": "Rusiei"},
    {"label": "GPE", "pattern": "Ankara'da"},
    {"label": "DATE", "pattern": "marți"},
]


def pipeline(code: str, **config: Any) -> Language:
    nlp = spacy.blank(code)
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.add_pipe("exonym_linker", config=config)
    return nlp


def links(nlp: Language, text: str) -> dict[str, str]:
    return {ent.text: ent.kb_id_ for ent in nlp(text).ents}


def test_names_get_the_ids_of_the_tables() -> None:
    doc = pipeline("ro")("Sadîr Japarov a vorbit marți despre Rusiei. Japarov a plecat.")
    found = {ent.text: ent for ent in doc.ents}
    extracted = exonym.extract("Președintele Sadyr Japarov a vorbit.")
    known = set(extracted.loc[extracted["entity"] == "Sadyr Japarov", "entity_id"])
    assert {found["Sadîr Japarov"].kb_id_} == {found["Japarov"].kb_id_} == known
    assert found["Rusiei"]._.exonym["name"] == "Russia"
    assert found["Rusiei"]._.exonym["iso_country"] == "RU"
    assert found["Rusiei"].label_ == "GPE"
    assert (found["marți"].kb_id_, found["marți"]._.exonym) == ("", None)


def test_a_pipeline_of_no_language_of_ours_is_read_by_the_texts() -> None:
    nlp = pipeline("xx")
    ankara = links(nlp, "Toplantı Ankara'da yapıldı ve iki saat sürdü.")["Ankara'da"]
    assert ankara == links(pipeline("tr"), "Ankara'da toplandılar.")["Ankara'da"]


def test_an_unknown_name_keeps_its_id_from_one_doc_to_the_next() -> None:
    nlp = pipeline("xx")
    first = links(nlp, "Ayana Temirbekova won the race on Sunday.")
    second = links(nlp, "अयाना तेमिरबेकोवा ने रविवार को दौड़ जीती।")
    assert len({*first.values(), *second.values()}) == 1
    assert "" not in first.values()


def test_names_of_published_tables_keep_their_ids(published: Path) -> None:
    with exonym.Tables(published) as tables:
        query = (
            "SELECT surface, entity_id FROM mentions JOIN entities USING (entity_id) WHERE"
            " status = 'new' AND lang = 'en' AND mentions.label = 'PER' AND surface LIKE '% %'"
            " ORDER BY mention_id"
        )
        surface, wanted = tables.sql(query).fetchall()[0]
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": surface}])
    nlp.add_pipe("exonym_linker", config={"tables": str(published)})
    assert links(nlp, f"{surface} came.") == {surface: wanted}


def test_behind_a_trained_pipeline(root: Path) -> None:
    nlp = spacy.load(root / "models" / "spacy-ro")
    nlp.add_pipe("exonym_linker")
    found = {ent.kb_id_: ent for ent in nlp("Maia Sandu a mers la București .").ents}
    assert {ent._.exonym["name"] for ent in found.values()} >= {"Maia Sandu", "Bucharest"}


def test_it_is_saved_and_copied_with_its_pipeline(tmp_path: Path) -> None:
    nlp = pipeline("ro")
    text = "Sadîr Japarov a vorbit."
    wanted = links(nlp, text)
    nlp.to_disk(tmp_path / "saved")
    assert links(spacy.load(tmp_path / "saved"), text) == wanted
    copied = pickle.loads(pickle.dumps(nlp.get_pipe("exonym_linker")))
    assert {ent.kb_id_ for ent in copied(nlp.make_doc(text)).ents} == set()
    stored = DocBin(store_user_data=True, docs=[nlp(text)]).to_bytes()
    again = next(iter(DocBin().from_bytes(stored).get_docs(nlp.vocab)))
    assert {ent.text: ent.kb_id_ for ent in again.ents} == wanted


def test_a_doc_without_names_opens_nothing_and_stays() -> None:
    nlp = pipeline("ro")
    assert nlp("Nimic de văzut aici.").ents == ()
    assert nlp("Sosește marți.").ents[0].kb_id_ == ""


def test_wrong_settings_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lang 'fr' is not read here"):
        pipeline("ro", lang="fr")
    with pytest.raises(UsageError, match="nothing is published"):
        pipeline("ro", tables=str(tmp_path))("Sadîr Japarov a vorbit.")
