"""The spaCy engine: any spaCy pipeline that finds names, an official package or one trained here.

Loading an installed package runs the package's own code, as any import does. A folder runs none:
its config may name registered functions only, those of spaCy and of packages installed here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import regex
import spacy
from spacy.about import __version__
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import DummyTokenizer, registry
from spacy.vocab import Vocab

from pipeline.recognise.base import EngineUnavailable, Span
from pipeline.recognise.cards import (
    MODELS_DIR,
    check_files,
    digest_of,
    hash_files,
    locate,
    model_files,
)
from pipeline.recognise.labels import to_label
from pipeline.recognise.words import split_words

TOKENIZER: Final = "exonym.words.v1"
"""The name of :class:`WordTokenizer` in a pipeline's config."""

BATCH_SENTENCES: Final = 64

_OFFICIAL_NAME: Final = regex.compile(r"[a-z]{2,3}_(?:core|dep|ent)_(?:web|news|wiki)_\w+")
"""How spaCy names its own packages: language, kind, genre and size."""


class WordTokenizer(DummyTokenizer):
    """Gives a spaCy pipeline the words of :func:`split_words`.

    A pipeline trained here has it in its config, so that it meets the same words in training and in
    use. What stands between two words becomes one space: a Doc's own character offsets are not
    those of the text.
    """

    def __init__(self, vocab: Vocab) -> None:
        """Make Docs that share ``vocab``."""
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return a Doc of the words of ``text``."""
        return Doc(self.vocab, words=[text[start:end] for start, end in split_words(text)])


def create_word_tokenizer() -> Callable[[Language], WordTokenizer]:
    """Return what makes a WordTokenizer for a pipeline whose config names TOKENIZER."""
    return lambda nlp: WordTokenizer(nlp.vocab)


registry.tokenizers.register(TOKENIZER, func=create_word_tokenizer)


class SpacyEngine:
    """Names by a spaCy pipeline. spaCy gives no scores, so a span's score is None."""

    name: Final = "spacy"

    def __init__(self, reference: str, models_dir: Path = MODELS_DIR) -> None:
        """Load a model of ``models_dir`` or an installed package by name, or a folder by its path.

        Raises EngineUnavailable where there is no such pipeline, its files are not those of its
        card, it does not load with this version of spaCy, or it finds no names.
        """
        source, card = locate(reference, models_dir)
        folder = pipeline_folder(source)
        hashes = hash_files(folder, model_files(folder))
        check_files(card, hashes, source)
        self.model: Final[str] = str(card["name"]) if card else Path(source).name
        self.sha256: Final = digest_of(hashes)
        try:
            nlp = spacy.load(source)
        except (AttributeError, ImportError, OSError, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise EngineUnavailable(
                f"spaCy {__version__} cannot load {source}: {reason}; install the version of "
                "it that is made for this spaCy"
            ) from error
        finders = name_finders(nlp)
        if not finders:
            raise EngineUnavailable(
                f"{source} finds no names: route to a pipeline with the component `ner`"
            )
        nlp.select_pipes(enable=with_upstream(nlp, finders))
        nlp.max_length = sys.maxsize
        self._nlp: Final = nlp
        self.labels: Final[list[str]] = sorted(
            {label for finder in finders for label in nlp.pipe_labels.get(finder, ())}
        )

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names in the sentences of one document; see :class:`.base.Engine`.

        A batch holds sentences of this document only. The pipeline has a language of its own:
        ``lang`` changes nothing.
        """
        docs = self._nlp.pipe(sentences, batch_size=BATCH_SENTENCES)
        return [self._spans(sentence, doc) for sentence, doc in zip(sentences, docs, strict=True)]

    def _spans(self, sentence: str, doc: Doc) -> list[Span]:
        if isinstance(self._nlp.tokenizer, WordTokenizer):
            offsets = split_words(sentence)
        else:
            offsets = [(token.idx, token.idx + len(token)) for token in doc]
        return [
            Span(offsets[entity.start][0], offsets[entity.end - 1][1], label)
            for entity in doc.ents
            if (label := to_label(entity.label_)) is not None
        ]


def name_finders(nlp: Language) -> list[str]:
    """Return the components of a pipeline that find names."""
    return [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]


def with_upstream(nlp: Language, components: Sequence[str]) -> list[str]:
    """Return ``components`` and those whose output they listen to, in the pipeline's order."""
    return [
        name
        for name, pipe in nlp.pipeline
        if name in components or set(components) & set(getattr(pipe, "listening_components", ()))
    ]


def pipeline_folder(source: str) -> Path:
    """Return where the files of a package or folder lie; raises EngineUnavailable."""
    if source.isidentifier() and (spec := find_spec(source)) and spec.origin:
        package = Path(spec.origin).parent
        if (package / "meta.json").is_file():
            return package
    if (Path(source) / "config.cfg").is_file():
        return Path(source)
    if _OFFICIAL_NAME.fullmatch(source):
        raise EngineUnavailable(
            f"the spaCy package {source} is not installed: python -m spacy download {source}"
        )
    raise EngineUnavailable(
        f"{source} is neither an installed spaCy package nor a pipeline's folder (with a "
        "config.cfg): check the routing, or install it"
    )
