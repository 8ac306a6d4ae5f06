"""A bad answer ends the session at once, in one line, and leaves nothing on the disk."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from baked import BakedProject, bake
from static_checks import complaints
from test_variants import lint
from variants import COOKIECUTTER_JSON, TEMPLATE, TEXTS

REFUSED: dict[str, list[str]] = {
    "project_name": [
        "",
        " x",
        "x ",
        "n" * 81,
        "a\nb",
        "a\tb",
        "a\x1b[31mb",
        "a\u202eb",
        "{{ 7*7 }}",
        "{% if x %}",
    ],
    "project_slug": [
        "",
        "../../../esc",
        "a/b",
        "a\\b",
        "..",
        ".hidden",
        "-x",
        "x-",
        "a..b",
        "a b",
        "s" * 51,
        "CON",
        "nul.x",
        "pandas",
        "Render_SDK",
        "é",
        "a{b",
    ],
    "package_name": [
        "",
        "class",
        "json",
        "pandas",
        "render",
        "tests",
        "1a",
        "a-b",
        "A",
        "_x",
        "p" * 41,
        "con",
        "trigger",
        "naïve",
        "a.b",
        "import",
    ],
    "description": ["", "d" * 201, "a\nb", "{{ cookiecutter }}", "{# x #}", "a\u2028b"],
    "source_files": [
        "",
        ",",
        "a.csv,,b.csv",
        "a.csv,a.csv",
        "A b.csv,a-b.csv",
        "../a.csv",
        "d/a.csv",
        "d\\a.csv",
        "a.txt",
        "a",
        ".csv",
        "-.csv",
        "-a.csv",
        ".a.csv",
        "a.csv\nb.csv",
        "aux.csv",
        "x" * 78 + ".csv",
        'a".csv',
        ",".join(f"s{n}.csv" for n in range(51)),
    ],
    "key_column": ["", "a,b", "a\nb", " id", "k" * 61, "{{ id }}", "idempotency_key", "health_score"],
    "shard_count": ["0", "-1", "ten", "5000", "501", "1.5", "", "07", "1e2", "٣", "+3", " 3", "3; import os"],
    "max_retries": ["-1", "11", "three", "", "03"],
    "retry_wait_ms": ["-1", "3600001", "2s", "", "2_000"],
    "repo_url": [
        "",
        "git@github.com:a/b.git",
        "http://github.com/a/b",
        "https://github.com",
        "https://github.com/a",
        "https://github.com/a/../b",
        "https://u:p@github.com/a/b",
        "https://github.com/a/b c",
    ],
}

ACCEPTED: dict[str, list[str]] = {
    "project_name": [
        "Ann's",
        '"q"',
        "C:\\new",
        "東京 🦆👩‍👩‍👧",
        "שלום עולם",
        "$(touch pwned)",
        "'''",
        "%s",
        "[b]x[/b]",
    ],
    "description": [
        '"""',
        "\\",
        "'''",
        "${HOME} `id`",
        "<b>&amp;",
        "מזג נתונים",
        "{x} %(y)s",
        "# not a heading: x",
    ],
    "source_files": [
        "2024-orders.csv",
        "Web Clicks.csv,orders.v2.csv",
        "bücher.csv",
        "it's.csv",
        "[x].csv",
        ",".join(f"s{n}.csv" for n in range(50)),
    ],
    "key_column": [
        "Kunden-Nr.",
        'a "b"',
        "a'b",
        "back\\slash",
        "顧客番号",
        "[id]",
        "a b",
        "%s",
        "$x",
        "{id}",
        "row",
    ],
    "repo_url": ["https://gitlab.example.com/group/sub/etl.git"],
    **{name: values[1:] for name, values in TEXTS.items() if name in ("project_slug", "package_name")},
}


