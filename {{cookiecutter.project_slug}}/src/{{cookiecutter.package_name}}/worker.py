"""The task that runs once per shard: a thin shell around `pipeline.py`."""

import time
from typing import Any

from {{ cookiecutter.render_package }} import Options, Retry, TaskContext, Workflows

from . import log
{% if cookiecutter.max_retries != "0" %}
from .engine.chaos import inject_failure
{% endif %}
from .errors import RunError, explain
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
def process_shard(ctx: TaskContext, shard_id: int) -> dict[str, Any]:
    """Process one shard. A second attempt writes the same bytes again.

    Args:
        ctx: given by the platform.
        shard_id: the shard, from 0 to `SHARD_COUNT - 1`.

    Returns:
        The result of `pipeline.run_shard`, and `elapsed_ms`.

    Raises:
        RunError: the shard failed. The message names the shard and the cause, because Render forwards only the
            message.
    """
    # Imported late: the orchestrator's process imports this module too, and needs neither Arrow nor pandas.
    from .pipeline import run_shard

    shard, started = {"shard_id": shard_id, "run_id": ctx.metadata.root_task_run_id}, time.perf_counter()
    log.event("shard_start", **shard)
    try:
        result = run_shard(shard_id, Settings.from_env())
    except Exception as error:
        cause, where = explain(error), log.traceback_line(error)
        log.event("shard_failed", **shard, error=cause, where=where, elapsed_ms=log.elapsed_ms(started))
        raise RunError(f"shard {shard_id}: {cause}") from None
    elapsed_ms = log.elapsed_ms(started)
    log.event("shard_end", **shard, record_count=result["records"], elapsed_ms=elapsed_ms)
    return {**result, "elapsed_ms": elapsed_ms}
