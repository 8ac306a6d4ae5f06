"""The floor: parses each source in `sample_data` once with Arrow and does nothing with it."""

from pathlib import Path

from pyarrow import csv

for path in sorted(Path("sample_data").glob("*.csv")):
    for _ in csv.open_csv(path):
        pass
