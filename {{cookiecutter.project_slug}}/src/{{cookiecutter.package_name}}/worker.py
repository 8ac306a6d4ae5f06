"""The task that runs once per shard: a thin shell around `pipeline.py`."""

import time
from typing import Any

from {{ cookiecutter.render_package }} import Options, Retry, TaskContext, Workflows

from . import log
{% if cookiecutter.max_retries != "0" %}
from .engine.chaos import inject_failure
{% endif %}
from .errors import EtlError, RunError, SettingError, explain
from .settings import MAX_RETRIES, RETRY_WAIT_MS, SHARD_TIMEOUT_SECONDS, Settings

OPTIONS = Options(
    retry=Retry(max_retries=MAX_RETRIES, wait_duration_ms=RETRY_WAIT_MS),
    timeout_seconds=SHARD_TIMEOUT_SECONDS,
)

app = Workflows()


@app.task(retry=OPTIONS.retry, timeout_seconds=OPTIONS.timeout_seconds)
{% if cookiecutter.max_retries != "0" %}
@inject_failure
{% endif %}
def process_shard(ctx: TaskContext, shard_id: int, run_id: str | None = None) -> dict[str, Any]:
    """Process one shard. A second attempt writes the same bytes again.

    Args:
        ctx: given by the platform.
        shard_id: the shard, from 0 to `SHARD_COUNT - 1`.
        run_id: the run that the shard belongs to, for the log; the platform's id by default.

    Returns:
        The result of `pipeline.run_shard`, and `elapsed_ms`. Where a retry would fail again, only `shard_id` and
        `error`: Render retries whatever raises.

    Raises:
        RunError: the shard failed, and a retry may succeed. The message names the shard and the cause, because
            Render forwards only the message.
    """
    # Imported late: the orchestrator's process imports this module too, and needs neither Arrow nor pandas.
    from .pipeline import run_shard

    run_id = run_id or ctx.metadata.root_task_run_id or "unknown"
    shard, started = {"shard_id": shard_id, "run_id": run_id}, time.perf_counter()
    log.event("shard_start", **shard)
    try:
        settings = Settings.from_env()
        if type(shard_id) is not int or not 0 <= shard_id < settings.shard_count:
            expected = f"the number of a shard, from 0 to {settings.shard_count - 1}"
            raise SettingError(f"process_shard takes {expected}, not {shard_id!r:.60}")
        result = run_shard(shard_id, settings)
    except Exception as error:
        cause, is_permanent = explain(error), isinstance(error, EtlError) and error.is_permanent
        failure = {"error": cause, "where": log.traceback_line(error), "retry": not is_permanent}
        log.event("shard_failed", **shard, **failure, elapsed_ms=log.elapsed_ms(started))
        if is_permanent:
            return {"shard_id": shard_id, "error": cause}
        raise RunError(f"shard {shard_id}: {cause}") from None  # the SDK prints what is chained
    elapsed_ms = log.elapsed_ms(started)
    log.event("shard_end", **shard, record_count=result["records"], elapsed_ms=elapsed_ms)
    return {**result, "elapsed_ms": elapsed_ms}
