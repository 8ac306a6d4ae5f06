"""A whole run under Render's protocol: its result, its parallelism, its logs, and what it does not reveal."""

import json
from typing import Any

from support.baked import BakedProject, without_times
from support.render_runtime import PARALLEL, ROOT, SHARD, WholeRun


def test_gives_the_same_as_the_embedded_engine(
    three_shards: BakedProject, embedded_summary: dict[str, Any], whole_run: WholeRun
) -> None:
    run, render = whole_run.run, whole_run.render
    assert without_times(run.result) == embedded_summary
    assert three_shards.published_bytes("out-whole") == three_shards.published_bytes("out-embedded")
    assert len(three_shards.published_bytes("out-whole")) == 4
    assert [run.task_name for run in render.runs] == [ROOT, SHARD, SHARD, SHARD]
    assert all(run.parent is render.runs[0] for run in render.runs[1:])
    assert [(len(run.attempts), run.attempts[0].exit_code) for run in render.runs] == [(1, 0)] * 4


def test_shards_run_in_parallel(whole_run: WholeRun) -> None:
    """All shards are asked for at once; the stand-in runs two at a time."""
    render = whole_run.render
    spans = [(attempt.started, attempt.started + attempt.seconds) for attempt in render.attempts()[1:]]
    at_once = [sum(begin <= moment < end for begin, end in spans) for moment, _ in spans]
    assert max(at_once) == PARALLEL == 2


def test_logs_one_json_object_per_line(three_shards: BakedProject, whole_run: WholeRun) -> None:
    run, render = whole_run.run, whole_run.render
    for attempt in render.attempts():
        assert attempt.stdout == ""
        assert len(attempt.events) == len(attempt.stderr.splitlines())
    for shard_id, shard in render.shard_runs().items():
        start, end = shard.attempts[0].events
        assert start == {"event": "shard_start", "shard_id": shard_id, "run_id": run.id}
        summary = run.result["shards"][shard_id]
        assert end == {
            "event": "shard_end",
            "shard_id": shard_id,
            "run_id": run.id,
            "record_count": summary["records"],
            "elapsed_ms": summary["elapsed_ms"],
        }
    assert [event["event"] for event in run.attempts[0].events] == ["run_start", "run_end"]


def test_reveals_nothing_about_the_host_the_key_or_the_data(
    three_shards: BakedProject, whole_run: WholeRun
) -> None:
    render = whole_run.render
    said, samples = "", []
    for run in render.runs:
        result = run.result
        samples.append(result.pop("sample_profile"))
        said += run.arguments.decode() + json.dumps(result) + run.attempts[0].stderr
    # The sample in the summary, and the same one in the result of its shard.
    assert [sample["customer_id"] for sample in samples if sample] == ["cust_00000001"] * 2
    assert str(three_shards.path) not in said
    assert str(three_shards.path.parent) not in said
    assert whole_run.api_key not in said
    rows = [row for file in three_shards.sources for row in three_shards.source_rows(file)]
    cells = {
        row[column] for row in rows for column in ("customer_id", "email", "company_name") if column in row
    }
    assert len(cells) > 400
    assert not [cell for cell in cells if cell in said]


def test_each_process_loads_only_what_it_needs(whole_run: WholeRun) -> None:
    run, faults = whole_run.run, whole_run.faults
    client = {"httpx", "rich", "attrs"}
    assert not faults.modules(run.attempts[0].pid) & {"pandas", "pyarrow", "numpy", *client}
    for shard in whole_run.render.shard_runs().values():
        loaded = faults.modules(shard.attempts[0].pid)
        assert loaded >= {"pandas", "pyarrow"}
        assert not loaded & client
