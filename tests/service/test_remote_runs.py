"""A successful run on Render: what the trigger sends, what it prints, and its exit code."""

import json
import re
from pathlib import Path

import pytest

from support.baked import bake
from support.fake_api import RUN_ID, FakeApi, Reply, polled, refused, started
from support.remote_trigger import DEPLOYED, FAST, KEY, SUMMARY, Done, RunTrigger


@pytest.mark.parametrize("status", ["completed", "succeeded"])
def test_a_deployed_run_is_started_once_and_its_summary_printed(
    api: FakeApi, run_trigger: RunTrigger, status: str
) -> None:
    api.poll = [polled("pending"), polled("paused"), polled("running"), polled(status, [SUMMARY])]

    done = run_trigger("--json", "--shards", "3,7", url=api.url, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert json.loads(done.out) == SUMMARY
    (request,) = api.sent("POST")
    assert request.body.pop("idempotencyKey")
    assert request.body == {"task": "my-etl/merge_customer_data", "input": {"shards": [3, 7]}}
    assert request.authorization == f"Bearer {KEY}"
    assert len(api.requests) == 5, "the shards are listed for a terminal only"


def test_text_ends_as_a_local_run_does(api: FakeApi, run_trigger: RunTrigger) -> None:
    done = run_trigger(url=api.url, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert re.fullmatch(
        r'average: "ä"\n.*\n.*\nMerged 7 enriched profiles across 2 shards in \d\.\ds\n', done.out
    )
    assert api.sent("POST")[0].body["input"] == {}


def test_each_call_has_an_idempotency_key_of_its_own_unless_one_is_given(
    api: FakeApi, run_trigger: RunTrigger
) -> None:
    for options in ([], [], ["--idempotency-key", "nightly-7"]):
        assert run_trigger("--no-wait", *options, url=api.url, **DEPLOYED).code == 0

    first, second, given = [request.body["idempotencyKey"] for request in api.sent("POST")]
    assert first != second
    assert given == "nightly-7"


@pytest.mark.parametrize(
    ("options", "out"), [([], f"{RUN_ID}\n"), (["--json"], f'{{\n  "run_id": "{RUN_ID}"\n}}\n')]
)
def test_no_wait_prints_the_id_alone(
    api: FakeApi, run_trigger: RunTrigger, options: list[str], out: str
) -> None:
    assert run_trigger("--no-wait", *options, url=api.url, **DEPLOYED) == Done(0, out, "")
    assert len(api.requests) == 1


def test_a_start_that_failed_is_tried_again_with_the_same_key(api: FakeApi, run_trigger: RunTrigger) -> None:
    api.start = [refused(503), Reply(drop=True), started()]

    assert run_trigger(url=api.url, settings={**FAST, "START_PATIENCE_SECONDS": 20}, **DEPLOYED).code == 0

    keys = [request.body["idempotencyKey"] for request in api.sent("POST")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_polling_survives_temporary_failures(api: FakeApi, run_trigger: RunTrigger) -> None:
    temporary = [refused(500), refused(502), Reply(drop=True), refused(429), Reply(503), Reply(delay=0.7)]
    api.poll = [polled("running"), *temporary, polled("completed", [SUMMARY])]

    done = run_trigger(url=api.url, settings={**FAST, "POLL_PATIENCE_SECONDS": 20}, **DEPLOYED)

    assert (done.code, done.err) == (0, f"started {RUN_ID}\n")
    assert len(api.sent("POST")) == 1


@pytest.mark.parametrize("package", ["render_sdk", "render"])
def test_a_dev_server_gets_no_key_and_nothing_warns(api: FakeApi, tmp_path: Path, package: str) -> None:
    project = bake(tmp_path, {"render_package": package})
    command = ("python", "-W", "error::DeprecationWarning:__main__", "trigger.py", "--json")

    done = project.run(*command, check=False, RENDER_LOCAL_DEV_URL=api.url, NO_PROXY="*", **DEPLOYED)

    assert (done.returncode, done.stderr) == (0, f"started {RUN_ID}\n")
    assert json.loads(done.stdout) == SUMMARY
    (request,) = api.sent("POST")
    assert request.body["task"] == "my-etl/merge_customer_data"
    assert request.authorization is None
