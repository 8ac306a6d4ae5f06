"""Render's API, or that of its dev server, through the SDK's client: each failure becomes one clear line."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ..errors import RunError
from .environment import required, wants_dev_server
from .interrupts import end_on_interrupt, raise_on_interrupt

T = TypeVar("T")

REPLY_SECONDS = 30.0  # the client's own default is to wait forever
FIRST_RETRY_SECONDS = 1.0
START_PATIENCE_SECONDS = 5.0
POLL_PATIENCE_SECONDS = 120.0
IN_MEMORY = "the server keeps runs only in its memory"
OLD_CLI = "its answer lacks something that Render's SDK needs; Render's CLI must be 2.23 or newer"


class Api:
    """The runs of one task.

    Attributes:
        is_dev_server: whether this is Render's dev server. It keeps runs in memory and ignores idempotency keys.

    Args:
        task: the task's name.

    Raises:
        SettingError: an environment variable is missing or cannot be used.
    """

    def __init__(self, task: str) -> None:
        local = self.is_dev_server = wants_dev_server()
        slug = os.environ.get("WORKFLOW_SLUG") or "local" if local else required("WORKFLOW_SLUG")
        self._task, self._key = f"{slug}/{task}", "" if local else required("RENDER_API_KEY")
        end_on_interrupt()
        try:  # imported late: it takes a second, which a local run should not wait for
            from {{ cookiecutter.render_package }} import Render
        finally:
            raise_on_interrupt()
        render = Render(token=self._key)
        self._runs, self._client = render.workflows, render.client.internal
        self._name = f"the dev server at {render.client.base_url}" if self.is_dev_server else "Render's API"
        self._replies: list[Any] = []  # of the latest request, because the SDK's errors lack the status
        http = self._client.get_httpx_client()
        http.timeout, http.event_hooks = REPLY_SECONDS, {"response": [self._replies.append]}

    def start(self, shards: list[int] | None, idempotency_key: str) -> str:
        """Start a run of these shards, or of all, and return its id."""
        arguments = {} if shards is None else {"shards": shards}
        request = partial(self._runs.start_task, self._task, arguments, idempotency_key=idempotency_key)
        patience = START_PATIENCE_SECONDS
        hint = f"; --idempotency-key {idempotency_key} tries again without a second run"
        if self.is_dev_server:  # it ignores the key, and would start a second run
            patience, hint = 0, ""
        unknown = f"there is no task {self._task}; is WORKFLOW_SLUG right, and the service deployed?"
        return self._request(request, patience, unknown, hint).id

    def get(self, run_id: str, seconds: float) -> Any:
        """Return a run as the SDK describes it; keep trying for at most so many seconds."""
        patience, hint = min(POLL_PATIENCE_SECONDS, seconds), f"; run {run_id} goes on"
        request, unknown = partial(self._runs.get_task_run, run_id), f"run {run_id} is not known any more"
        if self.is_dev_server:
            hint += ", unless the server ends"
            unknown = f"{self._name} has been started again, and run {run_id} is lost: {IN_MEMORY}"
        return self._request(request, patience, unknown, hint, run_id)

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

    def _request(
        self, request: Callable[[], T], patience: float, unknown: str, hint: str, run_id: str = ""
    ) -> T:
        """Make a request, and repeat it while its failure may be temporary and patience lasts.

        Args:
            request: makes the request.
            patience: seconds to go on after the first failure.
            unknown: what a 404 means.
            hint: what to add when patience is at its end.
            run_id: the run that a dev server takes along when it ends.
        """
        from {{ cookiecutter.render_package }}.client.errors import RenderError

        pause, give_up, refusals = FIRST_RETRY_SECONDS, time.monotonic() + patience, 0
        while True:
            self._replies.clear()
            try:
                return request()
            except RenderError as error:
                status = self._replies[0].status_code if self._replies else 0
                if 400 <= status < 500 and status != 429:
                    raise RunError(unknown if status == 404 else self._explain(status, error)) from None
                if self.is_dev_server and isinstance(error.__cause__, KeyError):
                    raise RunError(f"{self._name}: {OLD_CLI} ({error})") from None
                refusals += self.is_dev_server and _nothing_listens(error)
                if run_id and refusals > 1:  # not at the first: a busy system may refuse one connection
                    raise RunError(f"{self._name} has ended, and run {run_id} is lost: {IN_MEMORY}") from None
                if time.monotonic() + pause > give_up:
                    raise RunError(self._explain(status, error) + hint) from None
            time.sleep(pause)
            pause = min(pause * 2, 20)

    def _explain(self, status: int, error: Exception) -> str:
        texts = {
            0: f"{self._name} cannot be reached" + "; is `make dev` running?" * self.is_dev_server,
            401: "the key in RENDER_API_KEY is refused",
            403: "the key in RENDER_API_KEY is refused",
            429: "the rate limit of Render's API is reached; wait a minute",
        }
        text = texts.get(status, f"{self._name} answers with status {status}")
        return f"{text} ({' '.join(str(error).split())[:300]})".replace(self._key or "\0", "***")


def _nothing_listens(error: BaseException | None) -> bool:
    """Return whether a connection was refused, which is how a server that has ended answers."""
    while error and not isinstance(error, ConnectionRefusedError):
        error = error.__cause__ or error.__context__
    return error is not None
