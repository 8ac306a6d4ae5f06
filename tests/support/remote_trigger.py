"""Runs a project's trigger against an address on this machine, many runs in one process."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE

from support import layout
from support.baked import PROGRAMS, BakedProject
from support.processes import killed_after

RUN_SECONDS = 30
SESSION_SECONDS = 3600

KEY = "rnd_secret"
DEPLOYED = {"WORKFLOW_SLUG": "my-etl", "RENDER_API_KEY": KEY}

# Constants of the command line, short enough for tests.
PATIENT = {"FIRST_RETRY_SECONDS": 0.02, "START_PATIENCE_SECONDS": 1, "POLL_PATIENCE_SECONDS": 0.3}
FAST = {"POLL_SECONDS": 0.02, "REPLY_SECONDS": 0.5, **PATIENT}

SUMMARY = {
    "profiles_generated": 7,
    "records_processed": 9,
    "shards_processed": 2,
    "statistics": {"average": "ä"},
    "duplicate_records": 0,
    "rejected_records": 0,
    "output": {"published": True, "manifest": "manifest.json", "version": "v-1"},
}


@dataclass(frozen=True)
class Done:
    """How a run of the trigger ended.

    Attributes:
        code: exit code.
        out: what it printed on stdout.
        err: what it printed on stderr.
    """

    code: int
    out: str
    err: str


RunTrigger = Callable[..., Done]


@contextmanager
def drive(project: BakedProject) -> Iterator[RunTrigger]:
    """Start `programs/drive_trigger.py` in a project and yield a function that runs the trigger in it."""
    modules = [f"{project.package}.{name}" for name in layout.COMMAND_LINE]
    command = ("python", str(PROGRAMS / "drive_trigger.py"), project.answers["render_package"], *modules)
    with project.start(*command, limit=SESSION_SECONDS, stdin=PIPE, stderr=None, NO_PROXY="*") as driver:
        assert driver.stdin
        assert driver.stdout
        requests, replies = driver.stdin, driver.stdout

        def run_trigger(
            *options: str, url: str, settings: Mapping[str, float] = FAST, **environment: str
        ) -> Done:
            """Run the trigger with options, an address for Render's API, constants, and variables."""
            case = {"options": options, "url": url, "settings": settings, "environment": environment}
            with killed_after(driver, RUN_SECONDS):
                print(json.dumps(case), file=requests, flush=True)
                line = replies.readline()
            assert line, "the driver has ended"
            return Done(*json.loads(line))

        yield run_trigger
        requests.close()
        assert driver.wait(20) == 0
