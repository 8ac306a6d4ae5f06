"""The trigger against Render's API and a dev server: what it sends, prints and exits with.

Every address is a loopback one: the deployed target's default is replaced before the trigger runs.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from baked import BakedProject, bake, project_environment
from fake_api import RUN_ID, FakeApi, Reply, listed, polled, refused, serve, started

KEY = "rnd_secret"
DEPLOYED = {"WORKFLOW_SLUG": "my-etl", "RENDER_API_KEY": KEY}
PATIENT = {"FIRST_RETRY_SECONDS": 0.02, "START_PATIENCE_SECONDS": 0.1, "POLL_PATIENCE_SECONDS": 0.3}
FAST = {"POLL_SECONDS": 0.02, "ANSWER_SECONDS": 0.5, **PATIENT}
GOES_ON = f"; run {RUN_ID} goes on\n"
SUMMARY = {
    "profiles_generated": 7,
    "records_processed": 9,
    "shards_processed": 2,
    "statistics": {"average": "ä"},
    "duplicate_records": 0,
    "rejected_records": 0,
    "output": {"published": True, "manifest": "manifest.json", "version": "v-1"},
}

# One process for many runs, for the import of the client takes a second. It reads and writes JSON lines.
DRIVER = """
import contextlib, io, json, os, sys
import remote, render, trigger
os.environ.update(NO_PROXY="*")
variables = dict(os.environ)
for line in sys.stdin:
    case = json.loads(line)
    render.Render.__init__.__kwdefaults__["base_url"] = case["url"]
    os.environ.clear(); os.environ.update(variables | case["environment"])
    vars(remote).update(case["settings"])
    sys.argv = ["trigger.py", *case["options"]]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = trigger.main()
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    return bake(tmp_path_factory.mktemp("remote"))


@pytest.fixture(scope="module")
def run(project: BakedProject) -> Iterator[Run]:
    """Run the trigger's main(): `run("--json", api=api, settings={...}, WORKFLOW_SLUG=...)`."""
    with start_process(project, "-c", DRIVER, stdin=subprocess.PIPE) as driver:
        assert driver.stdin
        assert driver.stdout

        def run_main(*options: str, url: str, settings: Any = FAST, **environment: str) -> Done:
            case = {"options": options, "url": url, "settings": settings, "environment": environment}
            assert driver.stdin
            assert driver.stdout
            print(json.dumps(case), file=driver.stdin, flush=True)
            timer = Timer(30, driver.kill)
            timer.start()
            line = driver.stdout.readline()
            timer.cancel()
            assert line, "the driver died"
            return Done(*json.loads(line))

        yield run_main
        driver.stdin.close()
        assert driver.wait(timeout=20) == 0


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serve(FakeApi(start=[started()], poll=[polled("completed", [SUMMARY])])) as fake:
        yield fake


def start_process(
    project: BakedProject, *arguments: str, stdin: Any = subprocess.DEVNULL, **options: Any
) -> subprocess.Popen[str]:
    environment = project_environment(NO_PROXY="*", **options.pop("environment", {}))
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        environment.pop(name, None)  # these would make rich draw into a pipe
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=project.path,
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=options.pop("stderr", None),
        encoding="utf-8",
    )


