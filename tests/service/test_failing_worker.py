"""A worker that reads a malformed source reports the error and exits, although Arrow still reads ahead."""

from collections.abc import Callable

import pytest

from support.baked import BakedProject
from support.render_runtime import ROOT, RenderRuntime


@pytest.mark.slow
def test_a_failing_worker_ends(bake_project: Callable[..., BakedProject]) -> None:
    """Arrow reads ahead in threads, which must not keep a failed worker from exiting.

    An earlier version reported its error and then hung or was aborted at exit, in about one of thirty attempts and
    only if many rows followed the bad one.
    """
    project = bake_project(shard_count="10", max_retries="0")
    project.generate(10_000)
    source = project.path / "sample_data" / "crm.csv"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    cells = lines[0].count(",") + 1
    source.write_text("".join([*lines[:2], "ragged,row\n", *lines[2:] * 10]), encoding="utf-8")
    with RenderRuntime(project) as render:
        run = render.run(ROOT)
    fault = f"crm.csv, line 3, column 3: 2 cells, the header has {cells}"
    numbers = ",".join(map(str, range(10)))
    assert run.error == (
        f"10 of 10 shards failed (shard {numbers}: {fault}); run these again: --shards {numbers}"
    )
    workers = [shard.attempts for shard in render.shard_runs().values()]
    assert [len(attempts) for attempts in workers] == [1] * 10
    for (attempt,) in workers:
        assert attempt.exit_code == 1, attempt.stderr
        assert attempt.seconds < 20
    assert not (project.path / "output").exists()
