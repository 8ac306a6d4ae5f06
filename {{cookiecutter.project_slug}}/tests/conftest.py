"""Give each test its own directories, and shield it from the environment of this machine."""

from pathlib import Path

import pytest

from .helpers import ROOT

# Variables that would change what a test sees. The last two make rich draw a progress bar without a terminal.
CLEARED = (
    "RENDER",
    "SHARD_COUNT",
    "LOG_FORMAT",
{% if cookiecutter.max_retries != "0" %}
    "CHAOS_FAIL_SHARD",
    "CHAOS_MODE",
{% endif %}
    "FORCE_COLOR",
    "TTY_COMPATIBLE",
)


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clear those variables, and make the service use the directories of this test."""
    for name in CLEARED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_URI", str(tmp_path / "data"))
    monkeypatch.setenv("OUTPUT_URI", str(tmp_path / "output"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))  # child processes must find the package, too
    monkeypatch.setenv("PYTHONUTF8", "1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The directory that the service reads sources from; empty until a test writes them."""
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The directory that the service writes to; the service creates it."""
    return tmp_path / "output"