def unused_url() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("status", ["completed", "succeeded"])
def test_a_deployed_run_is_started_once_and_its_summary_printed(api: FakeApi, run: Run, status: str) -> None:
    api.poll = [polled("pending"), polled("paused"), polled("running"), polled(status, [SUMMARY])]

    done = run("--json", "--shards", "3,7", url=api.url, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert json.loads(done.out) == SUMMARY
    (request,) = api.sent("POST")
    assert request.body.pop("idempotencyKey")
    assert request.body == {"task": "my-etl/merge_customer_data", "input": {"shards": [3, 7]}}
    assert request.authorization == f"Bearer {KEY}"
    assert len(api.requests) == 5, "the shards are listed for a terminal only"


def test_text_ends_as_a_local_run_does(api: FakeApi, run: Run) -> None:
    done = run(url=api.url, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert re.fullmatch(
        r'average: "ä"\n.*\n.*\nMerged 7 enriched profiles across 2 shards in \d\.\ds\n', done.out
    )
    assert api.sent("POST")[0].body["input"] == {}


def test_each_call_has_an_idempotency_key_of_its_own_unless_one_is_given(api: FakeApi, run: Run) -> None:
    for options in ([], [], ["--idempotency-key", "nightly-7"]):
        assert run("--no-wait", *options, url=api.url, **DEPLOYED).code == 0

    first, second, given = [request.body["idempotencyKey"] for request in api.sent("POST")]
    assert first != second
    assert given == "nightly-7"


@pytest.mark.parametrize(
    ("options", "out"), [([], f"{RUN_ID}\n"), (["--json"], f'{{\n  "run_id": "{RUN_ID}"\n}}\n')]
)
def test_no_wait_prints_the_id_alone(api: FakeApi, run: Run, options: list[str], out: str) -> None:
    assert run("--no-wait", *options, url=api.url, **DEPLOYED) == Done(0, out, "")
    assert len(api.requests) == 1


def test_a_start_that_failed_is_tried_again_with_the_same_key(api: FakeApi, run: Run) -> None:
    api.start = [refused(503), Reply(drop=True), started()]

    assert run(url=api.url, settings={**FAST, "START_PATIENCE_SECONDS": 20}, **DEPLOYED).code == 0

    keys = [request.body["idempotencyKey"] for request in api.sent("POST")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_polling_survives_what_passes(api: FakeApi, run: Run) -> None:
    passing = [refused(500), refused(502), Reply(drop=True), refused(429), Reply(503), Reply(delay=0.7)]
    api.poll = [polled("running"), *passing, polled("completed", [SUMMARY])]

    done = run(url=api.url, settings={**FAST, "POLL_PATIENCE_SECONDS": 20}, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert len(api.sent("POST")) == 1


ENDINGS: dict[str, tuple[Reply, str]] = {
    "failed": (
        polled("failed", error="1 of 2 shards failed"),
        f"run {RUN_ID} failed: 1 of 2 shards failed\n",
    ),
    "failed, no text": (
        polled("failed", error=""),
        f"run {RUN_ID} failed: no cause given; see its page in Render's dashboard,"
        " or the dev server's output\n",
    ),
    "canceled": (
        polled("canceled"),
        f"run {RUN_ID} was canceled: no cause given; see its page in Render's dashboard,"
        " or the dev server's output\n",
    ),
    "vanished": (refused(404), f"run {RUN_ID} is not known any more\n"),
    "no result": (polled("succeeded", []), f"run {RUN_ID} completed, but its result is no summary\n"),
    "other result": (polled("succeeded", [7]), f"run {RUN_ID} completed, but its result is no summary\n"),
    "key revoked": (
        refused(401),
        "the key in RENDER_API_KEY is refused (get task run failed: no (ID: req-1))\n",
    ),
    "server down": (
        refused(500),
        f"Render's API answers with status 500 (get task run failed: no (ID: req-1)){GOES_ON}",
    ),
    "no answer": (
        Reply(drop=True),
        "Render's API cannot be reached (get task run failed due to network error:"
        f" Server disconnected without sending a response.){GOES_ON}",
    ),
    "too slow": (
        Reply(delay=1),
        f"Render's API cannot be reached (get task run timed out: timed out){GOES_ON}",
    ),
    "limited": (
        refused(429),
        "the rate limit of Render's API is reached; wait a minute"
        f" (get task run failed: no (ID: req-1)){GOES_ON}",
    ),
}


@pytest.mark.parametrize(("reply", "error"), ENDINGS.values(), ids=ENDINGS)
def test_each_bad_end_of_a_run_is_told(api: FakeApi, run: Run, reply: Reply, error: str) -> None:
    api.poll = [polled("running"), reply]

    done = run("--json", url=api.url, **DEPLOYED)

    assert done == Done(1, "", f"started {RUN_ID}\nerror: {error}")


REFUSALS = {
    401: "the key in RENDER_API_KEY is refused (create task failed: no (ID: req-1))",
    403: "the key in RENDER_API_KEY is refused (create task failed: no (ID: req-1))",
    404: "there is no task my-etl/merge_customer_data; is WORKFLOW_SLUG right, and the service deployed?",
    400: "Render's API answers with status 400 (create task failed: no (ID: req-1))",
    429: "the rate limit of Render's API is reached; wait a minute (create task failed: no (ID: req-1))"
    "; --idempotency-key mine tries again without a second run",
    500: "Render's API answers with status 500 (create task failed: no (ID: req-1))"
    "; --idempotency-key mine tries again without a second run",
}


@pytest.mark.parametrize(("status", "error"), REFUSALS.items(), ids=str)
def test_each_refused_start_is_told(api: FakeApi, run: Run, status: int, error: str) -> None:
    api.start = [refused(status)]

    done = run("--idempotency-key", "mine", url=api.url, **DEPLOYED)

    assert done == Done(1, "", f"error: {error}\n")
    assert (len(api.sent("POST")) > 1) == (status in (429, 500)), "only what may pass is tried again"


def test_servers_that_are_not_there_are_told_apart(run: Run) -> None:
    deployed = run(url=unused_url(), **DEPLOYED)
    local = run(url="http://127.0.0.1:1", RENDER_LOCAL_DEV_URL=(url := unused_url()))

    assert (deployed.code, local.code) == (1, 1)
    assert deployed.err.startswith("error: Render's API cannot be reached (")
    assert local.err.startswith(f"error: the dev server at {url} cannot be reached; is `make dev` running? (")


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"RENDER_API_KEY": KEY}, "WORKFLOW_SLUG is not set"),
        ({"WORKFLOW_SLUG": "my-etl", "RENDER_API_KEY": " "}, "RENDER_API_KEY is not set"),
        ({}, "WORKFLOW_SLUG is not set.*--local.*`make dev`.*RENDER_USE_LOCAL_DEV=true"),
        ({**DEPLOYED, "RENDER_API_KEY": f"{KEY}\n{KEY}"}, "RENDER_API_KEY holds a blank or a character"),
        (
            {**DEPLOYED, "RENDER_USE_LOCAL_DEV": "yes"},
            "RENDER_USE_LOCAL_DEV must be true or false, not 'yes'",
        ),
    ],
)
def test_a_wrong_environment_starts_nothing(
    api: FakeApi, run: Run, environment: dict[str, str], error: str
) -> None:
    done = run(url=api.url, **environment)

    assert (done.code, done.out, api.requests) == (1, "", [])
    assert re.fullmatch(f"error: {error}.*\n", done.err)
    assert KEY not in done.err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--local", "--no-wait"], "--no-wait and --idempotency-key do not go with --local"),
        (["--timeout", "0"], "--timeout takes a number of seconds above 0"),
        (["--timeout", "nan"], "--timeout takes a number of seconds above 0"),
        (["--shards", "x"], "--shards takes numbers with commas between, such as 3,7; not 'x'"),
    ],
)
def test_wrong_options_start_nothing(api: FakeApi, run: Run, options: list[str], error: str) -> None:
    assert run(*options, url=api.url, **DEPLOYED) == Done(1, "", f"error: {error}\n")
    assert not api.requests


