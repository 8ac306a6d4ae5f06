"""The chaos drill fails if the run does not recover, or if the retry publishes something else."""

from collections.abc import Callable

import pytest

from support import chaos
from support.baked import BakedProject


def test_the_drill_fails_without_a_retry(bake_project: Callable[..., BakedProject]) -> None:
    project = bake_project(**chaos.ANSWERS)
    project.edit(project.module_file("settings"), "MAX_RETRIES = 3", "MAX_RETRIES = 0")

    done = chaos.run_drill(project)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert "did not recover: 1 of 4 shards failed (shard 3: CHAOS_FAIL_SHARD" in done.stdout
    assert "shard 3 should have had two attempts, and every other shard one" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "    output = _to_arrow(profiles)\n",
            "    import os\n\n    output = _to_arrow(profiles.assign(pid=os.getpid()))\n",
            "the bytes of 5 files differ from those of the clean run",
        ),
        (
            "    version.save_result(result)\n",
            '    if version.saved_result(shard_id):\n        result["count"] += 1\n    version.save_result(result)\n',
            "the bytes of 1 file differ from those of the clean run, including manifest.json",
        ),
        (
            "    output = _to_arrow(profiles)\n",
            "    import os\n\n    again = shard_id == 3 and os.path.exists(settings.output_uri + '/.chaos-shard-3')\n"
            "    output = _to_arrow(profiles[1:] if again else profiles)\n",
            "the run with the failure lost 1 of 1000 keys and published 0 more than once",
        ),
    ],
    ids=["other bytes", "counts twice", "loses a row"],
)
def test_the_drill_fails_if_the_retry_publishes_something_else(
    bake_project: Callable[..., BakedProject], old: str, new: str, fault: str
) -> None:
    project = bake_project(**chaos.ANSWERS)
    project.edit(project.module_file("pipeline"), old, new)

    done = chaos.run_drill(project)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAILED"
    assert fault in done.stdout
