"""Without a terminal, a bad answer ends the session at once, in one line, and leaves nothing on the disk."""

import json
from pathlib import Path

import pytest
from cookiecutter.exceptions import FailedHookException, OutputDirExistsException
from cookiecutter.main import cookiecutter

from support.answers import REFUSED
from support.baked import bake, run_cookiecutter
from support.variants import TEMPLATE

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
        (["project_slug=pytest"], "project_slug = 'pytest': the project already uses this name"),
        (["project_slug=mypyc"], "project_slug = 'mypyc': a script in the project's environment already has"),
        (
            ["source_files=crm.csv billing.csv"],
            "source_files = 'crm.csv billing.csv': 'crm.csv billing.csv' looks like several names; separate",
        ),
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


def occupied(directory: Path) -> Path:
    """Make a directory that is in the default project's way."""
    project = directory / "output" / "customer-etl"
    project.mkdir(parents=True)
    (project / "own.txt").write_text("the team's\n", encoding="utf-8")
    return project


@pytest.mark.parametrize("options", [[], ["--skip-if-file-exists"]])
def test_existing_directory_is_refused_at_its_prompt(tmp_path: Path, options: list[str]) -> None:
    project = occupied(tmp_path)
    done = run_cookiecutter(tmp_path, *options, typed="\n" * 30)
    assert done.returncode == 1
    assert "Directory and service name" in done.stdout
    assert "Python package" not in done.stdout
    assert "project_slug = 'customer-etl': this directory already exists; use another" in done.stdout
    assert not done.stderr
    assert [path.name for path in project.iterdir()] == ["own.txt"]


def test_existing_directory_is_refused_in_one_line(tmp_path: Path) -> None:
    project = occupied(tmp_path)
    done = run_cookiecutter(tmp_path, "--no-input")
    assert done.returncode == 1
    [line] = (done.stdout + done.stderr).strip().splitlines()
    assert line.endswith("use another name, or write into it with --overwrite-if-exists")
    assert [path.name for path in project.iterdir()] == ["own.txt"]


def test_current_directory_is_where_an_existing_directory_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--output-dir` is the current directory by default. Python's API raises what cookiecutter would raise later."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "customer-etl").mkdir()
    with pytest.raises(OutputDirExistsException, match=r"^project_slug = 'customer-etl': this directory"):
        cookiecutter(str(TEMPLATE), no_input=True, default_config=True)
    assert not list((tmp_path / "customer-etl").iterdir())


@pytest.mark.parametrize("options", [[], ["--overwrite-if-exists"]])
def test_file_in_the_way_is_refused(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "customer-etl").write_text("a file\n", encoding="utf-8")
    done = run_cookiecutter(tmp_path, "--no-input", *options)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == (
        "project_slug = 'customer-etl': a file in the output directory has this name; use another name"
    )
    assert (tmp_path / "output" / "customer-etl").read_text(encoding="utf-8") == "a file\n"


@pytest.mark.parametrize("options", [["--overwrite-if-exists"], ["-f", "--skip-if-file-exists"]])
def test_existing_directory_is_accepted_to_write_into(tmp_path: Path, options: list[str]) -> None:
    project = occupied(tmp_path)
    done = run_cookiecutter(tmp_path, "--no-input", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"own.txt", "trigger.py"} <= {path.name for path in project.iterdir()}


def test_cookiecutter_itself_wants_overwrite_with_skip(tmp_path: Path) -> None:
    """The template refuses an existing directory in spite of `--skip-if-file-exists`, because cookiecutter would."""
    tree = tmp_path / "template" / "{{cookiecutter.project_slug}}"
    tree.mkdir(parents=True)
    (tree.parent / "cookiecutter.json").write_text('{"project_slug": "demo"}', encoding="utf-8")
    (tmp_path / "demo").mkdir()
    with pytest.raises(OutputDirExistsException, match="directory already exists"):
        cookiecutter(
            str(tree.parent),
            no_input=True,
            default_config=True,
            output_dir=str(tmp_path),
            skip_if_file_exists=True,
        )
