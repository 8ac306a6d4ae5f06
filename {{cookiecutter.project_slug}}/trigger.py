"""Start a run and print its summary.

    python trigger.py --local                                  on this machine, without a server
    RENDER_USE_LOCAL_DEV=true python trigger.py                on the dev server that `make dev` starts
    WORKFLOW_SLUG=... RENDER_API_KEY=... python trigger.py     on Render

With --json stdout holds the summary as one JSON document; `--shards 3,7` runs only those; --help lists the rest.
Exit code 0 means that the run completed and its output, if it was a whole run, is published; with --no-wait,
that it started. 1 stands for a failure, 130 for Ctrl-C.
"""

import argparse
import asyncio
import json
import math
import os
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from {{ cookiecutter.package_name }} import orchestrator, worker
from {{ cookiecutter.package_name }}.boundary import BoundaryError
from {{ cookiecutter.package_name }}.engine import EmbeddedEngine, Event
from {{ cookiecutter.package_name }}.settings import InputError, Settings

T = TypeVar("T")
TASK = orchestrator.merge_{{ cookiecutter.__entity }}_data

POLL_SECONDS = 1.0  # at first; five times that in the end, for Render limits the rate
ANSWER_SECONDS = 30.0  # the client's own default is to wait forever
FIRST_RETRY_SECONDS = 1.0
START_PATIENCE_SECONDS = 5.0
POLL_PATIENCE_SECONDS = 120.0

# As the SDK reads RENDER_USE_LOCAL_DEV; any other text would start a run on Render, whatever it meant.
TRUE, FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("", "0", "f", "F", "false", "FALSE", "False")


def main() -> int:
    """Run the command line; the exit code is 0 only when the run completed."""
    arguments = _parse_arguments()
    try:
        _run(arguments)
    except (InputError, BoundaryError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"error: interrupted; {str(interrupt) or 'nothing was published'}", file=sys.stderr)
        return 130
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start a run and print its summary.")
    parser.add_argument("--local", action="store_true", help="run on this machine, without a server")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--shards", metavar="3,7", help="run only these shards")
    parser.add_argument("--no-wait", action="store_true", help="print the run's id and do not wait")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=math.inf, help="wait no longer")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key starts only one run a day")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    started = time.perf_counter()
    shards = _shard_ids(arguments.shards)
    if not arguments.timeout > 0:
        raise InputError("--timeout takes a number of seconds above 0")
    if not arguments.local:
        summary = _run_remotely(arguments, shards)
    elif arguments.no_wait or arguments.idempotency_key:
        raise InputError("--no-wait and --idempotency-key do not go with --local")
    else:
        summary = asyncio.run(_run_locally(shards, arguments.timeout))
    if arguments.json:
        print(json.dumps(summary, ensure_ascii=False, indent=2))
    elif arguments.no_wait:
        print(summary["run_id"])
    else:
        _print_summary(summary, time.perf_counter() - started)


def _shard_ids(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f"--shards takes numbers with commas between, such as 3,7; not {text!r}") from None


async def _run_locally(shards: list[int] | None, timeout: float) -> dict[str, Any]:
    shard_count = Settings.from_env().shard_count if shards is None else len(set(shards))
    with _progress() as progress:
        bar = progress.add_task("shards", total=shard_count)

        def show(event: Event) -> None:
            if event == "retrying":
                progress.console.print("a shard failed and runs again", style="yellow")
            elif event != "started":
                progress.advance(bar)

        engine = EmbeddedEngine({worker.process_shard.name: worker.OPTIONS}, show)
        try:
            return await asyncio.wait_for(engine.run_root(TASK, shards=shards), timeout)
        except TimeoutError:
            raise RuntimeError(f"no result within {timeout:g} s; the run was stopped") from None


def _run_remotely(arguments: argparse.Namespace, shards: list[int] | None) -> dict[str, Any]:
    """Start a run on Render or the dev server and return its summary, or its id with --no-wait."""
    give_up = time.monotonic() + arguments.timeout
    remote, run_id = Remote(), ""
    try:
        run_id = remote.start(shards, _idempotency_key(arguments))
        if arguments.no_wait:
            return {"run_id": run_id}
        print(f"started {run_id}", file=sys.stderr)
        return remote.wait(run_id, give_up)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(remote.leave(run_id) if run_id else "a run may have started") from None


def _idempotency_key(arguments: argparse.Namespace) -> str:
    """The key under which a repeated request starts no second run: one for this call, or the given one."""
    return arguments.idempotency_key or str(uuid.uuid4())


class Remote:
    """The runs of a deployed service or of a dev server; every failure is an error that says what to do."""

    def __init__(self) -> None:
        self._local_dev = _wants_dev_server()
        self._task = f"{_variable('WORKFLOW_SLUG', self._local_dev) or 'local'}/{TASK.name}"
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
        with _progress() as progress:
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


def _progress() -> Progress:
    """A bar on stderr, or nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print_summary(summary: dict[str, Any], seconds: float) -> None:
    output = summary["output"]
    for name, value in summary["statistics"].items():
        print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    print(f"records: {summary['records_processed']}", end="")
    print(f", duplicates: {summary['duplicate_records']}, rejected: {summary['rejected_records']}")
    if output["published"]:
        print(f"published: {output['manifest']}, version {output['version']}")
    else:
        print(f"not published: version {output['version']} still lacks shards")
    count, shards = summary["profiles_generated"], summary["shards_processed"]
    print(f"Merged {count} enriched profiles across {shards} shards in {seconds:.1f}s")


if __name__ == "__main__":
    sys.exit(main())
