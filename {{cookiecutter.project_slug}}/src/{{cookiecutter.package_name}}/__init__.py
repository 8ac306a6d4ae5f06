"""A sharded ETL service; start reading in main.py."""