def cookiecutter(directory: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    config = directory / "config.yaml"
    config.write_text(f"cookiecutters_dir: {directory}\nreplay_dir: {directory}\n")
    output = directory / "output"
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--config-file", str(config)]
    return subprocess.run(
        [*command, "--output-dir", str(output), *arguments],
        input=typed,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        cwd=directory,
    )


def left_behind(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.name not in ("config.yaml", "output")]


@pytest.mark.parametrize("name", REFUSED)
def test_bad_answers_are_refused(name: str, tmp_path: Path) -> None:
    from cookiecutter.exceptions import FailedHookException

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
        (["shard_count=ten"], "shard_count = 'ten': use a whole number from 1 to 500, such as 10"),
        (["project_slug=../x"], "project_slug = '../x': use letters"),
        (["package_name=class"], "package_name = 'class': it is a keyword of Python"),
        (["project_name={{ 7*7 }}"], "an answer holds Jinja's braces"),
        (["--accept-hooks", "no", "max_retries=x"], "max_retries = 'x'"),
    ],
)
def test_refusal_is_one_line_and_exit_code_1(tmp_path: Path, arguments: list[str], expected: str) -> None:
    options = [a for a in arguments if "=" not in a]
    done = cookiecutter(tmp_path, "--no-input", *arguments[: len(options)], *arguments[len(options) :])
    assert done.returncode == 1
    printed = (done.stdout + done.stderr).strip()
    assert printed.startswith(expected) or expected in printed
    assert len(printed.splitlines()) == 1
    assert not left_behind(tmp_path)


def test_refusal_comes_at_the_prompt(tmp_path: Path) -> None:
    """The session ends at the bad answer: the next question is never asked."""
    done = cookiecutter(tmp_path, typed="Good name\n../evil\n")
    assert done.returncode == 1
    assert "Directory and service name" in done.stdout
    assert "Python package" not in done.stdout
    assert "project_slug = '../evil'" in done.stdout + done.stderr
    assert not left_behind(tmp_path)


def test_enter_at_every_prompt_gives_the_default_project(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, typed="\n" * 30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output" / "customer-etl" / "trigger.py").is_file()
    count = len([name for name in COOKIECUTTER_JSON if not name.startswith("_")])
    assert [f"[{n}/{count}]" in done.stdout for n in range(1, count + 1)] == [True] * count
    assert len(done.stdout.splitlines()) <= 45, "more than one screen"


PAYLOADS = [
    "{{ cycler.__init__.__globals__.os.system('touch PWNED') }}",
    "{% set x = cycler.__init__.__globals__.os.system('touch PWNED') %}",
]


@pytest.mark.parametrize("name", REFUSED)
def test_payload_never_runs(name: str, tmp_path: Path) -> None:
    """`cookiecutter` renders what `key=value` gives it: the template refuses it before it runs."""
    for payload in PAYLOADS:
        done = cookiecutter(tmp_path, "--no-input", f"{name}={payload}")
        assert done.returncode == 1
        assert "Jinja" in done.stdout + done.stderr
    assert not left_behind(tmp_path)


def test_replayed_bad_answer_is_refused(tmp_path: Path) -> None:
    done = cookiecutter(tmp_path, "--no-input")
    assert done.returncode == 0, done.stderr
    replay = next(tmp_path.glob("*.json"))
    context = json.loads(replay.read_text(encoding="utf-8"))
    context["cookiecutter"]["project_slug"] = "evil"
    context["cookiecutter"]["shard_count"] = "10\nimport os"
    replay.write_text(json.dumps(context), encoding="utf-8")
    done = cookiecutter(tmp_path, "--replay")
    assert done.returncode == 1
    assert "shard_count" in done.stdout + done.stderr
    assert not (tmp_path / "output" / "evil").exists()


@pytest.mark.parametrize("name", ACCEPTED)
def test_odd_answers_render_clean_projects(name: str, tmp_path: Path) -> None:
    for number, answer in enumerate(ACCEPTED[name]):
        project = bake(tmp_path / str(number), {name: answer})
        assert not list(complaints(project)), answer
        assert not lint(project), answer
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.slow
def test_odd_answers_together_pass_everything(tmp_path: Path) -> None:
    """The nastiest answers in one project, with odd names of columns: its tests pass and it runs."""
    project: BakedProject = bake(
        tmp_path,
        {
            "project_name": '🦆 Ann\'s "Büro" \\ $(touch pwned) %s [b]',
            "description": "It's \"\"\" ''' \\ {x} `id` <b> # שלום",
            "source_files": "2024-orders.csv, it's.csv, bücher.csv",
            "key_column": "顧客 \"Nr.\" \\ 'x'",
            "shard_count": "3",
        },
    )
    assert not list(complaints(project))
    assert not lint(project)
    project.run("mypy")
    project.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    project.generate(60)
    assert project.trigger()["profiles_generated"] == 60
    assert not list(tmp_path.rglob("pwned"))
