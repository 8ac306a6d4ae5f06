"""The command line: what it prints on stdout and stderr, and its exit codes."""

import json
import re
import sys
from pathlib import Path

import pytest

from customer_etl.cli import trigger
from customer_etl.settings import SOURCE_FILES

from ..helpers import ROOT, read_manifest, run_python, write_sources

SUMMARY = {
    "profiles_generated",
    "records_processed",
    "shards_processed",
    "sample_profile",
    "statistics",
    "shards",
    "duplicate_records",
    "rejected_records",
    "dropped_keys",
    "source_data_hash",
    "output",
}


@pytest.fixture(autouse=True)
def two_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARD_COUNT", "2")


def test_json_is_one_document_on_stdout(data: Path, output: Path) -> None:
    write_sources(data)

    process = run_python(ROOT / "trigger.py", "--local", "--json")

    assert process.returncode == 0, process.stderr
    summary = json.loads(process.stdout)
    assert set(summary) == SUMMARY
    assert summary["profiles_generated"] == read_manifest(output)["rows"] == 40
    assert [shard["shard_id"] for shard in summary["shards"]] == [0, 1]
    assert "Warning" not in process.stderr
    assert process.stderr.count("shard_end") == 2


def test_text_output_explains_itself_and_ends_with_a_line_that_sums_up_the_run(
    data: Path, output: Path
) -> None:
    write_sources(data)

    process = run_python(ROOT / "trigger.py", "--local")

    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.splitlines()
    version = read_manifest(output)["version"]
    assert lines[-4:] == [
        f"records: {40 * len(SOURCE_FILES)} (rows with a key, from all sources)",
        "duplicates: 0 (records replaced by a later one), rejected: 0 (rows with a blank key)",
        "profiles: 40 (one for each key, merged from all sources)",
        f"published: {output}/manifest.json, which names the files in {output}/{version}",
    ]
    assert (output / version).is_dir()
    assert re.fullmatch(r"Merged 40 enriched profiles across 2 shards in \d+\.\ds", last)
    # Neither stream is a terminal, so there must be no progress bar and no color.
    assert (process.stdout + process.stderr).replace("\n", "").isprintable()


def test_a_missing_source_fails_the_run_with_an_error_that_names_it(data: Path, output: Path) -> None:
    process = run_python(ROOT / "trigger.py", "--local", "--json")

    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr == f"error: {SOURCE_FILES[0]}: there is no such file in DATA_URI\n"
    assert not output.exists()


def test_only_the_given_shards_run(
    data: Path, output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sources(data)
    monkeypatch.setattr("sys.argv", ["trigger.py", "--local", "--shards", "1"])

    assert trigger.main() == 0

    *_, place, last = capsys.readouterr().out.splitlines()
    lacks = "still lacks shards; a run without --shards completes it"
    assert re.fullmatch(rf"not published: {re.escape(str(output))}/v-[0-9a-f]{{16}} {lacks}", place)
    assert re.fullmatch(r"Merged \d+ enriched profiles across 1 shard in \d+\.\ds", last)
    assert not (output / "manifest.json").exists()


@pytest.mark.parametrize(
    ("shards", "error"),
    [
        ("one", "--shards takes numbers separated by commas, such as 3,7; not 'one'"),
        ("0,", "--shards takes numbers separated by commas, such as 3,7; not '0,'"),
        ("", "--shards takes numbers separated by commas, such as 3,7; not ''"),
        ("0,2", "there is no shard 2; the shards are 0 to 1"),
    ],
)
def test_invalid_shards_are_refused(
    data: Path,
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shards: str,
    error: str,
) -> None:
    write_sources(data)
    monkeypatch.setattr("sys.argv", ["trigger.py", "--local", "--shards", shards])

    assert trigger.main() == 1

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {error}\n")
    assert not output.exists()


def test_debug_runs_one_shard_in_this_process(data: Path, output: Path) -> None:
    write_sources(data)

    process = run_python(ROOT / "trigger.py", "--local", "--debug", "1")

    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert (result["shard_id"], "files" in result) == (1, False)
    assert result["count"] == result["keys"] > 0
    assert process.stderr == ""
    assert not (output / "manifest.json").exists()


def test_debug_shows_the_whole_traceback_and_lets_a_debugger_in(data: Path) -> None:
    """A rule stops at a breakpoint, where a person looks at the profiles and continues, and then fails."""
    write_sources(data)

    process = run_python(
        Path(__file__).with_name("stop_in_a_rule.py"), typed="p len(profiles.columns) > 3\nc\n"
    )

    assert process.returncode == 1
    assert "True" in process.stdout
    assert 'return profiles[["plan"]]' in process.stderr
    assert "KeyError: " in process.stderr
    assert process.stderr.splitlines()[-1].startswith("customer_etl.errors.RulesError: rules.py:")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--local", "--debug", "2"), "there is no shard 2; the shards are 0 to 1"),
        (("--debug", "1"), "--debug goes with --local only"),
    ],
)
def test_a_shard_that_cannot_be_debugged_is_refused(data: Path, options: tuple[str, ...], error: str) -> None:
    write_sources(data)

    process = run_python(ROOT / "trigger.py", *options)

    assert process.returncode == 1
    assert process.stderr.splitlines()[-1].endswith(f": {error}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_shows_three_profiles(
    data: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_sources(data)
    monkeypatch.setattr("sys.argv", ["trigger.py", "--local"])
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    assert trigger.main() == 0

    printed = capfd.readouterr().out
    assert "3 of the profiles in v-" in printed
    assert len(re.findall(r"│ cust_0\d+ │", printed)) == 3
    assert "churn_risk" in printed
    assert "crm_email" not in printed
