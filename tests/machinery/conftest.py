"""Processes that the engine starts must find the tasks of this directory, too."""

import os

import pytest

from ..helpers import ROOT


@pytest.fixture(autouse=True)
def tasks_on_the_path(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]))
