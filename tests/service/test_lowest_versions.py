"""A project passes its tests with the lowest versions of its dependencies that `pyproject.toml` allows."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.baked import BakedProject, bake
from support.variants import TEMPLATE

# The versions that have a wheel for every Python; numpy and pyarrow may need a newer one than their bound.
FOR_EVERY_PYTHON = ("pandas", "pytest", "render", "rich")


def lower_bounds(project: BakedProject) -> dict[str, str]:
    """The lowest version that each direct dependency allows, such as `{"numpy": "2"}`."""
    content = tomllib.loads(project.read("pyproject.toml"))["project"]
    requirements = [*content["dependencies"], *content["optional-dependencies"]["dev"]]
    bounds = [re.fullmatch(r"([\w-]+)>=([\d.]+)(,<[\d.]+)?", requirement) for requirement in requirements]
    assert all(bounds), requirements
    return {bound[1]: bound[2] for bound in bounds if bound}


def install_lowest(project: BakedProject, environment: Path) -> str:
    """Install a project with the lowest versions that have a wheel for this Python; return what is installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=120)
    uv = (sys.executable, "-m", "uv", "pip")
    python = ("--python", str(scripts(environment) / "python"))
    build = environment / "build.txt"
    [requirement] = tomllib.loads(project.read("pyproject.toml"))["build-system"]["requires"]
    build.write_text(requirement.replace(">=", "=="), encoding="utf-8")
    options = ("--resolution", "lowest-direct", "--only-binary", ":all:", "--build-constraints", str(build))
    project.run(*uv, "install", "--quiet", *python, *options, "-e", ".[dev]")
    return project.run(*uv, "freeze", *python).stdout


def scripts(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin")


@pytest.mark.slow
def test_the_lowest_versions_pass_the_tests_of_project_and_machinery(tmp_path: Path) -> None:
    """Of both names of the SDK, `render` has the lower version."""
    project = bake(tmp_path, {"render_package": "render"})
    ignored = shutil.ignore_patterns("__pycache__")
    machinery = project.path / "tests" / "machinery"
    shutil.copytree(TEMPLATE / "tests" / "machinery", machinery, ignore=ignored)

    installed = install_lowest(project, tmp_path / "environment")

    bounds = lower_bounds(project)
    for name in FOR_EVERY_PYTHON:
        assert re.search(rf"^{name}=={re.escape(bounds[name])}(\.0)*$", installed, re.MULTILINE), installed
    path = os.pathsep.join([str(scripts(tmp_path / "environment")), os.environ["PATH"]])
    tests = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = project.run(*tests, PATH=path, PYTHONPATH="")
    assert re.search(r"^\d{3} passed", done.stdout.splitlines()[-1]), done.stdout