def test_the_key_is_in_no_text(api: FakeApi, run: Run) -> None:
    api.start = [refused(401, f"unknown key {KEY}")]

    done = run(url=api.url, **DEPLOYED)

    assert done.code == 1
    assert "unknown key ***" in done.err
    assert KEY not in done.err + done.out


@pytest.mark.parametrize("pause", [0.02, 60])
def test_a_timeout_leaves_the_run_alone(api: FakeApi, run: Run, pause: float) -> None:
    api.poll = [polled("running")]

    done = run("--timeout", "0.2", url=api.url, settings={**FAST, "POLL_SECONDS": pause}, **DEPLOYED)

    error = f"no result within the time of --timeout{GOES_ON}"
    assert done == Done(1, "", f"started {RUN_ID}\nerror: {error}")
    assert not api.sent("DELETE")


def test_a_local_run_is_stopped_by_its_timeout(project: BakedProject, run: Run, tmp_path: Path) -> None:
    for source in project.sources:
        (tmp_path / source).write_text("customer_id\n1\n")
    places = {"DATA_URI": str(tmp_path), "OUTPUT_URI": str(tmp_path / "output")}

    done = run("--local", "--timeout", "0.05", url="http://127.0.0.1:1", **places)

    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("error: no result within 0.05 s; the run was stopped\n")
    assert not (tmp_path / "output" / "manifest.json").exists()


