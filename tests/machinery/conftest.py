"""Let the processes that the engine starts import the tasks of this directory."""

import os

import pytest

from ..helpers import ROOT


@pytest.fixture(autouse=True)
def tasks_on_the_path(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]))
