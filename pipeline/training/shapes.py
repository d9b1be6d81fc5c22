"""Fit the correction of tag scores by the shapes of words, language by language.

``python -m pipeline.training.shapes models/joint`` writes ``shapes.json`` and a
new ``calibration.json`` into the model's folder and prints the exact-span F1 on the dev parts
without and with the correction. The dev parts are all that it learns from: the model is too sure of
the sentences it was trained on. So the F1 with it is that of five folds, each of which was
corrected by what the other four say. A language whose F1 over all its parts hardly rises gets none.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from pipeline.recognise.cards import read_card
from pipeline.recognise.cleaning import clean_spans
from pipeline.recognise.decode import Scores
from pipeline.recognise.onnx import CALIBRATION_FILE, SHAPES_FILE, OnnxEngine
from pipeline.recognise.shapes import FEATURES, ShapeCorrection, Vector, shape_features
from pipeline.recognise.words import split_words
from pipeline.training.common import CORPORA_DIR, catalogue, split_tokens
from pipeline.training.evaluate_corpora import ALL_LABELS, Counts, Name, count, rebuild
from pipeline.training.export import LANGUAGES, calibrate, measure, rewrite_card
from pipeline.training.joint import TAGS
from pipeline.training.labelled import labelled_sentences

FOLDS: Final = 5
PENALTY: Final = 0.0003
"""Weight of the squared sum of all weights beside the mean cross-entropy of a word, in nats."""

LEAST_GAIN: Final = 0.003
"""F1 that a correction must bring over all dev parts of a language: less may be chance."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A dev sentence: what the model says of its words, and what is right."""

    corpus: str
    fold: int
    text: str
    words: list[tuple[int, int]]
    scores: Scores
    tags: list[int]
    names: set[Name]

    @property
    def surfaces(self) -> list[str]:
        """Return the words themselves."""
        return [self.text[start:end] for start, end in self.words]


def scored_sentences(engine: OnnxEngine, lang: str, corpora: Path) -> list[Scored]:
    """Return the sentences of all dev parts of ``lang``; a part's folds are runs of its sentences.

    Sentences are left out whose words in the text are not those of its tokens one by one.
    """
    scored = []
    for corpus in catalogue().values():
        if corpus.lang != lang:
            continue
        sentences = labelled_sentences(corpus, "dev", corpora) or []
        for number, sentence in enumerate(sentences):
            text, names = rebuild(sentence)
            words = split_words(text)
            parts, tags = split_tokens(sentence.tokens, sentence.tags)
            if not words or [text[start:end] for start, end in words] != parts:
                continue
            scored.append(
                Scored(
                    corpus=corpus.name,
                    fold=number * FOLDS // len(sentences),
                    text=text,
                    words=words,
                    scores=engine.tag_scores(text, words),
                    tags=[TAGS.index(tag) for tag in tags],
                    names=names,
                )
            )
    return scored


def fit(sentences: Sequence[Scored], penalty: float = PENALTY) -> Vector:
    """Return weights, one a feature, that make the sentences' tags likeliest.

    A logistic regression of ``O`` with the model's scores as offset, its squared weights held
    small, by L-BFGS (Liu and Nocedal 1989).
    """
    offset = torch.from_numpy(np.vstack([sentence.scores for sentence in sentences]))
    shapes = torch.from_numpy(
        np.vstack([shape_features(sentence.surfaces) for sentence in sentences])
    )
    right = torch.tensor([tag for sentence in sentences for tag in sentence.tags])
    outside = torch.nn.functional.one_hot(torch.tensor(TAGS.index("O")), len(TAGS)).float()
    weights = torch.zeros(len(FEATURES), requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        scores = offset + torch.outer(shapes @ weights, outside)
        value = torch.nn.functional.cross_entropy(scores, right)
        value = value + penalty * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    result: Vector = weights.detach().numpy()
    return result


def f1_by_corpus(
    engine: OnnxEngine, lang: str, sentences: Iterable[tuple[Scored, Vector | None]]
) -> dict[str, Counts]:
    """Return the counts of all labels by corpus, and under ``all``; None corrects nothing."""
    counts = {ALL_LABELS: Counts()}
    for sentence, weights in sentences:
        correction = ShapeCorrection({} if weights is None else {"": weights})
        scores = correction.apply(sentence.scores, TAGS.index("O"), sentence.surfaces, "")
        spans = clean_spans(sentence.text, engine.spans(sentence.words, scores), lang)
        found = [(span.start, span.end, span.label) for span in spans]
        right = count([sentence.names], [found])[ALL_LABELS]
        counts.setdefault(sentence.corpus, Counts()).add(right)
        counts[ALL_LABELS].add(right)
    return counts


@dataclass(frozen=True, slots=True)
class Gain:
    """Weights that help a language, and its micro F1 over the dev parts, 0 to 1."""

    weights: Vector
    without: float
    corrected: float
    """By cross-validation."""


def choose(engine: OnnxEngine, lang: str, corpora: Path) -> Gain | None:
    """Return the weights for ``lang``, or None where they do not help; print what they give."""
    sentences = scored_sentences(engine, lang, corpora)
    before = f1_by_corpus(engine, lang, ((sentence, None) for sentence in sentences))
    _report(f"{lang}, as it is", before)
    of_others = [
        fit([sentence for sentence in sentences if sentence.fold != fold]) for fold in range(FOLDS)
    ]
    after = f1_by_corpus(
        engine, lang, ((sentence, of_others[sentence.fold]) for sentence in sentences)
    )
    _report(f"{lang}, corrected", after)
    gain = Gain(fit(sentences), before[ALL_LABELS].f1, after[ALL_LABELS].f1)
    return gain if gain.corrected >= gain.without + LEAST_GAIN else None


def _report(name: str, counts: dict[str, Counts]) -> None:
    told = ", ".join(f"{corpus} {100 * count.f1:.2f}" for corpus, count in counts.items())
    print(f"{name}: {told}", flush=True)


def main() -> None:
    """Parse the command line, fit, and write what helps."""
    parser = argparse.ArgumentParser(description="Fit what word shapes say about tags.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    arguments = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    folder: Path = arguments.model
    engine = OnnxEngine(folder)
    gains = {
        lang: gain
        for lang in arguments.languages
        if (gain := choose(engine, lang, arguments.corpora)) is not None
    }
    card = read_card(folder)
    card["shapes"] = {
        lang: {"f1_without": round(gain.without, 4), "f1_corrected": round(gain.corrected, 4)}
        for lang, gain in gains.items()
    }
    (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    (folder / SHAPES_FILE).unlink(missing_ok=True)
    if gains:
        weights = {lang: gain.weights for lang, gain in gains.items()}
        ShapeCorrection(weights).save(folder / SHAPES_FILE)
    rewrite_card(folder, card)
    total = measure("with the shapes, fitted on these parts", folder, arguments.corpora, None)
    calibrate(total.scores).save(folder / CALIBRATION_FILE)
    rewrite_card(folder, card)


if __name__ == "__main__":
    main()
