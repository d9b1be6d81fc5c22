"""The fold keys of every name in a knowledge file, kept from one build to the next.

Making keys is most of the work of a build. They depend on a file and the rules of the languages
alone, so that after one line was added to one file the others' keys are only read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline import languages
from pipeline.knowledge.files import Row, file_hash, read_rows
from pipeline.knowledge.prior import WIKIDATA
from pipeline.knowledge.vectors import NameVectors
from pipeline.languages.shared import initials
from pipeline.schemas import LANGUAGES, UNDETERMINED

Keys = tuple[str, ...]


class Keyed(NamedTuple):
    """The fold keys of a name (:func:`alias_keys`) and :func:`comparison_names` of it.

    ``vector`` is what an organisation's name of several words means, as
    :meth:`pipeline.knowledge.vectors.NameVectors.packed` writes it; else, or without a model, it is
    empty.
    """

    keys: Keys
    compared: Keys
    vector: str


_PACKAGE: Final = "__init__.py"
_DEVANAGARI: Final = re.compile("[\u0900-\u097f]")
_PARTS: Final = re.compile(r" / | ?\([^)]*\) ?")


def alias_keys(text: str, lang: str) -> Keys:
    """Return the fold keys of a name, the likeliest first.

    By its language's rules; a name of no language by the general ones and the English, or in
    Devanagari, the Hindi. The last one of an English name of many words is its initials.
    """
    if lang != UNDETERMINED:
        rules = [lang]
    elif _DEVANAGARI.search(text):
        rules = ["hi", UNDETERMINED]
    else:
        rules = [UNDETERMINED, "en"]
    keys = [key for rule in rules for key in languages.get(rule).keys(text)]
    if "en" in rules:
        keys.append(initials(languages.get("en").fold(text)))
    return tuple(dict.fromkeys(filter(None, keys)))


def comparison_names(text: str, lang: str) -> Keys:
    """Return the folds by which a name is compared letter by letter, the plain one first.

    Also with its type words in English, and without what stands behind a comma or in brackets, and
    either side of a stroke: ``Michael Havers, Baron Havers``, ``Donostia / San Sebastian``.
    """
    language = languages.get(lang)
    parts = _PARTS.split(text.partition(",")[0])
    names = (text, language.translated(text), *(part for part in parts if part != text))
    return tuple(dict.fromkeys(filter(None, map(language.fold, names))))


def forms(row: Row) -> list[tuple[str, str]]:
    """Return the names of ``row``, each with its language; ``und`` only where none has it."""
    found = [(text, lang) for lang in LANGUAGES for text in row.names.get(lang, ())]
    texts = {text for text, _ in found}
    others = dict.fromkeys((row.name, *row.names.get(UNDETERMINED, ())))
    return found + [(text, UNDETERMINED) for text in others if text not in texts]


def keyed_rows(
    path: Path, folder: Path, model: NameVectors | None
) -> Iterator[tuple[Row, dict[tuple[str, str], Keyed]]]:
    """Yield the rows of ``path`` with the keys of each of their :func:`forms`.

    The keys are read from ``folder``, where :func:`store_keys` must have put them; it has checked
    the rows then.
    """
    with _store(path, folder, model).open(encoding="ascii") as lines:
        for row, line in zip(read_rows(path, checked=True), lines, strict=True):
            cells = map(_keyed, line[:-1].split("\t"))
            yield row, dict(zip(forms(row), cells, strict=True))


def store_keys(path: Path, folder: Path, model: NameVectors | None) -> Path:
    """Make the keys of ``path`` unless ``folder`` holds them, and return the file they are in.

    One line a row, a cell a form: its keys, ``;``, its comparison names, ``|`` between them, ``;``,
    its vector by ``model``. Raises
    :class:`pipeline.knowledge.files.KnowledgeError` when ``path`` is wrong.
    """
    store = _store(path, folder, model)
    if not store.exists():
        folder.mkdir(exist_ok=True)
        draft = store.with_suffix(".draft")
        with draft.open("w", encoding="ascii") as file:
            for row in read_rows(path):
                cells = (
                    f"{'|'.join(alias_keys(*form))};{'|'.join(comparison_names(*form))}"
                    f";{_vector(row, form[0], model)}"
                    for form in forms(row)
                )
                file.write("\t".join(cells) + "\n")
        draft.replace(store)
    return store


def _vector(row: Row, text: str, model: NameVectors | None) -> str:
    """Return the packed vector of one of the names of ``row``, empty where it gets none.

    What comes from a dump of Wikidata has names in all languages, and may be millions of rows.
    """
    named = row.label == "ORG" and " " in text and not row.source.startswith(WIKIDATA)
    return model.packed(text) if model and named else ""


def _keyed(cell: str) -> Keyed:
    keys, compared, vector = cell.split(";")
    return Keyed(_split(keys), _split(compared), vector)


def _split(cell: str) -> Keys:
    return tuple(filter(None, cell.split("|")))


def package_hash(name: str) -> str:
    """Return the SHA-256 in hex of all files of the package ``name``, but of no subpackage."""
    digest = hashlib.sha256()
    for relative, file in sorted(_files_in(resources.files(name), ""), key=lambda item: item[0]):
        digest.update(relative.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _store(path: Path, folder: Path, model: NameVectors | None) -> Path:
    """Return where the keys of ``path`` lie: a name that changes with the file and the rules."""
    rules = Path(__file__).read_bytes() + package_hash("pipeline.languages").encode()
    rules += model.digest.encode() if model else b""
    digest = hashlib.sha256(rules + file_hash(path).encode()).hexdigest()
    return folder / f"{path.stem}-{digest[:16]}.keys"


def _files_in(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__" and not item.joinpath(_PACKAGE).is_file():
            found += _files_in(item, f"{prefix}{item.name}/")
        elif item.is_file():
            found.append((prefix + item.name, item))
    return found
