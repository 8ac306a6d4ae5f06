"""Every test has its own sources and its own output, and is independent of this machine's settings."""

from pathlib import Path

import pytest

from .helpers import ROOT

# Variables of the service, of Render, and of rich (which would draw a progress bar) that change what a test sees.
FOREIGN = (
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
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_URI", str(tmp_path / "data"))
    monkeypatch.setenv("OUTPUT_URI", str(tmp_path / "output"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))  # for the processes that a test starts
    monkeypatch.setenv("PYTHONUTF8", "1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The directory of the sources, empty."""
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The directory of the output, which the service creates."""
    return tmp_path / "output"
