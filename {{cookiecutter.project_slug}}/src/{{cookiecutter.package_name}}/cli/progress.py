"""The progress bar on a terminal's stderr."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


def progress_bar() -> Progress:
    """Return a bar on stderr that shows nothing where stderr is not a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def bar_state(status: str, shards: list[Any], expected: int) -> dict[str, Any]:
    """Return what the bar shows of a remote run.

    Args:
        status: the run's status.
        shards: the task runs of its shards, as the SDK returns them.
        expected: how many shards the run should have; a service with another SHARD_COUNT may have more.
    """
    states: Counter[str] = Counter()
    for shard in shards:
        state = shard.status.value.replace("completed", "done").replace("succeeded", "done")
        again = state in ("pending", "running") and len(shard.attempts) > 1
        states["retrying" if again else state] += 1
    text = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    description = ": ".join(filter(None, (status, text)))
    return {"description": description, "completed": states["done"], "total": max(expected, len(shards))}
