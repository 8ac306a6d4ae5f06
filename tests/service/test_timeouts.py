"""`--timeout` ends the trigger: a run on Render goes on, a local one is stopped."""

from pathlib import Path

import pytest

from support.baked import BakedProject
from support.fake_api import RUN_ID, FakeApi, polled
from support.remote_trigger import DEPLOYED, FAST, Done, RunTrigger


@pytest.mark.parametrize("pause", [0.02, 60])
def test_a_timeout_leaves_the_run_alone(api: FakeApi, run_trigger: RunTrigger, pause: float) -> None:
    api.poll = [polled("running")]

    done = run_trigger("--timeout", "0.2", url=api.url, settings={**FAST, "POLL_SECONDS": pause}, **DEPLOYED)

    error = f"no result within the time of --timeout; run {RUN_ID} goes on\n"
    assert done == Done(1, "", f"started {RUN_ID}\nerror: {error}")
    assert not api.sent("DELETE")


def test_a_local_run_is_stopped_by_its_timeout(
    remote_project: BakedProject, run_trigger: RunTrigger, tmp_path: Path
) -> None:
    for source in remote_project.sources:
        (tmp_path / source).write_text("customer_id\n1\n")
    places = {"DATA_URI": str(tmp_path), "OUTPUT_URI": str(tmp_path / "output")}

    done = run_trigger("--local", "--timeout", "0.05", url="http://127.0.0.1:1", **places)

    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("error: no result within 0.05 s; the run was stopped\n")
    assert not (tmp_path / "output" / "manifest.json").exists()
