"""The bills, and the money on them, that cannot post because objects that they use are not mapped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.uses import parts
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.ledger_tables import ledger_dimensions

_ACCOUNT = "classifications_chart_of_account_id"
_LINES = {
    "accounts": _ACCOUNT,
    "items": "classifications_item_id",
    "departments": "classifications_department_id",
    "jobs": "classifications_job_id",
    "locations": "classifications_location_id",
    "accounting_classes": "classifications_accounting_class_id",
    "employees": "classifications_employee_id",
}
_CODE = re.compile(r"[A-Z]{3}")
_NO_CODE = "of an unknown currency"
"""Instead of what is no code: the text goes where only words of ours may stand."""
_DRAFTS = ("DRAFT", "DRAFT_DELETED")
_ONLY_WHERE_KEPT = frozenset(_LINES) - {"accounts"}
"""Needed only by companies whose ledger has any."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Live bills that cannot post."""

    bills: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)
    """Their totals by currency."""

    @property
    def text(self) -> str:
        """How many, and how much: "3 bills of 1,250.00 USD"."""
        money = " and ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(self.amounts.items()))
        return f"{self.bills:,} {'bill' if self.bills == 1 else 'bills'} of {money}"


def blocked(conn: Connection, integration: str, unmapped: Mapping[str, Collection[str]]) -> Blocked:
    """The live bills that use one of these objects, each bill once.

    Args:
        conn: A reading connection.
        integration: Integration key.
        unmapped: Ids of objects that are not mapped, by kind.
    """
    found: dict[str, tuple[str, Decimal]] = {}
    for kind, ids in unmapped.items():
        if ids and _matters(conn, integration, kind):
            for query in _uses(integration, kind, ids):
                for row in conn.execute(query):
                    currency = row.currency if _CODE.fullmatch(row.currency) else _NO_CODE
                    found[row.id] = (currency, row.amount or Decimal(0))
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in found.values():
        amounts[currency] += amount
    return Blocked(len(found), dict(amounts))


def _matters(conn: Connection, integration: str, kind: str) -> bool:
    if kind not in _ONLY_WHERE_KEPT:
        return True
    t = KINDS[kind].table
    query = select(t.c.id).where(t.c.integration == integration, t.c.active).limit(1)
    if t is ledger_dimensions:
        query = query.where(t.c.kind == kind)
    return conn.scalar(query) is not None


def _uses(integration: str, kind: str, ids: Collection[str]) -> Iterator[Select[Any]]:
    bills, lines = catalog_mirror().table("bills"), catalog_mirror().table("bill_line_items")
    vendors = catalog_mirror().table("vendors")
    same_vendor = and_(vendors.c.integration == bills.c.integration, vendors.c.id == bills.c.vendor_id)
    query = (
        select(bills.c.id, func.coalesce(vendors.c.bill_currency, "USD").label("currency"), bills.c.amount)
        .select_from(bills.outerjoin(vendors, same_vendor))
        .where(is_live(bills, integration), func.coalesce(bills.c.record_status, "").not_in(_DRAFTS))
    )
    of_bill = lines.c.integration == integration, lines.c.bill_id == bills.c.id
    for some in parts(ids):
        if kind == "vendors":
            yield query.where(bills.c.vendor_id.in_(some))
        if kind == "accounts":
            # The account of the whole bill counts for lines that name none.
            needs_it = exists().where(*of_bill, lines.c[_ACCOUNT].is_(None), lines.c[_LINES["items"]].is_(None))
            yield query.where(bills.c[_ACCOUNT].in_(some), needs_it)
        if kind in _LINES:
            yield query.where(exists().where(*of_bill, lines.c[_LINES[kind]].in_(some)))
