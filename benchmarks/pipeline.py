"""The default project's whole run against two baselines, in one go: `make bench ROWS=1000000`.

- floor: one process parses the four CSV files once with Arrow and does nothing with them;
- records: the shape of a first draft: each shard loads all rows as dicts and then keeps its own.

Each run is a fresh process with two shards at a time. Read the ratios, not the seconds: machines differ and are
shared.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from baked import BakedProject, bake, project_environment

FLOOR = """
import sys
from pathlib import Path
from pyarrow import csv
for path in sorted(Path("sample_data").glob("*.csv")):
    for _ in csv.open_csv(path):
        pass
"""

RECORDS = """
import csv, sys, zlib
from pathlib import Path
shard, count = map(int, sys.argv[1:])
profiles = {}
for path in sorted(Path("sample_data").glob("*.csv")):
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if zlib.crc32(row["customer_id"].encode()) % count == shard:
            profiles.setdefault(row["customer_id"], {}).update(row)
"""


@dataclass
class Cost:
    """What a run took: wall-clock seconds, and the largest process's resident memory in MB."""

    seconds: float
    peak_mb: float


def measure(project: BakedProject, *commands: list[str], parallel: int = 2) -> Cost:
    """Run commands, so many at a time, and watch all their processes."""
    started, peak, waiting = time.perf_counter(), 0, list(commands)
    running: list[subprocess.Popen[bytes]] = []
    environment = project_environment()
    while waiting or running:
        while waiting and len(running) < parallel:
            command = [sys.executable, *waiting.pop(0)]
            running.append(
                subprocess.Popen(command, cwd=project.path, env=environment, stdout=DEVNULL, stderr=DEVNULL)
            )
        for process in running:
            peak = max(peak, _resident(process.pid))
            if process.poll():
                raise SystemExit(f"exit {process.returncode}: {process.args!r}")
        running = [process for process in running if process.poll() is None]
        time.sleep(0.01)
    return Cost(time.perf_counter() - started, peak / 1e6)


def _resident(pid: int) -> int:
    """The largest resident memory among a process and its descendants, in bytes."""
    try:
        root = psutil.Process(pid)
        return max(process.memory_info().rss for process in [root, *root.children(recursive=True)])
    except psutil.Error:  # it has ended meanwhile
        return 0


def main() -> None:
    """Render, generate, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="customers (default: 100000)")
    parser.add_argument("--shards", type=int, default=10, help="default: 10")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        project = bake(Path(directory), {"shard_count": str(options.shards)}, accept_hooks=False)
        project.generate(options.rows)
        size = sum(path.stat().st_size for path in (project.path / "sample_data").iterdir())
        shards = [["-c", RECORDS, str(n), str(options.shards)] for n in range(options.shards)]
        costs = {
            "floor: parse once": measure(project, ["-c", FLOOR]),
            "records, all rows per shard": measure(project, *shards),
            "this template": measure(project, ["trigger.py", "--local"]),
        }
    ours = costs["this template"]
    print(
        f"{options.rows} customers, {size / 1e6:.0f} MB in four files, {options.shards} shards, 2 at a time"
    )
    print(f"{'':<30}{'seconds':>9}{'ratio':>8}{'peak MB':>9}{'ratio':>8}")
    for name, cost in costs.items():
        ratios = cost.seconds / ours.seconds, cost.peak_mb / ours.peak_mb
        print(f"{name:<30}{cost.seconds:>9.1f}{ratios[0]:>8.2f}{cost.peak_mb:>9.0f}{ratios[1]:>8.2f}")


if __name__ == "__main__":
    main()
