"""A run on Render or on its local dev server: start it, follow it, and leave it on Ctrl-C."""

import sys
import time
import uuid
from contextlib import suppress
from typing import Any

from ..errors import RunError, SettingError
from ..settings import Settings
from .api import Api
from .progress import bar_state, progress_bar

POLL_SECONDS = 1.0  # initial interval; grows to five times this, because Render limits the rate


def run_remotely(
    task: str, shards: list[int] | None, timeout: float, wait: bool, idempotency_key: str | None
) -> dict[str, Any]:
    """Start a run, and follow it to its end.

    Args:
        task: name of the orchestrator's task.
        shards: the shards to run, or None for all.
        timeout: seconds to wait for the run.
        wait: whether to wait at all.
        idempotency_key: the same key starts only one run; a new one by default.

    Returns:
        The run's summary, or only its `run_id` without `wait`.

    Raises:
        SettingError: an environment variable is missing or cannot be used.
        RunError: the run could not be started or followed, or it failed.
        KeyboardInterrupt: with a message that says what becomes of the run.
    """
    give_up = time.monotonic() + timeout
    run_id, fate = "", "no run was started"
    try:
        api = Api(task)
        if idempotency_key and api.is_dev_server:
            warning = "the dev server ignores --idempotency-key; each call starts a run of its own"
            print(f"warning: {warning}", file=sys.stderr)
        fate = "a run may have started"
        run_id = api.start(shards, idempotency_key or str(uuid.uuid4()))
        if not wait:
            return {"run_id": run_id}
        print(f"started {run_id}", file=sys.stderr)
        return _follow(api, run_id, _expected_shards(shards), give_up)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_leave(api, run_id) if run_id else fate) from None


def _expected_shards(shards: list[int] | None) -> int:
    """Return how many shards a run should have, if the service is configured as this process is."""
    if shards is not None:
        return len(set(shards))
    with suppress(SettingError):  # the service checks its own variables
        return Settings.from_env().shard_count
    return Settings.shard_count


def _follow(api: Api, run_id: str, expected: int, give_up: float) -> dict[str, Any]:
    pause = POLL_SECONDS
    with progress_bar() as progress:
        bar = progress.add_task("starting", total=expected)
        while True:
            left = give_up - time.monotonic()
            run = api.get(run_id, left)
            if run.status in ("completed", "succeeded", "failed", "canceled"):
                return _result(run)
            if left <= 0:
                raise RunError(f"no result within the time of --timeout; run {run_id} goes on")
            if not progress.disable:
                progress.update(bar, **bar_state(run.status.value, api.shards(run_id), expected))
            time.sleep(min(pause, left))
            pause = min(pause * 1.1, POLL_SECONDS * 5)


def _result(run: Any) -> dict[str, Any]:
    if run.status in ("failed", "canceled"):
        cause = run.error or "no cause given; see its page in Render's dashboard, or the dev server's output"
        raise RunError(f"run {run.id} {'failed' if run.status == 'failed' else 'was canceled'}: {cause}")
    if not (run.results and isinstance(run.results[0], dict)):
        raise RunError(f"run {run.id} completed, but its result is not a summary")
    summary: dict[str, Any] = run.results[0]
    return summary


def _leave(api: Api, run_id: str) -> str:
    """Cancel the run if the person at the terminal wants that; return what becomes of it."""
    try:
        if sys.stdin.isatty():
            print(f"\ncancel run {run_id}? [y/N] ", end="", file=sys.stderr, flush=True)
            if sys.stdin.readline().strip().lower() in ("y", "yes"):
                api.cancel(run_id)
                return f"run {run_id} is canceled"
    except RunError as error:
        return f"run {run_id} could not be canceled: {error}"
    except KeyboardInterrupt:
        pass
    return f"run {run_id} goes on"
