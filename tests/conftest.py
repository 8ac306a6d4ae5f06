"""Fixtures for all tests of the template.

`tests/render/` tests what is rendered, `tests/service/` tests that a rendered project runs, and `tests/support/`
is what they share.
"""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.baked import BakedProject, bake


def pytest_configure() -> None:
    """Restore the default handling of Ctrl-C.

    A shell starts a command in the background with SIGINT ignored. Child processes inherit that, and those that
    are to be interrupted would never end.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let all projects of this process share mypy's cache: most of its content is pandas."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy-cache"))
        yield


@pytest.fixture
def bake_project(tmp_path: Path) -> Callable[..., BakedProject]:
    """Render a project in this test's own directory: `bake_project(key_column="id")`."""

    def bake_with(**answers: str) -> BakedProject:
        return bake(tmp_path / "baked", answers)

    return bake_with


@pytest.fixture(scope="session")
def default_project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """The project with default answers and 300 rows of sample data; tests may add files but not change any."""
    project = bake(tmp_path_factory.mktemp("default"))
    project.generate(300, "--missing", "0.1", "--duplicates", "0.05")
    return project
