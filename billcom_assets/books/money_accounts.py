"""Where the money of payments and movements is: a funding account, an account recorded in BILL, or clearing."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, update

from billcom_assets.books import work
from billcom_assets.books.kinds import MONEY_MOVEMENTS, VENDOR_PAYMENTS
from billcom_assets.books.run import Run

SETTING: Final = "setting"
"""Instead of a kind of mapped objects: the id is the name of a setting of the posting policy."""
_FUNDING: Final = "funding_accounts"
_WALLET: Final = "WALLET"
_CLEARED_BY: Final = {"1": "payables_clearing", "2": "receivables_clearing"}
"""By type of movement."""
_OF_WALLET: Final = ("3", "4")


def find_money(connection: Connection, run: Run) -> None:
    """Says of each payment what it is paid from, and of each movement what its two sides are."""
    _find_paying_accounts(connection, run)
    _find_sides(connection)


def _find_paying_accounts(connection: Connection, run: Run) -> None:
    d = work.documents.c
    offline = d.is_online.is_(False)
    kinds: list[tuple[ColumnElement[bool], str]] = [(offline, "accounts")]
    ids: list[tuple[ColumnElement[bool], ColumnElement[Any]]] = [(offline, d.recorded_account)]
    if run.policy.payments == "clearing":
        # Cards and wallet never pass clearing: no movement would ever empty it.
        named = or_(d.funding_type.is_not(None), d.funding_id.is_not(None))
        clears = or_(d.funding_type == "BANK_ACCOUNT", ~named)
        kinds.append((clears, SETTING))
        ids.append((clears, literal("payables_clearing")))
    of_wallet = and_(d.funding_type == _WALLET, d.funding_id.is_(None))
    ids.append((of_wallet, literal(_WALLET)))
    connection.execute(
        update(work.documents)
        .where(d.kind == VENDOR_PAYMENTS.name)
        .values(money_kind=case(*kinds, else_=_FUNDING), money_id=case(*ids, else_=d.funding_id))
    )


def _find_sides(connection: Connection) -> None:
    d = work.documents.c
    of_wallet = func.coalesce(d.movement_type, "").in_(_OF_WALLET)
    clearing = case(_CLEARED_BY, value=d.movement_type)
    connection.execute(
        update(work.documents)
        .where(d.kind == MONEY_MOVEMENTS.name)
        .values(
            money_kind=_FUNDING,
            money_id=d.funding_id,
            other_kind=case((of_wallet, _FUNDING), else_=SETTING),
            other_id=case((of_wallet, _WALLET), else_=clearing),
        )
    )
