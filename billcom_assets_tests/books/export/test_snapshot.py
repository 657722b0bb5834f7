"""Books that grow while they are exported."""

from __future__ import annotations

from datetime import date

from billcom_assets.books.export.formats import FORMATS, export_books
from billcom_assets.books.export.rows import Period
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.books.export.checked import accepted, transactions
from billcom_assets_tests.books.export.posted import RENT, Line, Posted, owed
from billcom_assets_tests.small_company import KEY, connect


def test_an_entry_posted_meanwhile_is_not_in_the_file_and_its_balances_hold(warehouse: Warehouse) -> None:
    with warehouse.write() as connection:
        connect(connection)
        Posted(connection).year()
    with warehouse.snapshot() as reading:
        text, exported = export_books(reading, KEY, FORMATS["beancount"], Period(), Posted(reading).standing)
        head = next(text)
        with warehouse.write() as connection:
            posted = Posted(connection)
            posted.entry("bills", "00nlate", date(2026, 2, 1), Line(RENT, 10), owed(-10, "009v00"))
        directives = accepted(head + "".join(text))
    assert len(transactions(directives)) == exported.entries == 17
    with warehouse.snapshot() as reading:
        text, exported = export_books(reading, KEY, FORMATS["beancount"], Period(), Posted(reading).standing)
        assert len(transactions(accepted("".join(text)))) == exported.entries == 18
