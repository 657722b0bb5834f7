"""Whether the mirror holds all that BILL has: nothing unreadable, nothing missing in doubt, no sweep overdue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, func, select

from billcom_assets.entities.model import Entity
from billcom_assets.quality.measures import Quality, Severity
from billcom_assets.redaction.counted import counted, singular
from billcom_assets.redaction.display import one_line
from billcom_assets.redaction.personal import mask_personal_data
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.error_codes import MASS_DISAPPEARANCE, UNREADABLE
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import integration_errors

SWEEP_OVERDUE_AFTER = timedelta(days=3)
"""Sweeps run nightly; after so many nights without one, what BILL removed goes unnoticed."""
_REASONS_SHOWN = 5
_AMOUNT = "amount"


def completeness(
    conn: Connection, integration: str, entity: Entity, state: EntityState | None, now: datetime
) -> Quality:
    """What of the entity BILL has and the mirror may not show, for each of the three reasons.

    Args:
        conn: A reading one.
        integration: Whose.
        entity: What to look at.
        state: How far the entity is; None when no pull of it was begun.
        now: To compare the last sweep with.
    """
    unreadable = list(_open_errors(conn, integration, entity.name, UNREADABLE))
    gone = list(_open_errors(conn, integration, entity.name, MASS_DISAPPEARANCE))
    overdue = _overdue(state, now)
    title = entity.name.replace("_", " ")
    found = [*_rejected_words(conn, integration, entity, len(unreadable)), *gone, *overdue]
    if not found:
        return Quality(True, Severity.ERROR, f"the mirror holds all {title} that BILL sends", 0, (), "")
    fixes = (
        (unreadable, "correct the records in BILL: the next sync reads them again"),
        (gone, f"if they are gone in BILL: billcom sync {integration} --full-refresh --confirm-deletions"),
        (overdue, f"billcom sync {integration} --full-refresh"),
    )
    return Quality(
        passed=False,
        severity=Severity.ERROR if unreadable or gone else Severity.WARN,
        description="; ".join(found),
        count=len(unreadable) + len(gone),
        sample=tuple(one_line(mask_personal_data(reason)) for reason in unreadable[:_REASONS_SHOWN]),
        fix="; ".join(fix for applies, fix in fixes if applies),
    )


def _open_errors(conn: Connection, integration: str, entity: str, code: str) -> Iterator[str]:
    """The messages of the open errors, oldest first."""
    e = integration_errors.c
    mine = (e.integration == integration, e.entity == entity, e.code == code, e.status == "open")
    yield from conn.scalars(select(e.message).where(*mine).order_by(e.id))


def _rejected_words(conn: Connection, integration: str, entity: Entity, count: int) -> Iterator[str]:
    """How many objects are unreadable, and what amount their last readable versions stand for."""
    if not count:
        return
    amount, kept = _at_stake(conn, integration, entity)
    shown = f", which stand for {amount:,.2f} in their own currencies" if amount else ""
    title = entity.name.replace("_", " ")
    unreadable = counted(
        count, f"{singular(title)} cannot be read as BILL sends it", f"{title} cannot be read as BILL sends them"
    )
    yield f"{unreadable}; {counted(kept, 'shows its', 'show their')} last readable version{shown}"


def _at_stake(conn: Connection, integration: str, entity: Entity) -> tuple[Decimal, int]:
    """(sum of the amounts, number) of the rows that show an earlier version than BILL's."""
    t = catalog_mirror().table(entity.name).c
    kept = (t.integration == integration, t.unreadable_since.is_not(None), t.deleted_at.is_(None))
    number = conn.scalar(select(func.count()).select_from(catalog_mirror().table(entity.name)).where(*kept)) or 0
    amount = conn.scalar(select(MoneySum(t[_AMOUNT])).where(*kept)) if _AMOUNT in t else None
    return Decimal(amount or 0), number


def _overdue(state: EntityState | None, now: datetime) -> list[str]:
    since = (state.swept_at or state.first_pulled_at) if state is not None else None
    if since is None or now - since <= SWEEP_OVERDUE_AFTER:
        return []
    return [f"no complete sweep since {since:%Y-%m-%d %H:%M} UTC: what BILL removed since then is not noticed"]
