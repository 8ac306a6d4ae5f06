"""`cruft update` brings a project from an older state of the template to the present, edits kept."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from support import processes
from support.baked import BakedProject
from support.static_checks import complaints
from support.variants import TEMPLATE

GIT_AUTHOR = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Test"), ("EMAIL", "test@example.com"))
}
OLDER_LINE = "# Only the older template has this line.\n"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")


def run(directory: Path, *command: str) -> str:
    environment = {**os.environ, **GIT_AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(directory)}
    done = processes.run(command, cwd=directory, environment=environment)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def commit(directory: Path, message: str) -> None:
    run(directory, "git", "add", "--all")
    run(directory, "git", "commit", "--quiet", "--message", message)


def make_older(template: Path) -> None:
    """Make an older state of the template: without an answer and a target, with more lines and an older pin."""
    answers = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    del answers["schedule"], answers["__prompts__"]["schedule"]
    (template / "cookiecutter.json").write_text(json.dumps(answers, indent=2), encoding="utf-8")
    tree = template / "{{cookiecutter.project_slug}}"
    for path in [path for path in tree.rglob("*") if path.is_file()]:
        text = path.read_text(encoding="utf-8")
        older = text.replace("cookiecutter.schedule", '"none"')
        if path.name == "Makefile":
            older = re.sub(r"dev: setup\n(\t.*\n)+\n", "", older).replace(" dev lint", " lint")
        if path.name in ("settings.py", "sharding.py"):
            older += OLDER_LINE
        if path.name == ".pre-commit-config.yaml":
            older = re.sub(r"rev: v.*", "rev: v0.14.0", older)
        path.write_text(older, encoding="utf-8", newline="\n")


@pytest.mark.slow
def test_update_keeps_the_teams_edit(tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(TEMPLATE, template, ignore=NOT_COPIED)
    make_older(template)
    run(template, "git", "init", "--quiet", "--initial-branch", "main")
    commit(template, "Older")

    cruft = [sys.executable, "-m", "cruft"]
    run(tmp_path, *cruft, "create", str(template), "--no-input", "--extra-context", '{"shard_count": "2"}')
    project = BakedProject(tmp_path / "customer-etl", {"package_name": "customer_etl"})
    modules = [project.module_file("settings"), project.module_file("sharding")]
    assert "dev:" not in project.read("Makefile")
    assert "rev: v0.14.0" in project.read(".pre-commit-config.yaml")
    assert all(OLDER_LINE in project.read(path) for path in modules)
    run(project.path, "git", "init", "--quiet", "--initial-branch", "main")
    commit(project.path, "Created")
    rules = project.module_file("enrichment")
    project.edit(rules, "(tickets > 3, -5)", "(tickets > 4, -5)")
    edited = project.read(rules)
    test = project.path / "tests" / "test_enrichment.py"
    test.unlink()  # it pins the rule that the team has changed
    commit(project.path, "Our own rule")

    for path in template.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(TEMPLATE, template, ignore=NOT_COPIED, dirs_exist_ok=True)
    commit(template, "Present")

    run(project.path, *cruft, "update", "--skip-apply-ask")
    assert not [path for path in project.files() if path.endswith((".rej", ".orig"))]
    assert project.read(rules) == edited
    assert "dev:" in project.read("Makefile")
    assert "rev: v0.14.0" not in project.read(".pre-commit-config.yaml")
    assert not any(OLDER_LINE in project.read(path) for path in modules)
    context = json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]
    assert (context["schedule"], context["shard_count"]) == ("none", "2")

    updated = BakedProject(
        project.path, {name: str(value) for name, value in context.items()} | {"idempotency": "yes"}
    )
    others = [text for text in complaints(updated) if not re.match(r"\.cruft|tests/test_enrichment", text)]
    assert not others
    assert not updated.lint()
    updated.typecheck()
    updated.run_tests()
    updated.generate(50)
    assert updated.trigger()["profiles_generated"] == 50
