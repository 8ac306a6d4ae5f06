"""A stand-in for Render's runtime: runs a rendered project's tasks as Render does, a process per attempt.

It speaks the SDK's protocol, JSON over HTTP/1.1 on a Unix socket, with a socket per attempt, and runs the start
command of the Blueprint.
"""

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from types import TracebackType
from typing import Any, Self

from support.baked import BakedProject
from support.faults import Faults
from support.processes import kill_session

Json = dict[str, Any]

ROOT = "merge_customer_data"  # the tasks of the default project
SHARD = "process_shard"
PARALLEL = 2  # subtasks that run at a time; the others are queued, as on Render
DEADLINE_SECONDS = 60  # for a run, and for a process to exit


@dataclass
class Attempt:
    """One process of a run and what became of it.

    Attributes:
        started: when it started, by the monotonic clock.
        seconds: how long it took.
        pid: process id.
        exit_code: exit code; None if the process had to be killed at its deadline.
        callback: what it reported at its end, as the protocol has it; empty if it did not.
        stdout: its output.
        stderr: its log.
    """

    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    pid: int = 0
    exit_code: int | None = None
    callback: Json = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""

    @property
    def events(self) -> list[Json]:
        """The events in the log, which are lines of JSON; the SDK's own lines are not."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith("{")]


@dataclass
class TaskRun:
    """One run of a task.

    Attributes:
        id: its id, which begins with `trn-`.
        task_name: name of the task.
        arguments: its arguments as JSON.
        parent: the run that started it; None for a root run.
        attempts: its attempts so far.
        output: its result as JSON, in a list; None as long as no attempt has succeeded.
        error: the error of the last attempt, if that failed.
        ended: is set when the run has succeeded or failed for good.
    """

    id: str
    task_name: str
    arguments: bytes
    parent: "TaskRun | None"
    attempts: list[Attempt] = field(default_factory=list)
    output: bytes | None = None
    error: str | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def result(self) -> Json:
        """What the task returned.

        Raises:
            AssertionError: the run has failed.
        """
        assert self.output is not None, self.error
        (result,) = json.loads(self.output)  # the protocol wraps a result in a list
        assert isinstance(result, dict)
        return result


class RenderRuntime:
    """Runs the tasks of one project, in a `with` statement, which ends every process.

    Args:
        project: the project, whose start command runs for each attempt.
        environment: variables of its processes, added as by `project.run`.
        wait_scale: factor for the waits before retries; without one retries do not wait.

    Attributes:
        runs: all runs, in the order in which they were asked for.
        tasks: the registered tasks by name, as the protocol describes them.
        command: the start command.
    """

    def __init__(
        self,
        project: BakedProject,
        environment: Mapping[str, str] | None = None,
        wait_scale: float = 0.0,
    ) -> None:
        self.runs: list[TaskRun] = []
        self.tasks: dict[str, Json] = {}
        self.command = ("render-workflows", f"{project.package}.main:app")
        self._project = project
        self._environment = dict(environment or {})
        self._wait_scale = wait_scale
        self._slots = threading.Semaphore(PARALLEL)
        self._sockets = Path(
            tempfile.mkdtemp(prefix="rr-", dir="/tmp")
        )  # a socket's path has at most 107 bytes
        self._numbers = itertools.count()
        self._by_key: dict[str, TaskRun] = {}
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
            kill_session(process)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def register(self) -> dict[str, Json]:
        """Start the service in register mode and return its tasks by name."""
        attempt = self._attempt("register", None)
        assert attempt.exit_code == 0, attempt.stderr
        return self.tasks

    def run(self, task_name: str, *arguments: Any) -> TaskRun:
        """Run a task with its subtasks and their retries, to the end.

        Raises:
            TimeoutError: the run takes too long.
        """
        if not self.tasks:
            self.register()
        run = self.start(task_name, json.dumps(arguments).encode(), None)
        if not run.ended.wait(DEADLINE_SECONDS):
            raise TimeoutError(f"{task_name} did not end within {DEADLINE_SECONDS} s")
        return run

    def start(self, task_name: str, arguments: bytes, parent: TaskRun | None, key: str = "") -> TaskRun:
        """Queue a run. A second request with the same idempotency key gets the first one's run."""
        if key in self._by_key:
            return self._by_key[key]
        run = TaskRun(f"trn-{next(self._numbers)}", task_name, arguments, parent)
        self.runs.append(run)
        if key:
            self._by_key[key] = run
        thread = threading.Thread(target=self._execute, args=(run,), daemon=True)
        self._threads.append(thread)
        thread.start()
        return run

    def attempts(self) -> list[Attempt]:
        """Return the attempts of all runs."""
        return [attempt for run in self.runs for attempt in run.attempts]

    def shard_runs(self) -> dict[int, TaskRun]:
        """Return the runs of single shards by the shard's number."""
        return {json.loads(run.arguments)[0]: run for run in self.runs if run.task_name == SHARD}

    def _execute(self, run: TaskRun) -> None:
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

    def _attempt(self, mode: str, run: TaskRun | None) -> Attempt:
        """Start the service in one of the SDK's modes, register or run, and wait for its end."""
        attempt = Attempt()
        if run:
            run.attempts.append(attempt)
        path = self._sockets / str(next(self._numbers))
        variables = {"RENDER_SDK_MODE": mode, "RENDER_SDK_SOCKET_PATH": str(path)}
        with _Server(path, self, run, attempt) as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            try:
                self._run_process(attempt, variables)
            finally:
                server.shutdown()
        attempt.seconds = time.monotonic() - attempt.started
        return attempt

    def _run_process(self, attempt: Attempt, variables: Mapping[str, str]) -> None:
        environment = {**self._environment, **variables}
        with self._project.start(*self.command, limit=2 * DEADLINE_SECONDS, **environment) as process:
            self._processes.append(process)
            attempt.pid = process.pid
            if self._closing.is_set():
                kill_session(process)
            try:
                attempt.stdout, attempt.stderr = process.communicate(timeout=DEADLINE_SECONDS)
                attempt.exit_code = process.returncode
            except subprocess.TimeoutExpired:
                kill_session(process)
                attempt.stdout, attempt.stderr = process.communicate(timeout=DEADLINE_SECONDS)

    def answer(self, path: str, body: Json, run: TaskRun | None, attempt: Attempt) -> Json | None:
        """Return the reply to a request of an attempt; None if the protocol has no such request."""
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


@dataclass(frozen=True)
class WholeRun:
    """A run of all shards in which nothing failed.

    Attributes:
        run: the root run.
        render: the stand-in that ran it.
        faults: knows the modules that its processes had loaded.
        api_key: the key in the environment of its processes.
    """

    run: TaskRun
    render: RenderRuntime
    faults: Faults
    api_key: str


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128  # an orchestrator asks for all of its shards at once

    def __init__(self, path: Path, runtime: RenderRuntime, run: TaskRun | None, attempt: Attempt) -> None:
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
        """Print nothing; the standard library would print each request."""
