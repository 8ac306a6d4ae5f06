"""Payloads between tasks do not grow with the data."""

import pytest

from support.baked import BakedProject
from support.render_runtime import ROOT, RenderRuntime, WholeRun


@pytest.mark.slow
def test_payloads_do_not_grow_with_the_data(three_shards: BakedProject, whole_run: WholeRun) -> None:
    small = whole_run.render
    data = "data-20k"
    three_shards.generate(20_000, "--missing", "0.1", "--duplicates", "0.05", "--out", data)
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-20k", "DATA_URI": data}) as large:
        assert large.run(ROOT).result["profiles_generated"] == 20_000

    def sizes(render: RenderRuntime) -> dict[str, int]:
        runs = {run.task_name + run.arguments.decode(): run for run in render.runs}
        return {name: len(run.arguments) + len(run.output or b"") for name, run in runs.items()}

    before, after = sizes(small), sizes(large)
    assert len(before) == 4
    assert after.keys() == before.keys()
    for name, size in after.items():
        assert size < 100_000, name
        assert before[name] / 2 < size < before[name] * 2, name
