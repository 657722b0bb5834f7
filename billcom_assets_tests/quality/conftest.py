from __future__ import annotations

from billcom_assets_tests.ledger import conftest as ledger

opened, conn, books = ledger.opened, ledger.conn, ledger.books
