"""A BILL that misbehaves in every way at once ends in the same tables as a friendly one."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from billcom_assets.bill.client import Page
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.rows import RowMaker
from billcom_assets.sandbox import FaultPlan
from billcom_assets.sandbox.faults import OF_WRITES, TROUBLE_NAMES
from billcom_assets.sync.fetching import Turn
from billcom_assets.sync.lists import ListWalk, WalkStuck, page_reader
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.report import PullKind
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.tables import contract_findings, integration_errors
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, total
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.test_equality import assert_equal
from billcom_assets_tests.sync.truth import stored

EVERY_FAULT = (
    "all=0.08,moving_rows=0.2,duplicate_rows=0.5,repeated_cursor=0.6,empty_page=0.3,cursor_refused=0.4,slow=0.02"
)
DATA_ODDITIES = "nulls=0.08,unknown_fields=0.08,unknown_enum=0.08"


def declared(company: Company, warehouse: Warehouse) -> dict[str, object]:
    """Every table's rows as declared, so without the payload.

    Who decided bills is left out: it is known where they were pending in a sync.
    """
    return {
        table: {key: {name: value for name, value in row.items() if name != "payload"} for key, row in rows.items()}
        for entity in CATALOG
        for table, rows in stored(warehouse, entity, INTEGRATION).items()
        if table != "bill_approvals"
    }


def test_every_fault_at_once_ends_in_the_tables_of_a_friendly_bill(
    serve: Serve, warehouse: Warehouse, make_database: Callable[..., str]
) -> None:
    twins = FaultPlan.parse("case_twin_ids=0.2")
    company = serve(bills=500, slow_ms=20, latency_ms=1, faults=twins)
    sandbox = company.server.sandbox
    sandbox.set_faults(FaultPlan.parse(f"{EVERY_FAULT},case_twin_ids=0.2", seed=11))
    company.sync(warehouse)
    for seed in (1, 2):
        let_business_happen(company, 150, seed)
        company.sync(warehouse)
    fired = dict(sandbox.faults.fired)
    rarely = {fault for fault in {*TROUBLE_NAMES} - OF_WRITES if fired.get(fault, 0) < 2}
    assert rarely == set()

    # Rows that moved after they were read come with the next sync; the rest of the trouble goes on.
    calmer = FaultPlan.parse(f"{EVERY_FAULT},moving_rows=0", seed=11)
    sandbox.set_faults(calmer)
    let_business_happen(company, 25, 3)
    company.sync(warehouse)
    assert_equal(company, warehouse)
    assert max(sandbox.limits.peak.values()) <= 3

    sandbox.set_faults(FaultPlan.parse(DATA_ODDITIES, seed=11))
    friendly = open_warehouse(make_database())
    company.sync(friendly)
    assert declared(company, warehouse) == declared(company, friendly)
    friendly.close()

    with warehouse.read() as connection:
        assert connection.scalar(select(func.count()).select_from(integration_errors)) == 0
        kinds = set(connection.scalars(select(contract_findings.c.kind)))
    assert kinds == {"field", "value"}


def test_ids_that_differ_only_in_case_are_two_rows(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(faults=FaultPlan.parse("case_twin_ids=0.5"))
    company.sync(warehouse)
    assert_equal(company, warehouse)
    ids = list(stored(warehouse, CATALOG["bills"], INTEGRATION)["bills"])
    twins = [one for one in ids if sum(one.lower() == other.lower() for other in ids) == 2]
    assert len(twins) >= 2


def test_rows_moving_during_every_walk_are_neither_lost_nor_doubled(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=600, faults=FaultPlan.parse("moving_rows=0.5"), cursor_kind="offset")
    for seed in (1, 2, 3):
        let_business_happen(company, 200, seed)
        company.sync(warehouse)
    company.server.sandbox.set_faults(FaultPlan())
    reports = company.sync(warehouse)
    assert_equal(company, warehouse)
    assert total(reports).is_conserved


class FreshCursors:
    """A list that goes on for ever, a fresh cursor with every page."""

    def __init__(self, *pages: list[str], then: list[str]) -> None:
        self.pages, self.then, self.asked = pages, then, 0

    def page(self, path: str, **_query: object) -> Page:  # noqa: ARG002 - the walk's signature
        self.asked += 1
        ids = self.pages[self.asked - 1] if self.asked <= len(self.pages) else self.then
        return Page(tuple(b'{"id":"%s"}' % one.encode() for one in ids), f"cursor{self.asked}")


def walked(pages: FreshCursors) -> int:
    """How many pages a walk took before it gave up."""
    walk = ListWalk(pages, "/v3/vendors", None, lambda _position: (), None)
    with pytest.raises(WalkStuck, match="GET /v3/vendors"):
        list(walk.pages(None, None, page_reader(RowMaker(CATALOG["vendors"]))))
    return pages.asked


@pytest.mark.parametrize("then", [["009same"], [], ["009same"] * 100], ids=["one row", "no rows", "a full page"])
def test_endless_pages_without_a_new_object_end_the_walk(then: list[str]) -> None:
    assert walked(FreshCursors(["009same"], then=then)) < 100


def test_a_loop_over_a_long_list_ends_the_walk_in_proportion_to_the_list() -> None:
    pages = [[f"009{page}x{row}" for row in range(100)] for page in range(300)]
    endless = FreshCursors(*pages, *pages, *pages, then=["009same"])
    assert 600 < walked(endless) < 650


def test_repetitions_shorter_than_what_was_read_do_not_end_a_walk() -> None:
    pages = [[f"009{page}"] for page in range(30)]
    walk = ListWalk(FreshCursors(*pages, *pages, ["009new"], then=[]), "/v3/vendors", None, lambda _position: (), None)
    seen = set()
    for step in walk.pages(None, None, page_reader(RowMaker(CATALOG["vendors"]))):
        batch = step.batch
        seen |= {row.id for row in batch.rows}
        if "009new" in seen:
            break
    assert len(seen) == 31


def test_a_list_whose_end_comes_again_with_fresh_cursors_is_told_and_keeps_what_was_read(
    serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=60)
    company.server.sandbox.set_faults(FaultPlan.parse("endless_list=1"))
    with pytest.raises(WalkStuck, match="does not come to an end") as caught:
        company.sync(warehouse)
    assert "check the base URL" in caught.value.next_step
    assert stored(warehouse, CATALOG["vendors"], INTEGRATION)["vendors"]
    company.server.sandbox.set_faults(FaultPlan())
    company.sync(warehouse)
    assert_equal(company, warehouse)


def object_with(**values: object) -> bytes:
    given = {
        "id": "00901OK",
        "name": "Ok",
        "createdTime": "2026-01-01T00:00:00Z",
        "updatedTime": "2026-01-01T00:00:00Z",
    }
    return json.dumps(given | values).encode()


NOISE = "".join(random.Random(1).choices(string.ascii_letters, k=20_000))
"""Does not compress, so that an index cannot take it."""


@pytest.mark.parametrize(
    ("entity", "values"),
    [
        ("vendors", {"id": NOISE}),
        ("vendors", {f"unknown{NOISE}": 1}),
        ("vendors", {"accountType": NOISE}),
        ("vendors", {f"unknown{number}": 1 for number in range(3_000)}),
        ("bills", {"vendorId": NOISE}),
        ("bills", {"amount": f"1.{'1' * 20_000}"}),
        ("bills", {"amount": "1e999999999"}),
        ("bills", {"amount": "0" * 200_000}),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value))[:20],
)
def test_values_of_any_size_are_stored_or_rejected_and_never_end_a_sync(
    entity: str, values: dict[str, object], serve: Serve, warehouse: Warehouse
) -> None:
    company = serve(bills=0)
    with company.connected(warehouse) as sync, sync.alone():
        pulling = EntityPull(sync, CATALOG[entity], PullKind.FULL, sync.state(entity), Turn(0))
        batch = page_reader(pulling.writer.maker)([object_with(), object_with(**{"id": "00901OTHER"} | values)])
        assert pulling.run(lambda: pulling.writer.write([batch], {"walk": None})).counts.fetched == 2
    with warehouse.read() as connection:
        kept = connection.scalar(select(func.count()).select_from(contract_findings))
    assert (kept or 0) <= 1_000


@pytest.mark.parametrize("number", [b"1." + b"1" * 20_000, b"1e999999999", b"1e400", b"1" * 4_000])
def test_json_numbers_of_any_size_reject_their_object_alone(number: bytes) -> None:
    raw = object_with(amount=0).replace(b'"amount": 0', b'"amount": ' + number)
    batch = page_reader(RowMaker(CATALOG["bills"]))([object_with(), raw])
    assert (len(batch.rows), len(batch.rejections)) == (1, 1)
    assert len(batch.rejections[0].message) < 500
