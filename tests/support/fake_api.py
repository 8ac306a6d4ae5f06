"""A stand-in for Render's API for task runs, on the loopback interface, which gives the replies of a test."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.processes import wait_until

RUN_ID = "trn-fake0"
NOW = "2026-11-21T08:00:00.000000001Z"


@dataclass(frozen=True)
class Reply:
    """One reply to a request.

    Attributes:
        status: HTTP status.
        body: is sent as JSON; None sends an empty body.
        delay: seconds to wait before the reply.
        drop: close the connection instead of replying.
    """

    status: int = 200
    body: Any = None
    delay: float = 0
    drop: bool = False


@dataclass(frozen=True)
class Request:
    """One request as it arrived.

    Attributes:
        method: HTTP method.
        path: path without the query.
        query: the query's values by name.
        authorization: that header; None if there was none.
        content_type: that header; None if there was none.
        body: decoded JSON; None if the body was empty.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    authorization: str | None
    content_type: str | None
    body: Any


@dataclass
class FakeApi:
    """The replies to give and the requests that came.

    Replies are given in the order of their list; the last one repeats.

    Attributes:
        start: replies to requests that start a run.
        poll: replies to requests for the run.
        listing: replies to requests for a list of runs.
        cancel: replies to requests that cancel the run.
        requests: all requests so far.
        url: address of the server, while `serve` runs it.
    """

    start: list[Reply] = field(default_factory=list)
    poll: list[Reply] = field(default_factory=list)
    listing: list[Reply] = field(default_factory=list)
    cancel: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def sent(self, method: str) -> list[Request]:
        """Return the requests with a method; of the GETs, only those for the run itself."""
        return [
            request
            for request in self.requests
            if request.method == method and (method != "GET" or request.path.endswith(RUN_ID))
        ]

    def wait_for(self, method: str) -> None:
        """Return as soon as `sent` has a request with this method."""
        wait_until(lambda: bool(self.sent(method)), f"a {method}")

    def reply_to(self, request: Request) -> Reply:
        """Return the next reply; a path that the real API does not have gets a status that no client expects."""
        kinds = {
            ("POST", "/v1/task-runs"): self.start,
            ("GET", f"/v1/task-runs/{RUN_ID}"): self.poll,
            ("GET", "/v1/task-runs"): self.listing,
            ("DELETE", f"/v1/task-runs/{RUN_ID}"): self.cancel,
        }
        replies = kinds.get((request.method, request.path))
        if not replies:
            return Reply(418, {"message": f"unexpected {request.method} {request.path}"})
        return replies.pop(0) if len(replies) > 1 else replies[0]


def task_run(status: str = "running", **fields: Any) -> dict[str, Any]:
    """Return a task run as the API has it, with the keys that lists and single runs share."""
    times = {} if status == "pending" else {"startedAt": NOW}
    return {
        "id": RUN_ID,
        "taskId": "tsk-fake",
        "status": status,
        "parentTaskRunId": "",
        "rootTaskRunId": RUN_ID,
        "retries": 0,
        "attempts": [attempt(status)],
        **times,
        **fields,
    }


def attempt(status: str) -> dict[str, Any]:
    """Return an attempt as the API has it."""
    return {"attempt": 0, "status": status, "startedAt": NOW}


def started() -> Reply:
    """Return the reply to the start of a run."""
    return Reply(202, task_run("pending"))


def polled(status: str, results: Any = None, **fields: Any) -> Reply:
    """Return the reply with a single run; as on the real servers `results` is null until there are some."""
    return Reply(200, task_run(status, input={}, results=results, **fields))


def listed(*children: tuple[str, int], root: str = RUN_ID) -> Reply:
    """Return the reply with the list of a root run and its children.

    Args:
        *children: status and number of attempts of each child.
        root: id of the root run.
    """
    runs = [task_run(id=root, rootTaskRunId=root)]
    for number, (status, attempts) in enumerate(children):
        ids = {"id": f"{root}-{number}", "parentTaskRunId": root, "rootTaskRunId": root}
        runs.append(task_run(status, **ids, attempts=[attempt(status)] * attempts))
    return Reply(200, [{"taskRun": each, "cursor": each["id"]} for each in runs])


def refused(status: int, message: str = "no") -> Reply:
    """Return an error as the API words it."""
    return Reply(status, {"id": "req-1", "message": message})


@contextmanager
def serve(api: FakeApi) -> Iterator[FakeApi]:
    """Answer requests on a free port of 127.0.0.1 until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(
                self.command,
                parts.path,
                parse_qs(parts.query),
                self.headers.get("Authorization"),
                self.headers.get("Content-Type"),
                json.loads(content) if content else None,
            )
            api.requests.append(request)
            reply = api.reply_to(request)
            time.sleep(reply.delay)
            if reply.drop:
                self.close_connection = True
                return
            body = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            """Print nothing; the standard library would print each request."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Print nothing about a client that has gone; an interrupted trigger does not wait for its reply."""
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join(10)
