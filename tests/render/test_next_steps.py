"""The text after rendering names the project's own directory and targets, and cruft's temporary ones never."""

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support import processes
from support.baked import bake, project_environment
from support.git import git
from support.template_copy import commit_all, copy_template

READY = "Your project is ready."


def test_next_steps_are_exact(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    project = bake(tmp_path / "a directory", {"shard_count": "7"})
    printed = capfd.readouterr().out
    assert f"cd '{project.path}'" in printed
    assert "runs 7 shards" in printed
    targets = re.findall(r"make (\w+)", printed)
    assert targets == ["run", "test"]
    makefile = project.read("Makefile")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_next_steps_are_printed_in_a_temporary_directory(capfd: pytest.CaptureFixture[str]) -> None:
    with TemporaryDirectory() as directory:
        project = bake(Path(directory))
        assert f"cd {project.path}" in capfd.readouterr().out


def cruft(directory: Path, *arguments: str) -> tuple[int, str]:
    """Run cruft; return its exit code and what it prints."""
    command = [sys.executable, "-m", "cruft", *arguments]
    done = processes.run(command, cwd=directory, environment=project_environment(HOME=str(directory)))
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_cruft_prints_the_next_steps_only_where_the_project_stays(tmp_path: Path) -> None:
    template = copy_template(tmp_path)
    with TemporaryDirectory() as directory:  # a project may stay even there
        code, printed = cruft(Path(directory), "create", str(template), "--no-input")
        project = Path(directory) / "customer-etl"
        assert (code, printed.count(READY)) == (0, 1), printed
        assert f"cd {project}" in printed
        git(project, "init", "--quiet", "--initial-branch", "main")
        commit_all(project)
        settings = next((template / "{{cookiecutter.project_slug}}").rglob("settings.py"))
        settings.write_text(settings.read_text(encoding="utf-8") + "# Newer\n", encoding="utf-8")
        commit_all(template)
        (project / "trigger.py").write_text("changed\n", encoding="utf-8")
        code, printed = cruft(project, "diff")
        assert code == 0
        assert "+changed" in printed or "-changed" in printed
        assert READY not in printed
        git(project, "checkout", "--quiet", "trigger.py")
        code, printed = cruft(project, "check")
        assert (code, READY in printed) == (1, False), printed
        code, printed = cruft(project, "update", "--skip-apply-ask")
        assert (code, READY in printed) == (0, False), printed
        assert next(project.rglob("settings.py")).read_text(encoding="utf-8").endswith("# Newer\n")
