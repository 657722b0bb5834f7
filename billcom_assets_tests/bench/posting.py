"""Posting a mirror of many documents into the books, step by step, each in a process of its own. JSON in, JSON out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import text

from billcom_assets.books.identities.catalog import IDENTITIES
from billcom_assets.books.posting import PostingReport, post
from billcom_assets.books.reconciliation import reconcile
from billcom_assets.clock import utc_now
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.bench.ours import KEY
from billcom_assets_tests.books.copies import copy_documents
from billcom_assets_tests.books.ledger import BANK, POLICY, mirror_ledger, register, set_policy

_WRITTEN: Final = (
    *("ledger_documents", "ledger_entries", "ledger_lines", "ledger_applications"),
    *("opening_documents", "integration_errors", "posting_state"),
)


def main() -> None:
    """Does the ``step`` that is asked for in the PostgreSQL database ``database_url``."""
    given = json.load(sys.stdin)
    warehouse = open_warehouse(given["database_url"])
    json.dump(_STEPS[given["step"]](warehouse, given), sys.stdout)
    warehouse.close()


def _fill(warehouse: Warehouse, given: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a mirrored company a ledger and a policy, and ``copies`` of each document; vendors and the like stay."""
    with warehouse.write() as connection:
        register(connection, key=KEY)
        mirror_ledger(connection, warehouse, KEY)
        set_policy(connection, KEY, **POLICY, payments="clearing", receivables_clearing=BANK)
        copy_documents(connection, warehouse, given["copies"])
    return {}


def _post(warehouse: Warehouse, _: Mapping[str, Any]) -> dict[str, Any]:
    report, seconds = _timed(warehouse)
    posted = {kind: count for (kind, action), count in report.actions.items() if action in ("post", "repost")}
    return {"seconds": seconds, "looked_at": report.looked_at, "posted": posted}


def _post_nothing(warehouse: Warehouse, given: Mapping[str, Any]) -> dict[str, Any]:
    """Posts several times with nothing to do; nothing may be written."""
    before = _rows(warehouse)
    found = [_timed(warehouse) for _ in range(given["rounds"])]
    assert all(report.is_quiet for report, _ in found)
    assert _rows(warehouse) == before
    return {"seconds": [seconds for _, seconds in found]}


def _timed(warehouse: Warehouse) -> tuple[PostingReport, float]:
    began = time.monotonic()
    report = post(warehouse, KEY)
    return report, time.monotonic() - began


def _rows(warehouse: Warehouse) -> list[Any]:
    """How many rows each table of the books has, and the last transaction that wrote one."""
    count = "SELECT count(*), max(xmin::text::bigint) FROM billcom."
    with warehouse.read() as connection:
        return [tuple(connection.execute(text(count + name)).one()) for name in _WRITTEN]


def _change(warehouse: Warehouse, _: Mapping[str, Any]) -> dict[str, Any]:
    """Lets BILL raise every hundredth bill by one."""
    with warehouse.write() as connection:
        connection.execute(
            text("""
                UPDATE billcom.bills SET
                    amount = amount + 1, due_amount = due_amount + 1, payload_digest = payload_digest || '+'
                WHERE hashtext(id) % 100 = 0
            """)
        )
        connection.execute(
            text("""
                UPDATE billcom.bill_line_items SET amount = amount + 1
                WHERE position = 0 AND hashtext(bill_id) % 100 = 0
            """)
        )
    return {}


def _reconcile(warehouse: Warehouse, _: Mapping[str, Any]) -> dict[str, Any]:
    """Looks at the identities that every sync looks at, then at the costly one; each must hold."""
    seconds = []
    for is_costly in (False, True):
        began = time.monotonic()
        wanted = [one for one in IDENTITIES if one.is_costly is is_costly]
        found = reconcile(warehouse, KEY, utc_now(), identities=wanted)
        seconds.append(time.monotonic() - began)
        assert found.holds, found
    return {"seconds": seconds[0], "costly_seconds": seconds[1]}


_STEPS: Final[Mapping[str, Callable[[Warehouse, Mapping[str, Any]], dict[str, Any]]]] = {
    "fill": _fill,
    "post": _post,
    "post nothing": _post_nothing,
    "change": _change,
    "reconcile": _reconcile,
}


if __name__ == "__main__":
    main()
