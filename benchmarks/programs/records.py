"""The shape of a first draft: loads all rows as dicts, then keeps those of one shard.

Arguments: the shard's number and the number of shards.
"""

import csv
import sys
import zlib
from pathlib import Path

shard, count = map(int, sys.argv[1:])
profiles: dict[str, dict[str, str]] = {}
for path in sorted(Path("sample_data").glob("*.csv")):
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if zlib.crc32(row["customer_id"].encode()) % count == shard:
            profiles.setdefault(row["customer_id"], {}).update(row)
