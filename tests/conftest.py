"""Fixtures for all tests of the template."""

from collections.abc import Callable
from pathlib import Path

import pytest

from baked import BakedProject, bake
from variants import Answers


@pytest.fixture
def bake_project(tmp_path: Path) -> Callable[..., BakedProject]:
    """Render a project in this test's own directory: `bake_project(key_column="id")`."""

    def bake_with(**answers: str) -> BakedProject:
        return bake(tmp_path / "baked", answers)

    return bake_with


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """The project with default answers and 300 rows of sample data; tests may add files, not change any."""
    project = bake(tmp_path_factory.mktemp("default"))
    project.generate(300, "--missing", "0.1", "--duplicates", "0.05")
    return project


@pytest.fixture(scope="session")
def neutral_answers() -> Answers:
    """Answers with other sources than the customers' and a key that needs quoting everywhere."""
    return {"source_files": "2024-orders.csv, Web Clicks.csv", "key_column": 'Kunden "Nr."'}
