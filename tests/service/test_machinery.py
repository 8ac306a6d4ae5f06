"""The machinery's own tests pass in an installed project, under both names of the SDK."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.baked import BakedProject, bake
from support.variants import TEMPLATE, choices

MACHINERY = TEMPLATE / "tests" / "machinery"


@pytest.fixture(params=choices()["render_package"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> BakedProject:
    """A project with the machinery's tests among its own."""
    project = bake(tmp_path, {"render_package": request.param})
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(MACHINERY, project.path / "tests" / "machinery", ignore=ignored)
    return project


def install(project: BakedProject, environment: Path) -> str:
    """Install a project as its own Makefile does, by a faster installer; return the PATH that leads to it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=120)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    command = ("-m", "uv", "pip", "install", "--quiet", "--python", str(scripts / "python"))
    project.run(sys.executable, *command, "-c", "constraints.txt", "-e", ".[dev]")
    return os.pathsep.join([str(scripts), os.environ["PATH"]])


@pytest.mark.slow
def test_the_machinery_passes_its_tests_in_an_installed_project(
    project: BakedProject, tmp_path: Path
) -> None:
    path = install(project, tmp_path / "environment")

    def run(*command: str) -> str:
        return project.run(*command, PATH=path, PYTHONPATH="").stdout

    run("python", "-m", "ruff", "check", "tests/machinery")
    run("python", "-m", "mypy")
    done = run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/machinery")
    assert " passed" in done.splitlines()[-1]
    assert "failed" not in done.splitlines()[-1]
    assert "--local" in run(project.path.name, "--help")  # the console script is the trigger, too
