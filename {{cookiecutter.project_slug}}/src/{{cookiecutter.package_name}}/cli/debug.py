"""One shard in this process, for the people who edit the rules."""

import json

from ..errors import SettingError
from ..settings import Settings


def debug_shard(shard_id: int) -> None:
    """Run one shard here, and print its result.

    There is no other process, no retry and no timeout, so `breakpoint()` works in the rules, and an error shows its
    whole traceback. The part is written as in any run, but nothing is published.

    Raises:
        SettingError: there is no such shard.
    """
    settings = Settings.from_env()
    if not 0 <= shard_id < settings.shard_count:
        raise SettingError(f"there is no shard {shard_id}; the shards are 0 to {settings.shard_count - 1}")
    from ..pipeline import run_shard  # imported late: no other command needs Arrow and pandas

    result = run_shard(shard_id, settings)
    shown = {name: value for name, value in result.items() if name not in ("columns", "files")}
    print(json.dumps(shown, ensure_ascii=False, indent=2))
