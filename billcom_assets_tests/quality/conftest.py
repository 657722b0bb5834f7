from __future__ import annotations

from billcom_assets_tests.ledger import conftest as ledger

conn, books = ledger.conn, ledger.books
