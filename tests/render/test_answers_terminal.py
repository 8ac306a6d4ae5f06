"""On a terminal, a bad answer is explained and asked again, and the answers before it are kept."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.baked import BakedProject, bake, project_environment
from support.template_copy import copy_template
from support.terminal import CTRL_C, CTRL_D, Terminal, on_terminal
from support.variants import TEMPLATE

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")


@contextmanager
def cookiecutter(directory: Path, *arguments: str, shell: str = 'exec "$@"') -> Iterator[Terminal]:
    """Run the `cookiecutter` command on a terminal, with its project in `output`.

    Args:
        directory: gets the command's configuration and its replay file, and is the working directory.
        *arguments: options, and answers as `name=value`.
        shell: starts the command that is in its arguments.
    """
    config = directory / "config.yaml"
    config.write_text(f"cookiecutters_dir: {directory}\nreplay_dir: {directory}\n", encoding="utf-8")
    command = [
        "cookiecutter",
        str(TEMPLATE),
        "--config-file",
        str(config),
        "--output-dir",
        "output",
        *arguments,
    ]
    with on_terminal(
        "sh", "-c", shell, "sh", *command, cwd=directory, environment=project_environment()
    ) as it:
        yield it


def answer(terminal: Terminal, question: str, text: str) -> None:
    """Wait for a question, and answer it; an empty text accepts the default."""
    terminal.expect(question)
    terminal.expect(": ")
    terminal.type(text)


def accept(terminal: Terminal, first: int, last: int = 17) -> None:
    """Accept the defaults of some questions."""
    for number in range(first, last + 1):
        terminal.expect(f"[{number}/17]")
        terminal.expect("): ")  # after all choices of the question
        terminal.type("")


def assert_nothing_written(directory: Path) -> None:
    assert not (directory / "output").exists()
    assert not list(directory.glob("*.json"))


def test_refused_answers_are_explained_and_asked_again(tmp_path: Path) -> None:
    with cookiecutter(tmp_path) as terminal:
        name = "[1/17] Project name, used as the title of the README (Customer ETL)"
        answer(terminal, name, "n" * 81)
        terminal.expect("...: it has 81 characters; use at most 80\n")
        answer(terminal, name, "Sales Orders")

        slug = "[2/17] Directory and service name (sales-orders)"
        answer(terminal, slug, "../evil")
        terminal.expect("\n  project_slug = '../evil': it is not a valid name; use letters")
        answer(terminal, slug, "mypyc")
        terminal.expect(
            "\n  project_slug = 'mypyc': a script in the project's environment already has this name"
        )
        answer(terminal, slug, "all-orders")

        package = "[3/17] Python package name (all_orders)"
        answer(terminal, package, "class")
        terminal.expect("\n  package_name = 'class': it is a Python keyword")
        answer(terminal, package, "")

        accept(terminal, 4, 6)
        shards = "[7/17] Number of shards, which run in parallel (1 to 500) (10)"
        answer(terminal, shards, "ten")
        terminal.expect(
            "\n  shard_count = 'ten': it is not a whole number from 1 to 500; enter one, such as 10\n"
        )
        answer(terminal, shards, "64")

        accept(terminal, 8, 10)
        answer(terminal, "[11/17] Log format", "9")
        terminal.expect("Please select one of the available options")  # cookiecutter's own check of choices
        answer(terminal, "[11/17] Log format", "2")
        accept(terminal, 12, 12)
        answer(terminal, "(https://github.com/your-org/all-orders)", "")
        accept(terminal, 14)
        assert terminal.end() == 0, terminal.shown
        assert "Your project is ready" in terminal.shown

    answers = {
        "project_name": "Sales Orders",
        "project_slug": "all-orders",
        "shard_count": "64",
        "logging": "text",
    }
    project = BakedProject(tmp_path / "output" / "all-orders", answers)
    assert project.tree() == bake(tmp_path / "same answers", answers).tree()
    [replay] = tmp_path.glob("*.json")
    kept = json.loads(replay.read_text(encoding="utf-8"))["cookiecutter"]
    assert {name: kept[name] for name in answers} == answers


def test_refused_default_is_not_offered_again(tmp_path: Path) -> None:
    """It comes from an answer before, as here, or from the command line. Enter repeats the question."""
    with cookiecutter(tmp_path, "shard_count=ten") as terminal:
        answer(terminal, "[1/17]", "Pandas")
        answer(terminal, "[2/17] Directory and service name (pandas)", "")
        terminal.expect("project_slug = 'pandas': the project already uses this name")
        for text in ("", "bears"):
            terminal.expect("[2/17] Directory and service name: ")  # without a default in parentheses
            terminal.type(text)
        accept(terminal, 3, 6)
        answer(terminal, "(1 to 500) (ten)", "")
        terminal.expect("shard_count = 'ten': it is not")
        answer(terminal, "(1 to 500)", "3")
        accept(terminal, 8)
        assert terminal.end() == 0, terminal.shown
        assert "runs 3 shards" in terminal.shown
    assert (tmp_path / "output" / "bears" / "src" / "bears").is_dir()


def test_existing_directory_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "output" / "customer-etl").mkdir(parents=True)
    with cookiecutter(tmp_path) as terminal:
        answer(terminal, "[1/17]", "")
        answer(terminal, "[2/17] Directory and service name (customer-etl)", "")
        terminal.expect("project_slug = 'customer-etl': this directory already exists; use another name")
        answer(terminal, "[2/17] Directory and service name", "other-etl")
        accept(terminal, 3)
        assert terminal.end() == 0, terminal.shown
    assert not list((tmp_path / "output" / "customer-etl").iterdir())
    assert (tmp_path / "output" / "other-etl" / "trigger.py").is_file()


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["Ctrl-C", "Ctrl-D"])
def test_interrupt_ends_the_session_as_at_the_first_prompt(key: str, tmp_path: Path) -> None:
    ends = []
    for number, answers in enumerate([[], ["", "../evil", "a b"]]):
        directory = tmp_path / str(number)
        directory.mkdir()
        with cookiecutter(directory) as terminal:
            for text in answers:
                answer(terminal, "/17]", text)
            terminal.expect("): ")
            ends.append((terminal.press(key), terminal.shown.splitlines()[-1]))
        assert "Traceback" not in terminal.shown
        assert_nothing_written(directory)
    assert ends[0] == ends[1] == (1, "Aborted!")


def test_closed_terminal_ends_the_session(tmp_path: Path) -> None:
    """Even if the command ignores the signal of it, as under `nohup`: the end of stdin is not a refused answer."""
    with cookiecutter(tmp_path, shell='trap "" HUP; exec "$@"') as terminal:
        answer(terminal, "[1/17]", " ")
        answer(terminal, "project_name = '': it is empty", " ")
        terminal.expect("project_name = '': it is empty")
        terminal.expect("): ")
        terminal.hang_up()
        assert terminal.process.returncode != 0
    assert_nothing_written(tmp_path)


def assert_one_line(terminal: Terminal, line: str) -> None:
    """Check that a command on a terminal asks nothing and ends with a single line."""
    assert terminal.end() == 1
    assert terminal.shown.splitlines() == [line]


TEN = "shard_count = 'ten': it is not a whole number from 1 to 500; enter one, such as 10"


def test_no_input_asks_nothing_on_a_terminal(tmp_path: Path) -> None:
    with cookiecutter(tmp_path, "--no-input", "shard_count=ten") as terminal:
        assert_one_line(terminal, TEN)
    assert_nothing_written(tmp_path)


def test_replay_asks_nothing_on_a_terminal(tmp_path: Path) -> None:
    """A replay file skips the questions; pre_gen_project.py finds its bad answer."""
    with cookiecutter(tmp_path, "--no-input") as terminal:
        assert terminal.end() == 0
    [replay] = tmp_path.glob("*.json")
    context = json.loads(replay.read_text(encoding="utf-8"))
    context["cookiecutter"] |= {"shard_count": "ten", "project_slug": "bad"}
    replay.write_text(json.dumps(context), encoding="utf-8")
    with cookiecutter(tmp_path, "--replay") as terminal:
        assert terminal.end() == 1
        assert terminal.shown.splitlines()[-1] == TEN
        assert "/17]" not in terminal.shown
    assert not (tmp_path / "output" / "bad").exists()


def test_replay_without_an_answer_asks_it_only_once(tmp_path: Path) -> None:
    """cookiecutter asks for what a replay file lacks. A refusal ends the session, as elsewhere in a replay."""
    with cookiecutter(tmp_path, "--no-input") as terminal:
        assert terminal.end() == 0
    [replay] = tmp_path.glob("*.json")
    context = json.loads(replay.read_text(encoding="utf-8"))
    for name in ("shard_count", "__check_shard_count", "_extensions"):
        del context["cookiecutter"][name]
    context["cookiecutter"]["project_slug"] = "bad"
    replay.write_text(json.dumps(context), encoding="utf-8")
    with cookiecutter(tmp_path, "--replay") as terminal:
        answer(terminal, "[1/1] Number of shards", "ten")
        assert terminal.end() == 1
        assert terminal.shown.splitlines()[-1] == TEN
        assert terminal.shown.count("[1/1]") == 1
    assert not (tmp_path / "output" / "bad").exists()


def test_python_api_raises_on_a_terminal(tmp_path: Path) -> None:
    program = (
        "import sys; from cookiecutter.main import cookiecutter\n"
        "from cookiecutter.exceptions import FailedHookException\n"
        "try: cookiecutter(sys.argv[1], default_config=True, output_dir='output')\n"
        "except FailedHookException as error: sys.exit(f'raised: {error}')\n"
    )
    command = [sys.executable, "-c", program, str(TEMPLATE)]
    with on_terminal(*command, cwd=tmp_path, environment=project_environment(HOME=str(tmp_path))) as terminal:
        answer(terminal, "[1/17]", "n" * 81)
        assert terminal.end() == 1
        assert "raised: project_name = " in terminal.shown
        assert terminal.shown.count("[1/17]") == 1
    assert_nothing_written(tmp_path)


@pytest.mark.slow
def test_cruft_asks_each_question_only_once(tmp_path: Path) -> None:
    template = copy_template(tmp_path)
    command = [sys.executable, "-m", "cruft", "create", str(template), "--output-dir", "output"]
    environment = project_environment(HOME=str(tmp_path))
    with on_terminal(*command, cwd=tmp_path, environment=environment) as terminal:
        answer(terminal, "[1/17]", "")
        answer(terminal, "[2/17]", "../evil")
        assert terminal.end() == 1
        assert terminal.shown.count("[2/17]") == 1
        assert "FailedHookException: project_slug = '../evil': it is not a valid name" in terminal.shown
    assert_nothing_written(tmp_path)
