"""From a key to its shard: the same in every process, on every machine, in every release.

The hash is CRC-32 (ISO 3309, `zlib.crc32`) of the key's UTF-8 bytes, modulo the number of shards. Every
language has it, so other systems can tell where a key lives.
"""

import zlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def shard_of(key: str, shard_count: int) -> int:
    """Return the shard of one key, from 0 to `shard_count - 1`."""
    return zlib.crc32(key.encode()) % shard_count


def shards_of(keys: pa.Array, shard_count: int) -> npt.NDArray[np.uint32]:
    """Return the shard of each key of a text column without nulls: `shard_of` for a whole column."""
    # Through a list of bytes, because a loop over Arrow or pandas strings costs six times as much.
    hashes = map(zlib.crc32, keys.cast(pa.binary()).to_pylist())
    return np.fromiter(hashes, np.uint32, len(keys)) % np.uint32(shard_count)
