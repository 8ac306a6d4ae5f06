"""Every answer that the template accepts renders a clean project, however odd the answer is."""

from pathlib import Path

import pytest

from support.answers import ACCEPTED
from support.baked import bake, run_cookiecutter
from support.static_checks import complaints
from support.variants import COOKIECUTTER_JSON


def test_enter_at_every_prompt_gives_the_default_project(tmp_path: Path) -> None:
    done = run_cookiecutter(tmp_path, typed="\n" * 30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output" / "customer-etl" / "trigger.py").is_file()
    count = len([name for name in COOKIECUTTER_JSON if not name.startswith("_")])
    assert [f"[{n}/{count}]" in done.stdout for n in range(1, count + 1)] == [True] * count
    assert len(done.stdout.splitlines()) <= 45, "more than one screen"


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_answers_render_clean_projects(name: str, tmp_path: Path) -> None:
    for number, answer in enumerate(ACCEPTED[name]):
        project = bake(tmp_path / str(number), {name: answer})
        assert not list(complaints(project)), answer
        assert not project.lint(), answer
    assert not list(tmp_path.rglob("pwned"))
