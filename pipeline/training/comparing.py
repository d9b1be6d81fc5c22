"""Trains how names are compared.

``python -m pipeline.training.comparing ../shared/names
../shared/corpora/parallel/flores_5lang.jsonl.xz`` writes ``spelling.tsv`` (what letters become in
English, by language), ``meaning.tsv`` (what words of names mean) and ``matching.tsv`` (the weights
of the scorer) into ``pipeline/resolve``. With ``--labels ORG`` only the weights of that label's
entities are written anew, and what else stands in the three files stays. Needs SciPy (extra
``train``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.resolve import matching
from pipeline.schemas import LABELS
from pipeline.training import meaning
from pipeline.training.lessons import lessons
from pipeline.training.names import Material, learn_spelling, write_units
from pipeline.training.scorer import learn


def main() -> None:
    """Train on all rows and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", type=Path, help="folder of the files of names")
    parser.add_argument("parallel", type=Path, help="file of parallel sentences")
    parser.add_argument("--knowledge", type=Path, default=Path("models/knowledge"))
    parser.add_argument("--out", type=Path, default=Path("pipeline/resolve"))
    parser.add_argument(
        "--labels", nargs="+", choices=LABELS, default=[], help="whose weights alone to write"
    )
    arguments = parser.parse_args()
    material = Material.read(arguments.names, arguments.knowledge, arguments.parallel)
    weights = learn([lesson for _, lesson in lessons(material, arguments.knowledge)])
    if arguments.labels:
        weights = matching.trained() | {label: weights[label] for label in arguments.labels}
    else:
        units = learn_spelling([*material.asked, *material.known])
        write_units(units, arguments.out / "spelling.tsv")
        meaning.write_meanings(material.learner.learn(), arguments.out / "meaning.tsv")
    (arguments.out / "matching.tsv").write_text(matching.serialise(weights), encoding="utf-8")


if __name__ == "__main__":
    main()
