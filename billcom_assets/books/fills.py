"""What SQL cannot tell of the documents that a run looks at: days of voids, amounts without credits, foreign amounts.

These are few; each pass reads some thousands at a time, so that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    func,
    select,
    tuple_,
    update,
)

from billcom_assets.books import work
from billcom_assets.books.decisions import Action
from billcom_assets.books.exact import CONVERTS_INTO, TOLERANCE, home_total, shares
from billcom_assets.books.kinds import KINDS, MONEY_MOVEMENTS, VENDOR_PAYMENTS, Kind
from billcom_assets.books.run import Run
from billcom_assets.books.scope import is_void
from billcom_assets.warehouse.books_tables import ledger_documents

_AT_ONCE = 50_000
ACCEPTED = "ACCEPTED"
_VALUED = (Action.POST.value, Action.REPOST.value, Action.KEEP.value, Action.WAIT.value)


def fill_voids(connection: Connection, run: Run) -> None:
    """The UTC day on which a payment was voided, and whether BILL says that the request was accepted.

    The last accepted request tells it, in v3's words or v2's; without one the document's updated time does.
    """
    t, d = run.mirror.table(VENDOR_PAYMENTS.name), work.documents.c
    same = and_(t.c.id == d.id, t.c.integration == run.integration)
    query = (
        select(d.kind, d.id, t.c.void_info, t.c.voided_time, d.updated_time)
        .join_from(work.documents, t, same)
        .where(d.kind == VENDOR_PAYMENTS.name, is_void())
    )
    for rows in batches(connection, query):
        found = [(row.kind, row.id, *_voided(row.void_info, row.voided_time, row.updated_time)) for row in rows]
        write(connection, work.documents, ("voided_on", "is_void_accepted"), found)
    unconfirmed = (d.kind == MONEY_MOVEMENTS.name, d.updated_time.is_not(None))
    for rows in batches(
        connection, select(d.kind, d.id, d.updated_time).where(*unconfirmed, d.old_state == "imported")
    ):
        write(connection, work.documents, ("voided_on",), [(row.kind, row.id, _day(row.updated_time)) for row in rows])


def _voided(requests: Any, by_v2: datetime | None, updated: datetime | None) -> tuple[date | None, bool]:
    accepted = [day for one in requests or () if (day := _accepted_on(one)) is not None]
    if accepted:
        return max(accepted), True
    return (_day(by_v2), True) if by_v2 is not None else (_day(updated), False)


def _accepted_on(request: Any) -> date | None:
    if not isinstance(request, Mapping) or request.get("status") != ACCEPTED:
        return None
    for name in ("updatedTime", "createdTime"):
        try:
            return _day(datetime.fromisoformat(str(request.get(name))))
        except ValueError:
            continue
    return None


def _day(moment: datetime | None) -> date | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).date()


def fill_cash(connection: Connection, run: Run) -> None:
    """Amounts of parts that contain credits become the money in them, where only that adds up to the payment."""
    for kind in KINDS.values():
        if kind.parts is not None and kind.parts.credits is not None:
            _fill_cash(connection, run, kind, kind.parts.credits)


def _fill_cash(connection: Connection, run: Run, kind: Kind, credits: str) -> None:
    assert kind.parts is not None  # noqa: S101 - asked for kinds with parts alone
    d, p, t = work.documents.c, work.parts.c, run.mirror.table(kind.parts.table)
    of_document = and_(p.kind == d.kind, p.id == d.id)
    off = (
        select(d.id)
        .join_from(work.documents, work.parts, of_document)
        .where(d.kind == kind.name)
        .group_by(d.id, d.amount)
        .having(func.abs(func.sum(p.amount) - d.amount) > TOLERANCE)
    )
    same = and_(t.c[kind.parts.parent] == p.id, t.c.position == p.position, t.c.integration == run.integration)
    query = (
        select(p.kind, p.id, p.position, p.amount, d.amount.label("total"), t.c[credits].label("credits"))
        .join_from(work.parts, work.documents, of_document)
        .join(t, same)
        .where(p.kind == kind.name, p.id.in_(off))
    )
    for rows in batches(connection, query, "position"):
        for _, of_one in groupby(rows, key=lambda row: row.id):
            parts = list(of_one)
            cash = [part.amount - _credited(part.credits) for part in parts]
            if sum(cash) == parts[0].total:
                found = [
                    (part.kind, part.id, part.position, net, *[net] * 3) for part, net in zip(parts, cash, strict=True)
                ]
                write(connection, work.parts, ("amount", *work.VALUES), found)


def _credited(credits: Any) -> Decimal:
    used = [one.get("amount") for one in credits or () if isinstance(one, Mapping)]
    return sum((Decimal(amount) for amount in used if isinstance(amount, int | Decimal)), Decimal(0))


def fill_home_totals(connection: Connection, run: Run) -> None:
    """What foreign documents are worth at home, where BILL tells."""
    if run.policy.home_currency != CONVERTS_INTO:
        return
    d = work.documents.c
    query = select(d.kind, d.id, d.amount, d.funding_amount, d.rate).where(d.currency != CONVERTS_INTO)
    for rows in batches(connection, query):
        found = [(row.kind, row.id, home_total(row.amount, row.funding_amount, row.rate)) for row in rows]
        write(connection, work.documents, ("home_amount",), found)


def fill_home_shares(connection: Connection, run: Run) -> None:
    """What the lines and parts of foreign documents are worth at home: their shares of the document's home amount."""
    _fill_shares(connection, run, work.lines, ("home_amount",))
    _fill_shares(connection, run, work.parts, work.VALUES)


