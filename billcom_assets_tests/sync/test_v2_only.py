"""An organization that is read through v2 alone has the rows that v3 would have brought, wherever v2 has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from billcom_assets.bill.credentials import Credentials
from billcom_assets.bill.errors import AuthenticationRefused, ConfigurationError
from billcom_assets.entities.catalog import CATALOG
from billcom_assets.entities.v2_shapes import SHAPES, differences, not_in_v2
from billcom_assets.sandbox.errors import Refusal
from billcom_assets.sandbox.faults import FaultPlan
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen, total
from billcom_assets_tests.sync.conftest import Serve

LACKING = not_in_v2(tuple(CATALOG))
LISTS = [name for name in CATALOG.names() if name not in LACKING]
ROWS_OF_V3_ALONE = {
    "funding_accounts": "the balance at BILL and cards of BILL's; v2 lists cards of other users, too",
    "invoice_payments": "receivable_payment_invoices has them",
}
"""Tables whose rows v2 does not list."""
_OURS = {
    *("first_seen_at", "synced_at", "payload", "payload_digest", "v2_payload", "v2_digest", "v2_read_for"),
    "approval_status_source",
}
READINGS: dict[str, dict[str, Any]] = {
    "usual": {},
    "no filters, no sorts": {"v2_refuses_filters": True},
    "pages of 150": {"v2_page_limit": 150},
    "lines on demand, nothing as empty text": {"v2_children_asked": True, "v2_unset_is_empty": True},
    "single objects as text": {"v2_reads_as_text": True},
    "one id at a time": {"v2_takes_many": False},
}


class ThroughV2(Company):
    """The same organization, for which v3 refuses the key."""

    def credentials(self) -> Credentials:
        return replace(super().credentials(), v2_only=True)

    def sync(self, warehouse: Warehouse, **options: Any) -> Any:
        """A run during which v3 refuses everything."""
        self.server.sandbox.change_settings(v3_access=False)
        try:
            return super().sync(warehouse, **{"only": LISTS} | options)
        finally:
            self.server.sandbox.change_settings(v3_access=True)


@pytest.fixture
def other(make_database: Callable[..., str]) -> Any:
    """A second database, for v2."""
    opened = open_warehouse(make_database())
    yield opened
    opened.close()


def rows(warehouse: Warehouse, table_name: str) -> dict[Any, dict[str, Any]]:
    table = warehouse.mirror.table(table_name)
    with warehouse.read() as connection:
        found = connection.execute(select(table).where(table.c.integration == INTEGRATION)).mappings()
        return {tuple(row[key.name] for key in table.primary_key): dict(row) for row in found}


def unordered(found: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The rows under a key that does not tell their place."""
    places = ([value for name, value in row.items() if name != "position"] for row in found.values())
    return {(*values, nth): {} for values, nth in _numbered(places)}


def _numbered(rows: Iterable[list[Any]]) -> Iterator[tuple[list[Any], int]]:
    seen: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        yield row, seen[tuple(row)]
        seen[tuple(row)] += 1


def assert_equal(v3: Warehouse, v2: Warehouse) -> None:
    """Every row of v3's is there, with the same values in every column that v2 fills."""
    compared = 0
    for name in LISTS:
        entity = CATALOG[name]
        unlike = {(table, column) for table, column, _ in ([] if entity.is_of_v2 else differences(entity))}
        for table in entity.tables():
            ours, theirs = rows(v2, table), rows(v3, table)
            if table == "vendor_credit_usages":
                # Neither API tells in which order it lists them.
                ours, theirs = map(unordered, (ours, theirs))
            if table not in ROWS_OF_V3_ALONE:
                assert ours.keys() == theirs.keys(), table
            for key in ours.keys() & theirs.keys():
                if theirs[key].get("named_by"):
                    # v3 shows no more of it than its name.
                    continue
                columns = {one for one in theirs[key] if one not in _OURS and (table, one) not in unlike}
                compared += len(columns)
                found = {
                    one: (ours[key][one], theirs[key][one]) for one in columns if ours[key][one] != theirs[key][one]
                }
                assert found == {}, (table, key)
    assert compared > 10_000


