"""Plans that nobody need do anything about any more but write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from billcom_assets.warehouse.alignment_modes import Alignment, SourceOfTruth
from billcom_assets.warehouse.alignment_tables import PlanStatus, alignment_plans
from billcom_assets.warehouse.tables import integrations


@dataclass(frozen=True, slots=True)
class PlanToApply:
    """An approved plan of an integration that has such plans applied by themselves."""

    number: int
    status: str
    decided_at: datetime
    expires_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it waited too long; one that was begun is brought to its end."""
        return self.status == PlanStatus.APPROVED and now >= self.expires_at


def plans_to_apply(connection: Connection) -> dict[str, PlanToApply]:
    """The newest of each integration where ``alignment = apply``, by its key."""
    p, i = alignment_plans.c, integrations.c
    wanted = (
        i.alignment == Alignment.APPLY.value,
        i.source_of_truth == SourceOfTruth.LEDGER.value,
        p.status.in_((PlanStatus.APPROVED.value, PlanStatus.APPLYING.value)),
        p.decided_at.is_not(None),
    )
    query = (
        select(p.integration, p.number, p.status, p.decided_at, p.expires_at)
        .select_from(alignment_plans.join(integrations, and_(i.key == p.integration)))
        .where(*wanted)
        .order_by(p.number)
    )
    return {row[0]: PlanToApply(*row[1:]) for row in connection.execute(query)}
