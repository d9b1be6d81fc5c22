"""Training on a made-up corpus with an encoder of a few thousand weights."""

from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", reason="needs the extra `train`")

from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer, models  # noqa: E402

from pipeline.recognise.pieces import WordPieces  # noqa: E402
from pipeline.training import joint, labelled  # noqa: E402
from pipeline.training.common import Corpus  # noqa: E402
from pipeline.training.joint import Example, Recipe, encode, make_batches, rate_factor  # noqa: E402

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "a", "b", "c", "."]


def make_tokenizer() -> Tokenizer:
    return Tokenizer(models.Unigram([(piece, 0.0) for piece in PIECES], unk_id=3))


def test_the_first_piece_of_a_word_carries_its_tag() -> None:
    pieces = WordPieces(make_tokenizer())
    example = encode(["ab", "c", "."], ["B-PER", "I-PER", "O"], pieces, max_pieces=192)
    assert example.pieces == (0, 4, 5, 6, 7, 2)
    assert example.tags == (-100, 1, -100, 2, 0, -100)


def test_a_long_sentence_is_cut_at_a_word() -> None:
    example = encode(["ab", "ab", "ab"], ["O"] * 3, WordPieces(make_tokenizer()), max_pieces=7)
    assert example.pieces == (0, 4, 5, 4, 5, 2)


def test_batches_hold_every_example_once() -> None:
    examples = [Example((number,) * (1 + number % 17), ()) for number in range(100)]
    batches = make_batches(examples, 40, random.Random(3))
    flat = [example for batch in batches for example in batch]
    assert sorted(flat, key=lambda example: example.pieces) == sorted(
        examples, key=lambda example: example.pieces
    )
    for batch in batches:
        assert len(batch) * max(len(example.pieces) for example in batch) <= 40
    assert batches == make_batches(examples, 40, random.Random(3))


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    factors = [rate_factor(step, 100, 0.1) for step in range(101)]
    assert max(factors) == factors[9] == factors[10] == 1.0
    assert factors[:10] == sorted(factors[:10])
    assert factors[10:] == sorted(factors[10:], reverse=True)
    assert factors[100] == 0.0
    assert rate_factor(100, 100, 0.1, 0.4) == 0.4


def test_the_exit_learns_from_the_last_layer_but_not_the_other_way() -> None:
    last = torch.tensor([[[4.0, 0.0], [0.0, 4.0], [9.0, 9.0]]], requires_grad=True)
    early = torch.zeros(1, 3, 2, requires_grad=True)
    tags = torch.tensor([[0, 1, -100]])
    loss = joint.loss_of(last, early, tags, exit_weight=1.0)
    loss.backward()
    alone = last.detach().clone().requires_grad_()
    torch.nn.functional.cross_entropy(alone[0, :2], tags[0, :2]).backward()
    assert alone.grad is not None
    assert last.grad is not None
    assert torch.allclose(last.grad, alone.grad)
    assert early.grad is not None
    assert early.grad[0, 0, 0] < 0 < early.grad[0, 0, 1]
    assert not early.grad[0, 2].any()


def test_dropout_drops_its_share_in_training_alone() -> None:
    torch.manual_seed(4)
    dropout = joint.ByteDropout(0.1)
    values = torch.ones(300, 301, requires_grad=True)
    dropped = dropout(values)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.1, abs=0.005)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())
    assert not torch.equal(dropped, dropout(values))
    assert torch.equal(dropout.eval()(values), values)


