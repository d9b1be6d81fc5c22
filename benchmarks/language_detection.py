"""How well a text's language is told, beside langdetect alone.

Reads FLORES-200 sentences from ``../shared/corpora``: those of the five languages, where the right
answer counts, and of 21 others, where any of the five is wrong. Each sentence is asked whole, as
five and as three words from within it, and in capitals, always without a hint and without
neighbours. Rows with odd numbers served to choose the rules; only even ones are read here.

Run from the repository root: ``python benchmarks/language_detection.py [--json FILE]``.
"""

from __future__ import annotations

import argparse
import json
import lzma
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory
from langdetect.lang_detect_exception import LangDetectException
from rich.console import Console
from rich.table import Table

from pipeline.detect import detect
from pipeline.detect.documents import HINT
from pipeline.detect.languages import decide
from pipeline.detect.votes import NO_ANSWER, votes_for
from pipeline.schemas import DOCUMENTS, LANGUAGES, UNDETERMINED, unfinished

CORPORA: Final = Path(__file__).resolve().parents[1].parent / "shared" / "corpora"
LIBRARIES: Final = ("langdetect", "pycld2", "py3langid")
SEED: Final = 20260101
SENTENCES_OF_OURS: Final = 100
SENTENCES_OF_OTHERS: Final = 40
SENTENCES_A_DOCUMENT: Final = 10
DOCUMENTS_A_LANGUAGE: Final = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """A sentence and the language it is in."""

    lang: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """How many texts of ``lang`` in one ``form`` a ``method`` got right."""

    method: str
    form: str
    lang: str
    right: int
    asked: int


