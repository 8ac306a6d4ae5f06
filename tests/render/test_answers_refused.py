"""A bad answer ends the session at once, in one line, and leaves nothing on the disk."""

import json
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException

from support.answers import REFUSED
from support.baked import bake, run_cookiecutter

INJECTIONS = [
    "{{ cycler.__init__.__globals__.os.system('touch PWNED') }}",
    "{% set x = cycler.__init__.__globals__.os.system('touch PWNED') %}",
]


def left_behind(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.name not in ("config.yaml", "output")]


@pytest.mark.parametrize("name", REFUSED)
def test_bad_answers_are_refused(name: str, tmp_path: Path) -> None:
    for answer in REFUSED[name]:
        with pytest.raises(FailedHookException) as refusal:
            bake(tmp_path / "output", {name: answer})
        message = str(refusal.value)
        assert "\n" not in message
        assert message.isprintable()
        assert len(message) < 250, message
        assert name in message or "Jinja" in message, message
    assert not left_behind(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["shard_count=ten"],
            "shard_count = 'ten': it is not a whole number from 1 to 500; enter one, such as 10",
        ),
        (["project_slug=../x"], "project_slug = '../x': it is not a valid name; use letters"),
        (["package_name=class"], "package_name = 'class': it is a Python keyword"),
        (["project_name={{ 7*7 }}"], "an answer contains Jinja's delimiters"),
        (["--accept-hooks", "no", "max_retries=x"], "max_retries = 'x'"),
    ],
)
def test_refusal_is_one_line_and_exit_code_1(tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = run_cookiecutter(tmp_path, "--no-input", *arguments)
    assert done.returncode == 1
    printed = (done.stdout + done.stderr).strip()
    assert expected in printed
    assert len(printed.splitlines()) == 1
    assert not left_behind(tmp_path)


def test_refusal_comes_at_the_prompt(tmp_path: Path) -> None:
    """The session ends at the bad answer: the next question is never asked."""
    done = run_cookiecutter(tmp_path, typed="Good name\n../evil\n")
    assert done.returncode == 1
    assert "Directory and service name" in done.stdout
    assert "Python package" not in done.stdout
    assert "project_slug = '../evil'" in done.stdout + done.stderr
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("name", REFUSED)
def test_injected_jinja_never_runs(name: str, tmp_path: Path) -> None:
    """cookiecutter renders answers given as `key=value`; the template refuses Jinja in them before it runs."""
    for injection in INJECTIONS:
        done = run_cookiecutter(tmp_path, "--no-input", f"{name}={injection}")
        assert done.returncode == 1
        assert "Jinja" in done.stdout + done.stderr
    assert not left_behind(tmp_path)


def test_replayed_bad_answer_is_refused(tmp_path: Path) -> None:
    done = run_cookiecutter(tmp_path, "--no-input")
    assert done.returncode == 0, done.stderr
    replay = next(tmp_path.glob("*.json"))
    context = json.loads(replay.read_text(encoding="utf-8"))
    context["cookiecutter"]["project_slug"] = "evil"
    context["cookiecutter"]["shard_count"] = "10\nimport os"
    replay.write_text(json.dumps(context), encoding="utf-8")
    done = run_cookiecutter(tmp_path, "--replay")
    assert done.returncode == 1
    assert "shard_count" in done.stdout + done.stderr
    assert not (tmp_path / "output" / "evil").exists()
