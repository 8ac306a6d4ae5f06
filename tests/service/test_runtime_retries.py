"""A shard that fails is retried, gives the same bytes, or fails the run with the command that repeats it."""

import json
from typing import Any

import pytest

from support.baked import BakedProject, without_times
from support.faults import Faults
from support.render_runtime import ROOT, SHARD, RenderRuntime

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("fault", ["error", "kill"])
def test_a_retry_gives_the_same_bytes(
    three_shards: BakedProject, embedded_summary: dict[str, Any], faults: Faults, fault: str
) -> None:
    faults.arm(fault)
    output = f"out-{fault}"
    with RenderRuntime(three_shards, {"OUTPUT_URI": output, **faults.environment}, wait_scale=0.1) as render:
        run = render.run(ROOT)
        assert without_times(run.result) == embedded_summary
    assert not faults.armed(fault)
    assert three_shards.published_bytes(output) == three_shards.published_bytes("out-embedded")
    shards = render.shard_runs()
    assert {shard_id: len(shard.attempts) for shard_id, shard in shards.items()} == {0: 1, 1: 2, 2: 1}
    assert len(run.attempts) == 1
    failed, repeated = shards[1].attempts
    assert repeated.exit_code == 0
    assert repeated.started - failed.started - failed.seconds > 0.15  # a tenth of 2000 ms, and some slack
    if fault == "kill":
        assert failed.exit_code == -9
        assert failed.callback == {}
    else:
        assert failed.exit_code == 1
        assert failed.callback == {"error": {"details": "shard 1: RuntimeError: no luck"}}
        assert "The above exception" not in failed.stderr, "a chained error may contain values from the data"
        assert [event["event"] for event in failed.events] == ["shard_start", "shard_failed"]


def test_a_shard_that_fails_for_good_fails_the_run(three_shards: BakedProject, faults: Faults) -> None:
    faults.arm("always")
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-failed", **faults.environment}) as render:
        run = render.run(ROOT)
    assert run.output is None
    assert run.error == ("1 of 3 shards failed (shard 1: RuntimeError: no luck); run this again: --shards 1")
    assert len(run.attempts) == 1
    shards = render.shard_runs()
    assert {shard_id: len(shard.attempts) for shard_id, shard in shards.items()} == {0: 1, 1: 4, 2: 1}
    assert {shard_id for shard_id, shard in shards.items() if shard.output is not None} == {0, 2}
    assert not (three_shards.path / "out-failed" / "manifest.json").exists()
    failures = [event for attempt in render.attempts() for event in attempt.events if "where" in event]
    assert len(failures) == 4
    assert str(three_shards.path.parent) not in json.dumps(failures)


def test_rerunning_the_failed_shard_publishes(
    three_shards: BakedProject, embedded_summary: dict[str, Any], faults: Faults
) -> None:
    faults.arm("always")
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-rerun", **faults.environment}) as render:
        assert render.run(ROOT).error
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-rerun"}) as render:
        run = render.run(ROOT, [1])
    assert run.result["output"] == embedded_summary["output"]
    assert run.result["shards_processed"] == 1
    assert list(render.shard_runs()) == [1]
    assert three_shards.published_bytes("out-rerun") == three_shards.published_bytes("out-embedded")


@pytest.mark.parametrize("argument", [99, -1, "3", 3.5, None, "arg1"])
def test_an_argument_that_is_not_a_shard_is_refused_at_once(
    three_shards: BakedProject, argument: object
) -> None:
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-refused"}) as render:
        run = render.run(SHARD, argument)
    assert run.result["error"] == f"process_shard takes the number of a shard, from 0 to 2, not {argument!r}"
    assert len(run.attempts) == 1
    assert not (three_shards.path / "out-refused").exists()


@pytest.mark.parametrize("argument", ["arg1", 3, [], [True], ["3"]])
def test_shards_that_are_not_numbers_are_refused_at_once(
    three_shards: BakedProject, argument: object
) -> None:
    with RenderRuntime(three_shards, {"OUTPUT_URI": "out-refused"}) as render:
        run = render.run(ROOT, argument)
    assert run.error == f"shards takes a list of numbers such as [3, 7], or nothing; not {argument!r}"
    assert (len(run.attempts), len(render.runs)) == (1, 1)