def test_training_goes_on_from_other_weights(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    first = Recipe(str(encoder), exit_layer=1, pieces_per_batch=60, learning_rate=1e-2)
    joint.train(first, corpora, tmp_path / "first", save_every_s=1e9, dev_limit=5)
    start = str(tmp_path / "first" / joint.CHECKPOINT)
    none = Recipe(str(encoder), start, exit_layer=1, learning_rate=1e-9, head_learning_rate=1e-9)
    joint.train(none, corpora, tmp_path / "second", save_every_s=1e9, dev_limit=5)
    one, other = (load_file(tmp_path / name / joint.CHECKPOINT) for name in ("first", "second"))
    for name in (name for name in one if name.startswith("model.")):
        assert torch.allclose(one[name], other[name], atol=1e-4), name


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny BERT and its tokenizer."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        pad_token_id=1,
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=make_tokenizer(), pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


MADE = Corpus("made", "en", "made", "made up", "CC0", train="train", dev="dev")


@pytest.fixture(autouse=True)
def one_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue hold one corpus, and its names stay as they are."""
    for module in (joint, labelled):
        monkeypatch.setattr(module, "catalogue", lambda: {"made": MADE})
    monkeypatch.setattr(joint, "names_of", lambda lang: {})


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpora folder in which ``a`` is a person and nothing else is a name."""
    root = tmp_path_factory.mktemp("corpora")
    rng = random.Random(0)
    for corpus in (MADE,):
        for part in ("train", "dev"):
            path = corpus.path(part, root)
            if path is None:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with lzma.open(path, "wt", encoding="utf-8") as file:
                for _ in range(200 if part == "train" else 30):
                    tokens = rng.choices("abc", k=rng.randint(2, 8))
                    tags = ["B-PER" if token == "a" else "O" for token in tokens]
                    file.write(json.dumps({"tokens": tokens, "tags": tags}) + "\n")
    return root


def test_training_stops_and_goes_on_as_if_it_had_not(
    encoder: Path, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(
        str(encoder), frozen_layers=1, exit_layer=1, pieces_per_batch=60, learning_rate=1e-2
    )
    joint.train(recipe, corpora, tmp_path / "whole", save_every_s=0, dev_limit=5)

    save, saved = joint.save_checkpoint, []

    def save_and_stop(*arguments: object) -> None:
        save(*arguments)  # type: ignore[arg-type]
        saved.append(arguments)
        if len(saved) == 5:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(joint, "save_checkpoint", save_and_stop)
        joint.train(recipe, corpora, tmp_path / "halves", save_every_s=0, dev_limit=5)
    joint.train(recipe, corpora, tmp_path / "halves", save_every_s=0, dev_limit=5)

    whole, halves = (load_file(tmp_path / name / joint.CHECKPOINT) for name in ("whole", "halves"))
    assert whole.keys() == halves.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, halves[name]), name


def test_training_learns_and_leaves_the_frozen_part_alone(
    encoder: Path, corpora: Path, tmp_path: Path
) -> None:
    recipe = Recipe(
        str(encoder),
        epochs=6,
        frozen_layers=1,
        exit_layer=2,
        pieces_per_batch=60,
        learning_rate=1e-2,
    )
    joint.train(recipe, corpora, tmp_path, save_every_s=1e9, dev_limit=5)
    model = joint.new_model(str(encoder), 1, 2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    joint.load_checkpoint(tmp_path / joint.CHECKPOINT, model, None, recipe)
    for name, value in model.state_dict().items():
        is_frozen = ".embeddings." in name or ".layer.0." in name
        assert torch.equal(value, before[name]) == is_frozen, name
    pieces = WordPieces(make_tokenizer())
    scores = joint.dev_f1(model, pieces, corpora, recipe, None)
    last, early = scores["made"]
    assert last > 0.9
    assert early > 0.9


def test_a_checkpoint_of_another_recipe_is_refused(
    encoder: Path, corpora: Path, tmp_path: Path
) -> None:
    recipe = Recipe(str(encoder), frozen_layers=1, exit_layer=1)
    model = joint.new_model(str(encoder), 1, 1)
    optimizer = joint.new_optimizer(model, recipe)
    joint.save_checkpoint(tmp_path / joint.CHECKPOINT, model, optimizer, 0, recipe)
    other = Recipe(str(encoder), frozen_layers=1, exit_layer=1, seed=1)
    with pytest.raises(ValueError, match="another recipe"):
        joint.train(other, corpora, tmp_path, save_every_s=0, dev_limit=5)
