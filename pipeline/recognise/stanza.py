"""The Stanza engine: any tagger of Stanza's, an official one or one trained here.

Models are read with ``torch.load(weights_only=True)``, by Stanza itself too: a file holds tensors
and plain values, and cannot run code. Nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import regex
import stanza
import torch
from stanza.models.common.doc import Document
from stanza.models.common.foundation_cache import FoundationCache
from stanza.models.ner.data import DataLoader
from stanza.models.ner.trainer import Trainer
from stanza.models.ner.utils import decode_from_bioes
from stanza.pipeline.core import build_default_config
from stanza.resources.common import (
    DEFAULT_MODEL_DIR,
    add_dependencies,
    load_resources_json,
    maintain_processor_list,
)

from pipeline.recognise.base import EngineUnavailable, Span
from pipeline.recognise.cards import MODELS_DIR, check_files, digest_of, hash_files, locate
from pipeline.recognise.labels import to_label
from pipeline.recognise.words import split_words

MODEL_FILE: Final = "ner.pt"
"""The tagger in a model's folder."""

RESOURCES_DIR: Final = Path(DEFAULT_MODEL_DIR)
"""Where Stanza puts what its user downloads."""

BATCH_SENTENCES: Final = 32
BATCH_WORDS: Final = 1000

MAX_WORD_CHARS: Final = 64
"""What the tagger sees of a word. A longer one is a number, a hash or an address, never a name, and
the memory for a sentence is the number of its words times the longest."""

_LANGUAGE: Final = regex.compile(r"[a-z]{2,3}(?:-[a-z]+)?")


@dataclass(frozen=True, slots=True)
class TaggerFiles:
    """A tagger, and the word vectors and character language models that it needs."""

    name: str
    tagger: Path
    vectors: Path | None = None
    forward: Path | None = None
    backward: Path | None = None

    @property
    def _paths(self) -> list[Path]:
        files = (self.tagger, self.vectors, self.forward, self.backward)
        return [file for file in files if file is not None]

    @property
    def folder(self) -> Path:
        """Return the folder that holds all the files, itself or in its folders."""
        return Path(os.path.commonpath([file.parent for file in self._paths]))

    @property
    def names(self) -> list[str]:
        """Return the files, relative to ``folder``, sorted."""
        return sorted(file.relative_to(self.folder).as_posix() for file in self._paths)


