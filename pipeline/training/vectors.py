"""Train the small model that turns names into vectors of what they mean.

``python -m pipeline.training.vectors --output work/vectors`` teaches a few layers of the encoder to
say of a name what all of its layers say: the mean of the last states, without what all names of
organisations in that language have in common, in few dimensions (knowledge distillation as in
Reimers and Gurevych 2020, "Making Monolingual Sentence Embeddings Multilingual"; the targets are
the teacher's for the same text, so no pair of translations is seen). It writes
``checkpoint.safetensors``, while it learns as well, and resumes where one is; with
``--export models/meaning`` the model folder too, in 8 bits.

The texts are names of the knowledge files and stretches of sentences of the corpora's train parts.
The names that ``benchmarks/retrieval.py`` asks for are left out.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AutoModel, AutoTokenizer

from pipeline.knowledge.files import knowledge_files, read_rows
from pipeline.knowledge.vectors import DIMENSIONS, MAX_PIECES, MODEL_FILE, TOKENIZER_FILE, VECTOR
from pipeline.recognise.cards import README_FILE, hash_files, model_files, write_card
from pipeline.schemas import LANGUAGES, UNDETERMINED
from pipeline.training.common import CORPORA_DIR, catalogue
from pipeline.training.export import fuse
from pipeline.training.joint import (
    load_optimizer,
    optimizer_tensors,
    rate_factor,
    write_checkpoint,
)
from pipeline.training.labelled import training_sentences
from pipeline.training.names import ASKED, FILES, ORGANISATIONS, read_names
from pipeline.training.quantise import Inputs, quantise

CHECKPOINT: Final = "checkpoint.safetensors"
LAYERS: Final = (0, 4, 8, 11)
"""The encoder's layers that the small model begins with."""
OTHER_NAMES: Final = 20_000
STRETCHES: Final = 90_000
LONGEST_STRETCH: Final = 7
EPOCHS: Final = 8
PIECES_PER_BATCH: Final = 2048
LEARNING_RATE: Final = 3e-4
HEAD_LEARNING_RATE: Final = 1e-3
WARM_UP: Final = 0.06
SEED: Final = 20261130
STEPS_BETWEEN_CHECKPOINTS: Final = 250
LICENCE: Final = "CC BY-SA 4.0"

log = logging.getLogger("vectors")


@dataclass(frozen=True, slots=True)
class Text:
    """A text to learn from, its language, and whether it is the name of an organisation."""

    text: str
    lang: str
    organisation: bool = False


def read_texts(knowledge: Path, names: Path, corpora: Path) -> list[Text]:
    """Return the texts to learn from, each once, in an order that is always the same."""
    asked = {
        row[lang].split(" (")[0].strip()
        for row in read_names(names / FILES[ORGANISATIONS][0])
        for lang in ASKED
        if row.get(lang)
    }
    rng = random.Random(SEED)
    found: dict[Text, None] = {}
    others = []
    for path in knowledge_files(knowledge):
        for row in read_rows(path):
            for lang, aliases in row.names.items():
                lang = "en" if lang == UNDETERMINED else lang
                for name in aliases:
                    if row.label == "ORG" and name not in asked:
                        found[Text(name, lang, True)] = None
                    elif " " in name:
                        others.append(Text(name, lang))
    found |= dict.fromkeys(rng.sample(others, min(OTHER_NAMES, len(others))))
    sentences = [
        (corpus.lang, sentence.tokens)
        for corpus in catalogue().values()
        for sentence in training_sentences(corpus, corpora)
    ]
    for lang, tokens in rng.choices(sentences, k=STRETCHES):
        length = rng.randint(1, LONGEST_STRETCH)
        first = rng.randrange(max(1, len(tokens) - length))
        found[Text(" ".join(tokens[first : first + length]), lang)] = None
    return list(found)


