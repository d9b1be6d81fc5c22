"""Learns what the words of names mean in English, from names, sentences and a list of words.

``python -m pipeline.training.meaning ../shared/corpora/parallel/flores_5lang.jsonl.xz`` writes
``pipeline/resolve/meaning.tsv`` anew, as after a change of the list or of the knowledge files;
:mod:`pipeline.training.comparing` does so as well, and learns how to weigh them.

IBM Model 1 (Brown et al., The Mathematics of Statistical Machine Translation, 1993) in both
directions; a word stands for another as surely as the geometric mean of the two probabilities,
divided by that of the word it stands for most surely. The English side is whole folded words, the
other side the stems of :mod:`pipeline.resolve.meaning`.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline import languages
from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.resolve.meaning import read_glossary, stem

Rows = list[tuple[str, str, str, float]]
"""Language, stem, English word, and how surely the one stands for the other, 0 to 1."""

ASKED: Final = ("hi", "tr", "ro", "vi")
_ROUNDS: Final = 6
_LEAST: Final = 0.15
_LEAST_BACK: Final = 0.03
_NAMES_COUNT: Final = 3.0
"""How many times a name counts for what a sentence does: names are what is to be understood."""
_MOST: Final = 4
"""English words kept of a stem."""


@dataclass(frozen=True, slots=True)
class Text:
    """A name or sentence in a language and in English; ``keys`` are a name's English ones."""

    lang: str
    text: str
    english: str
    keys: frozenset[str] = frozenset()


def known_texts(folder: Path) -> Iterator[Text]:
    """Yield the names of bodies and places of the knowledge files with their English ones."""
    english = languages.get("en")
    for path in knowledge_files(folder):
        for row in read_rows(path):
            long = [name for name in row.names.get("en", ()) if " " in name]
            if row.label == "PER" or not long:
                continue
            keys = frozenset(map(english.fold, row.names["en"]))
            for lang in ASKED:
                for name in row.names.get(lang, ()):
                    if " " in name:
                        yield Text(lang, name, long[0], keys)


def glossary() -> Iterator[Text]:
    """Yield the words of ``glossary.tsv``, of which the names of bodies are made, in all languages.

    Dictionary and inflected forms as such names have them, written for this project.
    """
    english = languages.get("en")
    for row in read_glossary():
        for lang in ASKED:
            for word in row[lang].split("|"):
                yield Text(lang, word, row["en"], frozenset({english.fold(row["en"])}))


def sentences(path: Path) -> Iterator[Text]:
    """Yield the sentences of a file of parallel ones, a JSON object of languages a line."""
    for line in lzma.decompress(path.read_bytes()).decode("utf-8").splitlines():
        row = json.loads(line)
        for lang in ASKED:
            yield Text(lang, row[lang], row["en"])


def all_texts(knowledge: Path, parallel: Path) -> Iterator[Text]:
    """Yield all that meanings are learned from: names, a file of parallel sentences, words."""
    return chain(known_texts(knowledge), sentences(parallel), glossary())


class Learner:
    """Texts of all languages as numbers, from which meanings are learned with some left out."""

    def __init__(self, texts: Iterable[Text]) -> None:
        """Take ``texts`` apart into words."""
        texts = list(texts)
        self._texts = {lang: [t for t in texts if t.lang == lang] for lang in ASKED}
        self._pairs = {lang: _Pairs(found, lang) for lang, found in self._texts.items()}

    def learn(self, without: frozenset[str] = frozenset()) -> Rows:
        """Return what is learned without the names of which ``without`` holds a key."""
        rows: Rows = []
        for lang, texts in self._texts.items():
            counts = np.array(
                [(_NAMES_COUNT if t.keys else 1.0) * (not t.keys & without) for t in texts]
            )
            rows += ((lang, *found) for found in self._pairs[lang].learn(counts))
        return rows


class _Pairs:
    """Every word of one side beside every word of the other, text by text."""

    def __init__(self, texts: Sequence[Text], lang: str) -> None:
        language, english = languages.get(lang), languages.get("en")
        stems: dict[str, int] = {}
        words: dict[str, int] = {}
        columns: tuple[list[int], ...] = ([], [], [], [], [])
        groups = (0, 0)
        for number, pair in enumerate(texts):
            ours = [stem(word) for word in language.fold(pair.text).split()]
            theirs = english.fold(pair.english).split()
            for i, mine in enumerate(ours):
                for j, other in enumerate(theirs):
                    values = (
                        stems.setdefault(mine, len(stems)),
                        words.setdefault(other, len(words)),
                        number,
                        groups[0] + i,
                        groups[1] + j,
                    )
                    for column, value in zip(columns, values, strict=True):
                        column.append(value)
            groups = (groups[0] + len(ours), groups[1] + len(theirs))
        self._stems, self._words = list(stems), list(words)
        ours_at, theirs_at, self._text, self._our_place, self._their_place = map(
            np.asarray, columns
        )
        both = ours_at * max(1, len(words)) + theirs_at
        codes, self._pair = np.unique(both, return_inverse=True)
        self._mine, self._other = np.divmod(codes, max(1, len(words)))

    def learn(self, counts: npt.NDArray[np.float64]) -> Iterator[tuple[str, str, float]]:
        """Yield stem, English word and sureness; ``counts`` says what each text counts."""
        if not len(self._pair):
            return
        weight = counts[self._text]
        forth = self._expect(weight, self._their_place, self._mine)
        back = self._expect(weight, self._our_place, self._other)
        sure = np.where((forth >= _LEAST) & (back >= _LEAST_BACK), np.sqrt(forth * back), 0.0)
        best = np.zeros(len(self._stems))
        np.maximum.at(best, self._mine, sure)
        found: dict[int, list[tuple[float, int]]] = {}
        for i in np.flatnonzero(sure).tolist():
            mine = int(self._mine[i])
            found.setdefault(mine, []).append((float(sure[i] / best[mine]), int(self._other[i])))
        for mine, meant in found.items():
            for share, other in sorted(meant, reverse=True)[:_MOST]:
                yield self._stems[mine], self._words[other], round(share, 2)

    def _expect(
        self,
        weight: npt.NDArray[np.float64],
        place: npt.NDArray[np.int64],
        given: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Return how likely each pair's one word is, given the other (``given`` its number)."""
        likely = np.ones(len(given))
        for _ in range(_ROUNDS):
            values = likely[self._pair]
            share = weight * values / np.maximum(np.bincount(place, values)[place], 1e-12)
            count = np.bincount(self._pair, share, len(given))
            total = np.bincount(given, count)[given]
            likely = count / np.maximum(total, 1e-9)
        return likely


def write_meanings(rows: Rows, path: Path) -> None:
    """Write ``rows`` as a tab-separated file."""
    lines = ["lang\tstem\tenglish\tsureness"]
    lines += ["\t".join(map(str, row)) for row in sorted(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Learn from all texts and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parallel", type=Path, help="file of parallel sentences")
    parser.add_argument("--knowledge", type=Path, default=Path("models/knowledge"))
    parser.add_argument("--out", type=Path, default=Path("pipeline/resolve/meaning.tsv"))
    arguments = parser.parse_args()
    texts = all_texts(arguments.knowledge, arguments.parallel)
    write_meanings(Learner(texts).learn(), arguments.out)


if __name__ == "__main__":
    main()
