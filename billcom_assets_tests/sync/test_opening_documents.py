"""Documents that the cutoff leaves out: of what is open on them and what they settle, the books are told."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from billcom_assets.entities.catalog import CATALOG, Catalog
from billcom_assets.entities.rows import Batch
from billcom_assets.sandbox.books import bills, payments, vendor_credits
from billcom_assets.sandbox.books.objects import set_archived
from billcom_assets.sandbox.kinds import BILLS, PAYMENTS, VENDOR_CREDITS, VENDORS
from billcom_assets.sync.pull import EntityPull
from billcom_assets.sync.report import PullKind
from billcom_assets.sync.state import EntityState
from billcom_assets.warehouse.engine import Warehouse, open_warehouse
from billcom_assets.warehouse.home_currency import set_home_currency
from billcom_assets_tests.small_company import connect
from billcom_assets_tests.sync import victim
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.conftest import Serve
from billcom_assets_tests.sync.opening_truth import DATED, Found, dated, is_left_out, kept, opening, versions
from billcom_assets_tests.sync.plain import bill, plain_bill
from billcom_assets_tests.sync.test_cutoff import Stopped, _stop_after, middle, mirrored
from billcom_assets_tests.sync.test_killed import after_requests, orders, run_and_kill
from billcom_assets_tests.sync.test_v2_only import ThroughV2
from billcom_assets_tests.sync.truth import Doc, objects

PAYABLES = ("vendors", *DATED)


def all_mirrored(warehouse: Warehouse) -> set[str]:
    return set[str]().union(*(mirrored(warehouse, entity) for entity in DATED))


def assert_true(company: Company, warehouse: Warehouse, cutoff: date) -> None:
    """What is kept is BILL's truth, and nothing of it is in the mirror as well."""
    documents, applications = kept(warehouse, INTEGRATION)
    theirs = opening(company.organization, cutoff, all_mirrored(warehouse))
    assert (documents, applications) == theirs
    assert {identifier for _, identifier in documents} & all_mirrored(warehouse) == set()


def old(company: Company, entity: str, cutoff: date, fits: Callable[[Doc], bool]) -> Doc:
    """One of BILL's documents that the cutoff leaves out."""
    docs = objects(company.organization, CATALOG[entity])
    return next(doc for doc in docs if is_left_out(entity, doc, cutoff) and fits(doc))


