"""Where things are in a rendered project: the one place to edit when its layout changes."""

from support.variants import Answers

# The modules of the command line, below the package.
COMMAND_LINE = ("cli.trigger", "cli.remote", "cli.api")

_ALWAYS = """
    .env.example .github/workflows/ci.yml .gitignore .pre-commit-config.yaml .python-version Makefile README.md
    constraints.txt pyproject.toml render.yaml trigger.py
    scripts/generate_data.py scripts/sample_columns.py
    tests/__init__.py tests/conftest.py tests/helpers.py tests/test_enrichment.py tests/test_merging.py
    tests/test_output.py tests/test_pipeline.py tests/test_rules.py tests/test_run.py tests/test_sharding.py tests/test_sources.py
""".split()
_MODULES = """
    __init__ csv_format enrichment errors log main manifest merging orchestrator parts pipeline settings sharding
    rules sources storage summary worker
    cli/__init__ cli/api cli/debug cli/command cli/environment cli/interrupts cli/progress cli/remote cli/report cli/trigger
    engine/__init__ engine/attempt engine/embedded engine/payload
""".split()


def module_file(answers: Answers, name: str) -> str:
    """The path of a module of the package, relative to the project: `pipeline` or `cli/trigger`."""
    return f"src/{answers['package_name']}/{name}.py"


def expected_files(answers: Answers) -> set[str]:
    """The paths of all files that a project with these answers has, and of no others."""
    files = {*_ALWAYS, *(module_file(answers, name) for name in _MODULES)}
    if answers["license"] != "Proprietary":
        files.add("LICENSE")
    if answers["idempotency"] == "yes":
        files |= {module_file(answers, "idempotency"), "tests/test_idempotency.py"}
    if answers["max_retries"] != "0":
        files |= {module_file(answers, "engine/chaos"), "scripts/chaos_drill.py"}
    return files
