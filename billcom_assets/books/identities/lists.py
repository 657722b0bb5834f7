"""Lists of what identities allow for: how much there is of it, and the first of it by document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, func, null, select

from billcom_assets.books.identities.findings import SHOWN, Item, Listed
from billcom_assets.books.identities.labels import LONGEST, currency_label, document_of, title
from billcom_assets.redaction.excerpt import excerpt
from billcom_assets.warehouse.sums import MoneySum


def listed(connection: Connection, what: str, query: Select[Any]) -> Iterator[Listed]:
    """The list of what the query finds; none where that is nothing.

    Args:
        connection: A reading one.
        what: What is listed, in the plural.
        query: With the columns ``kind``, ``id``, ``number``, ``amount`` and ``currency`` of one document each, of which
            the last three may be None; and perhaps ``home_amount``; ``why``, in words or a code of ours; and ``who``,
            the party's name as BILL has it.
    """
    # As a common table expression the query is carried out once for both.
    rows = query.cte("listed")
    count = select(func.count()).select_from(rows).scalar_subquery()
    amount = select(MoneySum(rows.c.home_amount)).scalar_subquery() if "home_amount" in rows.c else null()
    with_totals = select(rows, count.label("in_all"), amount.label("amount_in_all"))
    first = connection.execute(with_totals.order_by(rows.c.kind, rows.c.id).limit(SHOWN)).all()
    if first:
        yield Listed(what, first[0].in_all, first[0].amount_in_all, tuple(_item(row) for row in first))


def _item(row: Any) -> Item:
    document, who, why = document_of(row), getattr(row, "who", None), getattr(row, "why", None)
    what = f"{title(document)}: {_words(why)}" if why else title(document)
    name = excerpt(who, limit=LONGEST) if who else None
    # Of what is not in the books yet they know none.
    currency = currency_label(row.currency) if row.currency else None
    return Item(what, row.amount, currency, (document,), name)


def _words(why: str) -> str:
    return why.lower().replace("_", " ") if why.isupper() else why
