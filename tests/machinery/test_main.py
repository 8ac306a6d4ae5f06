"""The service as Render starts it: the tasks that it registers, and the modules that it imports."""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from render import Options

from customer_etl import orchestrator, worker

from ..helpers import MERGE, run_python

MAIN = f"{worker.__package__}.main"


@pytest.fixture
def registered() -> dict[str, dict[str, Any]]:
    """The options of each task that the start command registers, by task name."""
    if sys.platform == "win32":
        pytest.skip("Python has no AF_UNIX on Windows, and Render does not run there")
    from socketserver import UnixStreamServer

    requests: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append((self.path, json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass  # the base class logs an address, which a Unix socket's client does not have

    # Not in tmp_path, because the path of a socket is limited to about a hundred characters.
    with tempfile.TemporaryDirectory() as directory, UnixStreamServer(f"{directory}/s", Handler) as server:
        server.timeout = 30
        environment = {"RENDER_SDK_MODE": "register", "RENDER_SDK_SOCKET_PATH": f"{directory}/s"}
        command = [str(Path(sysconfig.get_path("scripts"), "render-workflows")), f"{MAIN}:app"]
        with subprocess.Popen(command, env=os.environ | environment) as process:
            server.handle_request()
            assert process.wait(timeout=30) == 0
    ((path, body),) = requests
    assert path == "/register-tasks"
    return {task["name"]: task["options"] for task in body["tasks"]}


def as_registered(options: Options) -> dict[str, Any]:
    assert options.retry
    return {
        "retry": {
            "max_retries": options.retry.max_retries,
            "wait_duration_ms": options.retry.wait_duration_ms,
            "factor": options.retry.backoff_scaling,
        },
        "timeout_seconds": options.timeout_seconds,
    }


def test_the_start_command_registers_two_tasks_with_their_options(
    registered: dict[str, dict[str, Any]],
) -> None:
    # Render uses its default for an option that is not sent: three retries, even for the orchestrator.
    assert registered == {
        worker.process_shard.name: as_registered(worker.OPTIONS),
        MERGE.name: as_registered(orchestrator.OPTIONS),
    }


def test_only_the_worker_retries() -> None:
    assert orchestrator.OPTIONS.retry
    assert orchestrator.OPTIONS.retry.max_retries == 0
    assert worker.OPTIONS.retry
    assert worker.OPTIONS.retry.max_retries >= 0


def test_running_it_by_hand_says_what_to_run_instead() -> None:
    process = run_python("-m", MAIN)

    assert process.returncode == 1
    assert "python trigger.py --local" in process.stderr
    assert "Traceback" not in process.stderr


def test_importing_the_service_does_not_load_the_data_libraries() -> None:
    # Every attempt imports the service, including the orchestrator's, and pandas alone takes 0.4 s.
    process = run_python("-c", f"import sys, {MAIN}; print(*sys.modules)")

    loaded = process.stdout.split()
    assert MAIN in loaded, process.stderr
    assert not {"numpy", "pandas", "pyarrow"} & set(loaded)
