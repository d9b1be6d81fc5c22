from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.schemas import LANGUAGES
from pipeline.settings import load

ROUTING = "\n".join(f'{lang} = "onnx:joint"' for lang in (*LANGUAGES, "und"))
FILE = f"""
profile = "shipped"
workers = 2
shard_documents = 8
executor = "local"
log = "text"
metrics_file = ""
keep_runs = 7
[ingest]
document_bytes = 1000
unpacked_bytes = 1000
payload_bytes = 10
[limits]
document_seconds = 9
document_memory_mb = 99
[gates]
runs = 7
first_runs = 3
documents = 50
mentions_per_document = 0.5
undetermined = 0.1
unlinked = 0.15
quarantined = 0.1
[profiles.shipped]
{ROUTING}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "exonym.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_reads_the_shipped_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(load().routing) == {*LANGUAGES, "und"}


def test_the_environment_wins(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXONYM_WORKERS", "3")
    monkeypatch.setenv("EXONYM_INGEST__DOCUMENT_BYTES", "77")
    settings = load(file)
    assert (settings.workers, settings.ingest.document_bytes) == (3, 77)
    assert settings.ingest.payload_bytes == 10


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("workers = 2", "wrokers = 2", "wrokers"),
        ("workers = 2", "workers = 0", "workers"),
        ("document_bytes", "documnet_bytes", "ingest.documnet_bytes"),
        ('"shipped"', '"other"', "other"),
        ('vi = "onnx:joint"', "", "vi"),
        ("workers = 2", "workers =", "TOML"),
    ],
)
def test_names_what_is_wrong(file: Path, old: str, new: str, named: str) -> None:
    file.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=named):
        load(file)


def test_an_unknown_variable_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXONYM_WROKERS", "3")
    with pytest.raises(UsageError, match="EXONYM_WROKERS"):
        load(file)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")


def test_only_what_changes_results_changes_the_fingerprint(file: Path) -> None:
    before = load(file).fingerprint()
    file.write_text(FILE.replace("workers = 2", "workers = 5"), encoding="utf-8")
    assert load(file).fingerprint() == before
    file.write_text(FILE.replace("document_bytes = 1000", "document_bytes = 9"), encoding="utf-8")
    assert load(file).fingerprint() != before
