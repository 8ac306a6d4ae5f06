"""`cruft update` brings a project from an older state of the template to the present, and keeps a team's edits."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import processes
from support.baked import BakedProject, project_environment
from support.git import git
from support.static_checks import complaints
from support.variants import TEMPLATE

OLDER_LINE = "# Only the older template has this line.\n"
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", ".*_cache")
# The template as it was at the release 2026.11.0, before the project's layout changed.
RELEASE_2026_11_0 = "2b35fbbc9985108346924f5d4188facb774442c3"


def commit(directory: Path, message: str) -> None:
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--allow-empty", "--message", message)


def cruft(directory: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "cruft", *arguments]
    done = processes.run(command, cwd=directory, environment=project_environment(HOME=str(directory)))
    assert done.returncode == 0, f"cruft {arguments[0]}: {done.stdout}{done.stderr}"


def create(template: Path, *options: str) -> BakedProject:
    """Create a project beside the template, and commit it."""
    cruft(template.parent, "create", str(template), "--no-input", *options)
    project = BakedProject(template.parent / "customer-etl", {"package_name": "customer_etl"})
    git(project.path, "init", "--quiet", "--initial-branch", "main")
    commit(project.path, "Created")
    return project


def bring_to_the_present(template: Path) -> None:
    """Make this working tree the newest commit of a copy of the template."""
    for path in template.iterdir():
        if path.name != ".git":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(TEMPLATE, template, ignore=NOT_COPIED, dirs_exist_ok=True)
    commit(template, "Present")


def update(project: BakedProject) -> BakedProject:
    """Update a project; return it with the answers that cruft has kept."""
    cruft(project.path, "update", "--skip-apply-ask")
    assert not [path for path in project.files() if path.endswith((".rej", ".orig"))]
    context = json.loads(project.read(".cruft.json"))["context"]["cookiecutter"]
    answers = {name: str(value) for name, value in context.items()} | {"idempotency": "yes"}
    return BakedProject(project.path, answers)


def assert_works(project: BakedProject, *edited: str) -> None:
    """Check an updated project like a new one, except for the files that the team has edited."""
    others = [text for text in complaints(project) if not text.startswith((".cruft.json", *edited))]
    assert not others
    assert not project.lint()
    project.typecheck()
    project.run_tests()
    project.generate(50)
    assert project.trigger()["profiles_generated"] == 50


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
    git(template, "init", "--quiet", "--initial-branch", "main")
    commit(template, "Older")
    project = create(template, "--extra-context", '{"shard_count": "2"}')
    modules = [project.module_file("settings"), project.module_file("sharding")]
    assert "dev:" not in project.read("Makefile")
    assert "rev: v0.14.0" in project.read(".pre-commit-config.yaml")
    assert all(OLDER_LINE in project.read(path) for path in modules)
    rules = project.module_file("enrichment")
    project.edit(rules, "(tickets > 3, -5)", "(tickets > 4, -5)")
    edited = project.read(rules)
    (project.path / "tests" / "test_enrichment.py").unlink()  # it pins the rule that the team has changed
    commit(project.path, "Our own rule")
    bring_to_the_present(template)

    updated = update(project)

    assert updated.read(rules) == edited
    assert "dev:" in updated.read("Makefile")
    assert "rev: v0.14.0" not in updated.read(".pre-commit-config.yaml")
    assert not any(OLDER_LINE in updated.read(path) for path in modules)
    assert (updated.answers["schedule"], updated.answers["shard_count"]) == ("none", "2")
    assert_works(updated, "tests/test_enrichment")


def has_history() -> bool:
    """Whether this clone holds the older release; a shallow clone does not."""
    command = ["git", "cat-file", "-e", f"{RELEASE_2026_11_0}^{{commit}}"]
    return subprocess.run(command, cwd=TEMPLATE, capture_output=True, timeout=60).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not has_history(), reason="the clone is shallow: it lacks the release 2026.11.0")
def test_update_from_the_first_release(tmp_path: Path) -> None:
    """The layout has changed since then: edits move along with their modules, and the changelog says what does not."""
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(TEMPLATE), str(template))
    project = create(template, "--checkout", RELEASE_2026_11_0)
    before = project.files()
    project.edit("src/customer_etl/enrichment.py", "(tickets > 3, -5)", "(tickets > 4, -5)")
    project.edit("src/customer_etl/settings.py", "RUN_TIMEOUT_SECONDS = 14400", "RUN_TIMEOUT_SECONDS = 7200")
    project.edit("src/customer_etl/statistics.py", "avg_health_score", "mean_health_score")
    (project.path / "tests" / "test_enrichment.py").unlink()  # it pins what the team has changed
    commit(project.path, "Our own rules")
    bring_to_the_present(template)

    updated = update(project)

    assert "(tickets > 4, -5)" in updated.read("src/customer_etl/enrichment.py")
    assert "RUN_TIMEOUT_SECONDS = 7200" in updated.read("src/customer_etl/settings.py")
    assert "mean_health_score" in updated.read("src/customer_etl/summary.py")
    assert_works(updated, "tests/test_enrichment")
    changelog = (TEMPLATE / "CHANGELOG.md").read_text(encoding="utf-8").partition("## 2026.11.0")[0]
    by_hand = "".join(re.findall(r"### What to do by hand.*?\n(.*?)(?=\n##)", changelog, re.DOTALL))
    modules = [path for path in before - updated.files() if path.endswith(".py") and "tests/" not in path]
    assert len(modules) > 5
    for path in modules:
        assert f"`{Path(path).name}`" in by_hand, f"the changelog does not say what became of {path}"
    for name in ("InputError", "align", "BoundaryError", "fail_once"):
        assert f"`{name}`" in by_hand
