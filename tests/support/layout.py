"""Where things are in a rendered project: the one place to edit when its layout changes."""

from support.variants import Answers

# The trigger's modules, as they are imported when the project's root and its `src` are on the path.
TRIGGER = "trigger"
REMOTE = "remote"

_ALWAYS = """
    .env.example .github/workflows/ci.yml .gitignore .pre-commit-config.yaml .python-version Makefile README.md
    constraints.txt pyproject.toml remote.py render.yaml trigger.py
    scripts/generate_data.py scripts/sample_columns.py
    tests/__init__.py tests/conftest.py tests/helpers.py tests/tasks.py tests/test_engine.py tests/test_enrichment.py
    tests/test_generate_data.py tests/test_main.py tests/test_merging.py tests/test_orchestrator.py
    tests/test_sharding.py tests/test_sink.py tests/test_sources.py tests/test_trigger.py tests/test_worker.py
""".split()
_MODULES = """
    __init__ attempt boundary engine enrichment log main merging orchestrator pipeline settings sharding sink
    source_format sources statistics worker
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
        files |= {module_file(answers, "chaos"), "scripts/chaos_drill.py", "tests/test_chaos.py"}
    return files