class StanzaEngine:
    """Names by a Stanza tagger. Stanza gives no scores, so a span's score is None."""

    name: Final = "stanza"

    def __init__(
        self,
        reference: str,
        models_dir: Path = MODELS_DIR,
        resources_dir: Path = RESOURCES_DIR,
    ) -> None:
        """Load a tagger.

        ``reference`` is a model of ``models_dir`` by its name; or a ``.pt`` file that Stanza's
        tagger saved, with what it needs beside it, or the folder where it lies as ``ner.pt``; or
        a language code for the official package as downloaded to ``resources_dir`` (Stanza's own
        default: the environment variable STANZA_RESOURCES_DIR).

        Raises EngineUnavailable where a file is absent, is not that of the card, or does not load.
        """
        source, card = locate(reference, models_dir)
        files = find_files(source, resources_dir)
        hashes = hash_files(files.folder, files.names)
        check_files(card, hashes, source)
        self.model: Final[str] = str(card["name"]) if card else files.name
        self.sha256: Final = digest_of(hashes)
        torch.set_num_threads(1)
        try:
            self._tagger: Final = _load(files)
        except (KeyError, OSError, RuntimeError, UnpicklingError, ValueError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise EngineUnavailable(
                f"Stanza {stanza.__version__} cannot load {files.tagger}: {reason}; route to a "
                "tagger saved by this version"
            ) from error
        self.labels: Final[list[str]] = self._tagger.get_known_tags()

    def recognise(self, sentences: Sequence[str], lang: str) -> list[list[Span]]:
        """Find the names in the sentences of one document; see :class:`.base.Engine`.

        A batch holds sentences of this document only. The tagger has a language of its own:
        ``lang`` changes nothing.
        """
        offsets = [split_words(sentence) for sentence in sentences]
        words = [
            [sentence[start:end][:MAX_WORD_CHARS] for start, end in spans]
            for sentence, spans in zip(sentences, offsets, strict=True)
        ]
        tags = iter(self._tags([row for row in words if row]))
        return [_spans(next(tags), spans) if spans else [] for spans in offsets]

    def _tags(self, words: list[list[str]]) -> list[list[str]]:
        """Return a tag for every word of every sentence; no sentence may be empty."""
        document = Document([[{"text": word} for word in row] for row in words])
        batches = DataLoader(
            document,
            BATCH_SENTENCES,
            self._tagger.args,
            vocab=self._tagger.vocab,
            evaluation=True,
            preprocess_tags=False,
            bert_tokenizer=self._tagger.model.bert_tokenizer,
            max_batch_words=BATCH_WORDS,
        )
        with torch.inference_mode():
            return [tags for batch in batches for tags in self._tagger.predict(batch)]


def find_files(source: str, resources_dir: Path = RESOURCES_DIR) -> TaggerFiles:
    """Return the files of the tagger that ``source`` names: a path or a language code.

    Raises EngineUnavailable where one is absent.
    """
    path = Path(source) / MODEL_FILE if Path(source).is_dir() else Path(source)
    if path.is_file():
        files = _files_beside(path)
    elif _LANGUAGE.fullmatch(source):
        files = _official_files(source, resources_dir)
    else:
        raise EngineUnavailable(
            f"there is no Stanza tagger {source}: give a .pt file, a folder that holds "
            f"{MODEL_FILE}, or a language code, and check the routing"
        )
    return files


def _files_beside(tagger: Path) -> TaggerFiles:
    """Look for what a tagger needs in its folder, under the names it was trained with."""
    try:
        saved = torch.load(tagger, map_location="cpu", weights_only=True)
        config, vocabularies = saved["config"], saved["vocab"]
    except (KeyError, RuntimeError, TypeError, UnpicklingError) as error:
        raise EngineUnavailable(
            f"{tagger} is no Stanza tagger: give a file that stanza.models.ner_tagger saved"
        ) from error
    has_vectors = "word" in vocabularies
    has_characters = bool(config.get("charlm"))
    return TaggerFiles(
        name=tagger.stem,
        tagger=tagger,
        vectors=_beside(tagger, config.get("wordvec_pretrain_file")) if has_vectors else None,
        forward=_beside(tagger, config.get("charlm_forward_file")) if has_characters else None,
        backward=_beside(tagger, config.get("charlm_backward_file")) if has_characters else None,
    )


def _beside(tagger: Path, trained_with: str | None) -> Path:
    path = tagger.with_name(Path(trained_with or "pretrain.pt").name)
    if not path.is_file():
        raise EngineUnavailable(f"{tagger.name} needs {path.name}: put it into {tagger.parent}")
    return path


def _official_files(lang: str, resources_dir: Path) -> TaggerFiles:
    """Return the default tagger of a language; of several, the first, which Stanza prefers."""
    unavailable = EngineUnavailable(
        f"Stanza's package for '{lang}' is not in {resources_dir}: "
        f"python -c \"import stanza; stanza.download('{lang}', processors='tokenize,ner')\""
    )
    try:
        resources = load_resources_json(str(resources_dir))
    except FileNotFoundError:
        raise unavailable from None
    if lang not in resources:
        raise unavailable
    if "ner" not in resources[lang]:
        raise EngineUnavailable(f"Stanza has no tagger of names for '{lang}': use another engine")
    loaded = maintain_processor_list(resources, lang, None, {"ner": "default"})
    config = build_default_config(
        resources, lang, str(resources_dir), add_dependencies(resources, lang, loaded)
    )
    tagger = Path(config["ner_model_path"][0])
    needed = config["ner_dependencies"][0]
    vectors, forward, backward = (
        Path(needed[key]) if key in needed else None
        for key in ("pretrain_path", "forward_charlm_path", "backward_charlm_path")
    )
    files = TaggerFiles(f"{lang}_{tagger.stem}", tagger, vectors, forward, backward)
    if not all(file.is_file() for file in (tagger, vectors, forward, backward) if file is not None):
        raise unavailable
    return files


def _load(files: TaggerFiles) -> Any:
    """Load a tagger without network; what it is made of comes from ``files`` only."""
    cache = FoundationCache(local_files_only=True)
    return Trainer(
        {
            "charlm_forward_file": files.forward and str(files.forward),
            "charlm_backward_file": files.backward and str(files.backward),
        },
        pretrain=files.vectors and cache.load_pretrain(str(files.vectors)),
        model_file=str(files.tagger),
        device="cpu",
        foundation_cache=cache,
    )


def _spans(tags: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[Span]:
    """Turn the tags of a sentence's words into spans."""
    return [
        Span(offsets[name["start"]][0], offsets[name["end"]][1], label)
        for name in decode_from_bioes(tags)
        if (label := to_label(name["type"])) is not None
    ]
