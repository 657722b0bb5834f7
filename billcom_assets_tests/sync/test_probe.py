"""What BILL is asked without a pull says the same as a pull would."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS
from billcom_assets.sync.probe import WATCHED, About, Question, can_be_asked, has_news, note_nothing_new, questions
from billcom_assets.sync.report import PullReport
from billcom_assets.sync.run import Sync
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.small_company import NOW
from billcom_assets_tests.sync.company import Company
from billcom_assets_tests.sync.test_rejections import rewrite

ASKABLE = [one.name for one in CATALOG if not (one.walk.value == "full" or one.other_lists or one.is_of_v2)]


def states(sync: Sync) -> dict[str, EntityState]:
    return {name: sync.state(name) for name in CATALOG.names()}


def news(company: Company, warehouse: Warehouse, **options: object) -> set[Question]:
    """The questions that something new answers."""
    with company.connected(warehouse, **options) as sync:
        return {one for one in questions(CATALOG, states(sync), CATALOG.names()) if has_news(sync, one)}


def written(reports: list[PullReport]) -> set[str]:
    return {one.entity for one in reports if one.counts.inserted + one.counts.updated}


def test_right_after_a_sync_nothing_is_new_and_each_question_is_one_request(
    company: Company, warehouse: Warehouse
) -> None:
    company.sync(warehouse)
    with company.connected(warehouse) as sync:
        asked = questions(CATALOG, states(sync), CATALOG.names())
        assert {one.entity for one in asked if one.about is About.NEWS} == set(ASKABLE)
        assert asked[0] == Question(WATCHED, About.NEWS)
        assert not any(has_news(sync, one) for one in asked)
        assert sync.client.stats.requests - sync.client.stats.logins <= len(asked)


def test_whatever_happens_in_bill_is_noticed_when_a_pull_would_store_it(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    for seed in range(12):
        company.server.clock.advance(timedelta(minutes=11))
        company.server.sandbox.change(1, seed, organization=company.organization.id)
        noticed = {one.entity for one in news(company, warehouse)}
        changed = written(company.sync(warehouse)) & set(ASKABLE)
        # A pull also reads again what changed objects name; that follows from what was noticed.
        assert bool(noticed) is bool(changed)
        assert noticed <= changed
        assert news(company, warehouse) == set()


def test_a_payment_that_changes_without_moving_its_time_is_noticed(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    organization = company.organization
    asked = Question("vendor_payments", About.UNSETTLED)
    newest = max(organization.rows(PAYMENTS.path), key=lambda row: str(row["updatedTime"]))
    with company.server.sandbox.lock:
        organization.write(PAYMENTS, newest | {"description": "changed without a word"}, touch=False)
    found = []
    # A page of them at a time, and none twice before all had their turn.
    for _ in range(3):
        with company.connected(warehouse) as sync:
            found.append(has_news(sync, asked))
            note_nothing_new(sync, [asked])
            assert sync.state("vendor_payments").reread_at is not None
    assert any(found)


def test_what_the_cutoff_leaves_out_and_what_is_unreadable_is_no_news_for_ever(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = date(2026, 1, 1)
    rows = company.organization.rows(BILLS.path)
    old = next(row["id"] for row in rows if row["invoice"]["invoiceDate"] < cutoff.isoformat())
    company.sync(warehouse, cutoff=cutoff)
    company.server.clock.advance(timedelta(minutes=11))
    rewrite(company, old, description="edited")
    assert news(company, warehouse, cutoff=cutoff) == set()
    rewrite(company, rows[-1]["id"], dueDate="the day after tomorrow")
    assert Question("bills", About.NEWS) in news(company, warehouse, cutoff=cutoff)
    company.sync(warehouse, cutoff=cutoff)
    assert Question("bills", About.NEWS) not in news(company, warehouse, cutoff=cutoff)


def test_what_was_not_asked_about_for_the_longest_time_comes_next(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    with company.connected(warehouse) as sync:
        turns = []
        for _ in range(len(questions(CATALOG, states(sync), CATALOG.names())) - 1):
            company.server.clock.advance(timedelta(hours=1))
            first, second, *_ = questions(CATALOG, states(sync), CATALOG.names())
            assert first.entity == WATCHED
            note_nothing_new(sync, [first, second])
            turns.append(second)
        assert len(set(turns)) == len(turns)


@pytest.mark.parametrize("name", CATALOG.names())
def test_lists_that_one_request_does_not_show_are_not_asked_about(name: str) -> None:
    pulled = EntityState(first_pulled_at=NOW, watermark=NOW)
    assert can_be_asked(CATALOG[name], pulled) is (name in ASKABLE)
    assert not can_be_asked(CATALOG[name], replace(pulled, time_filter_refused=True))
    assert not can_be_asked(CATALOG[name], EntityState())
