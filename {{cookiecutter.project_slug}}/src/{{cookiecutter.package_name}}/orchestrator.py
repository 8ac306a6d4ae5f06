"""The task that starts a run: one `process_shard` for each shard, then one summary. It touches no row."""

import asyncio
from operator import itemgetter
from typing import Any

from {{ cookiecutter.render_package }} import Options, Retry, TaskContext, Workflows

from . import log, sink
from .settings import KEY_COLUMN, RUN_TIMEOUT_SECONDS, SOURCE_FILES, InputError, Settings
from .source_format import read_header
from .statistics import combine_statistics
from .worker import process_shard

# A retry would run every shard again; the shards' own retries are the ones that help.
OPTIONS = Options(retry=Retry(max_retries=0, wait_duration_ms=0), timeout_seconds=RUN_TIMEOUT_SECONDS)

app = Workflows()


@app.task(retry=OPTIONS.retry, timeout_seconds=OPTIONS.timeout_seconds)
async def merge_{{ cookiecutter.__entity }}_data(
    ctx: TaskContext,
    shards: list[int] | None = None,
) -> dict[str, Any]:
    """Run all shards in parallel, or only those given, publish the output and return the summary.

    Raises:
        InputError: a source or a setting is wrong; no shard was started.
        RuntimeError: shards failed, after their retries; names each with its cause. Nothing is published.
    """
    settings = Settings.from_env()
    shard_ids = _choose(shards, settings.shard_count)
    for file in SOURCE_FILES:
        read_header(settings.data_uri, file)
    run_id = ctx.metadata.root_task_run_id
    log.event("run_start", run_id=run_id, shard_count=len(shard_ids))
    runs = (ctx.run(process_shard, shard_id) for shard_id in shard_ids)
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    results = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    if len(results) < len(shard_ids):
        raise RuntimeError(_failures(dict(zip(shard_ids, outcomes, strict=True))))
    summary = aggregate_results(results)
    summary["output"] = {**_publish(results, settings), "durable": settings.output_is_durable}
    if not settings.output_is_durable:
        log.event("output_not_durable", run_id=run_id, hint="it goes with the disk of this run's instance")
    log.event("run_end", run_id=run_id, record_count=summary["records_processed"])
    return summary


def aggregate_results(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Combine the shards' results into the run's summary, but for its `output`.

    Of several results of one shard the last one counts; a key lives in one shard, so none counts twice.

    Raises:
        RuntimeError: the shards have seen different source data, or were made by different code.
    """
    by_shard = {result["shard_id"]: result for result in results}
    shards = [by_shard[shard_id] for shard_id in sorted(by_shard)]
    for name in ("source_data_hash", "version"):
        if len({shard[name] for shard in shards}) > 1:
            raise RuntimeError(f"the shards differ in {name}: the sources or the service changed")
    samples = [shard["sample_profile"] for shard in shards if shard["sample_profile"]]
    return {
        "profiles_generated": sum(shard["count"] for shard in shards),
        "records_processed": sum(shard["records"] for shard in shards),
        "shards_processed": len(shards),
        "sample_profile": min(samples, key=itemgetter(KEY_COLUMN), default=None),
        "statistics": combine_statistics([shard["statistics"] for shard in shards]),
        "shards": [
            {name: shard[name] for name in ("shard_id", "count", "records", "elapsed_ms")} for shard in shards
        ],
        "duplicate_records": sum(shard["duplicate_records"] for shard in shards),
        "rejected_records": sum(shard["rejected_records"] for shard in shards),
        "source_data_hash": shards[0]["source_data_hash"],
    }


def _choose(shards: list[int] | None, shard_count: int) -> list[int]:
    every = range(shard_count)
    for shard_id in shards or []:
        if shard_id not in every:
            raise InputError(f"there is no shard {shard_id}; the shards are 0 to {every[-1]}")
    return sorted(set(shards or every))


def _failures(outcomes: dict[int, Any]) -> str:
    """One line for all failures: each cause with the shards that it stopped."""
    shards_by_cause: dict[str, list[int]] = {}
    for shard_id, outcome in outcomes.items():
        if isinstance(outcome, BaseException):
            cause = str(outcome).removeprefix("Subtask failed: ").removeprefix(f"shard {shard_id}: ")
            shards_by_cause.setdefault(cause, []).append(shard_id)
    failed = sorted(shard_id for shard_ids in shards_by_cause.values() for shard_id in shard_ids)
    causes = "; ".join(f"shard {_join(ids)}: {cause}" for cause, ids in shards_by_cause.items())
    return f"{len(failed)} of {len(outcomes)} shards failed ({causes}); run these again: --shards {_join(failed)}"


def _join(shard_ids: list[int]) -> str:
    return ",".join(map(str, shard_ids))


def _publish(results: list[dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """Publish the version if all of its parts are there: this run's, and those of earlier runs."""
    first = results[0]
    parts = {result["shard_id"]: result for result in results}
    for shard_id in set(range(settings.shard_count)) - set(parts):
        part = sink.Part(settings.output_uri, first["source_data_hash"], shard_id, settings.shard_count)
        if earlier := part.read_result():
            parts[shard_id] = earlier
    files = [file for shard_id in sorted(parts) for file in parts[shard_id]["files"]]
    output = {"version": first["version"], "manifest": sink.MANIFEST, "files": len(files)}
    if len(parts) < settings.shard_count:
        return {**output, "published": False}
    manifest = {
        "source_data_hash": first["source_data_hash"],
        "shard_count": settings.shard_count,
        "rows": sum(part["count"] for part in parts.values()),
        "files": files,
    }
    sink.publish(settings.output_uri, first["version"], manifest)
    return {**output, "published": True}