def _fill_shares(connection: Connection, run: Run, table: Table, names: Sequence[str]) -> None:
    d, t, before = work.documents.c, table.c, ledger_documents.c
    # Of what waits, what stands was booked.
    waits = d.action == Action.WAIT.value
    whole = case((waits, before.amount), else_=d.amount).label("whole")
    total = case((waits, before.home_amount), else_=d.home_amount).label("total")
    booked = and_(before.integration == run.integration, before.kind == d.kind, before.id == d.id)
    query = (
        select(t.kind, t.id, t.position, t.amount, whole, total, d.rate)
        .join_from(table, work.documents, and_(t.kind == d.kind, t.id == d.id))
        .outerjoin(ledger_documents, booked)
        .where(d.currency != run.policy.home_currency, total.is_not(None), d.action.in_(_VALUED))
    )
    for rows in batches(connection, query, "position"):
        values: list[tuple[Any, ...]] = []
        for _, of_one in groupby(rows, key=lambda row: (row.kind, row.id)):
            parts = list(of_one)
            amounts = [part.amount or Decimal(0) for part in parts]
            found = shares(parts[0].total, parts[0].whole, amounts, rate=parts[0].rate)
            values += [
                (part.kind, part.id, part.position, *[share] * len(names))
                for part, share in zip(parts, found, strict=True)
            ]
        write(connection, table, names, values)


def batches(connection: Connection, query: Select[Any], *within: str) -> Iterator[Sequence[Any]]:
    """The rows of the query in parts, whole documents each; what is read may be changed between them.

    Args:
        connection: In the run's transaction.
        query: Its first two columns are kind and id of a document.
        within: Columns that order the rows of one document.
    """
    key: tuple[ColumnElement[Any], ...] = tuple(query.selected_columns)[:2]
    ordered = query.order_by(*key, *(query.selected_columns[name] for name in within))
    after: tuple[Any, ...] | None = None
    while True:
        some = ordered if after is None else ordered.where(tuple_(*key) > after)
        rows = connection.execute(some.limit(_AT_ONCE)).all()
        if not rows:
            return
        if len(rows) == _AT_ONCE and within:
            # The last document may be cut off; it comes again.
            last = tuple(rows[-1][:2])
            whole = [row for row in rows if tuple(row[:2]) != last]
            rows = whole or rows
        yield rows
        after = tuple(rows[-1][:2])


def write(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Writes these columns of the rows, which begin with the table's key."""
    keys = [column.name for column in table.primary_key.columns]
    if not rows:
        return
    this = [table.c[name] == bindparam(f"key_{name}") for name in keys]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    parameters = [f"key_{name}" for name in keys] + [f"new_{name}" for name in names]
    connection.execute(
        update(table).where(*this).values(values), [dict(zip(parameters, row, strict=True)) for row in rows]
    )