def batches(ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the places of texts in batches of like length and about as many pieces."""
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    found: list[list[int]] = [[]]
    for place in order:
        if (len(found[-1]) + 1) * len(ids[place]) > PIECES_PER_BATCH and found[-1]:
            found.append([])
        found[-1].append(place)
    return found


def collate(ids: Sequence[Sequence[int]], padding: int) -> torch.Tensor:
    """Return piece ids, (texts, longest) of int64, padded at the right."""
    result = torch.full((len(ids), max(map(len, ids))), padding)
    for row, pieces in enumerate(ids):
        result[row, : len(pieces)] = torch.tensor(pieces)
    return result


def mean_states(encoder: Any, ids: torch.Tensor, padding: int) -> torch.Tensor:
    """Return the mean of the last states over the pieces of each text, (texts, width)."""
    mask = (ids != padding).long()
    with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        states = encoder(ids, attention_mask=mask).last_hidden_state.float()
    kept = mask[..., None].float()
    mean: torch.Tensor = (states * kept).sum(1) / kept.sum(1)
    return mean


def targets(
    texts: Sequence[Text], ids: Sequence[Sequence[int]], encoder: Any, padding: int
) -> torch.Tensor:
    """Return what the small model is to say of each text: unit vectors of few dimensions."""
    encoder.eval()
    said = torch.zeros(len(texts), encoder.config.hidden_size)
    began = time.monotonic()
    for number, places in enumerate(batches(ids)):
        with torch.inference_mode():
            said[places] = mean_states(encoder, collate([ids[i] for i in places], padding), padding)
        if number % 50 == 49:
            log.info("teacher: %d batches in %.0f s", number + 1, time.monotonic() - began)
    unit = torch.nn.functional.normalize
    said = unit(said, dim=-1)
    langs = np.array([text.lang for text in texts])
    organisations = np.array([text.organisation for text in texts])
    for lang in sorted(set(langs.tolist())):
        own = torch.from_numpy((langs == lang) & organisations)
        said[torch.from_numpy(langs == lang)] -= said[own].mean(0)
    names = said[torch.from_numpy(organisations)]
    _, directions = torch.linalg.eigh(names.T @ names)
    return unit(said @ directions[:, -DIMENSIONS:].flip(-1), dim=-1)


class Student(torch.nn.Module):
    """A few layers of the encoder, and a projection of the mean of their states."""

    def __init__(self, encoder: Any) -> None:
        """Take :data:`LAYERS` of ``encoder``, whose embeddings stay as they are."""
        super().__init__()
        layers = encoder.encoder.layer
        encoder.encoder.layer = torch.nn.ModuleList([layers[number] for number in LAYERS])
        encoder.config.num_hidden_layers = len(LAYERS)
        encoder.embeddings.requires_grad_(False)
        self.encoder = encoder
        self.projection = torch.nn.Linear(encoder.config.hidden_size, DIMENSIONS)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the unit vectors of texts without padding, (texts, dimensions)."""
        states = self.encoder(input_ids, attention_mask=attention_mask).last_hidden_state
        return torch.nn.functional.normalize(self.projection(states.mean(1)), dim=-1)


def train(
    student: Student,
    ids: Sequence[Sequence[int]],
    said: torch.Tensor,
    padding: int,
    checkpoint: Path,
) -> None:
    """Teach ``student`` to say ``said`` of the texts, by the cosine; go on from ``checkpoint``."""
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    found = batches(ids)
    order = [places for _ in range(EPOCHS) for places in rng.sample(found, len(found))]
    body = [value for value in student.encoder.parameters() if value.requires_grad]
    adam = torch.optim.AdamW(
        [
            {"params": body, "peak_lr": LEARNING_RATE},
            {"params": student.projection.parameters(), "peak_lr": HEAD_LEARNING_RATE},
        ],
        fused=True,
    )
    done = resume(student, adam, checkpoint)
    began, total = time.monotonic(), 0.0
    student.eval()  # names are short and the targets sure: dropout would only blur them
    for step, places in enumerate(order[done:], done):
        mean = mean_states(student.encoder, collate([ids[i] for i in places], padding), padding)
        guess = torch.nn.functional.normalize(student.projection(mean), dim=-1)
        loss = 1 - (guess * said[places]).sum(-1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in adam.param_groups:
            group["lr"] = group["peak_lr"] * rate_factor(step, len(order), WARM_UP)
        adam.step()
        adam.zero_grad()
        total += loss.item()
        if step % 50 == 49:
            left = (time.monotonic() - began) / (step + 1 - done) * (len(order) - step - 1) / 60
            log.info(
                "step %d of %d, 1 - cosine %.4f, %.0f min left",
                step + 1,
                len(order),
                total / 50,
                left,
            )
            total = 0.0
        if (step + 1) % STEPS_BETWEEN_CHECKPOINTS == 0 or step + 1 == len(order):
            tensors = student.state_dict() | optimizer_tensors(adam)
            write_checkpoint(checkpoint, tensors, {"step": str(step + 1)})


def resume(student: Student, optimizer: torch.optim.Optimizer, checkpoint: Path) -> int:
    """Load what :func:`train` wrote, where it did, and return the steps it had done by then."""
    if not checkpoint.exists():
        return 0
    tensors = load_file(checkpoint)
    weights = {name: value for name, value in tensors.items() if not name.startswith("optimizer.")}
    student.load_state_dict(weights)
    load_optimizer(optimizer, tensors)
    with safe_open(checkpoint, framework="pt") as file:
        return int(file.metadata()["step"])


def export(student: Student, tokenizer: Tokenizer, folder: Path, calibration: list[Inputs]) -> None:
    """Write ``student`` to a model folder in 8 bits, and its card."""
    student.eval()
    folder.mkdir(parents=True, exist_ok=True)
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 8, 2]])
    with tempfile.TemporaryDirectory() as scratch:
        plain, fused = str(Path(scratch) / "plain.onnx"), Path(scratch) / "fused.onnx"
        torch.onnx.export(
            student,
            (ids, torch.ones_like(ids)),
            plain,
            input_names=["input_ids", "attention_mask"],
            output_names=[VECTOR],
            dynamic_axes={
                "input_ids": {0: "text", 1: "piece"},
                "attention_mask": {0: "text", 1: "piece"},
                VECTOR: {0: "text"},
            },
            opset_version=17,
            dynamo=False,
        )
        fuse(plain, fused, student.encoder.config)
        quantise(fused, folder / MODEL_FILE, calibration)
    tokenizer.no_truncation()
    (folder / TOKENIZER_FILE).write_text(tokenizer.to_str(), encoding="utf-8")
    card: dict[str, Any] = {
        "name": folder.name,
        "engine": "vectors",
        "languages": list(LANGUAGES),
        "licence": LICENCE,
        "encoder": "multilingual-e5-small (MIT), vocabulary cut to 55,293 pieces",
        "layers": len(LAYERS),
        "dimensions": DIMENSIONS,
        "command": f"python -m pipeline.training.vectors --export models/{folder.name}",
        "recipe": {
            "seed": SEED,
            "epochs": EPOCHS,
            "pieces_per_batch": PIECES_PER_BATCH,
            "learning_rate": LEARNING_RATE,
            "head_learning_rate": HEAD_LEARNING_RATE,
            "warm_up": WARM_UP,
        },
        "files": hash_files(folder, model_files(folder)),
    }
    write_card(folder, card)
    size = sum((folder / file).stat().st_size for file in card["files"])
    (folder / README_FILE).write_text(readme(card, size), encoding="utf-8")


