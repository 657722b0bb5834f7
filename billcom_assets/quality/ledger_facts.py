"""What the ledger says of its own records and BILL does not know: bills will be held, or booked where they must not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select

from billcom_assets.mapping.links import LinkState
from billcom_assets.mapping.uses import in_use_among
from billcom_assets.quality.measures import Quality, warning
from billcom_assets.warehouse.catalog_mirror import catalog_mirror, is_live
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_vendors, mappings


def accounts_not_to_be_posted_to(conn: Connection, integration: str) -> Quality:
    """Accounts on bills that are mapped onto a header or onto an account that a subledger keeps."""
    t = ledger_accounts.c
    query = select(mappings.c.bill_id).join(ledger_accounts, _onto("accounts", ledger_accounts))
    wrong = query.where(mappings.c.integration == integration, or_(~t.postable, t.control, t.type == "NON_POSTING"))
    used = in_use_among(conn, integration, "accounts", set(conn.scalars(wrong)), by="bills")
    return warning(
        used,
        one="account that bills refer to is mapped onto one that must not be posted to",
        many="accounts that bills refer to are mapped onto accounts that must not be posted to",
        good="every account that bills refer to is mapped onto one that may be posted to",
        fix=f"billcom mappings export {integration} --kind accounts --output accounts-mappings.csv",
    )


def vendors_of_another_currency(conn: Connection, integration: str) -> Quality:
    """Live vendors that are mapped onto a ledger vendor of another currency; none stated is the home currency."""
    vendors, t = catalog_mirror().table("vendors"), ledger_vendors.c
    differ = func.upper(vendors.c.bill_currency) != func.coalesce(t.currency, home_currency(conn, integration))
    return warning(
        conn.scalars(_mapped_vendors(integration).where(differ)),
        one="vendor is mapped onto a ledger vendor of another currency",
        many="vendors are mapped onto ledger vendors of another currency",
        good="every mapped vendor has the currency of its ledger vendor",
        fix=f"billcom mappings export {integration} --kind vendors --output vendors-mappings.csv",
    )


def vendors_on_hold(conn: Connection, integration: str) -> Quality:
    """Vendors on bills that the ledger has put on hold."""
    held = set(conn.scalars(_mapped_vendors(integration).where(ledger_vendors.c.on_hold)))
    return warning(
        in_use_among(conn, integration, "vendors", held, by="bills"),
        one="vendor on bills is on hold in the ledger",
        many="vendors on bills are on hold in the ledger",
        good="no vendor on bills is on hold in the ledger",
        fix="release them in the accounting program and import its vendors again, or take the bills back in BILL",
    )


def _mapped_vendors(integration: str) -> Select[Any]:
    """Ids of the live vendors that are mapped; mirror and ledger are joined."""
    vendors, m = catalog_mirror().table("vendors"), mappings.c
    same_vendor = and_(m.integration == vendors.c.integration, m.bill_id == vendors.c.id)
    query = select(vendors.c.id).join(mappings, same_vendor)
    return query.join(ledger_vendors, _onto("vendors", ledger_vendors)).where(is_live(vendors, integration))


def _onto(kind: str, ledger: Table) -> ColumnElement[bool]:
    """A mapping of this kind and its active ledger object."""
    m, t = mappings.c, ledger.c
    is_of_kind = and_(m.kind == kind, m.state == LinkState.MAPPED.value)
    return and_(is_of_kind, t.integration == m.integration, t.id == m.ledger_id, t.active)
