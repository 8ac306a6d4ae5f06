"""Every test gets sources and an output of its own, and none of the machine's settings."""

import os
from pathlib import Path

import pytest

from .helpers import ROOT

# Variables that would change what a test sees: of the service, of Render, and of rich, which would draw a bar.
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
    # Processes that a test starts find the package, installed or not, and the tasks of tests/tasks.py.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "src")]))
    monkeypatch.setenv("PYTHONUTF8", "1")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The directory of the sources, empty."""
    directory = tmp_path / "data"
    directory.mkdir()
    return directory


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The directory of the output, which the service makes itself."""
    return tmp_path / "output"
