"""Start a run and print its summary.

python trigger.py --local                                 on this machine, without a server
RENDER_USE_LOCAL_DEV=true python trigger.py               on the dev server that `make dev` starts
WORKFLOW_SLUG=... RENDER_API_KEY=... python trigger.py    on Render
"""

import argparse
import asyncio
import json
import math
import sys
import time
from typing import Any

from .. import orchestrator, worker
from ..engine.embedded import EmbeddedEngine, Event
from ..errors import EtlError, RunError, SettingError
from ..settings import Settings
from .debug import debug_shard
from .interrupts import end_on_interrupt, raise_on_interrupt
from .progress import progress_bar
from .remote import run_remotely
from .report import print_summary

TASK = orchestrator.merge_{{ cookiecutter.__entity }}_data
EXIT_CODES = """\
Exit code 0: the run completed, or with --no-wait it started. 1: it failed. 2: wrong usage. 130: Ctrl-C."""


def main() -> int:
    """Run the command line and return its exit code. With --debug, errors are raised."""
    try:
        arguments = _parse_arguments()
        if arguments.debug is None or not arguments.local:
            _run(arguments)
            return 0
    except EtlError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"error: interrupted; {str(interrupt) or 'the run was stopped'}", file=sys.stderr)
        return 130
    debug_shard(arguments.debug)
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start a run and print its summary.", epilog=EXIT_CODES)
    parser.add_argument("--local", action="store_true", help="run on this machine, without a server")
    debug = "with --local: run only this shard (by default 0) in this process, and raise its errors"
    parser.add_argument("--debug", metavar="SHARD", type=int, nargs="?", const=0, help=debug)
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON document")
    parser.add_argument("--shards", metavar="3,7", help="run only these shards")
    parser.add_argument("--no-wait", action="store_true", help="print the run's id and do not wait for it")
    parser.add_argument("--timeout", metavar="SECONDS", type=float, default=math.inf, help="wait no longer")
    parser.add_argument("--idempotency-key", metavar="KEY", help="start at most one run per key in 24 hours")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    started = time.perf_counter()
    shards = _shard_ids(arguments.shards)
    if not arguments.timeout > 0:
        raise SettingError("--timeout takes a number of seconds above 0")
    if arguments.debug is not None:
        raise SettingError("--debug goes with --local only")
    if not arguments.local:
        key, wait = arguments.idempotency_key, not arguments.no_wait
        summary = run_remotely(TASK.name, shards, arguments.timeout, wait, key)
    elif arguments.no_wait or arguments.idempotency_key:
        raise SettingError("--no-wait and --idempotency-key do not go with --local")
    else:
        end_on_interrupt()
        with asyncio.Runner() as runner:
            runner.get_loop()  # a KeyboardInterrupt in the middle of this would leave a broken loop behind
            raise_on_interrupt()
            summary = runner.run(_run_locally(shards, arguments.timeout))
    if arguments.json:
        print(json.dumps(summary, ensure_ascii=False, indent=2))
    elif arguments.no_wait:
        print(summary["run_id"])
    else:
        output_uri = Settings.from_env().output_uri if arguments.local else None
        print_summary(summary, time.perf_counter() - started, output_uri)


def _shard_ids(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise SettingError(f"--shards takes numbers separated by commas, such as 3,7; not {text!r}") from None


async def _run_locally(shards: list[int] | None, timeout: float) -> dict[str, Any]:
    shard_count = Settings.from_env().shard_count if shards is None else len(set(shards))
    with progress_bar() as progress:
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
            raise RunError(f"no result within {timeout:g} s; the run was stopped") from None