@pytest.mark.parametrize("package", ["render_sdk", "render"])
def test_a_dev_server_gets_no_key_and_nothing_warns(api: FakeApi, tmp_path: Path, package: str) -> None:
    project = bake(tmp_path, {"render_package": package})
    environment = {**DEPLOYED, "RENDER_LOCAL_DEV_URL": api.url}
    command = ("-W", "error::DeprecationWarning:__main__", "trigger.py", "--json")

    with start_process(project, *command, stderr=subprocess.PIPE, environment=environment) as process:
        out, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, f"started {RUN_ID}\n")
    assert json.loads(out) == SUMMARY
    (request,) = api.sent("POST")
    assert request.body["task"] == "my-etl/merge_customer_data"
    assert request.authorization is None


def test_ctrl_c_without_a_terminal_leaves_the_run_alone(api: FakeApi, project: BakedProject) -> None:
    api.poll = [polled("running")]
    environment = {"RENDER_LOCAL_DEV_URL": api.url}

    with start_process(project, "trigger.py", stderr=subprocess.PIPE, environment=environment) as process:
        api.wait_for("GET")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (130, "")
    assert err == f"started {RUN_ID}\nerror: interrupted; run {RUN_ID} goes on\n"
    assert not api.sent("DELETE")
    assert api.sent("POST")[0].body["task"] == "local/merge_customer_data"


@pytest.mark.parametrize(
    ("answer", "reply", "end"),
    [
        ("y", Reply(204), f"run {RUN_ID} is canceled"),
        ("", Reply(204), f"run {RUN_ID} goes on"),
        (
            "y",
            refused(500, "not active"),
            f"run {RUN_ID} could not be canceled: the dev server at .* status 500",
        ),
    ],
)
def test_ctrl_c_at_a_terminal_offers_to_cancel(
    api: FakeApi, project: BakedProject, answer: str, reply: Reply, end: str
) -> None:
    pty = pytest.importorskip("pty")
    api.poll, api.cancel = [polled("running")], [reply]
    states = [("completed", 2), ("running", 2), ("running", 1), ("failed", 4), *[("succeeded", 1)] * 100]
    mine, others = listed(*states).body, listed(("failed", 1), root="trn-other").body
    api.listing = [refused(500), Reply(200, mine[:100]), Reply(200, others + mine[100:])]
    environment = {"RENDER_LOCAL_DEV_URL": api.url, "COLUMNS": "160", "TERM": "xterm"}
    terminal, end_of_process = pty.openpty()
    ends = {"stdin": end_of_process, "stderr": end_of_process}

    with start_process(project, "trigger.py", environment=environment, **ends) as process:
        timer = Timer(30, process.kill)
        timer.start()
        os.close(end_of_process)
        shown = read_until(terminal, "running: 101 done, 1 failed, 1 retrying, 1 running")
        process.send_signal(signal.SIGINT)
        shown += read_until(terminal, "[y/N]")
        os.write(terminal, f"{answer}\n".encode())
        shown += read_until(terminal, None)
        assert process.stdout
        assert process.stdout.read() == ""
        assert process.wait(timeout=20) == 130
        timer.cancel()
    os.close(terminal)

    assert "101/104" in shown
    assert re.search(f"error: interrupted; {end}", shown)
    assert len(api.sent("DELETE")) == (answer == "y")
    first, second = [request.query for request in api.requests if request.query][1:3]
    assert first == {"rootTaskRunId": [RUN_ID], "limit": ["100"]}
    assert second == {**first, "cursor": [mine[99]["cursor"]]}


def read_until(terminal: int, text: str | None) -> str:
    """What a terminal shows until a text comes, or until its process ends."""
    shown = b""
    while text is None or text.encode() not in shown:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            assert text is None, f"{text!r} is not in {shown.decode(errors='replace')}"
            break
        shown += part
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode(errors="replace"))
