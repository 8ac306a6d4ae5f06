"""The workflows of the template and of the project: valid, safe, pinned, and made of commands that work."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import refresh_pins
from support.baked import BakedProject
from support.variants import COOKIECUTTER_JSON, TEMPLATE

WORKFLOWS = refresh_pins.workflow_files(TEMPLATE)
CI_FILES = [path for path in WORKFLOWS if path.name == "ci.yml"]
BIN = Path(sys.executable).parent


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def tree_of(path: Path) -> str:
    """Return which of the two trees a file is in, and its name, as the id of a test."""
    return f"{'project' if refresh_pins.PROJECT in path.parts else 'template'}-{path.name}"


def test_there_are_workflows() -> None:
    assert sorted(tree_of(path) for path in WORKFLOWS) == [
        "project-ci.yml",
        "template-ci.yml",
        "template-pins.yml",
    ]


def test_workflows_pass_zizmor() -> None:
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", TEMPLATE / ".github" / "dependabot.yml", *WORKFLOWS],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not on PATH")
def test_workflows_pass_actionlint() -> None:
    done = subprocess.run(["actionlint", *WORKFLOWS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=tree_of)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.slow
def test_commands_of_the_generated_ci_work(bake_project: Callable[..., BakedProject]) -> None:
    """Runs every command of the workflow, in the environment that the first of them creates."""
    project = bake_project(shard_count="2")
    jobs = yaml.safe_load(project.read(".github/workflows/ci.yml"))["jobs"]
    assert set(jobs) == {"test", "ci-passed"}, "the commands of another job must be executed here too"
    commands = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert commands == ["make setup", "make lint", "make test", "make run"]
    for command in commands:
        done = project.run("bash", "-euo", "pipefail", "-c", command, PYTHONPATH="")
    assert re.fullmatch(
        r"Merged 1000 enriched profiles across 2 shards in \d+\.\ds", done.stdout.splitlines()[-1]
    )
    assert required_check(jobs, "success") == 0


@pytest.mark.parametrize("workflow", CI_FILES, ids=tree_of)
@pytest.mark.parametrize(
    ("results", "passes"),
    [
        ("success", True),
        ("success success", True),
        ("failure", False),
        ("success failure", False),
        ("failure success", False),
        ("success cancelled", False),
        ("success skipped", False),
    ],
)
def test_required_check_passes_only_if_every_job_did(workflow: Path, results: str, passes: bool) -> None:
    jobs = load(workflow)["jobs"]
    assert (required_check(jobs, results) == 0) is passes


@pytest.mark.parametrize("workflow", CI_FILES, ids=tree_of)
def test_required_check_waits_for_every_job(workflow: Path) -> None:
    """The check must need every job. Without `always()`, GitHub would skip it after a failed job."""
    jobs = load(workflow)["jobs"]
    check = jobs.pop("ci-passed")
    assert set(check["needs"]) == set(jobs)
    assert check["if"] == "always()"
    assert check["steps"][0]["env"] == {"RESULTS": "${{ join(needs.*.result, ' ') }}"}


def required_check(jobs: dict[str, Any], results: str) -> int:
    """Run the script of `ci-passed` as a runner does, with the results that other jobs would have."""
    [step] = jobs["ci-passed"]["steps"]
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], env={**os.environ, "RESULTS": results}, timeout=60
    )
    return done.returncode


def test_ci_covers_every_python_of_the_template() -> None:
    """The template's tests run on every Python that can be chosen; other systems use the default one."""
    jobs = load(TEMPLATE / ".github" / "workflows" / "ci.yml")["jobs"]
    chosen = COOKIECUTTER_JSON["python_version"]
    assert sorted(jobs["linux"]["strategy"]["matrix"]["python-version"]) == sorted(chosen)
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS if "template" in tree_of(path))
    assert set(re.findall(r'python-version: "(.*)"', text)) == {chosen[0]}


def test_paths_in_the_workflows_exist() -> None:
    """On other systems CI runs some tests by path, so a moved test must be renamed there, too."""
    text = (TEMPLATE / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    paths = re.findall(r"\btests/\S+", text)
    assert paths
    assert not [path for path in paths if not (TEMPLATE / path).exists()]


def test_generated_ci_covers_the_lowest_and_the_chosen_python(
    bake_project: Callable[..., BakedProject],
) -> None:
    project = bake_project(python_version="3.12")
    assert project.read(".python-version") == "3.12\n"
    job = yaml.safe_load(project.read(".github/workflows/ci.yml"))["jobs"]["test"]
    lowest, deployed = job["strategy"]["matrix"]["include"]
    requires = tomllib.loads(project.read("pyproject.toml"))["project"]["requires-python"]
    assert requires == f">={lowest['version']}" == f">={refresh_pins.LOWEST_PYTHON}"
    assert deployed == {"python": "deployed", "file": ".python-version"}
    [setup] = [step["with"] for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert setup["python-version"] == "${{ matrix.version }}"
    assert setup["python-version-file"] == "${{ matrix.file }}"


# Commands and files of the template


def test_ci_run_calls_the_readmes_commands() -> None:
    script = (TEMPLATE / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-2:] == ["make demo", "make test"]
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    assert re.search(r"make demo .*\nmake test ", readme)


def test_spelling_is_checked_in_every_file() -> None:
    """`make lint` calls typos; hidden directories and the project's files are among what it reads."""
    makefile = (TEMPLATE / "Makefile").read_text(encoding="utf-8")
    assert "\t$(BIN)/typos\n" in makefile
    read = subprocess.run(
        [BIN / "typos", "--files"], cwd=TEMPLATE, capture_output=True, text=True, timeout=60
    )
    paths = {Path(line) for line in read.stdout.splitlines()}
    assert {
        Path(".github/workflows/ci.yml"),
        Path(".github/pull_request_template.md"),
        Path("CHANGELOG.md"),
        Path(refresh_pins.PROJECT, "README.md"),
        Path(refresh_pins.PROJECT, ".github/workflows/ci.yml"),
    } <= paths
    assert not [path for path in paths if {".git", ".venv", "build"} & set(path.parts)]


@pytest.mark.parametrize("directory", [".github", "docs"])
def test_misspelled_word_is_found(directory: str, tmp_path: Path) -> None:
    shutil.copy(TEMPLATE / "pyproject.toml", tmp_path)
    (tmp_path / directory).mkdir()
    (tmp_path / directory / "text.md").write_text("".join(["We rec", "ieve rows.\n"]))
    done = subprocess.run([BIN / "typos"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "receive" in done.stdout + done.stderr