def test_every_list_that_posting_stands_on_is_in_v2() -> None:
    assert [name for name in LACKING if CATALOG[name].is_mandatory] == []
    assert set(LACKING) == {"credit_memos", "recurring_bills", "recurring_invoices", "roles"}
    paths = {entity.path for entity in CATALOG} | {one.path for entity in CATALOG for one in entity.other_lists}
    assert SHAPES.keys() <= paths


@pytest.mark.parametrize("reading", READINGS)
def test_both_ways_bring_the_same(reading: str, serve: Serve, warehouse: Warehouse, other: Warehouse) -> None:
    company = serve(bills=300, **READINGS[reading])
    company.sync(warehouse)
    through_v2 = ThroughV2(company.server)
    before = dict(company.server.sandbox.stats.paths)
    through_v2.sync(other)
    assert_equal(warehouse, other)
    asked = {path for path, count in company.server.sandbox.stats.paths.items() if count > before.get(path, 0)}
    assert not [path for path in asked if "/v3/" in path], "v3 is not asked"


def test_after_changes_both_are_the_same_again_and_nothing_else_is_written(
    serve: Serve, warehouse: Warehouse, other: Warehouse
) -> None:
    company = serve(bills=250)
    through_v2 = ThroughV2(company.server)
    company.sync(warehouse)
    through_v2.sync(other)
    for seed in (1, 2):
        let_business_happen(company, 200, seed)
        company.sync(warehouse)
        through_v2.sync(other)
        assert_equal(warehouse, other)
    company.server.clock.advance(timedelta(minutes=20))
    assert total(through_v2.sync(other)).written == 0


def test_faults_of_v2_change_nothing(serve: Serve, warehouse: Warehouse, other: Warehouse) -> None:
    company = serve(bills=200)
    company.sync(warehouse)
    company.server.sandbox.set_faults(FaultPlan.parse("reset=0.1,html_502=0.1,truncated_json=0.1,session_death=0.1*3"))
    ThroughV2(company.server).sync(other)
    company.server.sandbox.set_faults(FaultPlan())
    assert_equal(warehouse, other)


def test_users_are_read_under_the_name_that_bill_knows(serve: Serve, other: Warehouse) -> None:
    company = serve(bills=10)
    company.server.sandbox.refused["POST /List/User.json"] = Refusal(404, "BDC_1121", "Entity User is unknown.")
    ThroughV2(company.server).sync(other, only=["users"])
    assert len(rows(other, "users")) == len(company.organization.rows("users"))


def test_credits_come_without_their_usages_where_v2_does_not_list_those(serve: Serve, other: Warehouse) -> None:
    company = serve(bills=60)
    company.server.sandbox.refused["POST /List/BillCredit.json"] = Refusal(404, "BDC_1121", "Entity is unknown.")
    ThroughV2(company.server).sync(other, only=["vendors", "vendor_credits"])
    assert len(rows(other, "vendor_credits")) == len(company.organization.rows("vendor-credits"))
    assert rows(other, "vendor_credit_usages") == {}


def test_a_refresh_finds_nothing_deleted_and_nothing_changed(
    serve: Serve, warehouse: Warehouse, other: Warehouse
) -> None:
    company = serve(bills=150)
    through_v2 = ThroughV2(company.server)
    through_v2.sync(other)
    company.server.clock.advance(timedelta(days=1))
    reports = through_v2.sync(other, refresh=True, confirm_deletions=True)
    assert (total(reports).written, sum(report.deleted for report in reports)) == (0, 0)


def test_who_has_no_password_cannot_read_v2_alone() -> None:
    with pytest.raises(ConfigurationError, match="takes no OAuth client"):
        Credentials("00801AAAAAAAAAA00000", client_id="id", client_secret="secret", v2_only=True)


def test_a_wrong_password_is_told_in_v2s_words(serve: Serve) -> None:
    company = ThroughV2(serve(bills=10).server)
    with company.client() as client:
        object.__setattr__(client.credentials, "password", "wrong")
        with pytest.raises(AuthenticationRefused) as caught:
            client.login()
    assert "Login.json" in str(caught.value)
