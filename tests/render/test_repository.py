"""What CHANGELOG.md, SECURITY.md and docs/ promise about the repository."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.git import git
from support.variants import TEMPLATE

CHANGELOG = (TEMPLATE / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS_OF_CHANGE = {
    "What to do by hand after `cruft update`",
    *("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"),
}


def releases() -> dict[str, str]:
    """Return each section of the changelog by its heading, newest first."""
    return dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", CHANGELOG, re.MULTILINE | re.DOTALL))


def test_changelog_has_releases_in_order() -> None:
    unreleased, *versions = releases()
    assert unreleased == "Unreleased"
    assert versions
    for version in versions:
        assert re.fullmatch(r"20\d\d\.([1-9]|1[0-2])\.(0|[1-9]\d*)", version)
    numbers = [tuple(map(int, version.split("."))) for version in versions]
    assert numbers == sorted(set(numbers), reverse=True)


def test_changelog_says_what_kind_each_change_is() -> None:
    for release, text in releases().items():
        parts = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL))
        assert set(parts) <= KINDS_OF_CHANGE, release
        assert all(re.match(r"\n- \S", part) for part in parts.values()), (
            f"{release}: a part without an entry"
        )


def test_notes_of_a_release_are_its_section(tmp_path: Path) -> None:
    """The command in docs/releasing.md cuts a section out of the changelog."""
    text = (TEMPLATE / "docs" / "releasing.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^ +(awk .*) \| gh release create", text, re.MULTILINE)
    [example] = re.findall(r'== "([\d.]+)"', command)
    (tmp_path / "CHANGELOG.md").write_text(
        f"# C\n\n## Unreleased\n\nA\n\n## {example}\n\nB\n\n## 2026.1.0\n\nC\n"
    )
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("B", "")


def cruft(directory: Path, *arguments: str) -> None:
    environment = {**os.environ, "HOME": str(directory), "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(
        [sys.executable, "-m", "cruft", *arguments], cwd=directory, env=environment, check=True, timeout=120
    )


@pytest.mark.slow
def test_cruft_follows_the_default_branch_unless_a_release_is_named(tmp_path: Path) -> None:
    """docs/releasing.md says so. A template of a single file is enough to test it."""
    template = tmp_path / "template"
    tree = template / "{{cookiecutter.project_slug}}"
    tree.mkdir(parents=True)
    (template / "cookiecutter.json").write_text(json.dumps({"project_slug": "demo"}))
    git(template, "init", "--quiet", "--initial-branch", "main")
    for state in ("2026.11.0", "2026.12.0", "default branch"):
        (tree / "state.txt").write_text(f"{state}\n")
        git(template, "add", "--all")
        git(template, "commit", "--quiet", "--message", state)
        if state[0].isdigit():
            git(template, "tag", "--annotate", state, "--message", f"Release {state}")

    cruft(tmp_path, "create", str(template), "--no-input", "--checkout", "2026.11.0")
    project = tmp_path / "demo"
    rendered = project / "state.txt"
    assert rendered.read_text() == "2026.11.0\n"
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Created")
    cruft(project, "update", "--skip-apply-ask", "--checkout", "2026.12.0")
    assert rendered.read_text() == "2026.12.0\n"
    git(project, "commit", "--quiet", "--all", "--message", "Updated")
    cruft(project, "update", "--skip-apply-ask")
    assert rendered.read_text() == "default branch\n"


def test_code_that_runs_while_rendering_imports_nothing_that_reaches_out() -> None:
    """SECURITY.md promises that rendering opens no connection, starts no program and deletes no file."""
    harmless = {
        *("__future__", "collections", "json", "keyword", "pathlib", "re", "shlex", "sys", "unicodedata"),
        *("types", "typing", "cookiecutter", "jinja2", "template_answers", "template_session"),
    }
    files = [*sorted(TEMPLATE.glob("template_*.py")), *sorted((TEMPLATE / "hooks").glob("*.py"))]
    assert len(files) == 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= harmless
            elif isinstance(node, ast.ImportFrom):
                assert str(node.module).partition(".")[0] in harmless
            elif isinstance(node, ast.Attribute):
                assert not re.match(r"unlink|rm|rename|replace_|write_|symlink|chmod", node.attr), file
            elif isinstance(node, ast.Name):
                assert node.id not in {"open", "exec", "eval", "__import__"}, file


def test_forms_ask_for_what_security_and_bugs_need() -> None:
    """Forms parse, their questions have unique names, and the one for bugs leads vulnerabilities elsewhere."""
    forms = TEMPLATE / ".github" / "ISSUE_TEMPLATE"
    for path in sorted(forms.glob("*_*.yml")):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form)
        names = [part["id"] for part in form["body"] if part["type"] != "markdown"]
        assert len(names) == len(set(names)) > 0
    assert "SECURITY.md" in (forms / "bug_report.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "document", ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions.md", "docs/releasing.md"]
)
def test_links_lead_to_files(document: str) -> None:
    path = TEMPLATE / document
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    for link in links:
        assert link.startswith("https://") or (path.parent / link).is_file(), link


def test_contributing_explains_every_command() -> None:
    """CONTRIBUTING.md shows every target of the Makefile but three, and no others."""
    makefile = (TEMPLATE / "Makefile").read_text(encoding="utf-8")
    [targets] = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)
    shown = re.findall(
        r"^make ([\w-]+)", (TEMPLATE / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(shown) == set(targets.split()) - {"demo", "setup", "clean"}
    assert shutil.which("make")
