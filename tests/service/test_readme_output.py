"""What the template's README shows as output is what its two commands print."""

import re

import pytest

from support.baked import BakedProject, bake
from support.variants import TEMPLATE

README = (TEMPLATE / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> BakedProject:
    """The default project with the sample data that `make demo` makes."""
    project = bake(tmp_path_factory.mktemp("demo"))
    project.generate(1000)
    return project


def without_time(text: str) -> str:
    """Leave out the duration, and the version's name, which every change of the code changes."""
    text = re.sub(r"in \d+\.\ds$", "in TIME", text, flags=re.MULTILINE)
    return re.sub(r"v-[0-9a-f]{16}$", "VERSION", text, flags=re.MULTILINE)


def test_the_demo_ends_with_the_lines_in_the_readme(demo: BakedProject) -> None:
    [shown] = [text for _, text in BLOCKS if "Merged " in text]

    printed = demo.run("python", "trigger.py", "--local").stdout

    assert len(shown.splitlines()) == 8
    assert without_time(printed) == without_time(shown), "copy the new lines into README.md"


def test_the_picture_of_a_run_is_small_and_loads_nothing_from_the_network() -> None:
    [path] = re.findall(r"^!\[[^\]]+\]\((\S+)\)", README, re.MULTILINE)
    picture = (TEMPLATE / path).read_text(encoding="utf-8")
    assert len(picture) < 50_000
    assert "Merged&#160;1000&#160;enriched&#160;profiles" in picture
    addresses = {
        address for address in re.findall(r"https?://[^\s\"<]+", picture) if "www.w3.org" not in address
    }
    assert addresses <= {"https://www.textualize.io"}, "only in a comment"


def test_the_code_in_the_readme_is_from_the_project(demo: BakedProject) -> None:
    [shown] = [text for language, text in BLOCKS if language == "python"]
    assert 12 <= len(shown.splitlines()) <= 20
    assert shown in demo.read(demo.module_file("enrichment"))


@pytest.mark.slow
def test_the_readme_shows_the_number_of_tests(request: pytest.FixtureRequest) -> None:
    [(passed, skipped)] = re.findall(r"^=+ (\d+) passed, (\d+) skipped in ", README, re.MULTILINE)
    if request.config.args_source.name != "TESTPATHS" or request.config.option.markexpr:
        pytest.skip("not a run of all tests")
    collected = len(request.session.items)
    assert int(passed) + int(skipped) == collected, f"README.md shows another number than {collected} tests"
