"""A second, plainer simulation of BILL: one list of objects that a test writes itself, down to the bytes.

It shares no code with the sandbox. Where the sandbox plays a company, this plays one list that is wrong in one way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from billcom_assets.bill.client import BillClient
from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.quotas import MemoryBudget
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sync.engine import pull
from billcom_assets.sync.report import PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.bill.scripted import (
    DEV_KEY,
    ORGANIZATION,
    PASSWORD,
    USERNAME,
    Got,
    Reply,
    ScriptedBill,
    error,
    scripted_bill,
)
from billcom_assets_tests.sync.company import INTEGRATION, QUICK

NOW = datetime.now(UTC).replace(microsecond=0)
Doc = dict[str, Any]
_PAGE_ROWS = 100


def at(**ago: float) -> str:
    """A time so long before the test began, as BILL writes it."""
    return text(NOW - timedelta(**ago))


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def bill(number: int, *, created: str | None = None, updated: str | None = None, **more: Any) -> Doc:
    """A bill with what a bill always has."""
    return {
        "id": f"00n01{number:015d}",
        "vendorId": "00901000000000000000",
        "invoice": {"invoiceNumber": f"INV-{number}", "invoiceDate": "2026-01-15"},
        "dueDate": "2026-02-15",
        "amount": 100,
        "dueAmount": 100,
        "archived": False,
        "createdTime": created or at(days=30, minutes=-number),
        "updatedTime": updated or at(days=10, minutes=-number),
    } | more


@dataclass
class PlainBill:
    """One list, the bills, and everything else empty."""

    server: ScriptedBill
    url: str
    docs: list[Doc] = field(default_factory=list)
    raw: dict[str, bytes] = field(default_factory=dict)
    """The bytes that are sent for an object in place of its JSON, by its id."""
    order: Callable[[list[Doc]], list[Doc]] | None = None
    """How the list comes whatever sort was asked for."""
    refuse: Callable[[dict[str, str]], Reply | None] = lambda _query: None
    """What a query of the list gets in place of a page."""
    sorts_undated_away: bool = False
    """A sort or filter by a time leaves out the objects that have none."""
    offset: timedelta = timedelta()
    """How far our clock has moved since the test began."""

    def __post_init__(self) -> None:
        for entity in CATALOG:
            self.server.always(f"/connect{entity.path}", Reply(200, {"results": []}))
        self.server.always("/connect/v3/bills", self._list)

    def _list(self, got: Got) -> Reply:
        refusal = self.refuse(got.query)
        if refusal is not None:
            return refusal
        found = self._sorted(self._filtered(got.query.get("filters", "")), got.query.get("sort", ""))
        start, size = int(got.query.get("page", 0)), int(got.query.get("max", _PAGE_ROWS))
        shown = found[start : start + size]
        rows = b",".join(self.raw.get(doc["id"], json.dumps(doc).encode()) for doc in shown)
        more = b',"nextPage":"%d"' % (start + size) if start + size < len(found) else b""
        return Reply(200, b'{"results":[' + rows + b"]" + more + b"}")

    def _filtered(self, filters: str) -> list[Doc]:
        found = list(self.docs)
        for clause in filter(None, _clauses(filters)):
            name, operator, operand = clause.split(":", 2)
            found = [doc for doc in found if _matches(doc, name, operator, operand.strip('"'))]
        return found

    def _sorted(self, found: list[Doc], sort: str) -> list[Doc]:
        if self.order is not None:
            return self.order(found)
        if not sort:
            return found
        name, direction = sort.split(":")
        dated = [doc for doc in found if doc.get(name)]
        undated = [] if self.sorts_undated_away else [doc for doc in found if not doc.get(name)]
        return sorted(dated, key=lambda doc: _instant(doc[name]), reverse=direction == "desc") + undated

    @property
    def requests(self) -> int:
        """Requests for the list so far."""
        return self.server.count("/connect/v3/bills")

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.offset

    @contextmanager
    def run(self, warehouse: Warehouse, **options: Any) -> Iterator[Sync]:
        """A run of the integration."""
        credentials = Credentials(ORGANIZATION, USERNAME, PASSWORD, DEV_KEY, base_url=self.url)
        budget = MemoryBudget(self.clock, requests=1_000_000)
        with BillClient(credentials, integration=INTEGRATION, budget=budget, retry=QUICK) as client:
            sync = Sync(
                warehouse=warehouse,
                client=client,
                catalog=CATALOG,
                integration=INTEGRATION,
                clock=self.clock,
                **{"planned": ("bills",)} | options,
            )
            with sync.alone():
                yield sync

    def sync(self, warehouse: Warehouse, *, refresh: bool = False, **options: Any) -> list[PullReport]:
        """Brings the bills up to date in a run of its own."""
        with self.run(warehouse, **options) as sync:
            return pull(sync, CATALOG["bills"], refresh=refresh)


@contextmanager
def plain_bill(docs: Sequence[Doc] = ()) -> Iterator[PlainBill]:
    """A BILL with these bills."""
    with scripted_bill() as (server, url):
        yield PlainBill(server, url, list(docs))


REFUSED_QUERY = error("BDC_1308", "Invalid filter.", status=400)


def _clauses(filters: str) -> list[str]:
    """The conditions of a filter parameter; commas inside a list of values do not divide."""
    found: list[str] = []
    for part in filters.split(","):
        if part.count(":") < 2 and found:
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def _matches(doc: Doc, name: str, operator: str, operand: str) -> bool:
    value = doc.get(name)
    if operator == "in":
        return value in [one.strip('"') for one in operand.split(",")]
    if not value:
        return False
    ours, theirs = _instant(value), _instant(operand)
    return {"gte": ours >= theirs, "lt": ours < theirs, "lte": ours <= theirs, "gt": ours > theirs}[operator]


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("+0000", "+00:00"))
