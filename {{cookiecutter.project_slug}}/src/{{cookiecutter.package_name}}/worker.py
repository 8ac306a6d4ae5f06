"""The task that runs N times: one shard, from the sources to its part of the output."""

from typing import Any

from {{ cookiecutter.render_package }} import Options, Retry, TaskContext, Workflows

{% if cookiecutter.max_retries != "0" %}
from .chaos import fail_once
{% endif %}
from .log import describe, shard_events
from .settings import MAX_RETRIES, RETRY_WAIT_MS, SHARD_TIMEOUT_SECONDS, Settings

OPTIONS = Options(
    retry=Retry(max_retries=MAX_RETRIES, wait_duration_ms=RETRY_WAIT_MS),
    timeout_seconds=SHARD_TIMEOUT_SECONDS,
)

app = Workflows()


@app.task(retry=OPTIONS.retry, timeout_seconds=OPTIONS.timeout_seconds)
{% if cookiecutter.max_retries != "0" %}
@fail_once
{% endif %}
def process_shard(ctx: TaskContext, shard_id: int) -> dict[str, Any]:
    """Process one shard and return its small summary; a second attempt writes the same bytes.

    Raises:
        RuntimeError: the shard failed; the text holds the shard and the cause, for only the text reaches
            the orchestrator.
    """
    # Late, because the orchestrator's process imports this module too and needs neither Arrow nor pandas.
    from .pipeline import run_shard

    try:
        with shard_events(shard_id, ctx.metadata.root_task_run_id) as fields:
            result = run_shard(shard_id, Settings.from_env())
            fields["record_count"] = result["records"]
    except Exception as error:
        raise RuntimeError(f"shard {shard_id}: {describe(error)}") from None
    return {**result, "elapsed_ms": fields["elapsed_ms"]}
