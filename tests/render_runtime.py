"""A stand-in for Render's runtime: runs a rendered project's tasks as Render does, a process per attempt.

It speaks the SDK's protocol, JSON over HTTP/1.1 on a Unix socket, a socket per attempt, and starts what
the Blueprint starts. `Faults` makes attempts fail without touching the project.
"""

import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import TracebackType
from typing import Any, Self

from baked import BakedProject, project_environment

Json = dict[str, Any]


@dataclass
class Attempt:
    """One process of a run and what became of it."""

    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    pid: int = 0
    exit_code: int | None = None  # none: it did not end by itself and was killed
    callback: Json = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""

    @property
    def events(self) -> list[Json]:
        """The JSON lines of the log; the SDK's own lines are no JSON."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]


@dataclass
class Run:
    """One run of a task: its arguments and its result as bytes of JSON, and its attempts."""

    id: str
    task_name: str
    arguments: bytes
    parent: "Run | None"
    attempts: list[Attempt] = field(default_factory=list)
    output: bytes | None = None
    error: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def result(self) -> Json:
        """What the task returned; an `AssertionError` if the run has failed."""
        assert self.output is not None, self.error
        (result,) = json.loads(self.output)  # the protocol wraps a result in a list
        assert isinstance(result, dict)
        return result


class RenderRuntime:
    """Runs the tasks of one project; use it in a `with` statement, which ends every process.

    Args:
        project: whose start command to run.
        environment: what its processes have beside the environment of `project.run`.
        parallel: how many subtasks run at a time; the rest is queued, as on Render.
        wait_scale: what the waits before retries are multiplied by.
        deadline: seconds for a run, and for a process to end by itself.
    """

    def __init__(
        self,
        project: BakedProject,
        environment: Mapping[str, str] | None = None,
        parallel: int = 2,
        wait_scale: float = 0.0,
        deadline: float = 60.0,
    ) -> None:
        self.runs: list[Run] = []  # in the order in which they were asked for
        self.tasks: dict[str, Json] = {}
        self.command = ("render-workflows", f"{project.package}.main:app")
        self._directory = project.path
        self._environment = project_environment(**(environment or {}))
        self._wait_scale = wait_scale
        self._deadline = deadline
        self._slots = threading.Semaphore(parallel)
        self._sockets = Path(tempfile.mkdtemp(prefix="rr-", dir="/tmp"))  # a socket's path has 107 bytes
        self._numbers = itertools.count()
        self._by_key: dict[str, Run] = {}
        self._processes: list[subprocess.Popen[str]] = []
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for process in self._processes:
            _kill(process)
        for thread in self._threads:
            thread.join(self._deadline)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def register(self) -> dict[str, Json]:
        """Start the service in register mode and return its tasks by name."""
        attempt = self._attempt("register", None)
        assert attempt.exit_code == 0, attempt.stderr
        return self.tasks

    def run(self, task_name: str, *arguments: Any) -> Run:
        """Run a task with its subtasks and their retries, to the end."""
        if not self.tasks:
            self.register()
        run = self.start(task_name, json.dumps(arguments).encode(), None)
        if not run.ended.wait(self._deadline):
            raise TimeoutError(f"{task_name} did not end within {self._deadline} s")
        return run

    def start(self, task_name: str, arguments: bytes, parent: Run | None, key: str = "") -> Run:
        """Queue a run. A second request with the same idempotency key gets the first one's run."""
        if key in self._by_key:
            return self._by_key[key]
        run = Run(f"trn-{next(self._numbers)}", task_name, arguments, parent)
        self.runs.append(run)
        if key:
            self._by_key[key] = run
        thread = threading.Thread(target=self._execute, args=(run,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return run

    def _execute(self, run: Run) -> None:
        retry = self.tasks[run.task_name]["options"]["retry"]
        for number in range(retry["max_retries"] + 1):
            if number:
                wait_ms = retry["wait_duration_ms"] * retry["factor"] ** (number - 1)
                self._closing.wait(wait_ms / 1000 * self._wait_scale)
            if self._closing.is_set():
                break
            with self._slots if run.parent else nullcontext():  # a root that waits takes no child's slot
                attempt = self._attempt("run", run)
            if "complete" in attempt.callback:
                run.output, run.error = base64.b64decode(attempt.callback["complete"]["output"]), None
                break
            ending = {"details": f"the start command ended with {attempt.exit_code} and without a result"}
            run.error = attempt.callback.get("error", ending)["details"]
        run.ended.set()

    def _attempt(self, mode: str, run: Run | None) -> Attempt:
        attempt = Attempt()
        if run:
            run.attempts.append(attempt)
        path = self._sockets / str(next(self._numbers))
        variables = {"RENDER_SDK_MODE": mode, "RENDER_SDK_SOCKET_PATH": str(path)}
        with _Server(path, self, run, attempt) as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            process = subprocess.Popen(
                self.command,
                cwd=self._directory,
                env=self._environment | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                start_new_session=True,
            )
            self._processes.append(process)
            attempt.pid = process.pid
            try:
                if self._closing.is_set():
                    _kill(process)
                attempt.stdout, attempt.stderr = process.communicate(timeout=self._deadline)
                attempt.exit_code = process.returncode
            except subprocess.TimeoutExpired:
                _kill(process)
                attempt.stdout, attempt.stderr = process.communicate()
            finally:
                server.shutdown()
        attempt.seconds = time.monotonic() - attempt.started
        return attempt

    def answer(self, path: str, body: Json, run: Run | None, attempt: Attempt) -> Json | None:
        """The reply to a request of an attempt; none if the request makes no sense."""
        if path == "/register-tasks":
            self.tasks = {task["name"]: task for task in body["tasks"]}
            return {}
        if path == "/run-subtask" and body["task_name"] in self.tasks:
            arguments = base64.b64decode(body["input"])
            child = self.start(body["task_name"], arguments, run, body["idempotency_key"])
            return {"task_run_id": child.id}
        if path == "/get-subtask-result":
            child = next(child for child in self.runs if child.id == body["task_run_id"])
            if not child.ended.is_set():
                return {"still_running": True}
            if child.output is None:
                return {"still_running": False, "error": {"details": child.error}}
            output = base64.b64encode(child.output).decode()
            return {"still_running": False, "complete": {"output": output}}
        if path == "/callback":
            attempt.callback = body
            return {}
        if path.split("?")[0] == "/input" and run:
            root = run
            while root.parent:
                root = root.parent
            ids = {"task_run_id": run.id, "root_task_run_id": root.id}
            ids |= {"parent_task_run_id": run.parent.id} if run.parent else {}
            return {"task_name": run.task_name, "input": base64.b64encode(run.arguments).decode(), **ids}
        return None


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # an orchestrator asks for all of its shards at once

    def __init__(self, path: Path, runtime: RenderRuntime, run: Run | None, attempt: Attempt) -> None:
        super().__init__(str(path), _Handler)
        self.runtime, self.run, self.attempt = runtime, run, attempt


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 15
    server: _Server

    def do_GET(self) -> None:
        self._reply({})

    def do_POST(self) -> None:
        self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _reply(self, body: Json) -> None:
        server = self.server
        answer = server.runtime.answer(self.path, body, server.run, server.attempt)
        content = json.dumps(answer or {}).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the standard library would print each request."""


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


class Faults:
    """Makes the worker of shard 1 fail in the middle of writing its part, as often as a test says.

    A `sitecustomize` on the PYTHONPATH does it: no attempt knows its number, so files are the counter, and
    the project's own code, whose hash is in the output's version, stays as it is. Each process also leaves
    the names of the modules that it has loaded when it ends in order.
    """

    _CODE = """
import atexit, os, signal, sys
from pathlib import Path

here = Path(__file__).parent

def take(name):
    try:
        (here / name).unlink()
    except FileNotFoundError:
        return False
    return True

def hook(event, arguments):
    if event == "open" and "part-00001-of-" in str(arguments[0]):
        if take("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if take("error") or (here / "always").exists():
            raise RuntimeError("no luck")

sys.addaudithook(hook)
atexit.register(lambda: (here / f"modules-{os.getpid()}").write_text("\\n".join(sys.modules)))
"""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        (directory / "sitecustomize.py").write_text(self._CODE, encoding="utf-8")
        self._directory = directory
        self.environment = {"PYTHONPATH": os.pathsep.join([str(directory), "src"])}

    def arm(self, fault: str) -> None:
        """Let one attempt fail by an "error" or a "kill", or "always" each of them by an error."""
        (self._directory / fault).touch()

    def armed(self, fault: str) -> bool:
        """Whether a fault that was armed has not happened yet."""
        return (self._directory / fault).exists()

    def modules(self, attempt: Attempt) -> set[str]:
        """What the process of an attempt had loaded in the end."""
        return set((self._directory / f"modules-{attempt.pid}").read_text(encoding="utf-8").split())


def comparable(summary: dict[str, Any]) -> dict[str, Any]:
    """A summary without the times."""
    return {**summary, "shards": [{**shard, "elapsed_ms": None} for shard in summary["shards"]]}


def published_bytes(project: BakedProject, output: str) -> dict[str, bytes]:
    """The manifest and the files that it names."""
    directory = project.path / output
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    paths = ["manifest.json", *(file["path"] for file in manifest["files"])]
    return {path: (directory / path).read_bytes() for path in paths}