def main() -> None:
    """Measure, print the tables, and write the counts where ``--json`` says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all counts to FILE")
    arguments = parser.parse_args()
    samples = list(chosen(SENTENCES_OF_OURS, SENTENCES_OF_OTHERS))
    results = accuracy(samples)
    speed = documents_per_cpu_second()
    console = Console(width=100)
    for table in (summary_table(results), language_table(results), speed_table(speed)):
        console.print(table)
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    console.print(f"{versions}; measured on {datetime.now(UTC).date()}; even rows of FLORES-200.")
    if arguments.json:
        counts = {"results": [asdict(result) for result in results], "speed": speed}
        arguments.json.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


def rows() -> Iterator[tuple[int, Sample]]:
    """Yield all sentences with their number within their language."""
    with lzma.open(CORPORA / "parallel" / "flores_5lang.jsonl.xz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            for lang in LANGUAGES:
                yield row["id"], Sample(lang, row[lang])
    numbers: Counter[str] = Counter()
    with lzma.open(CORPORA / "langid" / "flores_others.jsonl.xz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            yield numbers[row["lang"]], Sample(row["lang"], row["text"])
            numbers[row["lang"]] += 1


def chosen(of_ours: int, of_others: int) -> Iterator[Sample]:
    """Yield a seeded choice of even rows: so many a language of the five, and of the others."""
    by_language: dict[str, list[Sample]] = defaultdict(list)
    for number, sample in rows():
        if number % 2 == 0:
            by_language[sample.lang].append(sample)
    draw = random.Random(SEED)
    for lang, samples in by_language.items():
        number = of_ours if lang in LANGUAGES else of_others
        yield from draw.sample(samples, min(number, len(samples)))


def forms(sample: Sample, draw: random.Random) -> Iterator[tuple[str, str]]:
    """Yield the forms in which a sentence is asked; no capitals where its script has none."""
    yield "sentence", sample.text
    yield "five words", words_within(sample.text, 5, draw)
    yield "three words", words_within(sample.text, 3, draw)
    dotted = sample.text.replace("i", "İ") if sample.lang in ("tr", "az") else sample.text
    if (capitals := dotted.upper()) != sample.text:
        yield "capitals", capitals


def words_within(text: str, number: int, draw: random.Random) -> str:
    """Return ``number`` neighbouring words of ``text``; characters where no spaces are written."""
    words = text.split()
    if len(words) <= number:
        return text[: 3 * number] if len(words) == 1 else text
    start = draw.randrange(len(words) - number + 1)
    return " ".join(words[start : start + number])


def accuracy(samples: list[Sample]) -> list[Result]:
    """Return the counts of both methods by form and language."""
    methods: dict[str, Callable[[str], str]] = {
        "langdetect alone": langdetect_alone,
        "exonym": lambda text: decide(text).lang,
    }
    right: Counter[tuple[str, str, str]] = Counter()
    asked: Counter[tuple[str, str, str]] = Counter()
    draw = random.Random(SEED)
    for sample in samples:
        for form, text in forms(sample, draw):
            for method, answer in methods.items():
                key = method, form, sample.lang
                asked[key] += 1
                right[key] += is_right(sample.lang, answer(text))
    return [Result(*key, right[key], number) for key, number in asked.items()]


def langdetect_alone(text: str) -> str:
    """Return what the library itself answers, seeded."""
    detector = _langdetect().create()
    detector.append(text)
    try:
        return str(detector.detect())
    except LangDetectException:
        return NO_ANSWER


@cache
def _langdetect() -> DetectorFactory:
    factory = DetectorFactory()
    factory.set_seed(0)
    factory.load_profile(PROFILES_DIRECTORY)
    return factory


def is_right(lang: str, answer: str) -> bool:
    """Whether ``answer`` is ``lang``, or none of the five where ``lang`` is none of them."""
    return answer == lang if lang in LANGUAGES else answer not in LANGUAGES


def documents_per_cpu_second() -> dict[str, float]:
    """Return how many documents each method does in a second of processor time, loading apart."""
    table = documents()
    texts = table["text"].to_pylist()
    detect(table.slice(0, 1), "warm-up")
    votes_for.cache_clear()
    started = time.process_time()
    for text in texts:
        langdetect_alone(text)
    alone = time.process_time() - started
    started = time.process_time()
    detect(table, "measured")
    whole = time.process_time() - started
    return {
        "documents": len(texts),
        "words": sum(len(text.split()) for text in texts),
        "langdetect alone": len(texts) / alone,
        "exonym": len(texts) / whole,
        "ratio": alone / whole,
    }


def documents() -> pa.Table:
    """Return documents of ten sentences each, a line a sentence, in the five languages."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for number, sample in rows():
        if number % 2 == 0 and sample.lang in LANGUAGES:
            by_language[sample.lang].append(sample.text)
    size = SENTENCES_A_DOCUMENT
    texts = [
        "\n".join(sentences[first : first + size])
        for sentences in by_language.values()
        for first in range(0, DOCUMENTS_A_LANGUAGE * size, size)
    ]
    schema = unfinished(DOCUMENTS).append(pa.field(HINT, pa.string()))
    blank: dict[str, Any] = dict.fromkeys(schema.names)
    made = [
        blank | {"doc_id": str(number), "date": date(2026, 1, 1), "text": text}
        for number, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(made, schema=schema)


def share(results: list[Result]) -> str:
    """Return right answers in per cent, and of how many."""
    right, asked = sum(r.right for r in results), sum(r.asked for r in results)
    return f"{100 * right / asked:.1f} ({asked})" if asked else "–"


def summary_table(results: list[Result]) -> Table:
    """Return the table of both methods by form, over all languages."""
    table = Table(title="Right answers, % (of)")
    for column in ("form", "method", "the five: right", "the 21 others: rejected"):
        table.add_column(column)
    for form in dict.fromkeys(result.form for result in results):
        for method in dict.fromkeys(result.method for result in results):
            same = [r for r in results if (r.form, r.method) == (form, method)]
            ours = [result for result in same if result.lang in LANGUAGES]
            others = [result for result in same if result.lang not in LANGUAGES]
            table.add_row(form, method, share(ours), share(others))
    return table


def language_table(results: list[Result]) -> Table:
    """Return the table by language and form: langdetect alone, and Exonym."""
    names = list(dict.fromkeys(result.form for result in results))
    table = Table(title="By language, %: langdetect alone → exonym")
    table.add_column(f"language (others: {UNDETERMINED} is right)")
    for form in names:
        table.add_column(form)
    for lang in dict.fromkeys(result.lang for result in results):
        cells = []
        for form in names:
            same = [r for r in results if (r.form, r.lang) == (form, lang)]
            cells.append(" → ".join(f"{100 * r.right / r.asked:.1f}" for r in same) or "–")
        table.add_row(lang, *cells)
    return table


def speed_table(speed: dict[str, float]) -> Table:
    """Return the table of speed; the ratio is what compares between machines."""
    table = Table(title=f"{speed['documents']:.0f} documents, {speed['words']:.0f} words")
    table.add_column("method")
    table.add_column("documents per CPU-second")
    table.add_row("langdetect alone, once a document", f"{speed['langdetect alone']:.1f}")
    table.add_row("exonym, languages and kinds", f"{speed['exonym']:.1f}")
    table.add_row("ratio", f"{speed['ratio']:.2f}")
    return table


if __name__ == "__main__":
    main()
