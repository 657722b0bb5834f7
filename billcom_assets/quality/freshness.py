"""How old the data is."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from billcom_assets.quality.measures import Quality, Severity
from billcom_assets.warehouse.tables import sync_state

STALE_AFTER = timedelta(hours=3)
"""Age of the last pull from which the data counts as old: syncs run hourly, and two may be missed."""
_SAMPLE = 10


def freshness(conn: Connection, integration: str, now: datetime, *, stale_after: timedelta = STALE_AFTER) -> Quality:
    """Whether the last complete pull of every entity that was ever pulled is recent; the late ones oldest first."""
    s = sync_state.c
    pulled = conn.execute(
        select(s.entity, s.synced_at)
        .where(s.integration == integration, s.synced_at.is_not(None))
        .order_by(s.synced_at, s.entity)
    ).all()
    if not pulled:
        fix = f"billcom sync {integration}"
        return Quality(False, Severity.WARN, "nothing has ever been pulled", 1, (), fix)
    ages = {row.entity: now - row.synced_at for row in pulled}
    late = [f"{entity.replace('_', ' ')} {_hours(age)} ago" for entity, age in ages.items() if age > stale_after]
    if not late:
        oldest = _hours(next(iter(ages.values())))
        return Quality(True, Severity.WARN, f"all {len(ages)} lists were pulled within {oldest}", 0, (), "")
    more = f" and {len(late) - _SAMPLE} more" if len(late) > _SAMPLE else ""
    described = f"{len(late)} of {len(ages)} lists are late, last pulled: {', '.join(late[:_SAMPLE])}{more}"
    fix = f"billcom status {integration} shows why; billcom sync {integration} pulls now"
    return Quality(False, Severity.WARN, described, len(late), (), fix)


def _hours(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
