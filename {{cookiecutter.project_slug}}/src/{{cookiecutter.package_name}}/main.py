"""The service. `render-workflows {{ cookiecutter.package_name }}.main:app` registers and runs its tasks."""

from {{ cookiecutter.render_package }} import Workflows

from . import orchestrator, worker

app = Workflows.from_workflows(worker.app, orchestrator.app)

if __name__ == "__main__":
    raise SystemExit("Render starts this module. To start a run yourself: python trigger.py --local")
