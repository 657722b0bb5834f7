"""The mapping of an account that was written: it stands for the ledger's account that it was written for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from billcom_assets.alignment.record import Change
from billcom_assets.mapping.links import Link, Links, LinkState, Method
from billcom_assets.mapping.proposals import Proposals
from billcom_assets.warehouse.audit import Decision

_KIND = "accounts"
_CERTAIN = 100


@dataclass(frozen=True, slots=True)
class ChangeMapping:
    """The mapping of the account of one change."""

    connection: Connection
    integration: str
    plan: int
    change: Change

    def store(self, bill_id: str, by: str, now: datetime) -> list[Decision]:
        """Maps the account unless somebody has decided about it; returns what the audit log is to say."""
        if self.change.ledger_id is None or bill_id in self._links.all():
            return []
        link = Link(
            bill_id=bill_id,
            ledger_id=self.change.ledger_id,
            state=LinkState.MAPPED,
            method=Method.EXACT,
            score=_CERTAIN,
            reason=self._reason,
            decided_by=by,
            decided_at=now,
        )
        self._links.add([link])
        Proposals(self.connection, self.integration, _KIND).remove([bill_id])
        return [self._links.decision(bill_id, None, link)]

    def take_back(self) -> list[Decision]:
        """Removes the mapping if it is this change's own; returns what the audit log is to say."""
        known = self._links.all().get(self.change.bill_id or "")
        if known is None or known.reason != self._reason:
            return []
        self._links.remove([known.bill_id])
        return [self._links.decision(known.bill_id, known, None)]

    def by_others(self) -> str | None:
        """The ledger's account that somebody else has mapped it to; None for none."""
        known = self._links.all().get(self.change.bill_id or "")
        return known.ledger_id if known is not None and known.reason != self._reason else None

    @property
    def _links(self) -> Links:
        return Links(self.connection, self.integration, _KIND)

    @property
    def _reason(self) -> str:
        return f"written to BILL by plan {self.plan}, change {self.change.position}"
