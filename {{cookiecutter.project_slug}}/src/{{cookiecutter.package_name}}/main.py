"""The service: `render-workflows {{ cookiecutter.package_name }}.main:app` registers and runs its tasks."""

from {{ cookiecutter.render_package }} import Workflows

from . import orchestrator, worker

app = Workflows.from_workflows(worker.app, orchestrator.app)

if __name__ == "__main__":
    raise SystemExit(
        "main.py is started by Render, as `render-workflows {{ cookiecutter.package_name }}.main:app`."
        " To start a run: python trigger.py --local"
    )
