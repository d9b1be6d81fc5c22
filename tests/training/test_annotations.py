from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from pipeline.training import annotations
from pipeline.training.annotations import (
    Annotation,
    AnnotationError,
    CorpusSentence,
    Span,
    agreement,
    cohen_kappa,
    load,
    problems,
    read_annotations,
    read_corpus,
    read_decisions,
    sentence_hash,
    write_annotations,
)
from pipeline.training.common import ANNOTATIONS_DIR, Corpus, Part, catalogue

TOKENS = (
    ("Ông", "Minh", "về", "sông", "Hương", "."),
    ("Trời", "mưa", "."),
    ("Bộ", "Y", "tế", "họp", "."),
)
SENTENCES = [CorpusSentence(tokens, (True,) * len(tokens)) for tokens in TOKENS]
MADE = Corpus("made", "vi", ".", "made up", "CC0", test="test", annotations=".")
DECISIONS = """
# a remark
0: 1 PER, 3-4 LOC
1:
2 : 0 - 2 ORG
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    with lzma.open(tmp_path / "test.jsonl.xz", "wt", encoding="utf-8") as file:
        for tokens in TOKENS:
            row = {"tokens": tokens, "tags": None, "propn": ["B-PROPN"] + ["O"] * (len(tokens) - 1)}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return tmp_path


def annotated(row: int, *spans: Span) -> dict[int, Annotation]:
    return {row: Annotation(sentence_hash(TOKENS[row]), spans)}


def test_decisions_come_back_as_bio_tags(corpus: Path) -> None:
    rows = read_corpus(corpus / "test.jsonl.xz", "vi")
    write_annotations(corpus / "test.tsv", read_decisions(DECISIONS, rows))
    sentences = load(MADE, "test", corpus, corpus)
    assert [sentence.tokens for sentence in sentences] == list(TOKENS)
    assert [sentence.tags for sentence in sentences] == [
        ("O", "B-PER", "O", "B-LOC", "I-LOC", "O"),
        ("O", "O", "O"),
        ("B-ORG", "I-ORG", "I-ORG", "O", "O"),
    ]


def test_a_file_holds_no_text_of_the_corpus(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    write_annotations(path, read_decisions(DECISIONS, SENTENCES))
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[1] == f"0\t{sentence_hash(TOKENS[0])}\t1:2:PER 3:5:LOC"
    assert not any(token in text for token in ("Minh", "Hương", "mưa"))


def test_a_changed_sentence_is_refused(corpus: Path) -> None:
    changed = {0: Annotation(sentence_hash(TOKENS[1]), ())}
    write_annotations(corpus / "test.tsv", changed)
    with pytest.raises(AnnotationError, match=r"row 0: .* \(hash differs\)"):
        load(MADE, "test", corpus, corpus)


def test_a_part_without_annotations_is_refused(corpus: Path) -> None:
    with pytest.raises(ValueError, match="no annotated part dev"):
        load(MADE, "dev", corpus, corpus)


def test_text_is_split_into_words_and_their_spaces(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "p.jsonl.xz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"id": 3, "tr": "Ankara’da, dün.", "en": "x"}) + "\n")
    (sentence,) = read_corpus(tmp_path / "p.jsonl.xz", "tr")
    assert sentence.tokens == ("Ankara", "’", "da", ",", "dün", ".")
    assert sentence.space_after == (False, False, False, True, False, False)


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ((Span(1, 2, "MISC"),), "unknown label MISC"),
        ((Span(4, 7, "LOC"),), "span 4:7 of 6 tokens"),
        ((Span(2, 2, "LOC"),), "span 2:2 of 6 tokens"),
        ((Span(1, 3, "PER"), Span(2, 4, "LOC")), "overlaps"),
        ((Span(3, 4, "PER"), Span(1, 2, "LOC")), "out of order"),
    ],
)
def test_wrong_spans_are_found(spans: tuple[Span, ...], problem: str) -> None:
    found = problems(annotated(0, *spans), SENTENCES)
    assert len(found) == 1
    assert problem in found[0]


def test_a_row_beyond_the_corpus_is_found() -> None:
    assert "only 3 sentences" in problems({3: Annotation("", ())}, SENTENCES)[0]


def test_neighbouring_spans_are_right() -> None:
    assert problems(annotated(0, Span(0, 1, "PER"), Span(1, 2, "LOC")), SENTENCES) == []


@pytest.mark.parametrize(
    "text", ["0 1 PER", "0: PER", "0: 1", "0: 1 per", "9:", "0:\n0:", "0: 4-3 LOC", "0: 1 X"]
)
def test_lines_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(AnnotationError):
        read_decisions(text, SENTENCES)


@pytest.mark.parametrize(
    "text",
    ["", "row\tspans\n", "row\tsha256\tspans\n1\tx\n", "row\tsha256\tspans\n1\tx\t\n1\tx\t\n"],
)
def test_files_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AnnotationError):
        read_annotations(path)


LENGTHS = {sentence_hash(tokens): len(tokens) for tokens in TOKENS}


def test_agreement_counts_exact_spans_and_token_labels() -> None:
    first = annotated(0, Span(1, 2, "PER"), Span(3, 5, "LOC"))
    second = annotated(0, Span(1, 2, "PER"), Span(4, 5, "LOC"))
    result = agreement(first | annotated(1), second, LENGTHS)
    assert (result.sentences, result.spans, result.shared) == (1, (2, 2), 1)
    assert result.f1 == 0.5
    # Five of six tokens agree; by chance (1*1 + 2*1 + 3*4) / 36 would.
    assert result.kappa == pytest.approx((5 / 6 - 15 / 36) / (1 - 15 / 36))
    assert result.differing_rows == (0,)


def test_agreement_of_sentences_without_names_is_full() -> None:
    result = agreement(annotated(1), annotated(1), LENGTHS)
    assert (result.f1, result.kappa, result.differing_rows) == (1.0, 1.0, ())


def test_agreement_needs_the_same_sentences() -> None:
    with pytest.raises(AnnotationError, match="share no row"):
        agreement(annotated(0), annotated(1), LENGTHS)
    with pytest.raises(AnnotationError, match="different sentences"):
        agreement(annotated(0), {0: Annotation("other", ())}, LENGTHS)


def test_kappa_of_a_published_table() -> None:
    # Two readers, yes or no on 50 grant proposals; kappa 0.4 (Wikipedia, "Cohen's kappa").
    counts = {("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}
    assert cohen_kappa(counts) == pytest.approx(0.4)


def test_convert_adds_to_a_table(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(annotations, "_sentences", lambda name, part: SENTENCES)
    decisions, out = corpus / "decisions.txt", corpus / "out.tsv"
    for text in ("0: 1 PER", "1:\n0: 1 LOC"):
        decisions.write_text(text, encoding="utf-8")
        assert annotations.main(["convert", "vtb", "test", str(decisions), str(out)]) == 0
    assert read_annotations(out) == annotated(0, Span(1, 2, "LOC")) | annotated(1)
    assert "2 in all" in capsys.readouterr().out


def test_stored_annotations_fit_the_corpus(root: Path, shared: Path) -> None:
    checked = set()
    for corpus in catalogue().values():
        parts: tuple[Part, ...] = ("train", "dev", "test")
        for part in parts:
            path = corpus.annotation_path(part, root / ANNOTATIONS_DIR)
            source = corpus.path(part, shared / "corpora")
            if path is None or source is None:
                continue
            assert problems(read_annotations(path), read_corpus(source, corpus.lang)) == [], path
            checked.add(path)
    folder = root / ANNOTATIONS_DIR
    assert checked == set(folder.rglob("*.tsv")) - set(folder.rglob("second/*.tsv"))


def test_second_readings_fit_the_corpus(root: Path, shared: Path) -> None:
    for path in (root / ANNOTATIONS_DIR).rglob("second/*.tsv"):
        corpus = shared / f"corpora/vi/vtb_unlabelled/{path.stem}.jsonl.xz"
        assert problems(read_annotations(path), read_corpus(corpus, "vi")) == []
