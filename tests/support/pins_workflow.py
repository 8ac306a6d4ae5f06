"""Runs the scripts of the workflow Pins against a local repository."""

import os
import shutil
import subprocess
from pathlib import Path

import yaml

from support.baked import PROGRAMS
from support.git import git
from support.variants import TEMPLATE

WORKFLOW = TEMPLATE / ".github" / "workflows" / "pins.yml"


class PinsWorkflow:
    """A repository, its origin, and a `gh` that knows one pull request: what the workflow Pins sees."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.origin = directory / "origin.git"
        self.calls = directory / "calls"
        self.opened = directory / "opened"
        self.opened.write_text("0\n")
        gh = directory / "bin" / "gh"
        gh.parent.mkdir()
        shutil.copyfile(PROGRAMS / "fake_gh.sh", gh)
        gh.chmod(0o755)
        seed = directory / "seed"
        seed.mkdir()
        git(seed, "init", "--quiet", "--initial-branch", "main")
        (seed / ".github" / "workflows").mkdir(parents=True)
        (seed / ".github" / "workflows" / "ci.yml").write_text("uses: a/b@1\n")
        (seed / "constraints.txt").write_text("ruff==1\n")
        git(seed, "add", "--all")
        git(seed, "commit", "--quiet", "--message", "First")
        git(directory, "clone", "--quiet", "--bare", str(seed), str(self.origin))

    def run(self, pins: str) -> bool:
        """Run the scripts of both jobs, `make pins` having written `pins`; return whether there was a patch."""
        jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
        commands = [step["run"] for step in jobs["refresh"]["steps"] if "run" in step]
        assert [commands[0], commands[-1]] == ["make pins", "make test"]
        clone = self.clone()
        (clone / "constraints.txt").write_text(pins)
        (clone / ".github" / "workflows" / "ci.yml").write_text("uses: a/b@2\n")
        for command in commands[1:-1]:
            self.script(clone, command)
        if (self.directory / "output").read_text() != "changed=true\n":
            return False
        self.script(self.clone(), jobs["pull-request"]["steps"][-1]["run"])
        return True

    def clone(self) -> Path:
        clone = self.directory / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.directory, "clone", "--quiet", str(self.origin), str(clone))
        (self.directory / "output").write_text("")
        return clone

    def script(self, clone: Path, command: str) -> None:
        environment = {
            "PATH": f"{self.directory / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.directory),
            "GITHUB_OUTPUT": str(self.directory / "output"),
            "GH_CALLS": str(self.calls),
            "GH_OPENED": str(self.opened),
            "BASE": "main",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(
            ["bash", "-e", "-c", command], cwd=clone, env={**os.environ, **environment}, timeout=60
        )
        assert done.returncode == 0

    def on_origin(self, branch: str, path: str) -> str:
        return git(self.origin, "show", f"{branch}:{path}")
