"""What one posting run knows from its start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billcom_assets.books.policy import PostingPolicy
from billcom_assets.warehouse.mirror import Mirror


@dataclass(frozen=True, slots=True)
class Run:
    """One posting run of one integration.

    Args:
        integration: Integration key.
        mirror: Where BILL's documents are.
        policy: The posting policy that holds.
        cutoff: Documents dated before it stay out; None for no cutoff.
        started_at: UTC; its day is what the run calls today.
        run_id: Dagster run; None outside of one.
        reposts: What stands follows the present policy and mappings, as a person has confirmed.
        revalues: With ``reposts``: everything is posted anew, because the home currency is another.
    """

    integration: str
    mirror: Mirror
    policy: PostingPolicy
    cutoff: date | None
    started_at: datetime
    run_id: str | None = None
    reposts: bool = False
    revalues: bool = False

    @property
    def today(self) -> date:
        """The UTC day on which the run started."""
        return self.started_at.date()

    @property
    def first_open_day(self) -> date | None:
        """The day after the closed period; None where nothing is closed."""
        closed = self.policy.closed_through
        return None if closed is None else closed + timedelta(days=1)
