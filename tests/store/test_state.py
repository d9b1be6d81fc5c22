from pathlib import Path

import pytest

from pipeline.errors import ExonymError
from pipeline.store.state import VERSION, State


def attempt(run_id: str, number: int, started: str) -> dict[str, object]:
    return {"run_id": run_id, "attempt": number, "started": started}


def test_attempts_are_numbered_by_run_and_sorted_by_start(tmp_path: Path) -> None:
    with State.open(tmp_path / "s.sqlite") as state:
        assert state.next_attempt("b") == 1
        state.record_attempt(attempt("b", 1, "2026-01-02"))
        state.record_attempt(attempt("a", 1, "2026-01-03"))
        state.record_attempt(attempt("b", 2, "2026-01-01"))
        assert state.next_attempt("b") == 3
    with State.open(tmp_path / "s.sqlite") as state:
        order = [(row["run_id"], row["attempt"]) for row in state.attempts()]
    assert order == [("b", 2), ("b", 1), ("a", 1)]


def test_recording_an_attempt_again_replaces_it(tmp_path: Path) -> None:
    with State.open(tmp_path / "s.sqlite") as state:
        state.record_attempt({**attempt("a", 1, "x"), "outcome": "stopped"})
        state.record_attempt({**attempt("a", 1, "x"), "outcome": "published"})
        assert [row["outcome"] for row in state.attempts()] == ["published"]


def test_only_the_last_idle_time_is_kept(tmp_path: Path) -> None:
    with State.open(tmp_path / "s.sqlite") as state:
        assert state.last_idle() is None
        state.record_idle("monday", 5)
        state.record_idle("tuesday", 6)
        assert state.last_idle() == ("tuesday", 6)


@pytest.mark.parametrize("version", [0, VERSION - 1, VERSION + 1])
def test_a_file_of_another_version_is_one_line_with_the_remedy(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "s.sqlite"
    with State.open(path) as state:
        state.connection.execute(f"PRAGMA user_version = {version}")
    with (
        pytest.raises(ExonymError, match=r"another version of Exonym .*new folder with --out") as e,
        State.open(path),
    ):
        pass
    assert "\n" not in str(e.value)
