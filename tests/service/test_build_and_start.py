"""The Blueprint's build and start commands work as on Render: in a new environment, in each mode of the SDK."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
import yaml

from support.baked import BakedProject
from support.render_runtime import RenderRuntime


@pytest.mark.slow
def test_build_and_start_commands_run_in_a_clean_environment(
    bake_project: Callable[..., BakedProject],
) -> None:
    project = bake_project(schedule="daily", shard_count="2")
    services = {s["type"]: s for s in yaml.safe_load(project.read("render.yaml"))["services"]}
    environment = project.path.parent / "environment"
    project.run(sys.executable, "-m", "venv", str(environment))
    path = f"{environment}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"

    def shell(command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return project.run("bash", "-euo", "pipefail", "-c", command, check=check, PATH=path, PYTHONPATH="")

    shell(services["workflow"]["buildCommand"])
    assert (project.path / "sample_data" / "crm.csv").is_file()
    assert list(environment.rglob("customer_etl/__pycache__/main.*.pyc")), "the build must compile"
    with RenderRuntime(project, {"PATH": path, "PYTHONPATH": "", "RENDER": "true"}) as runtime:
        assert services["workflow"]["startCommand"].split() == list(runtime.command)
        summary = runtime.run("merge_customer_data").result
    assert summary["profiles_generated"] == 1000
    assert summary["output"]["durable"] is False
    shell(services["cron"]["buildCommand"])
    done = shell(services["cron"]["startCommand"], check=False)
    assert done.returncode == 1
    assert "WORKFLOW_SLUG" in done.stderr
