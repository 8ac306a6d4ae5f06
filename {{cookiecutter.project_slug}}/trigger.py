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
import sys
import time
import uuid
from typing import Any

from {{ cookiecutter.package_name }} import orchestrator, worker
from {{ cookiecutter.package_name }}.boundary import BoundaryError
from {{ cookiecutter.package_name }}.engine import EmbeddedEngine, Event
from {{ cookiecutter.package_name }}.settings import InputError, Settings

from remote import Remote, progress_bar

TASK = orchestrator.merge_{{ cookiecutter.__entity }}_data


def main() -> int:
    """Run the command line; the exit code is 0 only when the run completed."""
    arguments = _parse_arguments()
    try:
        _run(arguments)
    except (InputError, BoundaryError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"error: interrupted; {str(interrupt) or 'the run was stopped'}", file=sys.stderr)
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
            raise RuntimeError(f"no result within {timeout:g} s; the run was stopped") from None


def _run_remotely(arguments: argparse.Namespace, shards: list[int] | None) -> dict[str, Any]:
    """Start a run on Render or the dev server and return its summary, or its id with --no-wait."""
    give_up = time.monotonic() + arguments.timeout
    remote, run_id = Remote(TASK.name), ""
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
