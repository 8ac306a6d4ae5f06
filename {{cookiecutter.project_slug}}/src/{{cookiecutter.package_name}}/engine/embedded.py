"""Runs the service on this machine, without Render, an account or a server.

The orchestrator's task runs in this process. Each attempt of a task that it starts gets a process of its own, as
on Render, so a crash is one failed attempt and harms no other. Arguments and results must pass `payload.py`.
"""

import asyncio
import inspect
import json
import os
import signal
import sys
import uuid
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Literal, ParamSpec, TypeVar

from {{ cookiecutter.render_package }} import Options, Retry, TaskRunMetadata
from {{ cookiecutter.render_package }}.client.errors import TaskRunError
from {{ cookiecutter.render_package }}.workflows import TaskDefinition

from .payload import encode_payload

P = ParamSpec("P")
R = TypeVar("R")
Event = Literal["started", "retrying", "failed", "completed"]
MAX_LOG_LINE_BYTES = 1 << 24


class EmbeddedEngine:
    """A `TaskContext` that runs each attempt of a task in its own process, at most one per core at a time.

    Args:
        options: retries and timeouts by task name. Passed in because the SDK does not expose a task's options.
        on_event: called whenever an attempt starts or ends.
        metadata: ids of the run that this is the context of; those of a new root run by default.
    """

    def __init__(
        self,
        options: Mapping[str, Options],
        on_event: Callable[[Event], None] = lambda event: None,
        metadata: TaskRunMetadata | None = None,
    ) -> None:
        run_id = _new_id()
        self.metadata = metadata or TaskRunMetadata(task_run_id=run_id, root_task_run_id=run_id)
        self._options = options
        self._on_event = on_event
        self._cores = asyncio.Semaphore(_usable_cores())

    async def run_root(self, task: TaskDefinition[Any, Any], **arguments: Any) -> dict[str, Any]:
        """Run a task in this process.

        Raises:
            PayloadError: Render would not accept the arguments or the result.
        """
        arguments = json.loads(encode_payload(f"the arguments of {task.name}", arguments))
        result = task.func(self, **arguments)
        result = await result if inspect.isawaitable(result) else result
        decoded: dict[str, Any] = json.loads(encode_payload(f"the result of {task.name}", result))
        return decoded

    async def run(self, task: TaskDefinition[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a task with the retries of its options. An error that repeats itself ends them early.

        Raises:
            TaskRunError: every attempt failed. As on Render, only the message of the last error is left.
            PayloadError: Render would not accept the arguments.
        """
        if args and kwargs:
            raise TypeError(f"{task.name}: give all arguments by position, or all by name")
        ids = TaskRunMetadata(_new_id(), self.metadata.root_task_run_id, self.metadata.task_run_id)
        call = {"module": task.func.__module__, "function": task.func.__name__, "metadata": asdict(ids)}
        request = encode_payload(f"the arguments of {task.name}", {**call, "args": args, "kwargs": kwargs})
        options = self._options.get(task.name, Options())
        retry = options.retry or Retry(max_retries=0, wait_duration_ms=0)
        places: list[str | None] = [None]
        for attempt in range(retry.max_retries + 1):
            if attempt:
                self._on_event("retrying")
                wait_ms = retry.wait_duration_ms * retry.backoff_scaling ** (attempt - 1)
                await asyncio.sleep(wait_ms / 1000)
            reply = await self._attempt(request, options.timeout_seconds)
            if "result" in reply:
                self._on_event("completed")
                result: R = reply["result"]
                return result
            places.append(reply.get("place"))
            if places[-1] and places[-1] == places[-2]:
                break
        self._on_event("failed")
        raise TaskRunError(f"Subtask failed: {reply['error']}")

    async def _attempt(self, request: str, timeout_seconds: int | None) -> dict[str, Any]:
        async with self._cores:
            self._on_event("started")
            try:
                async with asyncio.timeout(timeout_seconds):
                    return await _run_process(request)
            except TimeoutError:
                return {"error": f"timed out after {timeout_seconds} s"}


async def _run_process(request: str) -> dict[str, Any]:
    """Run `attempt.py` in a process: its stdout is the reply, its stderr is passed on line by line."""
    command = (sys.executable, "-c", f"from {__package__}.attempt import main; main()")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=MAX_LOG_LINE_BYTES
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        process.stdin.write(request.encode() + b"\n")  # stdin stays open: its end would end the attempt
        reply, _ = await asyncio.gather(process.stdout.read(), _forward(process.stderr))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code == 0 and reply:  # a process that dies while it writes leaves half a reply
        decoded: dict[str, Any] = json.loads(reply)
        return decoded
    ending = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code} and no result"
    return {"error": f"the process ended {ending}"}


async def _forward(stream: asyncio.StreamReader) -> None:
    async for line in stream:
        sys.stderr.write(line.decode(errors="replace"))
        sys.stderr.flush()


def _new_id() -> str:
    return f"local-{uuid.uuid4().hex[:12]}"


def _usable_cores() -> int:
    """Count the cores of this process, not of the machine: a container or `taskset` may allow fewer."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
