"""Debugs a shard with a rule that stops at a breakpoint and then fails; `test_trigger.py` starts this."""

import sys

import pandas as pd

from customer_etl import rules
from customer_etl.cli.trigger import main


def enrich(profiles: pd.DataFrame) -> pd.DataFrame:
    breakpoint()
    return profiles[["plan"]]


if __name__ == "__main__":
    setattr(rules, "enrich", enrich)  # noqa: B010 - the module does not export the name
    sys.argv = ["trigger.py", "--local", "--debug"]
    sys.exit(main())
