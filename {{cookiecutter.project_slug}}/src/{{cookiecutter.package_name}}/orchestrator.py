"""The task that starts a run: one `process_shard` per shard, then one summary. It never touches a row."""

import asyncio
import uuid
from operator import itemgetter
from typing import Any

from {{ cookiecutter.render_package }} import Options, Retry, TaskContext, Workflows

from . import log
from .csv_format import read_header
from .errors import RunError, SettingError
from .manifest import OutputVersion, publish
from .settings import KEY_COLUMN, RUN_TIMEOUT_SECONDS, SOURCE_FILES, Settings
from .summary import combine_statistics
from .worker import process_shard

# No retry here: it would run every shard again. The shards have retries of their own.
OPTIONS = Options(retry=Retry(max_retries=0, wait_duration_ms=0), timeout_seconds=RUN_TIMEOUT_SECONDS)
SHARD_FIELDS = ("shard_id", "count", "records", "elapsed_ms")  # what the summary says about each shard
SUMS = ("duplicate_records", "rejected_records", "dropped_keys")

app = Workflows()


@app.task(retry=OPTIONS.retry, timeout_seconds=OPTIONS.timeout_seconds)
async def merge_{{ cookiecutter.__entity }}_data(
    ctx: TaskContext,
    shards: list[int] | None = None,
) -> dict[str, Any]:
    """Run the shards in parallel, publish the output if it is complete, and return the run's summary.

    Args:
        ctx: given by the platform.
        shards: the shards to run; all of them by default.

    Raises:
        SettingError: a variable or `shards` cannot be used. No shard was started.
        SourceError: a source is missing, or its header is invalid. No shard was started.
        RunError: shards failed after their retries, each named with its cause. Nothing was published.
    """
    settings = Settings.from_env()
    shard_ids = _choose(shards, settings.shard_count)
    for file in SOURCE_FILES:
        read_header(settings.data_uri, file)
    run_id = ctx.metadata.root_task_run_id or f"run-{uuid.uuid4().hex[:12]}"
    log.event("run_start", run_id=run_id, shard_count=len(shard_ids))
    runs = (ctx.run(process_shard, shard_id, run_id) for shard_id in shard_ids)
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    results = [outcome for outcome in outcomes if isinstance(outcome, dict) and "error" not in outcome]
    if len(results) < len(shard_ids):
        raise RunError(_failures(dict(zip(shard_ids, outcomes, strict=True))))
    summary = aggregate_results(results)
    version = OutputVersion(settings.output_uri, summary["source_data_hash"], settings.shard_count)
    summary["output"] = {**publish(version, results), "durable": settings.output_is_durable}
    if not settings.output_is_durable:
        log.event("output_not_durable", run_id=run_id, hint="the disk of this run's instance goes with it")
    counts = {"record_count": summary["records_processed"], "dropped_keys": summary["dropped_keys"]}
    log.event("run_end", run_id=run_id, **counts)
    return summary


def aggregate_results(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Combine the results of the shards into the run's summary, all but its `output`.

    Of several results of one shard the last one counts. Every key lives in one shard, so none is counted twice.

    Raises:
        RunError: the shards have read different source data, or were made by different code.
    """
    by_shard = {result["shard_id"]: result for result in results}
    shards = [by_shard[shard_id] for shard_id in sorted(by_shard)]
    for name in ("source_data_hash", "version"):
        if len({shard[name] for shard in shards}) > 1:
            raise RunError(f"the shards differ in {name}: the sources or the service changed; run again")
    samples = [shard["sample_profile"] for shard in shards if shard["sample_profile"]]
    return {
        "profiles_generated": sum(shard["count"] for shard in shards),
        "records_processed": sum(shard["records"] for shard in shards),
        "shards_processed": len(shards),
        "sample_profile": min(samples, key=itemgetter(KEY_COLUMN), default=None),
        "statistics": combine_statistics([shard["statistics"] for shard in shards]),
        "shards": [{name: shard[name] for name in SHARD_FIELDS} for shard in shards],
        **{name: sum(shard[name] for shard in shards) for name in SUMS},
        "source_data_hash": shards[0]["source_data_hash"],
    }


def _choose(shards: list[int] | None, shard_count: int) -> list[int]:
    every = list(range(shard_count))
    if shards is None:
        return every
    if not (isinstance(shards, list) and shards and all(type(shard_id) is int for shard_id in shards)):
        raise SettingError(f"shards takes a list of numbers such as [3, 7], or nothing; not {shards!r:.60}")
    if unknown := sorted(set(shards) - set(every)):
        raise SettingError(f"there is no shard {unknown[0]}; the shards are 0 to {every[-1]}")
    return sorted(set(shards))


def _failures(outcomes: dict[int, Any]) -> str:
    """Tell all failures in one line: each cause once, with the shards that it stopped."""
    shards_by_cause: dict[str, list[int]] = {}
    again = []
    for shard_id, outcome in outcomes.items():
        if isinstance(outcome, BaseException):
            again.append(shard_id)
            cause = str(outcome).removeprefix("Subtask failed: ").removeprefix(f"shard {shard_id}: ")
        elif not (cause := outcome.get("error")):
            continue
        shards_by_cause.setdefault(cause, []).append(shard_id)
    causes = [f"shard {_join(shard_ids)}: {cause}" for cause, shard_ids in shards_by_cause.items()]
    count = sum(map(len, shards_by_cause.values()))
    hint = f"; run {'these' if len(again) > 1 else 'this'} again: --shards {_join(again)}" if again else ""
    noun = "shard" if len(outcomes) == 1 else "shards"
    return f"{count} of {len(outcomes)} {noun} failed ({'; '.join(causes)}){hint}"


def _join(shard_ids: list[int]) -> str:
    return ",".join(map(str, shard_ids))
