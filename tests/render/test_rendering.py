"""The same answers give the same bytes: again, over an older project, and replayed."""

from pathlib import Path

import pytest

from support.baked import BakedProject, bake, run_cookiecutter
from support.variants import Answers, label, pairwise


@pytest.mark.parametrize("answers", [{}, *list(pairwise())[:6]], ids=label)
def test_rendering_twice_gives_the_same_bytes(answers: Answers, tmp_path: Path) -> None:
    first = bake(tmp_path / "first", answers)
    second = bake(tmp_path / "second directory Ünï", answers)
    assert first.tree() == second.tree()


def test_rendering_over_a_project_restores_its_files(tmp_path: Path) -> None:
    project = bake(tmp_path)
    before = project.tree()
    (project.path / "trigger.py").write_text("changed\n")
    (project.path / "own.txt").write_text("the team's\n")
    again = bake(tmp_path, overwrite_if_exists=True)
    assert again.path == project.path
    assert again.tree() == {**before, "own.txt": b"the team's\n"}


def test_replay_renders_the_same_project(tmp_path: Path) -> None:
    answers = {"project_name": "Replayed", "logging": "text", "key_column": 'Kunden "Nr."'}
    extra = [f"{name}={value}" for name, value in answers.items()]
    for output, arguments in (("first", ["--no-input", *extra]), ("second", ["--replay"])):
        done = run_cookiecutter(tmp_path, *arguments, output=output)
        assert done.returncode == 0, done.stderr
    first, second = (BakedProject(tmp_path / output / "replayed", {}) for output in ("first", "second"))
    assert first.tree() == second.tree()
