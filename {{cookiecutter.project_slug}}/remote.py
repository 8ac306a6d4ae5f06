"""Runs on Render or on its local dev server: start one, follow it, leave it. The trigger's other half."""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from {{ cookiecutter.package_name }}.settings import InputError

T = TypeVar("T")

POLL_SECONDS = 1.0  # at first; five times that in the end, for Render limits the rate
ANSWER_SECONDS = 30.0  # the client's own default is to wait forever
FIRST_RETRY_SECONDS = 1.0
START_PATIENCE_SECONDS = 5.0
POLL_PATIENCE_SECONDS = 120.0

# As the SDK reads RENDER_USE_LOCAL_DEV; any other text would start a run on Render, whatever it meant.
TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("", "0", "f", "F", "false", "FALSE", "False")


def progress_bar() -> Progress:
    """A bar on stderr, or nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class Remote:
    """The runs of a deployed service or of a dev server; every failure is an error that says what to do."""

    def __init__(self, task: str) -> None:
        self._local_dev = _wants_dev_server()
        self._task = f"{_variable('WORKFLOW_SLUG', self._local_dev) or 'local'}/{task}"
        self._key = "" if self._local_dev else _variable("RENDER_API_KEY")
        # Late, because this takes a second, which no local run should wait for.
        from {{ cookiecutter.render_package }} import Render

        render = Render(token=self._key)
        self._runs, self._client = render.workflows, render.client.internal
        self._name = f"the dev server at {render.client.base_url}" if self._local_dev else "Render's API"
        self._replies: list[Any] = []  # of the latest request, for the SDK's errors do not tell the status
        http = self._client.get_httpx_client()
        http.timeout, http.event_hooks = ANSWER_SECONDS, {"response": [self._replies.append]}

    def start(self, shards: list[int] | None, key: str) -> str:
        """Start a run and return its id."""
        arguments = {} if shards is None else {"shards": shards}
        request = partial(self._runs.start_task, self._task, arguments, idempotency_key=key)
        patience, hint = START_PATIENCE_SECONDS, f"; --idempotency-key {key} tries again without a second run"
        if self._local_dev:  # which would start a second run
            patience, hint = 0, ""
        unknown = f"there is no task {self._task}; is WORKFLOW_SLUG right, and the service deployed?"
        return self._request(request, patience, unknown, hint).id

    def wait(self, run_id: str, give_up: float) -> dict[str, Any]:
        """Poll until the run has ended, and return its summary."""
        request = partial(self._runs.get_task_run, run_id)
        unknown, hint = f"run {run_id} is not known any more", f"; run {run_id} goes on"
        pause = POLL_SECONDS
        with progress_bar() as progress:
            bar = progress.add_task("starting", total=None)
            while True:
                left = give_up - time.monotonic()
                run = self._request(request, min(POLL_PATIENCE_SECONDS, left), unknown, hint)
                if run.status in ("completed", "succeeded", "failed", "canceled"):
                    return _result(run)
                if left <= 0:
                    raise RuntimeError(f"no result within the time of --timeout{hint}")
                if not progress.disable:
                    progress.update(bar, **_picture(run.status.value, self._shards(run_id)))
                time.sleep(min(pause, left))
                pause = min(pause * 1.1, POLL_SECONDS * 5)

    def leave(self, run_id: str) -> str:
        """Cancel the run if somebody at a terminal wants that; returns what becomes of it."""
        try:
            if sys.stdin.isatty():
                print(f"\ncancel run {run_id}? [y/N] ", end="", file=sys.stderr, flush=True)
                if sys.stdin.readline().strip().lower() in ("y", "yes"):
                    self._request(partial(self._runs.cancel_task_run, run_id), 0, "it is gone", "")
                    return f"run {run_id} is canceled"
        except RuntimeError as error:
            return f"run {run_id} could not be canceled: {error}"
        except KeyboardInterrupt:
            pass
        return f"run {run_id} goes on"

    def _shards(self, run_id: str) -> list[Any]:
        """The runs of the shards so far; none if they cannot be listed, for they are only shown."""
        from {{ cookiecutter.render_package }}.public_api.api.workflow_tasks import list_task_runs

        runs: dict[str, Any] = {}
        more: dict[str, Any] = {}
        page: Any
        with suppress(Exception):
            while True:
                page = list_task_runs.sync(client=self._client, root_task_run_id=[run_id], limit=100, **more)
                known = len(runs)
                runs |= {item.task_run.id: item.task_run for item in page}
                more = {"cursor": page[-1].cursor}
                if len(page) < 100 or len(runs) == known:
                    break
        # The dev server lists the runs of every root.
        return [run for run in runs.values() if run.parent_task_run_id == run_id]

    def _request(self, request: Callable[[], T], patience: float, unknown: str, hint: str) -> T:
        """Make a request, again with growing pauses while its failure may pass and patience lasts."""
        from {{ cookiecutter.render_package }}.client.errors import RenderError

        pause, give_up = FIRST_RETRY_SECONDS, time.monotonic() + patience
        while True:
            self._replies.clear()
            try:
                return request()
            except RenderError as error:
                status = self._replies[0].status_code if self._replies else 0
                if 400 <= status < 500 and status != 429:
                    raise RuntimeError(unknown if status == 404 else self._explain(status, error)) from None
                if time.monotonic() + pause > give_up:
                    raise RuntimeError(self._explain(status, error) + hint) from None
            time.sleep(pause)
            pause = min(pause * 2, 20)

    def _explain(self, status: int, error: Exception) -> str:
        texts = {
            0: f"{self._name} cannot be reached" + "; is `make dev` running?" * self._local_dev,
            401: "the key in RENDER_API_KEY is refused",
            403: "the key in RENDER_API_KEY is refused",
            429: "the rate limit of Render's API is reached; wait a minute",
        }
        text = texts.get(status, f"{self._name} answers with status {status}")
        return f"{text} ({' '.join(str(error).split())[:300]})".replace(self._key or "\0", "***")


def _wants_dev_server() -> bool:
    switch = os.environ.get("RENDER_USE_LOCAL_DEV", "")
    if switch not in TRUE + FALSE:
        raise InputError(f"RENDER_USE_LOCAL_DEV must be true or false, not {switch!r}")
    return switch in TRUE or bool(os.environ.get("RENDER_LOCAL_DEV_URL"))


def _variable(name: str, optional: bool = False) -> str:
    value = os.environ.get(name, "").strip()
    if not (value or optional):
        others = "--local and, with `make dev`, RENDER_USE_LOCAL_DEV=true do without"
        raise InputError(f"{name} is not set, and a run on Render needs it; {others}")
    if not re.fullmatch("[!-~]*", value):  # which the client would refuse with a text that holds the key
        raise InputError(f"{name} holds a blank or a character that is not ASCII")
    return value


def _picture(status: str, shards: list[Any]) -> dict[str, Any]:
    """What the bar shows of a run and its shards."""
    states: Counter[str] = Counter()
    for shard in shards:
        state = shard.status.value.replace("completed", "done").replace("succeeded", "done")
        again = state in ("pending", "running") and len(shard.attempts) > 1
        states["retrying" if again else state] += 1
    text = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    status = ": ".join(filter(None, (status, text)))
    return {"description": status, "completed": states["done"], "total": len(shards) or None}


def _result(run: Any) -> dict[str, Any]:
    """The summary of a run that has ended."""
    if run.status in ("failed", "canceled"):
        cause = run.error or "no cause given; see its page in Render's dashboard, or the dev server's output"
        raise RuntimeError(f"run {run.id} {'failed' if run.status == 'failed' else 'was canceled'}: {cause}")
    if not (run.results and isinstance(run.results[0], dict)):
        raise RuntimeError(f"run {run.id} completed, but its result is no summary")
    summary: dict[str, Any] = run.results[0]
    return summary
