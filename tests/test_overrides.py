"""The file of decisions: what it may say, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.overrides import Alias, Overrides, Same, from_rows, load

SIGNED = 'who = "Ana"\nwhy = "the same man"\n'
WHOLE = f"""
[[same]]
ids = ["e1", "e2"]
{SIGNED}
[[different]]
ids = ["e3", "e4"]
{SIGNED}
[[different]]
id = "e5"
names = ["Sanjar Japarov"]
{SIGNED}
[[alias]]
id = "iso:KG"
name = "Kırgız eli"
lang = "tr"
{SIGNED}
[[rename]]
id = "e1"
name = "Sadyr Japarov"
{SIGNED}
[[ignore]]
name = "Reuters"
{SIGNED}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "overrides.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_every_kind(tmp_path: Path) -> None:
    overrides = load(written(tmp_path, WHOLE))
    assert overrides is not None
    assert overrides.same == (Same(ids=("e1", "e2"), who="Ana", why="the same man"),)
    assert overrides.alias[0].lang == "tr"
    assert overrides.different[1].names == ("Sanjar Japarov",)
    assert overrides.same[0].cause == "same in overrides.toml: the same man (Ana)"
    assert [reference for reference, _ in overrides.ids()] == [
        "e1", "e2", "e3", "e4", "e5", "iso:KG", "e1",
    ]  # fmt: skip


def test_no_file_is_no_decision_of_its_own(tmp_path: Path) -> None:
    assert load(tmp_path / "overrides.toml") is None
    assert load(written(tmp_path, "")) == Overrides()


def test_rows_bring_everything_back(tmp_path: Path) -> None:
    overrides = load(written(tmp_path, WHOLE))
    assert overrides is not None
    assert from_rows(overrides.rows()) == overrides


def test_the_fingerprint_tells_decisions_apart_but_not_their_order() -> None:
    one = Alias(id="e1", name="Foo", who="Ana", why="seen")
    other = Alias(id="e1", name="Bar", who="Ana", why="seen")
    prints = [
        Overrides(alias=aliases).fingerprint()
        for aliases in ((one, other), (other, one), (one,), ())
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[same]\n", "is not valid TOML"),
        (f'[[smae]]\nids = ["e1", "e2"]\n{SIGNED}', "'smae' is no kind of decision; use one of"),
        (f'[same]\nids = ["e1", "e2"]\n{SIGNED}', r"write \[\[same\]\] above each decision"),
        ('[[same]]\nids = ["e1", "e2"]\nwho = "Ana"\n', "same 1: 'why' is missing"),
        ('[[same]]\nids = ["e1", "e2"]\nwho = ""\nwhy = "x"\n', "same 1: 'who'"),
        (f'[[same]]\nids = ["e1"]\n{SIGNED}', "same 1: 'ids'"),
        (f'[[alias]]\nid = "e1"\nname = "X"\nlang = "de"\n{SIGNED}', "alias 1: 'lang'"),
        (f'[[alias]]\nid = "e1"\nnaem = "X"\n{SIGNED}', "alias 1: 'naem' is no key of it"),
        (f'[[different]]\nid = "e1"\n{SIGNED}', "different 1: give either 'ids', or 'id' and"),
        (f"[[ignore]]\n{SIGNED}", "ignore 1: give either 'id', or 'name'"),
        (
            f'[[same]]\nids = ["e1", "e2"]\n{SIGNED}[[same]]\nids = ["e2", "e3"]\n{SIGNED}'
            f'[[different]]\nids = ["e3", "e1"]\n{SIGNED}',
            "different 1: a 'same' makes these one",
        ),
        (
            f'[[alias]]\nid = "e1"\nname = "X"\n{SIGNED}[[alias]]\nid = "e2"\nname = "X"\n{SIGNED}',
            "alias 2: the name is given to two entities",
        ),
        (
            f'[[alias]]\nid = "e1"\nname = "X"\n{SIGNED}[[ignore]]\nname = "X"\n{SIGNED}',
            "ignore 1: an 'alias' gives that name",
        ),
        (
            f'[[rename]]\nid = "e1"\nname = "X"\n{SIGNED}'
            f'[[rename]]\nid = "e1"\nname = "Y"\n{SIGNED}',
            "rename 2: the entity gets two names",
        ),
    ],
)
def test_says_in_one_line_what_is_wrong_and_where(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=complaint) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value).strip()
