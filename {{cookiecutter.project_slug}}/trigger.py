"""Start a run and print its summary.

    python trigger.py --local               on this machine, without a server
    python trigger.py --local --json        the summary as one JSON document on stdout, all else on stderr
    python trigger.py --local --shards 3,7  only these shards

Exit code 0 means that the run completed and its output, if it was a whole run, is published.
"""

import argparse
import asyncio
import json
import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from {{ cookiecutter.package_name }} import orchestrator, worker
from {{ cookiecutter.package_name }}.boundary import BoundaryError
from {{ cookiecutter.package_name }}.engine import EmbeddedEngine, Event
from {{ cookiecutter.package_name }}.settings import InputError, Settings


def main() -> int:
    """Run the command line; the exit code is 0 only when the run completed."""
    arguments = _parse_arguments()
    started = time.perf_counter()
    try:
        summary = asyncio.run(_run_locally(_shard_ids(arguments.shards)))
    except (InputError, BoundaryError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; nothing was published", file=sys.stderr)
        return 130
    if arguments.json:
        print(json.dumps(summary, ensure_ascii=False, indent=2))
    else:
        _print_summary(summary, time.perf_counter() - started)
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start a run and print its summary.")
    parser.add_argument("--local", action="store_true", required=True, help="run on this machine")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--shards", metavar="3,7", help="run only these shards")
    return parser.parse_args()


def _shard_ids(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise InputError(f"--shards takes numbers with commas between, such as 3,7; not {text!r}") from None


async def _run_locally(shards: list[int] | None) -> dict[str, Any]:
    shard_count = Settings.from_env().shard_count if shards is None else len(set(shards))
    with _progress() as progress:
        bar = progress.add_task("shards", total=shard_count)

        def show(event: Event) -> None:
            if event == "retrying":
                progress.console.print("a shard failed and runs again", style="yellow")
            elif event != "started":
                progress.advance(bar)

        engine = EmbeddedEngine({worker.process_shard.name: worker.OPTIONS}, show)
        return await engine.run_root(orchestrator.merge_{{ cookiecutter.__entity }}_data, shards=shards)


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
