"""Money on its way: payments that no movement has moved yet, and parts of movements that belong to no payment."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from billcom_assets.books.exact import TOLERANCE
from billcom_assets.books.identities.clearing_accounts import Clearing, is_offline, moves, passes
from billcom_assets.books.identities.comparison import MONEY
from billcom_assets.books.identities.payables import is_imported
from billcom_assets.books.kinds import MONEY_MOVEMENTS
from billcom_assets.books.run import Run
from billcom_assets.warehouse.books_tables import ledger_documents
from billcom_assets.warehouse.sums import MoneySum

_CENTS: Final = 100


def on_its_way(run: Run, clearing: Clearing) -> Subquery:
    """Imported payments without a movement, and parts of imported movements without a payment.

    BILL links them by nothing but the party's name and the amount. Of equal ones the earliest belong together; so do,
    of what is left, money that went and came back.
    """
    return _not_returned(_unmatched(_moving(run, clearing).subquery("moving")))


def _unmatched(moving: Subquery) -> Subquery:
    """What the other side has nothing for: of three payments of one name and amount and two movements, the last."""
    row = moving.c
    name = func.lower(func.trim(func.coalesce(row.who, "")))
    equal = (name, row.cents)
    is_payment = row.kind != MONEY_MOVEMENTS.name
    place = func.row_number().over(partition_by=(*equal, is_payment), order_by=(row.day, row.id, row.position))
    payments = func.sum(case((is_payment, 1), else_=0)).over(partition_by=equal)
    movements = func.sum(case((is_payment, 0), else_=1)).over(partition_by=equal)
    others = case((is_payment, movements), else_=payments)
    numbered = select(*row, name.label("name"), place.label("place"), others.label("others")).subquery("numbered")
    return select(numbered).where(numbered.c.place > numbered.c.others).subquery("unmatched")


def _not_returned(unmatched: Subquery) -> Subquery:
    """The same without movements that another one of the same name and amount has undone."""
    one = unmatched.c
    is_payment, goes = one.kind != MONEY_MOVEMENTS.name, one.cents > 0
    opposite = (is_payment, one.name, func.abs(one.cents))
    place = func.row_number().over(partition_by=(*opposite, goes), order_by=(one.day, one.id, one.position))
    gone = func.sum(case((goes, 1), else_=0)).over(partition_by=opposite)
    returned = func.sum(case((goes, 0), else_=1)).over(partition_by=opposite)
    others = case((is_payment, 0), (goes, returned), else_=gone)
    columns = [column for column in one if column.name not in {"place", "others"}]
    paired = select(*columns, place.label("place"), others.label("others")).subquery("paired")
    return select(paired).where(paired.c.place > paired.c.others).subquery("alone")


def _moving(run: Run, clearing: Clearing) -> CompoundSelect[Any]:
    """Imported payments that pass the account, and what imported movements consist of; amounts as paid."""
    queries = [_parts(run, clearing), _rests(run, clearing)]
    if clearing.payments is not None:
        queries.append(_payments(run, clearing, clearing.payments))
    return union_all(*queries)


def _payments(run: Run, clearing: Clearing, kind: str) -> Select[Any]:
    t, d, vendor = run.mirror.table(kind), ledger_documents.c, run.mirror.table("vendors")
    same = and_(t.c.integration == d.integration, d.kind == kind, t.c.id == d.id)
    of_vendor = and_(vendor.c.integration == d.integration, vendor.c.id == d.party)
    who = func.coalesce(t.c.vendor_name, vendor.c.name)
    query = _row(run, who, day=t.c.process_date, position=literal(0), amount=moves(clearing, kind))
    source = ledger_documents.join(t, same).outerjoin(vendor, of_vendor)
    return query.select_from(source).where(is_imported(run), ~is_offline(t), passes(clearing, t))


def _parts(run: Run, clearing: Clearing) -> Select[Any]:
    """What a movement consists of; BILL may give the amounts without the sign of the movement's own."""
    t, item = run.mirror.table(MONEY_MOVEMENTS.name), run.mirror.table("money_movement_items")
    sums, of_movement = _sums(run)
    same = and_(item.c.integration == t.c.integration, item.c.money_movement_id == t.c.id)
    other_sign = _is_nothing(sums.c.amount + t.c.amount)
    amount = clearing.sign * case((other_sign, -item.c.amount), else_=item.c.amount)
    query = _movement(run, clearing, item.c.name, item.c.position, amount)
    return query.select_from(_imported(run).join(item, same).join(sums, of_movement))


def _rests(run: Run, clearing: Clearing) -> Select[Any]:
    """What the parts of a movement leave of it."""
    t = run.mirror.table(MONEY_MOVEMENTS.name)
    sums, of_movement = _sums(run)
    parts = func.coalesce(sums.c.amount, 0)
    query = _movement(run, clearing, null(), literal(-1), clearing.sign * (t.c.amount - parts))
    rest = ~or_(_is_nothing(t.c.amount - parts), _is_nothing(t.c.amount + parts))
    return query.select_from(_imported(run).outerjoin(sums, of_movement)).where(rest)


def _sums(run: Run) -> tuple[Subquery, ColumnElement[bool]]:
    t, item = run.mirror.table(MONEY_MOVEMENTS.name).c, run.mirror.table("money_movement_items").c
    query = select(item.money_movement_id, MoneySum(func.coalesce(item.amount, 0)).label("amount"))
    sums = query.where(item.integration == run.integration).group_by(item.money_movement_id).subquery("sums")
    return sums, sums.c.money_movement_id == t.id


def _imported(run: Run) -> Any:
    t, d = run.mirror.table(MONEY_MOVEMENTS.name), ledger_documents.c
    same = and_(t.c.integration == d.integration, d.kind == MONEY_MOVEMENTS.name, t.c.id == d.id)
    return ledger_documents.join(t, same)


def _movement(
    run: Run, clearing: Clearing, who: Any, position: ColumnElement[Any], amount: ColumnElement[Any]
) -> Select[Any]:
    t = run.mirror.table(MONEY_MOVEMENTS.name).c
    query = _row(run, who, day=t.process_date, position=position, amount=amount)
    return query.where(is_imported(run), t.type == clearing.movement_type)


def _row(
    run: Run,
    who: ColumnElement[Any],
    *,
    day: ColumnElement[Any],
    position: ColumnElement[Any],
    amount: ColumnElement[Any],
) -> Select[Any]:
    d = ledger_documents.c
    money = type_coerce(amount, MONEY)
    return select(
        d.kind,
        d.id,
        d.number,
        who.label("who"),
        day.label("day"),
        position.label("position"),
        money.label("amount"),
        money.label("home_amount"),
        literal(run.policy.home_currency).label("currency"),
        cast(func.round(amount * _CENTS), BigInteger).label("cents"),
    )


def _is_nothing(amount: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.abs(amount) < TOLERANCE