def happens(company: Company, change: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """In BILL, an hour later."""
    company.server.clock.advance(timedelta(hours=1))
    with company.server.sandbox.lock:
        return change(company.organization, *given, **more)


def is_open(doc: Doc) -> bool:
    return doc["recordStatus"] == "ACTIVE" and doc["dueAmount"] > 0


def pay(company: Company, doc: Doc) -> str:
    """All that is due on the bill is paid, today; returns the payment's id."""
    user = company.organization.user_ids["PAYER"]
    cents = round(doc["dueAmount"] * 100)
    row = happens(company, payments.pay, [(doc["id"], cents)], created_by=user, status="PAID", online=False)
    return str(row.id)


def void(company: Company, payment: str) -> None:
    user = company.organization.user_ids["ADMINISTRATOR"]
    happens(company, payments.void_payment, payment, user, "VOID_ONLY", "Wrong amount")


def test_a_first_pull_keeps_what_is_open_before_the_cutoff_and_what_it_settles(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    assert_true(company, warehouse, cutoff)
    documents, applications = kept(warehouse, INTEGRATION)
    assert {entity for entity, _ in documents} == set(DATED)
    assert {entity for entity, _, _ in applications} == {"vendor_credits", "vendor_payments"}
    assert any(one[-1] for one in documents.values()), "something is open"
    assert {one[3] for one in documents.values()} > {"USD"}, "not everything is in dollars"


def test_without_a_cutoff_nothing_is_kept(company: Company, warehouse: Warehouse) -> None:
    company.sync(warehouse)
    assert kept(warehouse, INTEGRATION) == ({}, {})


@pytest.mark.parametrize("refresh", [False, True])
def test_what_stays_the_same_is_not_written_again(company: Company, warehouse: Warehouse, refresh: bool) -> None:
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    before = versions(warehouse)
    assert before
    company.server.clock.advance(timedelta(minutes=1))
    company.sync(warehouse, cutoff=cutoff, refresh=refresh)
    assert versions(warehouse) == before


def test_nothing_more_is_asked_of_bill(serve: Serve, make_database: Callable[..., str]) -> None:
    without = Catalog(tuple(replace(entity, opening=None) for entity in CATALOG))
    asked = []
    for catalog in (CATALOG, without):
        company, warehouse = serve(), open_warehouse(make_database())
        cutoff, stats = middle(company), company.server.sandbox.stats
        for refresh in (False, False, True):
            company.sync(warehouse, cutoff=cutoff, refresh=refresh, catalog=catalog)
            let_business_happen(company, 50, 5)
        asked.append(dict(stats.paths))
        assert bool(kept(warehouse, INTEGRATION)[0]) == (catalog is CATALOG)
        warehouse.close()
    assert asked[0] == asked[1]


def test_a_change_of_what_is_left_out_asks_nothing_more_of_bill(company: Company, warehouse: Warehouse) -> None:
    cutoff, stats = middle(company), company.server.sandbox.stats
    company.sync(warehouse, cutoff=cutoff)
    corrected = old(company, "bills", cutoff, is_open) | {"amount": Decimal("12.34")}
    asked = []
    for docs in ([], [corrected]):
        happens(company, lambda bill, docs=docs: [bill.write(BILLS, doc) for doc in docs])
        stats.reset()
        company.sync(warehouse, cutoff=cutoff)
        asked.append(dict(stats.paths))
    assert asked[0] == asked[1]
    assert kept(warehouse, INTEGRATION)[0]["bills", corrected["id"]][-2] == Decimal("12.34")


@pytest.mark.parametrize("touches", [True, False])
def test_a_bill_that_is_paid_later_is_no_longer_open(serve: Serve, warehouse: Warehouse, touches: bool) -> None:
    company = serve(payment_touches_bill=touches)
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    paid = old(company, "bills", cutoff, is_open)
    assert kept(warehouse, INTEGRATION)[0]["bills", paid["id"]][-1] > 0
    pay(company, paid)
    company.sync(warehouse, cutoff=cutoff)
    assert kept(warehouse, INTEGRATION)[0]["bills", paid["id"]][-1] == paid["scheduledAmount"]
    assert_true(company, warehouse, cutoff)


def test_of_archived_documents_and_drafts_nothing_is_kept_until_they_are_back(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    one = old(company, "bills", cutoff, lambda doc: is_open(doc) and doc["dueAmount"] == doc["amount"])
    other = old(company, "bills", cutoff, lambda doc: is_open(doc) and doc["id"] != one["id"])
    credit = old(company, "vendor_credits", cutoff, lambda doc: bool(doc.get("usage")) and not doc["archived"])
    gone = {("bills", one["id"]), ("bills", other["id"]), ("vendor_credits", credit["id"])}
    before = kept(warehouse, INTEGRATION)
    assert before[0].keys() > gone

    def set_away(*, away: bool) -> None:
        happens(company, bills.set_bill_archived, one["id"], archived=away)
        happens(company, set_archived, VENDOR_CREDITS, credit["id"], archived=away)
        status = "DRAFT" if away else other["recordStatus"]
        happens(company, lambda bill: bill.write(BILLS, other | {"recordStatus": status}))
        company.sync(warehouse, cutoff=cutoff)

    set_away(away=True)
    documents, applications = kept(warehouse, INTEGRATION)
    assert documents.keys() == before[0].keys() - gone
    assert not [key for key in applications if key[1] == credit["id"]]
    set_away(away=False)
    assert kept(warehouse, INTEGRATION) == before


def test_a_document_is_in_the_mirror_or_kept_whichever_way_the_cutoff_moves(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = middle(company)
    earlier, later = cutoff - timedelta(days=120), cutoff + timedelta(days=60)
    for now in (cutoff, earlier, later, cutoff):
        company.sync(warehouse, cutoff=now)
        assert_true(company, warehouse, now)
        assert kept(warehouse, INTEGRATION)[0]
        let_business_happen(company, 40, now.toordinal())
    company.sync(warehouse, cutoff=None)
    assert kept(warehouse, INTEGRATION) == ({}, {})


def test_a_bill_dated_anew_changes_places(company: Company, warehouse: Warehouse) -> None:
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    moved = old(company, "bills", cutoff, is_open)
    invoice = moved["invoice"] | {"invoiceDate": cutoff.isoformat()}
    happens(company, lambda bill: bill.write(BILLS, moved | {"invoice": invoice}))
    company.sync(warehouse, cutoff=cutoff)
    assert moved["id"] in mirrored(warehouse, "bills")
    assert_true(company, warehouse, cutoff)


def test_amounts_are_in_the_home_currency_where_no_vendor_says_another(company: Company, warehouse: Warehouse) -> None:
    cutoff = middle(company)
    with warehouse.write() as connection:
        connect(connection, INTEGRATION)
        set_home_currency(connection, INTEGRATION, "GBP", company.server.clock.now())
    for doc in objects(company.organization, CATALOG["vendors"])[::2]:
        silent = {key: value for key, value in doc.items() if key != "billCurrency"}
        happens(company, lambda bill, silent=silent: bill.write(VENDORS, silent))
    company.sync(warehouse, cutoff=cutoff)
    assert kept(warehouse, INTEGRATION) == opening(company.organization, cutoff, all_mirrored(warehouse), home="GBP")
    assert {one[3] for one in kept(warehouse, INTEGRATION)[0].values()} >= {"GBP", "USD"}


@pytest.mark.parametrize("through", [Company, ThroughV2])
def test_an_old_payment_that_is_voided_since_the_cutoff_comes_into_the_mirror(
    serve: Serve, warehouse: Warehouse, through: type[Company]
) -> None:
    company = serve()
    reader, cutoff = through(company.server), middle(company)
    reader.sync(warehouse, cutoff=cutoff, only=PAYABLES)
    paid = old(company, "vendor_payments", cutoff, lambda doc: doc["status"] == "PAID")
    assert ("vendor_payments", paid["id"]) in kept(warehouse, INTEGRATION)[0]
    void(company, paid["id"])
    reader.sync(warehouse, cutoff=cutoff, only=PAYABLES)
    assert paid["id"] in mirrored(warehouse, "vendor_payments")
    documents, applications = kept(warehouse, INTEGRATION)
    assert not [key for key in [*documents, *applications] if key[1] == paid["id"]]


@pytest.mark.parametrize("through", [Company, ThroughV2])
def test_a_first_pull_leaves_out_what_was_voided_before_the_cutoff_and_nothing_that_was_since(
    serve: Serve, warehouse: Warehouse, through: type[Company]
) -> None:
    company = serve()
    now = company.server.clock.now().date()
    early, late = (old(company, "vendor_payments", now, partial(_is_paid, nth, company)) for nth in (0, 1))
    void(company, early["id"])
    company.server.clock.advance(timedelta(days=10))
    cutoff = company.server.clock.now().date()
    void(company, late["id"])
    through(company.server).sync(warehouse, cutoff=cutoff, only=PAYABLES)
    assert mirrored(warehouse, "vendor_payments") & {early["id"], late["id"]} == {late["id"]}
    assert ("vendor_payments", early["id"]) not in kept(warehouse, INTEGRATION)[0]


def _is_paid(nth: int, company: Company, doc: Doc) -> bool:
    docs = objects(company.organization, CATALOG["vendor_payments"])
    return bool(doc["id"] == [one["id"] for one in docs if one["status"] == "PAID"][nth])


@pytest.mark.parametrize(
    ("status", "requests", "is_mirrored"),
    [
        ("VOID", [("ACCEPTED", 0)], True),
        ("CANCELED", [("ACCEPTED", 0)], True),
        ("VOID", [("ACCEPTED", -1)], False),
        ("VOID", [("ACCEPTED", 3), ("ACCEPTED", -9)], True),
        ("VOID", [("REJECTED", 3), ("ACCEPTED", -9)], False),
        ("VOID", [], False),
        ("PAID", [("ACCEPTED", 3)], False),
    ],
)
def test_only_an_accepted_void_since_the_cutoff_counts(
    company: Company, warehouse: Warehouse, status: str, requests: list[tuple[str, int]], is_mirrored: bool
) -> None:
    cutoff = middle(company)
    paid = old(company, "vendor_payments", cutoff, lambda doc: doc["status"] == "PAID")
    info = [
        {"id": "vrq", "status": word, "createdTime": f"{cutoff + timedelta(days=after)}T00:00:00.000+00:00"}
        for word, after in requests
    ]
    happens(company, lambda bill: bill.write(PAYMENTS, paid | {"status": status, "voidInfo": info}))
    company.sync(warehouse, cutoff=cutoff, only=PAYABLES, asks_v2=False)
    assert (paid["id"] in mirrored(warehouse, "vendor_payments")) == is_mirrored


def test_a_payment_that_names_its_bill_alone_settles_it_with_its_whole_amount(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = middle(company)
    paid = old(company, "vendor_payments", cutoff, lambda doc: doc["status"] == "PAID" and bool(doc.get("billId")))
    short = {key: value for key, value in paid.items() if key != "billPayments"}
    happens(company, lambda bill: bill.write(PAYMENTS, short))
    company.sync(warehouse, cutoff=cutoff, only=PAYABLES)
    settled = kept(warehouse, INTEGRATION)[1]["vendor_payments", paid["id"], 0]
    assert settled == (paid["billId"], Decimal(str(paid["amount"])))


def test_a_credit_used_later_settles_more(company: Company, warehouse: Warehouse) -> None:
    cutoff = middle(company)
    vendors = {doc["vendorId"] for doc in objects(company.organization, CATALOG["bills"]) if is_open(doc)}
    credit = old(
        company,
        "vendor_credits",
        cutoff,
        lambda doc: not doc["archived"] and doc["status"] != "FULLY_APPLIED" and doc["vendorId"] in vendors,
    )
    used_on = next(
        doc
        for doc in objects(company.organization, CATALOG["bills"])
        if is_open(doc) and doc["vendorId"] == credit["vendorId"]
    )
    company.sync(warehouse, cutoff=cutoff)
    happens(company, vendor_credits.apply_credit, credit["id"], used_on["id"], 100)
    company.sync(warehouse, cutoff=cutoff)
    assert_true(company, warehouse, cutoff)
    applications = kept(warehouse, INTEGRATION)[1]
    assert (used_on["id"], Decimal(1)) in [used for key, used in applications.items() if key[1] == credit["id"]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_what_is_kept_is_what_bill_says(company: Company, warehouse: Warehouse, seed: int) -> None:
    cutoff = middle(company)
    for part in range(3):
        company.sync(warehouse, cutoff=cutoff, refresh=part == 2)
        assert_true(company, warehouse, cutoff)
        let_business_happen(company, 150, seed * 10 + part)


def test_what_bill_changes_in_silence_is_found_by_a_sweep(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(payment_touches_bill=False)
    cutoff = middle(company)
    company.sync(warehouse, cutoff=cutoff)
    let_business_happen(company, 300, 8)
    company.sync(warehouse, cutoff=cutoff, refresh=True)
    assert_true(company, warehouse, cutoff)


def test_v2_alone_tells_the_same(company: Company, make_database: Callable[..., str]) -> None:
    cutoff = middle(company)
    found: list[Found] = []
    for reader in (company, ThroughV2(company.server)):
        warehouse = open_warehouse(make_database())
        reader.sync(warehouse, cutoff=cutoff, only=PAYABLES)
        found.append(_in_dollars(kept(warehouse, INTEGRATION)))
        warehouse.close()
    assert found[0] == found[1]
    assert len(found[0][0]) > 100


def _in_dollars(found: Found) -> Found:
    # Of foreign documents v2 alone does not tell amounts, and it lists what a credit was used on in another order.
    documents = {key: row for key, row in found[0].items() if row[3] == "USD"}
    applications = [(key[:2], used) for key, used in found[1].items() if key[:2] in documents]
    return documents, {(*key, nth): used for nth, (key, used) in enumerate(sorted(applications))}


def test_v2_alone_counts_a_foreign_bill_as_open_where_it_does_not_say_how_much(
    company: Company, warehouse: Warehouse
) -> None:
    cutoff = middle(company)
    vendors = objects(company.organization, CATALOG["vendors"])
    foreign = {doc["id"] for doc in vendors if doc["billCurrency"] != "USD"}
    docs = objects(company.organization, CATALOG["bills"])
    part = next(
        doc for doc in docs if is_open(doc) and doc["vendorId"] in foreign and doc["dueAmount"] == doc["amount"]
    )
    cutoff = max(cutoff, dated("bills", part) + timedelta(days=1))
    user = company.organization.user_ids["PAYER"]
    happens(company, payments.pay, [(part["id"], 100)], created_by=user, status="PAID", online=False)
    ThroughV2(company.server).sync(warehouse, cutoff=cutoff, only=PAYABLES)
    row = kept(warehouse, INTEGRATION)[0]["bills", part["id"]]
    assert row[-2:] == (Decimal(str(part["amount"])),) * 2


def test_an_interrupted_first_pull_goes_on_to_the_same(serve: Serve, warehouse: Warehouse) -> None:
    company = serve(bills=900, latency_ms=5)
    cutoff = middle(company)
    with pytest.raises(Stopped):
        company.sync(warehouse, cutoff=cutoff, on_progress=_stop_after(300))
    let_business_happen(company, 60, 3)
    company.sync(warehouse, cutoff=cutoff)
    assert_true(company, warehouse, cutoff)


def test_killed_pulls_end_in_what_an_undisturbed_one_keeps(serve: Serve, make_database: Callable[..., str]) -> None:
    company = serve(bills=300, latency_ms=3)
    cutoff, dice = middle(company), random.Random(23)
    url = make_database()
    undisturbed, disturbed = open_warehouse(make_database()), open_warehouse(url)
    interrupted = 0
    for kill in range(4):
        before = company.server.sandbox.stats.requests
        company.sync(undisturbed, cutoff=cutoff)
        requests = company.server.sandbox.stats.requests - before
        moment = after_requests(company, dice.randrange(requests // 4, requests), dice.random() * 0.02)
        interrupted += run_and_kill(victim.sync, orders(company, url, cutoff=cutoff), moment=moment)
        company.sync(disturbed, cutoff=cutoff, wait_seconds=10)
        assert kept(disturbed, INTEGRATION) == kept(undisturbed, INTEGRATION)
        let_business_happen(company, 60, seed=200 + kill)
    assert interrupted >= 3
    for one in (undisturbed, disturbed):
        one.close()


def test_of_a_document_that_a_first_pull_is_shown_twice_the_later_version_counts(warehouse: Warehouse) -> None:
    docs = [bill(number) for number in range(5)]
    archived, moved, paid = docs[:3]
    again = [archived | {"archived": True}, moved | {"invoice": {"invoiceDate": "2027-01-01"}}, paid | {"dueAmount": 0}]
    entity = CATALOG["bills"]
    with plain_bill() as plain, plain.run(warehouse, cutoff=date(2026, 6, 1)) as sync:
        writer = EntityPull(sync, entity, PullKind.FIRST_PULL, EntityState(), sync.turn(entity)).writer
        for shown in (docs, *([one] for one in again)):
            batch = Batch()
            for doc in shown:
                writer.maker.add(batch, doc)
            writer.write([batch], {})
    documents, _ = kept(warehouse, INTEGRATION)
    assert mirrored(warehouse, "bills") == {moved["id"]}
    assert {key: row[-1] for key, row in documents.items()} == {
        ("bills", paid["id"]): 0,
        ("bills", docs[3]["id"]): 100,
        ("bills", docs[4]["id"]): 100,
    }
