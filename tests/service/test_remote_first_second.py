"""Ctrl-C in the first second of a trigger ends it without a traceback, also while it imports libraries."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.baked import PROGRAMS, BakedProject
from support.fake_api import FakeApi, Reply, polled, started
from support.processes import wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals of POSIX")

LIBRARIES = {"numpy", "pandas", "pyarrow", "render", "render_sdk", "rich", "asyncio"}
CONSOLE_SCRIPT = "import sys; from customer_etl.cli.command import main; sys.exit(main())"  # as pip writes it
COMMANDS = {"trigger.py": ["trigger.py"], "console script": ["-c", CONSOLE_SCRIPT]}
ENVIRONMENT: dict[str, Any] = {"OUTPUT_URI": "out-interrupted", "SHARD_COUNT": "3", "NO_PROXY": "*"}


@pytest.fixture
def marked(tmp_path: Path) -> dict[str, Any]:
    """Variables that make a trigger create the file MARK with its first lines; until then Python itself starts."""
    shutil.copyfile(PROGRAMS / "mark_first_import.py", tmp_path / "sitecustomize.py")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), "src"]), "MARK": str(tmp_path / "mark")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "command", "moments"),
    [
        ("local", "trigger.py", 24),
        ("remote", "trigger.py", 24),
        ("local", "console script", 6),
        ("remote", "console script", 6),
    ],
)
def test_ctrl_c_in_the_first_second_is_a_clean_exit(
    api: FakeApi,
    default_project: BakedProject,
    marked: dict[str, Any],
    target: str,
    command: str,
    moments: int,
) -> None:
    """As from a terminal, all processes of the trigger get the signal, at moments spread over its first second."""
    api.poll = [polled("running")]
    options = ["--local"] if target == "local" else []
    if target == "remote":
        marked |= {"RENDER_LOCAL_DEV_URL": api.url}
    mark = Path(marked["MARK"])
    endings = set()
    for number in range(moments):
        moment = number / moments
        mark.unlink(missing_ok=True)
        with default_project.start(
            "python", *COMMANDS[command], *options, **ENVIRONMENT, **marked
        ) as process:
            wait_until(mark.exists, "the trigger's first lines", pause=0.001)
            time.sleep(moment)
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=20)
        when = f"after {moment:.3f} s: exit code {process.returncode}\n{err}"
        assert "Traceback" not in err, when
        assert "KeyboardInterrupt" not in err, when
        assert "xception" not in err, when
        assert process.returncode in (130, -signal.SIGINT), when
        if process.returncode == 130:
            assert err.splitlines()[-1].startswith("error: interrupted; "), when
        assert out == "", when
        endings.add(process.returncode)
    assert -signal.SIGINT in endings, "no moment hit the imports"


def test_ctrl_c_is_taken_care_of_before_any_library_is_imported(default_project: BakedProject) -> None:
    program = "import sys, customer_etl.cli.command; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(default_project.run("python", "-c", program).stdout.split())
    assert "customer_etl" in loaded
    assert not loaded & LIBRARIES
    assert "from customer_etl.cli.command import main" in default_project.read("trigger.py")
    assert 'customer-etl = "customer_etl.cli.command:main"' in default_project.read("pyproject.toml")


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_ignored_ctrl_c_stays_ignored(default_project: BakedProject, command: list[str]) -> None:
    """A script's background process is started with SIGINT ignored; Ctrl-C at the script must not end it."""
    program = str(PROGRAMS / "ignore_interrupts.py")
    started = ("python", program, sys.executable, *command, "--local")
    with default_project.start(*started, **ENVIRONMENT) as process:
        for _ in range(12):
            time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.splitlines()[-1].startswith("Merged 300 enriched profiles across 3 shards in ")


def test_ctrl_c_during_the_start_says_that_a_run_may_have_started(
    api: FakeApi, default_project: BakedProject
) -> None:
    """Between the start and its reply nobody can know whether there is a run."""
    api.start = [Reply(202, started().body, delay=3)]
    with default_project.start(
        "python", "trigger.py", RENDER_LOCAL_DEV_URL=api.url, **ENVIRONMENT
    ) as process:
        wait_until(lambda: bool(api.requests), "the start")
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "error: interrupted; a run may have started\n")
