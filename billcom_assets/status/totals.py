"""All integrations at a glance: how far each is, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, Connection, MetaData, Table, func, select

from billcom_assets.setup.prerequisites import next_step
from billcom_assets.status.errors import held_documents
from billcom_assets.status.readiness import gate
from billcom_assets.status.report import summaries
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.integrations import CredentialCheck
from billcom_assets.warehouse.sums import MoneySum
from billcom_assets.warehouse.tables import SCHEMA

_AGING = Table("ap_aging", MetaData(), Column("currency"), Column("total"), Column("documents"), schema=SCHEMA)


@dataclass(frozen=True, slots=True)
class Line:
    """One integration."""

    key: str
    company: str
    owner: str
    """Who answers for it; empty when nobody was named."""
    readiness: str
    """ready; or what of the setup is missing first; or why it is left alone."""
    up_to_date_at: datetime | None
    """When it was last synced, or BILL last said that there is nothing new."""
    rows: int
    """Objects in the mirror that BILL still has."""
    open_errors: int
    next_step: str
    """The command that brings it on."""

    @property
    def is_ready(self) -> bool:
        """True when a full sync may run."""
        return self.readiness == "ready"


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all integrations together; documents that BILL has deleted do not count."""

    bills: int
    bills_open: int
    """Those of the view ``ap_aging``: something is owed on them; no drafts, none denied, none archived."""
    bills_paid: int
    vendor_credits: int
    documents_held: int
    open_payables: Mapping[str, Decimal]
    """Open bills less open credits, by currency."""


def lines(warehouse: Warehouse, connection: Connection, check: CredentialCheck) -> list[Line]:
    """Every integration: those that are not ready first, by key."""
    found = []
    for one in summaries(warehouse, connection, check):
        key = one.integration.key
        readiness, step = one.integration.left or "", f"billcom status {key}"
        if not readiness:
            missing = gate(connection, key)
            readiness = f"{missing[0].prerequisite.title}: {missing[0].summary}" if missing else "ready"
            step = next_step(key, missing)
        company, owner = one.integration.company, one.integration.owner or ""
        found.append(Line(key, company, owner, readiness, one.up_to_date_at, one.rows, one.open_errors, step))
    return sorted(found, key=lambda line: (line.is_ready, line.key))


def totals(warehouse: Warehouse, connection: Connection) -> Totals:
    """What the mirrored documents of all integrations add up to."""
    bills, credits = warehouse.mirror.table("bills"), warehouse.mirror.table("vendor_credits")
    live = bills.c.deleted_at.is_(None)
    by_status = select(bills.c.payment_status, func.count()).where(live).group_by(bills.c.payment_status)
    counts = {row[0]: row[1] for row in connection.execute(by_status)}
    due = select(_AGING.c.currency, MoneySum(_AGING.c.total), func.sum(_AGING.c.documents)).group_by(_AGING.c.currency)
    open_bills = connection.execute(due).all()
    credit_count = select(func.count()).select_from(credits).where(credits.c.deleted_at.is_(None))
    return Totals(
        bills=sum(counts.values()),
        bills_open=int(sum(row[2] for row in open_bills)),
        bills_paid=counts.get("PAID", 0),
        vendor_credits=connection.scalar(credit_count) or 0,
        documents_held=held_documents(connection),
        open_payables={row[0]: row[1] for row in open_bills},
    )
