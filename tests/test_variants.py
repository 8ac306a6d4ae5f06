"""Every variant of the template renders a clean project; a chosen set of them is also run."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from baked import BakedProject, bake
from static_checks import complaints
from variants import (
    COOKIECUTTER_JSON,
    KINDS,
    TEMPLATE,
    TEXTS,
    Answers,
    choices,
    each_alone,
    every_combination,
    identifier,
    pairwise,
)

TREE = TEMPLATE / "{{cookiecutter.project_slug}}"
BATCHES = 12
LINTED: set[str] = set()


def test_every_answer_is_varied() -> None:
    """A new prompt fails here until the tests know its values."""
    prompts = {name for name in COOKIECUTTER_JSON if not name.startswith("_")}
    assert prompts == {*choices(), *KINDS, *TEXTS}
    assert prompts == set(COOKIECUTTER_JSON["__prompts__"])
    for name, values in choices().items():
        labels = COOKIECUTTER_JSON["__prompts__"][name]
        if isinstance(labels, dict):
            assert set(labels) == {"__prompt__", *values}, name
            assert "recommended" in labels[values[0]] or name == "render_region"


def test_few_control_blocks_and_none_in_a_function() -> None:
    """Options choose files and values: Jinja's control blocks stay few, and out of Python's functions."""
    blocks = 0
    for path in TREE.rglob("*"):
        blocks += len(re.findall(r"\{%", path.name)) // 2
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            blocks += len(re.findall(r"\{%-?\s*(?:if|for)\b", text))
            if "py" in path.suffix or path.name.endswith("py{% endif %}"):
                indented = re.findall(r"^[ \t]+.*\{%.*", text, re.MULTILINE)
                assert not [line for line in indented if "{% raw" not in line], path
    assert blocks < 60


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_combination_renders_clean(batch: int, tmp_path: Path) -> None:
    """All choices and booleans, with each other: files, syntax, whitespace, format, lint, dependencies."""
    problems: list[str] = []
    for number, answers in enumerate(every_combination()):
        if number % BATCHES != batch:
            continue
        project = bake(tmp_path / str(number), answers, accept_hooks=False)
        problems += [f"{identifier(answers)}: {complaint}" for complaint in complaints(project)]
        # Many variants differ only in files that are no Python: lint each set of Python files once.
        fingerprint = python_fingerprint(project)
        if fingerprint not in LINTED:
            LINTED.add(fingerprint)
            problems += [f"{identifier(answers)}: {complaint}" for complaint in lint(project)]
        shutil.rmtree(project.path)
    assert LINTED
    assert not problems, "\n".join(problems[:20])


def python_fingerprint(project: BakedProject) -> str:
    text = "".join(
        f"{path}\n{project.read(path)}"
        for path in sorted(project.files())
        if path.endswith((".py", "pyproject.toml"))
    )
    return hashlib.sha256(text.encode()).hexdigest()


def lint(project: BakedProject) -> list[str]:
    problems = []
    for command in (["format", "--check", "."], ["check", "--no-cache", "."]):
        done = project.run("ruff", *command, check=False)
        if done.returncode:
            problems.append(done.stdout + done.stderr)
    return problems


def unique(variants: list[Answers]) -> list[Answers]:
    return list({identifier(answers): answers for answers in variants}.values())


@pytest.mark.slow
@pytest.mark.parametrize("answers", unique([*each_alone(), *pairwise()]), ids=identifier)
def test_variant_passes_its_own_checks_and_runs(answers: Answers, tmp_path: Path) -> None:
    """Each option alone, and each pair of options: lint, types, its own tests, and a real run."""
    project = bake(tmp_path, answers)
    assert not list(complaints(project))
    assert not lint(project)
    project.run("mypy", "--cache-dir", str(shared_mypy_cache(tmp_path)))
    project.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    project.generate(120, "--missing", "0.2", "--duplicates", "0.1")
    summary = project.trigger(SHARD_COUNT="2")
    assert summary["profiles_generated"] == 120
    assert comparable(project) == comparable(twin(project, tmp_path))


def shared_mypy_cache(tmp_path: Path) -> Path:
    """One cache for the tests of one process: most of its content is pandas."""
    return tmp_path.parent / "mypy-cache"


def twin(project: BakedProject, tmp_path: Path) -> BakedProject:
    """The project with the same sources and key, and defaults for all that must not change a row."""
    kept = {name: project.answers[name] for name in ("source_files", "key_column")}
    other = bake(tmp_path / "twin", kept)
    shutil.copytree(project.path / "sample_data", other.path / "sample_data")
    other.trigger(SHARD_COUNT="1")
    return other


def comparable(project: BakedProject) -> list[dict[str, object]]:
    """The published rows in the order of their keys, without the column that is an option."""
    rows = [{k: v for k, v in row.items() if k != "idempotency_key"} for row in project.published()]
    return sorted(rows, key=lambda row: str(row[project.answers["key_column"]]))


def tree(project: BakedProject) -> dict[str, bytes]:
    return {path: (project.path / path).read_bytes() for path in project.files()}


@pytest.mark.parametrize("answers", [{}, *list(pairwise())[:6]], ids=identifier)
def test_rendering_twice_gives_the_same_bytes(answers: Answers, tmp_path: Path) -> None:
    first = bake(tmp_path / "first", answers)
    second = bake(tmp_path / "second directory Ünï", answers)
    assert tree(first) == tree(second)


def test_rendering_over_a_project_restores_its_files(tmp_path: Path) -> None:
    project = bake(tmp_path)
    before = tree(project)
    (project.path / "trigger.py").write_text("changed\n")
    (project.path / "own.txt").write_text("the team's\n")
    again = bake(tmp_path, overwrite_if_exists=True)
    assert again.path == project.path
    assert tree(again) == {**before, "own.txt": b"the team's\n"}


def test_replay_renders_the_same_project(tmp_path: Path) -> None:
    answers = {"project_name": "Replayed", "logging": "text", "key_column": 'Kunden "Nr."'}
    config = tmp_path / "config.yaml"
    config.write_text(f"cookiecutters_dir: {tmp_path}\nreplay_dir: {tmp_path}\n")
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--config-file", str(config)]
    extra = [f"{name}={value}" for name, value in answers.items()]
    for output, arguments in (("first", ["--no-input", *extra]), ("second", ["--replay"])):
        done = subprocess.run(
            [*command, "--output-dir", str(tmp_path / output), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    first, second = (BakedProject(tmp_path / output / "replayed", {}) for output in ("first", "second"))
    assert tree(first) == tree(second)


def test_next_steps_are_exact(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "a directory", {"shard_count": "7"})
    printed = capfd.readouterr().out
    assert f"cd '{project.path}'" in printed
    assert "runs 7 shards" in printed
    targets = re.findall(r"make (\w+)", printed)
    assert targets == ["run", "test"]
    makefile = project.read("Makefile")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
