"""A scheduled run times out before the next one starts, and all starts of one period have one idempotency key."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import yaml

from support.baked import BakedProject
from support.fake_api import FakeApi, polled, serve, started


@pytest.mark.parametrize(("schedule", "period"), [("hourly", "%Y-%m-%dT%H"), ("daily", "%Y-%m-%d")])
def test_scheduled_starts_of_one_period_share_a_key(
    bake_project: Callable[..., BakedProject], schedule: str, period: str
) -> None:
    """The start command of the cron service, as a shell runs it: its idempotency key names the period."""
    project = bake_project(schedule=schedule)
    [cron] = [s for s in yaml.safe_load(project.read("render.yaml"))["services"] if s["type"] == "cron"]
    summary = {"statistics": {}, "records_processed": 4, "duplicate_records": 0, "rejected_records": 0}
    counts = {"profiles_generated": 1, "shards_processed": 1, "output": {"published": False, "version": "v"}}
    api = FakeApi(start=[started()], poll=[polled("completed", [summary | counts])])
    before = datetime.now(UTC)
    with serve(api):
        done = project.run("bash", "-c", cron["startCommand"], RENDER_LOCAL_DEV_URL=api.url, NO_PROXY="*")
    assert done.stdout.splitlines()[-1].startswith("Merged 1 enriched profile across 1 shard in ")
    [request] = api.sent("POST")
    times = {before.strftime(period), datetime.now(UTC).strftime(period)}
    assert request.body["idempotencyKey"] in {f"customer-etl-{time}" for time in times}


def test_a_scheduled_run_times_out_before_the_next_one(bake_project: Callable[..., BakedProject]) -> None:
    """A shard's timeout is shorter than a run's, and a run's is shorter than the period."""
    for schedule, period in (("hourly", 3600), ("daily", 24 * 3600)):
        project = bake_project(schedule=schedule, project_slug=schedule)
        shard, run = json.loads(project.run_program("print_timeouts", project.package))
        assert 30 <= shard < run < period
