"""Both charts from the database. Nothing is asked of BILL: the mirror says what BILL said last."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from billcom_assets.alignment.chart import BillAccount, Charts, LedgerAccount, ancestors
from billcom_assets.alignment.uses import account_uses, never_fetched
from billcom_assets.ledger.account_types import account_type
from billcom_assets.mapping.links import Links, LinkState
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.known_integrations import cutoff_of
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.merged import MERGED_INTO

KIND = "accounts"


def read_charts(connection: Connection, integration: str) -> Charts:
    """Both charts, the mappings between them, and what uses BILL's accounts."""
    links = Links(connection, integration, KIND).all().values()
    return Charts(
        integration=integration,
        ledger=_ledger(connection, integration),
        bill=bill_accounts(connection, integration),
        mapped={one.bill_id: one.ledger_id for one in links if one.ledger_id is not None},
        unmapped=frozenset(one.bill_id for one in links if one.state is LinkState.UNMAPPED),
        uses=account_uses(connection, integration),
        unseen=never_fetched(connection, integration),
        documents_since=cutoff_of(connection, integration),
    )


def _ledger(connection: Connection, integration: str) -> tuple[LedgerAccount, ...]:
    t = ledger_accounts.c
    query = select(t.id, t.name, t.type, t.number, t.parent_id, t.description, t.active)
    rows = connection.execute(query.where(t.integration == integration).order_by(t.id))
    return tuple(
        LedgerAccount(
            id=row.id,
            name=row.name,
            type=account_type(row.type or ""),
            number=row.number or None,
            parent_id=row.parent_id or None,
            description=row.description or None,
            active=row.active,
        )
        for row in rows
    )


def bill_accounts(connection: Connection, integration: str) -> tuple[BillAccount, ...]:
    """BILL's accounts that are not deleted, by id.

    v3 may hide every parent. Where no account of the organization has one and v2 was not asked about an account,
    nothing is known of its parent.
    """
    t = catalog_mirror().table(KIND).c
    columns = (t.id, t.name, t.description, t.account_type, t.account_number, t.parent_id, t.archived, t.v2_digest)
    query = select(*columns, t[MERGED_INTO]).where(t.integration == integration, t.deleted_at.is_(None))
    rows = connection.execute(query.order_by(t.id)).all()
    parents: Mapping[str, str | None] = {row.id: row.parent_id or None for row in rows}
    are_shown = any(parents.values())
    return tuple(
        BillAccount(
            id=row.id,
            name=row.name or "",
            type=row.account_type,
            number=row.account_number or None,
            parent_id=None if _is_in_circle(row.id, parents) else parents[row.id],
            description=row.description or None,
            archived=bool(row.archived),
            parent_known=(are_shown or row.v2_digest is not None) and not _is_in_circle(row.id, parents),
            merged=row[-1] is not None,
        )
        for row in rows
    )


def _is_in_circle(id_: str, parents: Mapping[str, str | None]) -> bool:
    above = ancestors(id_, parents)
    return parents.get(above[-1] if above else id_) == id_
