"""Render's own dev server with a project's service, for tests that need Render's CLI."""

import json
import shlex
import shutil
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.baked import BakedProject
from support.processes import wait_until

MODULE_SECONDS = 1200  # a module's tests share a server

HAS_CLI = shutil.which("render") is not None


@contextmanager
def serve(project: BakedProject, home: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run the dev server as `make dev` does, until the block ends. Its output is in `server.log` in its home.

    Args:
        project: the project whose tasks the server runs.
        home: an empty directory, which becomes the server's home.
        environment: variables of the server and its tasks.

    Yields:
        The server's address.

    Raises:
        AssertionError: the server did not start, contacted another host, or wrote into its home.
    """
    port = free_port()
    nowhere = "http://127.0.0.1:9"  # nothing listens there: a request to another host fails and is logged
    variables = {"HOME": str(home), "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "DO_NOT_TRACK": "1"}
    command = make_dev(project, port)
    path = home / "server.log"
    with (
        path.open("w", encoding="utf-8") as log,
        project.start(
            *command, limit=MODULE_SECONDS, stdout=log, stderr=log, **variables, **environment
        ) as process,
    ):

        def is_ready() -> bool:
            """Return whether the server has its tasks; its port is open before that."""
            said = path.read_text(encoding="utf-8")
            assert process.poll() is None, f"the dev server did not start:\n{said}"
            return "tasks found" in said

        wait_until(is_ready, "the dev server's tasks", seconds=30)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        yield f"http://127.0.0.1:{port}"
    said = path.read_text(encoding="utf-8")
    assert "process_shard" in said
    assert "127.0.0.1:9" not in said
    assert {entry.name for entry in home.iterdir()} == {"server.log"}


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def make_dev(project: BakedProject, port: int) -> list[str]:
    """Return the command with which `make dev` starts the server, on a port of its own and in this environment."""
    printed = project.run("make", "-n", "dev").stdout
    [line] = [line for line in printed.splitlines() if line.startswith("render workflows dev ")]
    command = line.replace(" -- .venv/bin/", f" --port {port} -- ")
    assert command != line
    return shlex.split(command)


def get(address: str) -> Any:
    """Return the decoded JSON at an address on this machine."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=15) as reply:
        return json.load(reply)
