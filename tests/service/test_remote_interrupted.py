"""Ctrl-C leaves a run on Render alone, unless somebody at a terminal wants it canceled."""

import os
import re
import signal
from typing import Any

import pytest

from support.baked import BakedProject
from support.fake_api import RUN_ID, FakeApi, Reply, listed, polled, refused


def test_ctrl_c_without_a_terminal_leaves_the_run_alone(api: FakeApi, remote_project: BakedProject) -> None:
    api.poll = [polled("running")]
    environment = {"RENDER_LOCAL_DEV_URL": api.url, "NO_PROXY": "*"}

    with remote_project.start("python", "trigger.py", limit=60, **environment) as process:
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
    api: FakeApi, remote_project: BakedProject, answer: str, reply: Reply, end: str
) -> None:
    pty = pytest.importorskip("pty")
    api.poll, api.cancel = [polled("running")], [reply]
    states = [("completed", 2), ("running", 2), ("running", 1), ("failed", 4), *[("succeeded", 1)] * 100]
    mine, others = listed(*states).body, listed(("failed", 1), root="trn-other").body
    api.listing = [refused(500), Reply(200, mine[:100]), Reply(200, others + mine[100:])]
    environment = {"RENDER_LOCAL_DEV_URL": api.url, "NO_PROXY": "*", "COLUMNS": "160", "TERM": "xterm"}
    terminal, end_of_process = pty.openpty()
    ends = {"stdin": end_of_process, "stderr": end_of_process}

    with remote_project.start("python", "trigger.py", limit=30, **ends, **environment) as process:
        os.close(end_of_process)
        shown = read_until(terminal, "running: 101 done, 1 failed, 1 retrying, 1 running")
        process.send_signal(signal.SIGINT)
        shown += read_until(terminal, "[y/N]")
        os.write(terminal, f"{answer}\n".encode())
        shown += read_until(terminal, None)
        assert process.stdout
        assert process.stdout.read() == ""
        assert process.wait(timeout=20) == 130
    os.close(terminal)

    assert "101/104" in shown
    assert re.search(f"error: interrupted; {end}", shown)
    assert len(api.sent("DELETE")) == (answer == "y")
    first, second = [request.query for request in api.requests if request.query][1:3]
    assert first == {"rootTaskRunId": [RUN_ID], "limit": ["100"]}
    assert second == {**first, "cursor": [mine[99]["cursor"]]}


@pytest.mark.parametrize(
    ("options", "environment", "children", "total"),
    [
        ([], {}, 0, "0/10"),
        ([], {"SHARD_COUNT": "4"}, 3, "0/4"),
        ([], {"SHARD_COUNT": "4"}, 5, "0/5"),
        ([], {"SHARD_COUNT": "many"}, 0, "0/10"),
        (["--shards", "3,7,3"], {"SHARD_COUNT": "4"}, 1, "0/2"),
    ],
)
def test_the_bar_knows_its_total_from_the_start(
    api: FakeApi,
    remote_project: BakedProject,
    options: list[str],
    environment: dict[str, str],
    children: int,
    total: str,
) -> None:
    """The shards that were asked for, and more if the service runs more; not how many have been listed so far."""
    pty = pytest.importorskip("pty")
    api.poll, api.listing = [polled("running")], [listed(*[("running", 1)] * children)]
    variables: dict[str, Any] = {
        "RENDER_LOCAL_DEV_URL": api.url,
        "NO_PROXY": "*",
        "COLUMNS": "160",
        "TERM": "xterm",
        **environment,
    }
    terminal, end_of_process = pty.openpty()
    ends = {"stdin": end_of_process, "stderr": end_of_process}

    with remote_project.start("python", "trigger.py", *options, limit=30, **ends, **variables):
        os.close(end_of_process)
        shown = read_until(terminal, " running" if children else "running")
        shown += read_until(terminal, total)
    os.close(terminal)

    totals = re.findall(r"\d+/(\d+|\?)", shown)
    assert "?" not in totals
    assert totals[-1] == total.partition("/")[2]


def read_until(terminal: int, text: str | None) -> str:
    """Return what a terminal shows until a text comes, or until its process ends."""
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
