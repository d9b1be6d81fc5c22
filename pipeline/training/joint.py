"""Fine-tune one encoder for named-entity recognition in all languages at once.

``python -m pipeline.training.joint --output work/joint`` trains on the train parts of all corpora
of the catalogue and writes ``checkpoint.safetensors`` to the output folder every few minutes; the
same command goes on from there after a stop. Token classification over BIO tags as in Devlin et
al. 2019 (BERT), section 5.3: the first piece of a word carries its tag. ``--from-checkpoint``
begins with the weights of an earlier training, and under ``torchrun --nproc-per-node 2`` two
processes share every batch, which on two cores is faster than two threads.

A second classifier sits on a layer half-way up and learns from the labels and from the tag
probabilities of the last (Zhang et al. 2019, "Be Your Own Teacher"): the layers below it are a
model of their own, at half the cost.

The embeddings stay as they are, so that words without labels keep the place that pre-training gave
them. ``--precision bf16`` multiplies in bfloat16, which processors with AVX-512 BF16 do several
times faster; the weights and the optimizer stay in fp32.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from pipeline.recognise.decode import tag_runs
from pipeline.recognise.pieces import WordPieces
from pipeline.training.augment import augment
from pipeline.training.common import CORPORA_DIR, catalogue, split_tokens
from pipeline.training.labelled import epoch_sentences, labelled_sentences
from pipeline.training.swap import names_of, swap_names

TAGS: Final = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
IGNORED: Final = -100
CHECKPOINT: Final = "checkpoint.safetensors"

log = logging.getLogger("joint")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the trained weights, besides the corpora and the encoder."""

    encoder: str
    start: str = ""
    seed: int = 20261122
    epochs: int = 1
    share: float = 1.0
    copies: dict[str, float] = field(default_factory=dict)
    """Copies of a corpus an epoch, by its name, where they are not those of the catalogue."""

    frozen_layers: int = 0
    exit_layer: int = 6
    exit_weight: float = 0.5
    learning_rate: float = 1e-4
    last_learning_rate: float = 0.0
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.06
    pieces_per_batch: int = 1800
    max_pieces: int = 192
    precision: str = "fp32"


@dataclass(frozen=True, slots=True)
class Example:
    """One model input: pieces with start and end marks, and a tag number on each word's first."""

    pieces: tuple[int, ...]
    tags: tuple[int, ...]


def encode(
    words: Sequence[str], tags: Sequence[str], pieces: WordPieces, max_pieces: int
) -> Example:
    """Turn tagged words into an example of at most ``max_pieces``, cut at a word."""
    ids = [pieces.start]
    numbers = [IGNORED]
    for word, tag in zip(words, tags, strict=True):
        encoded = pieces.encode(word)
        if len(ids) + len(encoded) + 1 > max_pieces:
            break
        ids.extend(encoded)
        numbers.extend([TAGS.index(tag)] + [IGNORED] * (len(encoded) - 1))
    return Example((*ids, pieces.end), (*numbers, IGNORED))


def read_examples(
    corpora: Path, pieces: WordPieces, recipe: Recipe, rng: random.Random
) -> list[Example]:
    """Read every train part once, augmented with ``rng``."""
    examples = []
    for name, entry in catalogue().items():
        corpus = replace(entry, copies=recipe.copies.get(name, entry.copies))
        sentences = [
            swap_names(split_tokens(row.tokens, row.tags), corpus.lang, names_of(corpus.lang), rng)
            for row in epoch_sentences(corpus, rng, corpora, recipe.share)
        ]
        for words, tags in augment(sentences, corpus.lang, rng):
            examples.append(encode(words, tags, pieces, recipe.max_pieces))
    return examples


def make_batches(
    examples: Sequence[Example], pieces_per_batch: int, rng: random.Random
) -> list[list[Example]]:
    """Group examples of like length into batches of about ``pieces_per_batch``, in random order."""
    shuffled = rng.sample(examples, len(examples))
    shuffled.sort(key=lambda example: len(example.pieces))
    batches: list[list[Example]] = [[]]
    for example in shuffled:
        if (len(batches[-1]) + 1) * len(example.pieces) > pieces_per_batch and batches[-1]:
            batches.append([])
        batches[-1].append(example)
    rng.shuffle(batches)
    return batches


