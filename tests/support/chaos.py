"""The chaos drill of a rendered project: running it and reading its report."""

import re
import subprocess

from support.baked import BakedProject

ANSWERS = {"retry_wait_ms": "50", "shard_count": "4"}


def run_drill(project: BakedProject, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the drill with options and variables, whatever its exit code."""
    return project.run("python", "scripts/chaos_drill.py", *options, check=False, **environment)


def table_row(report: str, name: str) -> list[str]:
    """Return the cells of one line of the drill's table."""
    (line,) = [line for line in report.splitlines() if line.startswith(name)]
    return re.split(r"\s{2,}", line.removeprefix(name).strip())


def assert_recovered(done: subprocess.CompletedProcess[str], shard: int = 3, shards: int = 4) -> None:
    """Assert that a drill passed: the failure cost one more attempt and changed no byte.

    Args:
        done: the drill's process.
        shard: the shard that failed.
        shards: number of all shards.
    """
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "PASSED"
    assert table_row(done.stdout, "keys published") == ["1000", "1000"]
    assert table_row(done.stdout, "attempts of all shards") == [str(shards), str(shards + 1)]
    assert table_row(done.stdout, f"attempts of shard {shard}") == ["1", "2"]
    assert table_row(done.stdout, "files with the same bytes") == [str(shards + 1)] * 2
    (recovery,) = table_row(done.stdout, "from the failure to the second start")
    assert int(recovery.removesuffix(" ms")) >= 50
    assert done.stderr == ""
