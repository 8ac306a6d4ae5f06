"""A successful run on Render: what the trigger sends, what it prints, and its exit code."""

import json
import re
import shutil
from pathlib import Path

import pytest

from support.baked import BakedProject, bake
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
    *lines, last = done.out.splitlines()
    assert lines == [
        'average: "ä"',
        "records: 9 (rows with a key, from all sources)",
        "duplicates: 0 (records replaced by a later one), rejected: 0 (rows with a blank key)",
        "profiles: 7 (one for each key, merged from all sources)",
        "published: OUTPUT_URI/manifest.json, which names the files in OUTPUT_URI/v-1;"
        " OUTPUT_URI is that of the service",
    ]
    assert re.fullmatch(r"Merged 7 enriched profiles across 2 shards in \d\.\ds", last)
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


def test_counts_agree_with_their_nouns(api: FakeApi, run_trigger: RunTrigger) -> None:
    one = {**SUMMARY, "profiles_generated": 1, "shards_processed": 1}
    api.poll = [polled("completed", [one])]

    done = run_trigger(url=api.url, **DEPLOYED)

    assert re.search(r"^Merged 1 enriched profile across 1 shard in \d\.\ds\n\Z", done.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("published", "place"),
    [
        (True, "published: OUTPUT_URI/manifest.json, which names the files in OUTPUT_URI/v-1"),
        (False, "not published: OUTPUT_URI/v-1 still lacks shards; a run without --shards completes it"),
    ],
)
def test_output_that_is_lost_is_told(
    api: FakeApi, run_trigger: RunTrigger, published: bool, place: str
) -> None:
    output = {"published": published, "manifest": "manifest.json", "version": "v-1", "durable": False}
    api.poll = [polled("completed", [{**SUMMARY, "output": output}])]

    done = run_trigger(url=api.url, **DEPLOYED)

    assert f"\n{place}; deleted with the disk of the run\n" in done.out


def test_a_dev_server_s_idempotency_is_not_promised(api: FakeApi, run_trigger: RunTrigger) -> None:
    """It ignores the key; that is told only to whoever gives one."""
    warning = "warning: the dev server ignores --idempotency-key; each call starts a run of its own\n"
    key = ("--idempotency-key", "mine")

    given = run_trigger(*key, url="http://127.0.0.1:1", RENDER_LOCAL_DEV_URL=api.url)
    default = run_trigger(url="http://127.0.0.1:1", RENDER_LOCAL_DEV_URL=api.url)
    deployed = run_trigger(*key, url=api.url, **DEPLOYED)

    assert given.err == f"{warning}started {RUN_ID}\n"
    assert [default.err, deployed.err] == [f"started {RUN_ID}\n"] * 2


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on PATH")
def test_the_readme_s_curl_starts_a_run_as_the_sdk_does(
    api: FakeApi, remote_project: BakedProject, run_trigger: RunTrigger
) -> None:
    """The command from the rendered README, sent to the stand-in for Render's API instead."""
    address = "https://api.render.com"
    readme = remote_project.read("README.md")
    [command] = re.findall(r"^ *(curl .*?)\n *```", readme, re.MULTILINE | re.DOTALL)
    assert command.count(address) == 1

    done = remote_project.run("sh", "-c", command.replace(address, api.url), RENDER_API_KEY=KEY, NO_PROXY="*")

    assert json.loads(done.stdout)["id"] == RUN_ID
    slug = remote_project.answers["project_slug"]
    assert run_trigger("--no-wait", url=api.url, RENDER_API_KEY=KEY, WORKFLOW_SLUG=slug).code == 0
    sent, expected = api.requests
    assert expected.body.pop("idempotencyKey")
    assert (sent.body.pop("input"), expected.body.pop("input")) == ([], {}), (
        "no arguments, by position and by name"
    )
    assert sent == expected
    assert sent.path == "/v1/task-runs"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on PATH")
def test_the_readme_s_curl_fails_when_render_refuses(api: FakeApi, remote_project: BakedProject) -> None:
    api.start = [refused(401, "unknown key")]
    [command] = re.findall(
        r"^ *(curl .*?)\n *```", remote_project.read("README.md"), re.MULTILINE | re.DOTALL
    )

    done = remote_project.run(
        "sh", "-c", command.replace("https://api.render.com", api.url), check=False, NO_PROXY="*"
    )

    assert done.returncode != 0
    assert "unknown key" in done.stdout
