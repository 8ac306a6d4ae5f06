"""Routing: the same key goes to the same shard, in every process, on every machine, in every release."""

import numpy as np
import pyarrow as pa
import pytest

from {{ cookiecutter.package_name }}.sharding import shard_of, shards_of

# Each key with its CRC-32 (the checksum that gzip uses), its shard of 10 and its shard of 500. These values
# must not change: keys would move to other shards, and a system that computes the shard of a key would look
# in the wrong part.
PINNED = [
    ("", 0, 0, 0),
    ("123", 2286445522, 2, 22),
    ("00123", 3760262650, 0, 150),
    ("1.0", 4147539765, 5, 265),
    ("NA", 788005234, 4, 234),
    ("cust_00000001", 3875601341, 1, 341),
    ("Zürich-42", 2060171447, 7, 447),
    ("客户", 3557704597, 7, 97),
]


@pytest.mark.parametrize(("key", "crc_32", "of_10", "of_500"), PINNED)
def test_a_key_has_the_pinned_shard(key: str, crc_32: int, of_10: int, of_500: int) -> None:
    assert shard_of(key, 2**32) == crc_32
    assert shard_of(key, 10) == of_10
    assert shard_of(key, 500) == of_500
    assert shard_of(key, 1) == 0


@pytest.mark.parametrize("shard_count", [1, 2, 10, 500])
def test_a_column_of_keys_has_the_shards_of_its_keys(shard_count: int) -> None:
    keys = [key for key, *_ in PINNED] * 3

    shards = shards_of(pa.array(keys), shard_count)

    assert shards.tolist() == [shard_of(key, shard_count) for key in keys]


def test_a_slice_of_a_column_has_the_shards_of_its_own_keys() -> None:
    keys = [key for key, *_ in PINNED]

    assert shards_of(pa.array(keys)[3:5], 500).tolist() == [265, 234]
    assert shards_of(pa.array([], pa.string()), 500).tolist() == []


@pytest.mark.parametrize("form", ["cust_{:08d}", "{}", "{}0", "user{}@example.com", "Köln-{:x}"])
def test_consecutive_keys_spread_evenly(form: str) -> None:
    keys = pa.array([form.format(number) for number in range(20_000)])

    sizes = np.bincount(shards_of(keys, 10), minlength=10)

    assert len(sizes) == 10
    assert sizes.max() / sizes.mean() < 1.1
    assert sizes.min() / sizes.mean() > 0.9
