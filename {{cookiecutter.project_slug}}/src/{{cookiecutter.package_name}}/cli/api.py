"""Render's API, or that of its dev server, through the SDK's client: each failure becomes one clear line."""

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ..errors import RunError, SettingError
from ..settings import read_variable

T = TypeVar("T")

REPLY_SECONDS = 30.0  # the client's own default is to wait forever
FIRST_RETRY_SECONDS = 1.0
START_PATIENCE_SECONDS = 5.0
POLL_PATIENCE_SECONDS = 120.0

# What the SDK understands in RENDER_USE_LOCAL_DEV. It would take any other text for false, and start a real run.
TRUE, FALSE = "1|t|T|true|TRUE|True", "0|f|F|false|FALSE|False"


class Api:
    """The runs of one task.

    Args:
        task: the task's name.

    Raises:
        SettingError: an environment variable is missing or cannot be used.
    """

    def __init__(self, task: str) -> None:
        self._local_dev = _wants_dev_server()
        slug = os.environ.get("WORKFLOW_SLUG") or "local" if self._local_dev else _required("WORKFLOW_SLUG")
        self._task, self._key = f"{slug}/{task}", "" if self._local_dev else _required("RENDER_API_KEY")
        # Imported late: it takes a second, which a local run should not wait for.
        from {{ cookiecutter.render_package }} import Render

        render = Render(token=self._key)
        self._runs, self._client = render.workflows, render.client.internal
        self._name = f"the dev server at {render.client.base_url}" if self._local_dev else "Render's API"
        self._replies: list[Any] = []  # of the latest request, because the SDK's errors lack the status
        http = self._client.get_httpx_client()
        http.timeout, http.event_hooks = REPLY_SECONDS, {"response": [self._replies.append]}

    def start(self, shards: list[int] | None, idempotency_key: str) -> str:
        """Start a run of these shards, or of all, and return its id."""
        arguments = {} if shards is None else {"shards": shards}
        request = partial(self._runs.start_task, self._task, arguments, idempotency_key=idempotency_key)
        patience = START_PATIENCE_SECONDS
        hint = f"; --idempotency-key {idempotency_key} tries again without a second run"
        if self._local_dev:  # it ignores the key, and would start a second run
            patience, hint = 0, ""
        unknown = f"there is no task {self._task}; is WORKFLOW_SLUG right, and the service deployed?"
        return self._request(request, patience, unknown, hint).id

    def get(self, run_id: str, seconds: float) -> Any:
        """Return a run as the SDK describes it; keep trying for at most so many seconds."""
        patience, hint = min(POLL_PATIENCE_SECONDS, seconds), f"; run {run_id} goes on"
        request, unknown = partial(self._runs.get_task_run, run_id), f"run {run_id} is not known any more"
        return self._request(request, patience, unknown, hint)

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self._request(partial(self._runs.cancel_task_run, run_id), 0, "it is gone", "")

    def shards(self, run_id: str) -> list[Any]:
        """Return the runs of a run's shards so far; none if they cannot be listed, since they are only shown."""
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
        """Make a request, and repeat it while its failure may be temporary and patience lasts."""
        from {{ cookiecutter.render_package }}.client.errors import RenderError

        pause, give_up = FIRST_RETRY_SECONDS, time.monotonic() + patience
        while True:
            self._replies.clear()
            try:
                return request()
            except RenderError as error:
                status = self._replies[0].status_code if self._replies else 0
                if 400 <= status < 500 and status != 429:
                    raise RunError(unknown if status == 404 else self._explain(status, error)) from None
                if time.monotonic() + pause > give_up:
                    raise RunError(self._explain(status, error) + hint) from None
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
    switch = read_variable("RENDER_USE_LOCAL_DEV", "false", f"{TRUE}|{FALSE}", "true or false")
    return switch in TRUE.split("|") or bool(os.environ.get("RENDER_LOCAL_DEV_URL"))


def _required(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        others = "without it, use --local, or `make dev` and RENDER_USE_LOCAL_DEV=true"
        raise SettingError(f"{name} is not set, and a run on Render needs it; {others}")
    if not re.fullmatch("[!-~]+", value):  # the client would refuse it with a message that holds the key
        raise SettingError(f"{name} contains a blank or a character that is not ASCII")
    return value
