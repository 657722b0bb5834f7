"""TEMPORARY, replaced by the real one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from billcom_assets.warehouse.books_tables import posting_policies
from billcom_assets.warehouse.tables import integrations


@dataclass(frozen=True, slots=True)
class PostingPolicy:
    version: int = 0
    accounts_payable: str | None = None
    accounts_receivable: str | None = None
    payments: str = "direct"
    payables_clearing: str | None = None
    receivables_clearing: str | None = None
    unapplied_receipts: str | None = None
    exchange_gain_loss: str | None = None
    approval: str = "approved_or_unassigned"
    closed_through: date | None = None
    late: str = "next_open_day"
    home_currency: str = "USD"


def posting_policy(connection, integration):
    p = posting_policies.c
    rows = connection.execute(
        select(p.setting, p.value, p.version).where(p.integration == integration).order_by(p.version)
    ).all()
    values = {r.setting: r.value for r in rows}
    if values.get("closed_through"):
        values["closed_through"] = date.fromisoformat(values["closed_through"])
    values["home_currency"] = connection.scalar(
        select(integrations.c.home_currency).where(integrations.c.key == integration)
    )
    return PostingPolicy(version=max([r.version for r in rows], default=0), **{k: v for k, v in values.items()})


def store_found(connection, integration, now):
    return posting_policy(connection, integration)
