"""The workflow Pins opens one pull request, keeps it up to date, and tests without write access."""

import sys
from pathlib import Path

import pytest
import yaml

from support.git import git
from support.pins_workflow import WORKFLOW, PinsWorkflow


@pytest.mark.skipif(sys.platform == "win32", reason="the workflow runs on Linux")
def test_pins_workflow_opens_one_pull_request_and_keeps_it_up_to_date(tmp_path: Path) -> None:
    """Its scripts run against a local repository; the branch exists the second time."""
    pins = PinsWorkflow(tmp_path)
    assert pins.run("ruff==2\n")
    assert pins.on_origin("pins", "constraints.txt") == "ruff==2"
    assert pins.on_origin("main", "constraints.txt") == "ruff==1"
    assert pins.run("ruff==3\n")
    assert pins.on_origin("pins", "constraints.txt") == "ruff==3"
    assert git(pins.origin, "rev-list", "--count", "main..pins") == "1"
    created = [call for call in pins.calls.read_text().splitlines() if call.startswith("pr create")]
    assert created == ["pr create --head pins"]
    # GitHub would refuse a push that changes a workflow.
    assert pins.on_origin("pins", ".github/workflows/ci.yml") == "uses: a/b@1"


@pytest.mark.skipif(sys.platform == "win32", reason="the workflow runs on Linux")
def test_pins_workflow_does_nothing_if_nothing_is_newer(tmp_path: Path) -> None:
    pins = PinsWorkflow(tmp_path)
    assert not pins.run("ruff==1\n")
    assert not pins.calls.exists()


def test_pins_workflow_tests_without_write_access() -> None:
    """New packages run in a job whose token reads; the job whose token writes runs none of them."""
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    refresh, pull_request = workflow["jobs"]["refresh"], workflow["jobs"]["pull-request"]
    assert "permissions" not in refresh
    assert pull_request["needs"] == ["refresh"]
    assert pull_request["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert "make" not in pull_request["steps"][-1]["run"].split()
