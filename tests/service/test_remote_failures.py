"""Each failure on Render becomes one line that says what to do, and temporary failures are retried."""

import socket
import time
from contextlib import ExitStack
from typing import Any

import pytest

from support.baked import BakedProject
from support.fake_api import NOW, RUN_ID, FakeApi, Reply, polled, refused, serve, started, task_run
from support.remote_trigger import DEPLOYED, KEY, Done, RunTrigger

GOES_ON = f"; run {RUN_ID} goes on\n"

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
    "no result": (polled("succeeded", []), f"run {RUN_ID} completed, but its result is not a summary\n"),
    "other result": (polled("succeeded", [7]), f"run {RUN_ID} completed, but its result is not a summary\n"),
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
def test_each_failure_of_a_run_is_reported(
    api: FakeApi, run_trigger: RunTrigger, reply: Reply, error: str
) -> None:
    api.poll = [polled("running"), reply]

    done = run_trigger("--json", url=api.url, **DEPLOYED)

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
def test_each_refused_start_is_reported(
    api: FakeApi, run_trigger: RunTrigger, status: int, error: str
) -> None:
    api.start = [refused(status)]

    done = run_trigger("--idempotency-key", "mine", url=api.url, **DEPLOYED)

    assert done == Done(1, "", f"error: {error}\n")
    assert (len(api.sent("POST")) > 1) == (status in (429, 500)), "only temporary failures are retried"


def unused_url() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_unreachable_servers_are_told_apart(run_trigger: RunTrigger) -> None:
    deployed = run_trigger(url=unused_url(), **DEPLOYED)
    local = run_trigger(url="http://127.0.0.1:1", RENDER_LOCAL_DEV_URL=(url := unused_url()))

    assert (deployed.code, local.code) == (1, 1)
    assert deployed.err.startswith("error: Render's API cannot be reached (")
    assert local.err.startswith(f"error: the dev server at {url} cannot be reached; is `make dev` running? (")


def test_the_api_key_is_not_printed(api: FakeApi, run_trigger: RunTrigger) -> None:
    api.start = [refused(401, f"unknown key {KEY}")]

    done = run_trigger(url=api.url, **DEPLOYED)

    assert done.code == 1
    assert "unknown key ***" in done.err
    assert KEY not in done.err + done.out


def test_a_dev_server_that_ends_takes_its_run_along(remote_project: BakedProject) -> None:
    """Told within seconds: nothing can bring the run back, so the patience for Render's API would be wasted."""
    api = FakeApi(start=[started()], poll=[polled("running"), Reply(drop=True)])
    with ExitStack() as server:
        server.enter_context(serve(api))
        environment: dict[str, Any] = {"RENDER_LOCAL_DEV_URL": api.url, "NO_PROXY": "*"}
        with remote_project.start("python", "trigger.py", **environment) as process:
            api.wait_for("GET")
            server.close()
            ended = time.monotonic()
            out, err = process.communicate(timeout=50)
            waited = time.monotonic() - ended

    assert (process.returncode, out) == (1, "")
    assert err == (
        f"started {RUN_ID}\nerror: the dev server at {api.url} has ended, and run {RUN_ID} is lost:"
        " the server keeps runs only in its memory\n"
    )
    assert waited < 10


DEV_SERVER = {
    "started again": (
        refused(404),
        f" has been started again, and run {RUN_ID} is lost: the server keeps runs only in its memory\n",
    ),
    "hangs": (
        Reply(delay=1),
        f" cannot be reached; is `make dev` running? (get task run timed out: timed out); run {RUN_ID} goes on,"
        " unless the server ends\n",
    ),
    "older than 2.23": (
        Reply(200, task_run(attempts=[{"status": "running", "startedAt": NOW}], input={}, results=None)),
        ": its answer lacks something that Render's SDK needs; Render's CLI must be 2.23 or newer"
        " (get task run failed with unexpected error: 'attempt')\n",
    ),
}


@pytest.mark.parametrize(("reply", "error"), DEV_SERVER.values(), ids=DEV_SERVER)
def test_each_failure_of_a_dev_server_is_told(
    api: FakeApi, run_trigger: RunTrigger, reply: Reply, error: str
) -> None:
    api.poll = [polled("running"), reply]

    done = run_trigger(url="http://127.0.0.1:1", RENDER_LOCAL_DEV_URL=api.url)

    assert done == Done(1, "", f"started {RUN_ID}\nerror: the dev server at {api.url}{error}")