def readme(card: Mapping[str, Any], size: int) -> str:
    """Return the model card as Markdown; ``size`` is of all files, in bytes."""
    return "\n".join(
        [
            f"# {card['name']}",
            "",
            f"Turns a name into {DIMENSIONS} numbers that say what it means: those of translations "
            "point the same way. Finds organisations by meaning. Languages: "
            f"{', '.join(card['languages'])}. Licence: {card['licence']}. "
            f"Size: {size / 1e6:.1f} MB.",
            "",
            "## Data",
            "",
            "Texts without labels, and no pair of translations among them: the names of "
            f"models/knowledge (all of organisations, {OTHER_NAMES:,} others), and {STRETCHES:,} "
            f"stretches of one to {LONGEST_STRETCH} words from the train parts of the corpora that "
            "models/joint is trained on. The names that benchmarks/retrieval.py asks for are left "
            "out.",
            f"- encoder: {card['encoder']}",
            "",
            "## Recipe",
            "",
            f"    {card['command']}",
            "",
            f"- layers: {', '.join(map(str, LAYERS))} of the encoder's, to begin with; its "
            "embeddings frozen",
            *(f"- {key}: {value}" for key, value in card["recipe"].items()),
            "- target: the mean of the whole encoder's last states, less the mean of the names of "
            f"organisations in that language, in its {DIMENSIONS} main directions",
            "",
            "## Figures",
            "",
            "What it brings is measured by `python benchmarks/retrieval.py --kind organisations`: "
            "benchmarks/results/retrieval.txt.",
            "",
            "## Known weaknesses",
            "",
            "- Names that differ in one word may lie close together: ministries of two countries, "
            "world and regional bodies. The scorer weighs words and countries as well.",
            "- Names that are spelled rather than translated are not its matter.",
            "",
            "## SHA-256",
            "",
            *(f"- `{file}` {sha256}" for file, sha256 in card["files"].items()),
            "",
        ]
    )


def main() -> None:
    """Parse the command line, train and export."""
    parser = argparse.ArgumentParser(description="Train the model of what names mean.")
    parser.add_argument("--encoder", default="../shared/encoder")
    parser.add_argument("--names", type=Path, default=Path("../shared/names"))
    parser.add_argument("--knowledge", type=Path, default=Path("models/knowledge"))
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--output", type=Path, default=Path("work/vectors"))
    parser.add_argument("--export", type=Path, help="model folder to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    tokenizer = AutoTokenizer.from_pretrained(arguments.encoder)
    padding = tokenizer.pad_token_id
    texts = read_texts(arguments.knowledge, arguments.names, arguments.corpora)
    ids = tokenizer([text.text for text in texts], truncation=True, max_length=MAX_PIECES)[
        "input_ids"
    ]
    log.info("%d texts, %d pieces", len(texts), sum(map(len, ids)))
    arguments.output.mkdir(parents=True, exist_ok=True)
    taught = arguments.output / "targets.safetensors"
    if not taught.exists():
        encoder = AutoModel.from_pretrained(arguments.encoder, torch_dtype=torch.float32)
        save_file({"targets": targets(texts, ids, encoder, padding).contiguous()}, taught)
    said = load_file(taught)["targets"]
    student = Student(AutoModel.from_pretrained(arguments.encoder, torch_dtype=torch.float32))
    train(student, ids, said, padding, arguments.output / CHECKPOINT)
    if arguments.export:
        calibration = calibration_batches(ids)
        export(student, tokenizer.backend_tokenizer, arguments.export, calibration)


def calibration_batches(ids: Iterable[Sequence[int]]) -> list[Inputs]:
    """Return some of the texts as inputs of the exported model, one at a time."""
    some: list[npt.NDArray[np.int64]] = [np.array([one], np.int64) for one in list(ids)[::500]]
    return [{"input_ids": one, "attention_mask": np.ones_like(one)} for one in some]


if __name__ == "__main__":
    main()
