"""The default project's whole run against two baselines, in one go: `make bench ROWS=1000000`.

- floor: one process parses the four CSV files once with Arrow and does nothing with them;
- records: the shape of a first draft, in which each shard loads all rows as dicts and then keeps its own.

Each run is a fresh process, with two shards at a time. Compare the ratios, not the seconds: machines differ and are
shared.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.baked import BakedProject, bake

PROGRAMS = Path(__file__).parent / "programs"
PARALLEL = 2
LIMIT_SECONDS = 3600  # for one process


@dataclass
class Cost:
    """What a run took.

    Attributes:
        seconds: wall-clock time.
        peak_mb: resident memory of the largest process at its peak, in MB.
    """

    seconds: float
    peak_mb: float


def measure(project: BakedProject, *commands: list[str]) -> Cost:
    """Run commands in a project, two at a time, and watch all their processes.

    Raises:
        SystemExit: a command failed.
    """
    started, peak, waiting = time.perf_counter(), 0, list(commands)
    active: list[Popen[str]] = []
    with ExitStack() as stack:
        while waiting or active:
            while waiting and len(active) < PARALLEL:
                process = project.start(*waiting.pop(0), limit=LIMIT_SECONDS, stdout=DEVNULL, stderr=DEVNULL)
                active.append(stack.enter_context(process))
            for process in active:
                peak = max(peak, _resident(process.pid))
                if process.poll():
                    raise SystemExit(f"exit {process.returncode}: {process.args!r}")
            active = [process for process in active if process.poll() is None]
            time.sleep(0.01)
        return Cost(time.perf_counter() - started, peak / 1e6)


def _resident(pid: int) -> int:
    """Return the largest resident memory among a process and its descendants, in bytes."""
    try:
        root = psutil.Process(pid)
        return max(process.memory_info().rss for process in [root, *root.children(recursive=True)])
    except psutil.Error:  # it has ended meanwhile
        return 0


def main() -> None:
    """Render the default project, generate its data, measure all three, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="customers (default: 100000)")
    parser.add_argument("--shards", type=int, default=10, help="default: 10")
    options = parser.parse_args()
    floor = ["python", str(PROGRAMS / "floor.py")]
    records = ["python", str(PROGRAMS / "records.py")]
    shards = [[*records, str(shard), str(options.shards)] for shard in range(options.shards)]
    with tempfile.TemporaryDirectory() as directory:
        project = bake(Path(directory), {"shard_count": str(options.shards)}, accept_hooks=False)
        project.generate(options.rows)
        size = sum(path.stat().st_size for path in (project.path / "sample_data").iterdir())
        costs = {
            "floor: parse once": measure(project, floor),
            "records, all rows per shard": measure(project, *shards),
            "this template": measure(project, ["python", "trigger.py", "--local"]),
        }
    ours = costs["this template"]
    print(
        f"{options.rows} customers, {size / 1e6:.0f} MB in four files, {options.shards} shards,"
        f" {PARALLEL} at a time"
    )
    print(f"{'':<30}{'seconds':>9}{'ratio':>8}{'peak MB':>9}{'ratio':>8}")
    for name, cost in costs.items():
        ratios = cost.seconds / ours.seconds, cost.peak_mb / ours.peak_mb
        print(f"{name:<30}{cost.seconds:>9.1f}{ratios[0]:>8.2f}{cost.peak_mb:>9.0f}{ratios[1]:>8.2f}")


if __name__ == "__main__":
    main()