def collate(batch: Sequence[Example], padding: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return piece ids and tag numbers, both (examples, longest) of int64, padded at the right."""
    width = max(len(example.pieces) for example in batch)
    ids = torch.full((len(batch), width), padding)
    tags = torch.full((len(batch), width), IGNORED)
    for row, example in enumerate(batch):
        ids[row, : len(example.pieces)] = torch.tensor(example.pieces)
        tags[row, : len(example.tags)] = torch.tensor(example.tags)
    return ids, tags


class ByteDropout(torch.nn.Module):
    """Dropout (Srivastava et al. 2014) by one random byte a value.

    On a CPU, torch draws its own masks more slowly than it multiplies matrices. The byte makes the
    share of values that are dropped a multiple of 1/256.
    """

    def __init__(self, share: float) -> None:
        """Drop about ``share`` of the values in training, and none afterwards."""
        super().__init__()
        self.dropped = round(256 * share)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return ``values`` with some set to 0 and the others scaled up to keep the sum."""
        if not self.training or self.dropped == 0:
            return values
        words = torch.empty(-(-values.numel() // 8), dtype=torch.int64)
        # The default range of random_ leaves the highest bit out; this one does not.
        random_bytes = words.random_(-(2**63), None).view(torch.uint8)[: values.numel()]
        kept = random_bytes.view_as(values) >= self.dropped
        return values * kept * (256 / (256 - self.dropped))


class TwoExits(torch.nn.Module):
    """A token classifier with a second classifier on a lower layer."""

    def __init__(self, model: Any, exit_layer: int) -> None:
        """Wrap a Hugging Face token classifier; ``exit_layer`` counts from 1."""
        super().__init__()
        self.model = model
        self.exit_layer = exit_layer
        self.exit = torch.nn.Linear(model.config.hidden_size, len(TAGS))

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of the last layer and of the exit, (sentences, pieces, tags) each."""
        output = self.model(input_ids, attention_mask=attention_mask, output_hidden_states=True)
        dropout = self.model.dropout
        return output.logits, self.exit(dropout(output.hidden_states[self.exit_layer]))


def new_model(encoder: str, frozen_layers: int, exit_layer: int) -> TwoExits:
    """Load the encoder with fresh classifiers, its embeddings and lowest layers frozen."""
    config = AutoConfig.from_pretrained(
        encoder,
        num_labels=len(TAGS),
        # Masks of dropout for every pair of pieces would cost more than they bring.
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(TAGS)),
        label2id={tag: number for number, tag in enumerate(TAGS)},
    )
    model = AutoModelForTokenClassification.from_pretrained(
        encoder, config=config, torch_dtype=torch.float32
    )
    for module in [*model.modules()]:
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, ByteDropout(child.p))
    frozen = [model.base_model.embeddings, *model.base_model.encoder.layer[:frozen_layers]]
    for module in frozen:
        module.requires_grad_(False)
    return TwoExits(model, exit_layer)


def loss_of(
    logits: torch.Tensor, exit_logits: torch.Tensor, tags: torch.Tensor, exit_weight: float
) -> torch.Tensor:
    """Return the training loss of a batch.

    Cross entropy of the last layer, and ``exit_weight`` times the mean of the exit's cross entropy
    and its divergence from the last layer's probabilities, which are not trained by it.
    """
    known = tags.flatten() != IGNORED
    last = logits.flatten(0, 1)[known]
    early = exit_logits.flatten(0, 1)[known]
    gold = tags.flatten()[known]
    cross_entropy = torch.nn.functional.cross_entropy
    taught = cross_entropy(early, last.detach().softmax(-1))
    return cross_entropy(last, gold) + exit_weight * (cross_entropy(early, gold) + taught) / 2


def new_optimizer(model: Any, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); biases and norms do not decay.

    Each group holds its highest learning rate under ``peak_lr``.
    """
    trained = [(name, value) for name, value in model.named_parameters() if value.requires_grad]
    heads = ("model.classifier", "exit")
    body = [(name, value) for name, value in trained if not name.startswith(heads)]
    head = [value for name, value in trained if name.startswith(heads)]
    matrices = [value for _, value in body if value.ndim > 1]
    others = [value for _, value in body if value.ndim == 1]
    rate, head_rate = recipe.learning_rate, recipe.head_learning_rate
    decay = recipe.weight_decay
    return torch.optim.AdamW(
        [
            {"params": matrices, "peak_lr": rate, "weight_decay": decay},
            {"params": others, "peak_lr": rate, "weight_decay": 0.0},
            {"params": head, "peak_lr": head_rate, "weight_decay": decay},
        ],
        fused=True,
    )


def rate_factor(step: int, steps: int, warm_up: float, last: float = 0.0) -> float:
    """Rise linearly to 1 over the first ``warm_up`` share of ``steps``, then fall to ``last``."""
    rise = max(1, round(steps * warm_up))
    left = (steps - step) / max(1, steps - rise)
    return min((step + 1) / rise, last + (1 - last) * left)


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes that share a batch."""
    gradients = [value.grad for value in parameters if value.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    torch.distributed.all_reduce(flat)
    flat /= torch.distributed.get_world_size()
    first = 0
    for gradient in gradients:
        gradient.copy_(flat[first : first + gradient.numel()].view_as(gradient))
        first += gradient.numel()


def save_checkpoint(
    path: Path, model: Any, optimizer: torch.optim.Optimizer, step: int, recipe: Recipe
) -> None:
    """Write weights, optimizer, random state and step to one file, whole or not at all."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors["random_state"] = torch.get_rng_state()
    tensors |= optimizer_tensors(optimizer)
    write_checkpoint(path, tensors, {"step": str(step), "recipe": json.dumps(asdict(recipe))})


def write_checkpoint(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    """Write tensors and what is to be said of them to one file, whole or not at all."""
    partial = path.with_suffix(".partial")
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata)
    partial.replace(path)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the state of ``optimizer``, by names that :func:`load_optimizer` reads."""
    return {
        f"optimizer.{number}.{key}": value
        for number, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put what :func:`optimizer_tensors` returned back; other tensors are passed over."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def load_checkpoint(
    path: Path, model: Any, optimizer: torch.optim.Optimizer | None, recipe: Recipe | None
) -> int:
    """Load what :func:`save_checkpoint` wrote and return the step it was written after.

    Raises ValueError where the checkpoint was made with another ``recipe`` than the one given.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        if recipe is not None and json.loads(metadata["recipe"]) != asdict(recipe):
            raise ValueError(f"{path} was made with another recipe: choose another --output")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    load_weights(model, tensors)
    if optimizer is not None:
        load_optimizer(optimizer, tensors)
        torch.set_rng_state(tensors["random_state"])
    return int(metadata["step"])


def load_weights(model: TwoExits, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put the weights of a checkpoint into ``model``; one without an exit leaves it fresh."""
    prefix = "model."
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    if "exit.weight" in weights:
        model.load_state_dict(weights)
    else:
        model.model.load_state_dict(weights)


def dev_f1(
    model: Any, pieces: WordPieces, corpora: Path, recipe: Recipe, limit: int | None
) -> dict[str, tuple[float, float]]:
    """Exact-span micro F1 on the first ``limit`` sentences of each dev part, by corpus.

    The first figure is the last layer's, the second the exit's.
    """
    model.eval()
    result = {}
    for corpus in catalogue().values():
        sentences = labelled_sentences(corpus, "dev", corpora)
        if sentences is None:
            continue
        rows = [split_tokens(row.tokens, row.tags) for row in sentences[:limit]]
        examples = [encode(words, tags, pieces, recipe.max_pieces) for words, tags in rows]
        examples.sort(key=lambda example: len(example.pieces))
        right, found, expected = [0, 0], [0, 0], 0
        for first in range(0, len(examples), 16):
            ids, gold = collate(examples[first : first + 16], pieces.padding)
            with torch.inference_mode():
                guesses = model(ids, ids != pieces.padding)
            expected += sum(len(_names(row, row)) for row in gold)
            for number, guess in enumerate(guesses):
                for guess_row, gold_row in zip(guess.argmax(-1), gold, strict=True):
                    names = _names(guess_row, gold_row)
                    right[number] += len(names & _names(gold_row, gold_row))
                    found[number] += len(names)
        last, early = (
            round(2 * right[number] / max(1, found[number] + expected), 4) for number in (0, 1)
        )
        result[corpus.name] = (last, early)
    return result


def _names(tags: torch.Tensor, gold: torch.Tensor) -> set[tuple[int, int, str]]:
    return set(tag_runs([TAGS[number] for number in tags[gold != IGNORED]]))


def train(
    recipe: Recipe, corpora: Path, output: Path, *, save_every_s: float, dev_limit: int
) -> None:
    """Train by ``recipe`` and leave the last checkpoint in ``output``, resuming where one is.

    Every process of a process group takes its share of each batch; the first one writes and logs.
    """
    rank, processes = 0, 1
    if torch.distributed.is_initialized():
        rank, processes = torch.distributed.get_rank(), torch.distributed.get_world_size()
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    output.mkdir(parents=True, exist_ok=True)
    pieces = WordPieces(AutoTokenizer.from_pretrained(recipe.encoder).backend_tokenizer)
    rng = random.Random(recipe.seed)
    batches: list[list[Example]] = []
    for _ in range(recipe.epochs):
        examples = read_examples(corpora, pieces, recipe, rng)
        batches += make_batches(examples, recipe.pieces_per_batch, rng)
    model = new_model(recipe.encoder, recipe.frozen_layers, recipe.exit_layer)
    if recipe.start:
        load_weights(model, load_file(recipe.start))
    optimizer = new_optimizer(model, recipe)
    steps = len(batches)
    checkpoint = output / CHECKPOINT
    first = 0
    if checkpoint.exists():
        first = load_checkpoint(checkpoint, model, optimizer, recipe)
    total = sum(len(example.pieces) for batch in batches for example in batch)
    log.info("%d steps, %d pieces, from step %d", steps, total, first)

    last_rate = recipe.last_learning_rate / recipe.learning_rate
    began = saved = time.monotonic()
    seen, losses = 0, 0.0
    if rank > 0:
        # The first process goes on with the checkpoint's random state; dropout differs in others.
        torch.manual_seed(recipe.seed + rank + first)
    for step in range(first, steps):
        model.train()
        ids, tags = collate(batches[step][rank::processes] or batches[step][:1], pieces.padding)
        # On sentences the backward pass of torch's fused attention takes longer than all the rest.
        with (
            torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"),
            sdpa_kernel(SDPBackend.MATH),
        ):
            logits, exit_logits = model(ids, ids != pieces.padding)
        loss = loss_of(logits.float(), exit_logits.float(), tags, recipe.exit_weight)
        loss.backward()  # type: ignore[no-untyped-call]
        if processes > 1:
            average_gradients(model.parameters())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = group["peak_lr"] * rate_factor(step, steps, recipe.warm_up, last_rate)
        optimizer.step()
        optimizer.zero_grad()
        seen += ids.numel() * processes
        losses += loss.item()
        done = step + 1
        if rank > 0:
            continue
        if done % 50 == 0:
            speed = seen / (time.monotonic() - began)
            left = (steps - done) * (seen / (done - first)) / speed / 60
            log.info(
                "step %d loss %.4f, %.0f pieces/s, %.0f min left", done, losses / 50, speed, left
            )
            losses = 0.0
        if time.monotonic() - saved > save_every_s or done == steps:
            save_checkpoint(checkpoint, model, optimizer, done, recipe)
            saved = time.monotonic()
        if done % max(1, steps // 4) == 0 and done < steps:
            log.info("dev F1 %s", dev_f1(model, pieces, corpora, recipe, dev_limit))
    if rank == 0:
        log.info("dev F1, whole parts %s", dev_f1(model, pieces, corpora, recipe, None))


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description="Fine-tune one encoder for NER in all languages.")
    parser.add_argument(
        "--encoder", default="../shared/encoder", help="Hugging Face name or folder"
    )
    parser.add_argument("--corpora", type=Path, default=CORPORA_DIR)
    parser.add_argument("--output", type=Path, default=Path("work/joint"))
    parser.add_argument(
        "--from-checkpoint", dest="start", default="", help="checkpoint whose weights to begin with"
    )
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the large corpora to see in an epoch"
    )
    parser.add_argument(
        "--copies", nargs="+", default=[], metavar="CORPUS=NUMBER", help="of a corpus an epoch"
    )
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--last-learning-rate", type=float, default=0.0)
    parser.add_argument("--head-learning-rate", type=float, default=1e-3)
    parser.add_argument("--exit-weight", type=float, default=0.5, help="of the exit's loss")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--save-every", type=float, default=240, help="seconds between checkpoints")
    parser.add_argument("--dev-limit", type=int, default=250, help="sentences a dev part, midway")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if "WORLD_SIZE" in os.environ:
        torch.distributed.init_process_group("gloo", timeout=timedelta(hours=1))
    train(
        Recipe(
            encoder=arguments.encoder,
            start=arguments.start,
            seed=arguments.seed,
            epochs=arguments.epochs,
            share=arguments.share,
            copies={
                name: float(number)
                for name, _, number in (text.partition("=") for text in arguments.copies)
            },
            learning_rate=arguments.learning_rate,
            last_learning_rate=arguments.last_learning_rate,
            head_learning_rate=arguments.head_learning_rate,
            exit_weight=arguments.exit_weight,
            precision=arguments.precision,
        ),
        arguments.corpora,
        arguments.output,
        save_every_s=arguments.save_every,
        dev_limit=arguments.dev_limit,
    )


if __name__ == "__main__":
    main()
