"""A sharded ETL service. Start reading in `main.py`."""
