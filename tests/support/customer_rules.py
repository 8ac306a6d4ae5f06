"""The customers' rules a second time, row by row in plain Python, to compare the pipeline's numbers with.

They are written from the text of the rules and use none of the template's code.
"""

import math
from typing import Any

Row = dict[str, str]


def merge(sources: dict[str, list[Row]], key_column: str) -> dict[str, dict[str, str | None]]:
    """Merge the rows of all sources by key; of several rows with a key in one source the last one counts.

    Args:
        sources: rows of each source, by the source's name.
        key_column: the column that all sources share.

    Returns:
        A profile for each key. Columns have their source's name as a prefix; blank cells are None.
    """
    columns = [
        f"{s}_{c}" for s, rows in sources.items() for c in (rows[0] if rows else {}) if c != key_column
    ]
    profiles: dict[str, dict[str, str | None]] = {}
    for source, rows in sources.items():
        for row in rows:
            key = row[key_column].strip()
            if not key:
                continue
            profile = profiles.setdefault(key, {key_column: key, **dict.fromkeys(columns)})
            for column, value in row.items():
                if column != key_column:
                    profile[f"{source}_{column}"] = value or None
    return profiles


def number(text: str | None) -> float | None:
    """Return a cell as a number; None if it is blank, not a number, or not finite."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def enrich(profile: dict[str, str | None]) -> dict[str, Any]:
    """Return the health score, the churn risk and the expansion potential of one customer."""
    usage = number(profile["product_usage_pct"])
    nps = number(profile["support_nps_score"])
    tickets = number(profile["support_open_tickets"])
    payment = (profile["billing_payment_status"] or "").lower().replace("_", " ")
    plan = (profile["billing_plan"] or "").lower()
    score, churn, expansion = 50, 0, 0
    if usage is not None:
        if usage >= 80:
            score, expansion = score + 20, expansion + 3
        elif usage >= 60:
            score, expansion = score + 10, expansion + 1
        elif usage < 30:
            score -= 10
        if usage < 30:
            churn += 3
        elif usage < 50:
            churn += 1
    if payment == "active":
        score += 15
    elif payment in ("past due", "failed"):
        score, churn = score - 15, churn + 3
    if nps is not None:
        if nps >= 9:
            score, expansion = score + 10, expansion + 2
        elif nps >= 7:
            score += 5
        elif nps <= 5:
            score -= 10
        if nps <= 6:
            churn += 2
    if tickets is not None:
        if tickets == 0:
            score += 5
        elif tickets > 3:
            score, churn = score - 5, churn + 1
    if plan in ("starter", "free", "basic"):
        expansion += 2
    elif plan in ("business", "professional"):
        expansion += 1
    if (profile["crm_deal_stage"] or "").lower() == "enterprise":
        expansion += 1
    return {
        "health_score": max(0, min(100, score)),
        "churn_risk": level(churn),
        "expansion_potential": level(expansion),
    }


def level(points: int) -> str:
    """Return the level that a number of points stands for."""
    return "HIGH" if points >= 5 else "MEDIUM" if points >= 2 else "LOW"


def count_duplicates(rows: list[Row], key_column: str) -> int:
    """Return the number of rows whose key an earlier row already has."""
    keys = [row[key_column].strip() for row in rows if row[key_column].strip()]
    return len(keys) - len(set(keys))
