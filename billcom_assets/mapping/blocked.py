"""The documents, and the money on them, that cannot post because objects that they use are not mapped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, exists, func, select

from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.uses import PAYABLES, parts
from billcom_assets.redaction.counted import counted, singular
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
_OUT_OF_SCOPE = {
    "bills": ("record_status", ("DRAFT", "DRAFT_DELETED")),
    "vendor_payments": ("single_status", ("VOID", "CANCELLED", "CANCELED", "SCHEDULED", "APPROVING")),
}
"""A column, and its values in documents that do not post anyway."""
_LINES_OF = {
    "bills": ("bill_line_items", "bill_id"),
    "vendor_credits": ("vendor_credit_line_items", "vendor_credit_id"),
}
"""Tables of lines, and the column of their document."""
_FUNDED = "vendor_payments"
_ONLY_WHERE_KEPT = frozenset(_LINES) - {"accounts"}
"""Needed only by companies whose ledger has any."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """Live documents of one kind that cannot post."""

    kind: str
    """bills, vendor_credits or vendor_payments."""
    documents: int
    amounts: dict[str, Decimal]
    """Their totals by currency."""

    def __str__(self) -> str:
        """How many, and how much: "3 bills of 1,250.00 USD"."""
        money = " and ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(self.amounts.items()))
        kind = self.kind.replace("_", " ")
        return f"{counted(self.documents, singular(kind), kind)} of {money}"


def told(found: Sequence[Blocked]) -> str:
    """All of them in one line."""
    return ", ".join(map(str, found))


def blocked(conn: Connection, integration: str, unmapped: Mapping[str, Collection[str]]) -> tuple[Blocked, ...]:
    """The live documents that use one of these objects, each document once; nothing for kinds that post all.

    Args:
        conn: A reading connection.
        integration: Integration key.
        unmapped: Ids of objects that are not mapped, by kind.
    """
    needed = {kind: ids for kind, ids in unmapped.items() if ids and _matters(conn, integration, kind)}
    found = (_blocked(conn, integration, document, needed) for document in PAYABLES)
    return tuple(one for one in found if one.documents)


def _blocked(conn: Connection, integration: str, kind: str, unmapped: Mapping[str, Collection[str]]) -> Blocked:
    found: dict[str, tuple[str, Decimal]] = {}
    for used, ids in unmapped.items():
        for some in parts(ids):
            for query in _using(integration, kind, used, some):
                for row in conn.execute(query):
                    currency = row.currency if _CODE.fullmatch(row.currency) else _NO_CODE
                    found[row.id] = (currency, row.amount or Decimal(0))
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in found.values():
        amounts[currency] += amount
    return Blocked(kind, len(found), dict(amounts))


def _matters(conn: Connection, integration: str, kind: str) -> bool:
    if kind not in _ONLY_WHERE_KEPT:
        return True
    t = KINDS[kind].table
    query = select(t.c.id).where(t.c.integration == integration, t.c.active).limit(1)
    if t is ledger_dimensions:
        query = query.where(t.c.kind == kind)
    return conn.scalar(query) is not None


def _using(integration: str, kind: str, used: str, ids: Collection[str]) -> Iterator[Select[Any]]:
    """The documents of the kind that use one of these objects, with currency and amount."""
    documents, vendors = catalog_mirror().table(kind), catalog_mirror().table("vendors")
    same_vendor = and_(vendors.c.integration == documents.c.integration, vendors.c.id == documents.c.vendor_id)
    currency = func.coalesce(vendors.c.bill_currency, "USD").label("currency")
    query = (
        select(documents.c.id, currency, documents.c.amount)
        .select_from(documents.outerjoin(vendors, same_vendor))
        .where(is_live(documents, integration))
    )
    if kind in _OUT_OF_SCOPE:
        column, values = _OUT_OF_SCOPE[kind]
        query = query.where(func.coalesce(documents.c[column], "").not_in(values))
    if used == "vendors":
        yield query.where(documents.c.vendor_id.in_(ids))
    if used == "funding_accounts" and kind == _FUNDED:
        yield query.where(documents.c.funding_account_id.in_(ids))
    if used in _LINES and kind in _LINES_OF:
        name, key = _LINES_OF[kind]
        lines = catalog_mirror().table(name)
        of_document = lines.c.integration == integration, lines.c[key] == documents.c.id
        yield query.where(exists().where(*of_document, lines.c[_LINES[used]].in_(ids)))
        if used == "accounts" and _ACCOUNT in documents.c:
            yield query.where(documents.c[_ACCOUNT].in_(ids), _needs_it(lines, of_document))


def _needs_it(lines: Table, of_document: tuple[ColumnElement[bool], ...]) -> ColumnElement[bool]:
    """The account of the whole document counts for lines that name none."""
    return exists().where(*of_document, lines.c[_ACCOUNT].is_(None), lines.c[_LINES["items"]].is_(None))
