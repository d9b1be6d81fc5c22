"""The command as a person or a cron job sees it: output, errors, exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from pipeline.schemas import TABLES
from pipeline.store import Store


def exonym(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    code = "from pipeline.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_status_of_a_published_folder(published: Path) -> None:
    result = exonym("status", "--out", str(published))
    assert result.returncode == 0
    assert "published" in result.stdout
    assert "daily_pairs" in result.stdout


def test_status_of_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert exonym("status", "--out", str(tmp_path)).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_search_finds_the_entity_behind_any_spelling(published: Path) -> None:
    names = ["Caparov", "जापारोव", "Sadyr Japarov"]
    result = exonym("search", "-", "--json", "--out", str(published), stdin="\n".join(names))
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == names
    best = [answer["results"][0] for answer in answers]
    assert len({hit["entity_id"] for hit in best}) == 1
    assert set(best[0]) >= {"entity_id", "name", "label", "score", "method"}


def test_explain_a_mention_and_an_entity(published: Path) -> None:
    mention = pd.read_parquet(published / "mentions").iloc[0]
    chain = exonym("explain", mention["mention_id"], "--json", "--out", str(published))
    told = json.loads(chain.stdout)
    assert told["mention"]["surface"] == mention["surface"]
    assert told["entity"]["entity_id"] == mention["entity_id"]
    entity = exonym("explain", mention["entity_id"], "--out", str(published))
    assert entity.returncode == 0
    assert "names" in entity.stdout


def test_the_dashboard_says_which_extra_it_needs(published: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from pipeline.cli import main; main()"
    command = [sys.executable, "-c", code, "dashboard", "--out", str(published)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "exonym: the dashboard needs uvicorn; install it with: pip install 'exonym[dashboard]'"
    ]


def test_evaluate_prints_json(published: Path, shared: Path) -> None:
    gold = shared / "gold" / "seeds.jsonl"
    result = exonym("evaluate", str(gold), "--json", "--out", str(published))
    told = json.loads(result.stdout)
    scores = {(row["lang"], row["label"]): row["f1"] for row in told["exact"]}
    assert scores["all", "all"] >= 0.85
    assert all(scores[lang, "all"] >= 0.80 for lang in ("hi", "ro", "tr", "en", "vi"))
    assert told["b_cubed_aligned"]["f1"] >= 0.95


def test_models_and_knowledge_are_listed() -> None:
    listed = exonym("models", "list", "--json")
    languages = {row["lang"] for row in map(json.loads, listed.stdout.splitlines())}
    assert {"hi", "ro", "tr", "en", "vi"} <= languages
    assert exonym("models", "verify").returncode == 0


def test_the_lock_gives_exit_code_3(tmp_path: Path, root: Path) -> None:
    with Store(tmp_path / "out").locked():
        result = exonym("run", str(root / "data" / "raw"), "--out", str(tmp_path / "out"))
    assert result.returncode == 3
    assert len(result.stderr.splitlines()) == 1


def test_sigterm_leaves_with_143_and_the_next_run_resumes(tmp_path: Path, root: Path) -> None:
    code = "from pipeline.cli import main; main()"
    command = [sys.executable, "-u", "-c", code, "run", str(root / "data" / "raw")]
    command += ["--out", str(tmp_path / "out"), "--date", "2026-03-05"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("recognise"):
                process.send_signal(signal.SIGTERM)
                break
        _, error = process.communicate()
    assert process.returncode == 143
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out" / "mentions").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "(resumed)" in again.stdout
    outcomes = pd.read_parquet(tmp_path / "out" / "runs")["outcome"].tolist()
    assert outcomes == ["stopped", "published"]


def test_a_model_that_is_not_there_ends_the_run(tmp_path: Path, root: Path) -> None:
    settings = (root / "exonym.toml").read_text(encoding="utf-8")
    config = tmp_path / "exonym.toml"
    config.write_text(settings.replace('"shipped"', '"official"'), encoding="utf-8")
    arguments = ("run", str(root / "data" / "raw"), "--config", str(config))
    result = exonym(*arguments, "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    assert "download" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nowhere"),
        ("run", ""),
        ("run", "--date", "yesterday"),
        ("run", "--reprocess", "2026-03-01"),
        ("run", "--reprocess", "2026-03-02..2026-03-01"),
        ("run", "--reprocess", "2026-03-01..2026-03-02", "somewhere"),
        ("run", "--reprocess", "2026-03-01..2026-03-02", "--accept"),
        ("export", "mentions", "--date", "2026-03-02..2026-03-01"),
        ("export", "mentions", "--date", "2026-03-02.."),
        ("run", "--no-such-flag"),
        ("run", "--workers", "0"),
        ("nonsense",),
        ("search",),
        ("dashboard", "--port", "99999"),
        ("status", "--config", "nowhere.toml"),
        ("search", "Putin", "--lang", "ru"),
        ("explain", "nonsense"),
        ("evaluate", "nowhere.jsonl"),
    ],
)
def test_wrong_usage_gives_exit_code_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    result = exonym(*arguments, "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("exonym: ")


def test_what_nobody_foresaw_is_one_line_too(tmp_path: Path) -> None:
    rows = Store(tmp_path).live("quarantine")
    rows.parent.mkdir()
    rows.write_bytes(b"no Parquet")
    result = exonym("quarantine", "list", "--out", str(tmp_path))
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("exonym: ArrowInvalid")
    assert "--debug" in line
    traceback = exonym("quarantine", "list", "--out", str(tmp_path), "--debug")
    assert "Traceback" in traceback.stderr


def test_names_of_files_are_no_markup(tmp_path: Path) -> None:
    row = dict.fromkeys(TABLES["quarantine"].names, "x")
    row |= {"source": "[/b] [red]x.txt", "line": None, "attempts": 1, "payload": None}
    table = pa.Table.from_pylist([row], TABLES["quarantine"])
    Store(tmp_path).tables.write("quarantine", [table])
    result = exonym("quarantine", "retry", "--out", str(tmp_path))
    assert result.returncode == 0
    assert "[/b] [red]x.txt is gone" in result.stdout


def test_interrupted_it_says_so_in_one_line(tmp_path: Path, root: Path) -> None:
    code = "from pipeline.cli import main; main()"
    command = [sys.executable, "-u", "-c", code, "run", str(root / "data" / "raw")]
    command += ["--out", str(tmp_path / "out")]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Ignored where the tests were started in the background, and so inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, error = process.communicate()
    assert process.returncode == 130
    assert [line[:19] for line in error.split("\n") if line] == ["exonym: interrupted"]


def test_a_group_alone_lists_its_commands() -> None:
    result = exonym("knowledge")
    assert result.returncode == 2
    assert "import" in result.stderr
