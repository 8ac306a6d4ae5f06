"""`make dev` starts Render's dev server with the tasks' logs, and says in one line when the CLI is too old."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import processes
from support.baked import BakedProject, bake, project_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="make and sh")

NEEDED = "make dev needs Render's CLI, 2.23 or newer"
# What `render --version` prints after its first line if GitHub knows a newer release.
NEWER = "\n\nA new version is available: v2.24.0\n\nTo upgrade, see: https://render.com/docs/cli"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """A project that counts as installed."""
    project = bake(tmp_path_factory.mktemp("make-dev"))
    (project.path / ".venv").mkdir()
    (project.path / ".venv" / "installed").touch()
    return project


def make_dev(project: BakedProject, directory: Path, version: str | None) -> subprocess.CompletedProcess[str]:
    """Run `make dev` with a CLI that prints a version, and otherwise only its arguments; None is no CLI."""
    for tool in ("sh", "sed", "make", "cat", "touch"):
        found = shutil.which(tool)
        assert found
        (directory / tool).symlink_to(found)
    if version is not None:
        (directory / "version").write_text(version + "\n", encoding="utf-8")
        cli = f'#!/bin/sh\nif [ "$1" = --version ]; then cat {directory}/version; else echo "$@"; fi\n'
        (directory / "render").write_text(cli, encoding="utf-8")
        (directory / "render").chmod(0o755)
    environment = {**project_environment(), "PATH": str(directory)}
    return processes.run(("make", "-s", "dev"), cwd=project.path, environment=environment)


@pytest.mark.parametrize(
    "version",
    [
        "2.23.0",
        "2.24.0",
        "2.30.1",
        "2.100.0",
        "3.0.0",
        "10.2.0",
        "2.23.0" + NEWER,
        "dev\n\nYou are using the latest",
    ],
)
def test_starts_the_server_with_the_tasks_logs(project: BakedProject, tmp_path: Path, version: str) -> None:
    done = make_dev(project, tmp_path, f"render v{version}")

    command = "workflows dev --debug -- .venv/bin/render-workflows customer_etl.main:app\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, command, "")


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("render v2.22.0", "2.22.0"),
        ("render v2.22.0" + NEWER, "2.22.0"),
        ("render v2.17.0", "2.17.0"),
        ("render v2.9.1", "2.9.1"),
        ("render v1.31.0", "1.31.0"),
        ("render version 2.5.0", "2.5.0"),
    ],
)
def test_names_the_version_that_it_needs(
    project: BakedProject, tmp_path: Path, printed: str, version: str
) -> None:
    done = make_dev(project, tmp_path, printed)

    error, *rest = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert error == f"{NEEDED}; the one on PATH is {version}"
    assert all(line.startswith("make: ***") for line in rest)


def test_names_the_cli_that_is_missing(project: BakedProject, tmp_path: Path) -> None:
    done = make_dev(project, tmp_path, None)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"{NEEDED}, on PATH"


def test_every_file_names_the_same_version_of_the_cli(project: BakedProject) -> None:
    named = {
        path: set(re.findall(r"\b(2\.\d\d)\b(?=,? or newer)", text.decode()))
        for path, text in project.tree().items()
        if b"CLI" in text
    }
    files = {path for path, versions in named.items() if versions}
    assert {"README.md", "Makefile", "scripts/chaos_drill.py", project.module_file("cli/api")} <= files
    assert set().union(*named.values()) == {"2.23"}
