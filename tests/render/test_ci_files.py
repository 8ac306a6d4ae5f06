"""The workflows of the template and of the project: valid, safe, pinned, and made of commands that work."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import refresh_pins
from support.baked import BakedProject
from support.variants import TEMPLATE

WORKFLOWS = sorted((TEMPLATE / ".github" / "workflows").glob("*.yml")) + sorted(
    (TEMPLATE / "{{cookiecutter.project_slug}}" / ".github" / "workflows").glob("*.yml")
)


def test_workflows_pass_zizmor() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "zizmor", "--offline", "--no-progress", *WORKFLOWS],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not on PATH")
def test_workflows_pass_actionlint() -> None:
    done = subprocess.run(["actionlint", *WORKFLOWS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", workflow.read_text(encoding="utf-8"))
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.slow
def test_commands_of_the_generated_ci_work(bake_project: Callable[..., BakedProject]) -> None:
    """Taken from the file and executed, in an environment that the first of them makes."""
    project = bake_project(shard_count="2")
    workflow = yaml.safe_load(project.read(".github/workflows/ci.yml"))
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert commands == ["make setup", "make lint", "make test", "make run"]
    for command in commands:
        done = project.run("bash", "-euo", "pipefail", "-c", command, PYTHONPATH="")
    assert re.fullmatch(
        r"Merged 1000 enriched profiles across 2 shards in \d+\.\ds", done.stdout.splitlines()[-1]
    )


def test_ci_run_calls_the_readmes_commands() -> None:
    script = (TEMPLATE / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-2:] == ["make demo", "make test"]
    readme = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    assert re.search(r"make demo .*\nmake test ", readme)


def test_pins_are_refreshed_for_every_requirement_of_every_variant(
    bake_project: Callable[..., BakedProject],
) -> None:
    """What `make pins` resolves is all that any variant asks for."""
    asked = set()
    for package in ("render", "render_sdk"):
        project = tomllib.loads(
            bake_project(render_package=package, project_slug=package + "-x").read("pyproject.toml")
        )
        asked |= {*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"]}
        asked |= {*project["build-system"]["requires"]}
    assert sorted(asked) == sorted(refresh_pins.requirements_of_all_variants())


def test_linters_pin_is_one_version() -> None:
    project = TEMPLATE / "{{cookiecutter.project_slug}}"
    pins = (project / "constraints.txt").read_text(encoding="utf-8")
    hooks = (project / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ruff==(.*)", pins, re.MULTILINE) == re.findall(r"rev: v(.*)", hooks)
    own = (TEMPLATE / "constraints.txt").read_text(encoding="utf-8")
    assert versions(pins) <= versions(own)


def versions(pins: str) -> set[str]:
    """`name==version`, without the systems that it is for; the template has its own reasons for some."""
    return {line.partition(" ;")[0] for line in pins.splitlines()}
