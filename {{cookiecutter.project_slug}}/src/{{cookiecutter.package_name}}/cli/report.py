"""What the trigger prints about a completed run."""

import json
from typing import Any


def print_summary(summary: dict[str, Any], seconds: float, output_uri: str | None) -> None:
    """Print a run's summary for a person, on stdout.

    Args:
        summary: what the orchestrator returned.
        seconds: how long the run took.
        output_uri: directory of the output; None if the run used a server's, which the summary does not tell.
    """
    for name, value in summary["statistics"].items():
        print(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    duplicates, rejected = summary["duplicate_records"], summary["rejected_records"]
    replaced = f"duplicates: {duplicates} (records replaced by a later one)"
    print(f"records: {summary['records_processed']} (rows with a key, from all sources)")
    print(f"{replaced}, rejected: {rejected} (rows with a blank key)")
    profiles, shards = summary["profiles_generated"], summary["shards_processed"]
    print(f"profiles: {profiles} (one for each key, merged from all sources)")
    print(_place(summary["output"], output_uri))
    merged = f"{counted(profiles, 'enriched profile')} across {counted(shards, 'shard')}"
    print(f"Merged {merged} in {seconds:.1f}s")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 shard`, `2 shards`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _place(output: dict[str, Any], output_uri: str | None) -> str:
    """Tell where the output is, as far as the trigger can know it."""
    directory = "OUTPUT_URI" if output_uri is None else output_uri.rstrip("/")
    version = f"{directory}/{output['version']}"
    if output["published"]:
        text = f"published: {directory}/{output['manifest']}, which names the files in {version}"
    else:
        text = f"not published: {version} still lacks shards; a run without --shards completes it"
    if not output.get("durable", True):
        return f"{text}; deleted with the disk of the run"
    return text if output_uri is not None else f"{text}; OUTPUT_URI is that of the service"
