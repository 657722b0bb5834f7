from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.quality.findings import Changes, MeasureFindings
from billcom_assets.quality.measures import (
    Quality,
    Severity,
    conservation,
    contract,
    duplicate_account_numbers,
    duplicate_vendor_names,
    unmapped_funding_accounts,
    unmapped_in_use,
)
from billcom_assets.quality.references import broken_references
from billcom_assets.status.integrations import entity_states
from billcom_assets.warehouse.catalog_mirror import catalog_mirror
from billcom_assets.warehouse.tables import contract_findings, quality_findings, sync_runs
from billcom_assets_tests.small_company import KEY, LATER, NOW, Books, connect


def test_funding_accounts_that_are_not_mapped_are_found(books: Books) -> None:
    books.bill("funding_accounts", "bac1", bank_name="Chase", account_number="*****1115")
    books.bill("funding_accounts", "bac2")
    books.bill("funding_accounts", "bac3", archived=True)
    books.bill("funding_accounts", "WALLET", kind="WALLET")
    books.ledger_account("1000", "Bank", "BANK")
    books.mapping("funding_accounts", "bac1", "1000")

    found = unmapped_funding_accounts(books.conn, KEY)

    assert (found.passed, found.severity, found.count, found.sample) == (False, Severity.WARN, 2, ("WALLET", "bac2"))
    assert found.description.startswith("2 funding accounts of BILL are not mapped")
    assert found.fix == "billcom mappings show acme-us"
    books.mapping("funding_accounts", "bac2", "1000")
    books.mapping("funding_accounts", "WALLET", "1000")
    assert unmapped_funding_accounts(books.conn, KEY).passed


def test_objects_that_bills_name_and_nobody_mapped_are_found(books: Books) -> None:
    books.vendor("009a", "Acme")
    books.vendor("009b", "Beta")
    books.vendor("009c", "Not in use")
    books.bill("bills", "00n1", vendor_id="009a", amount=Decimal("1.00"))
    books.bill("bills", "00n2", vendor_id="009b", amount=Decimal("1250.50"))
    books.bill("bills", "00n3", vendor_id="009b", amount=Decimal("49.50"))
    books.bill("bills", "00n4", vendor_id="009b", amount=Decimal("7.00"), record_status="DRAFT")
    books.bill("vendor_credits", "vcr1", vendor_id="009c")
    books.bill("vendor_payments", "stp1", vendor_id="009b", amount=Decimal("20.00"), single_status="PAID")
    books.bill("vendor_payments", "stp2", vendor_id="009b", amount=Decimal("9.00"), single_status="VOID")
    books.ledger("vendors", "V1", "Acme")
    books.mapping("vendors", "009a", "V1")

    found = unmapped_in_use(books.conn, KEY, "vendors")

    assert (found.passed, found.sample) == (False, ("009b",))
    assert found.description == (
        "1 vendor that bills refer to is not mapped: 2 bills of 1,300.00 USD, 1 vendor payment of 20.00 USD "
        "cannot be posted because of it"
    )
    books.suggestion("vendors", "009b", "V1")
    assert not unmapped_in_use(books.conn, KEY, "vendors").passed


def test_a_currency_of_bills_that_is_no_code_is_not_repeated(books: Books) -> None:
    books.vendor("009a", "Acme", bill_currency="![x](//evil.example)")
    books.bill("bills", "00n1", vendor_id="009a", amount=Decimal("5.00"))

    assert unmapped_in_use(books.conn, KEY, "vendors").description.endswith(
        "1 bill of 5.00 of an unknown currency cannot be posted because of it"
    )


def test_after_an_ordinary_sync_only_changed_bills_tell_what_is_in_use(books: Books) -> None:
    for number in "abc":
        books.vendor(f"009{number}", number)
        books.bill("bills", f"00n{number}", vendor_id=f"009{number}")

    def found(changed: set[str] | None, *known: str) -> tuple[str, ...]:
        return unmapped_in_use(books.conn, KEY, "vendors", changed=changed, known=known).found

    assert found(None) == ("009a", "009b", "009c")
    assert found(set()) == ()
    assert found({"00nb"}) == ("009b",)
    assert found({"00nb"}, "009a") == ("009a", "009b")
    books.ledger("vendors", "V1", "A")
    books.mapping("vendors", "009a", "V1")
    assert found({"00nb"}, "009a") == ("009b",)


def test_samples_are_capped_and_hold_ids_alone(books: Books) -> None:
    for number in range(30):
        books.vendor(f"009{number:02d}", "Acme Secret Name", "123456789")

    found = duplicate_vendor_names(books.conn, KEY)

    assert found.count == 30
    assert found.sample == tuple(f"009{number:02d}" for number in range(10))
    assert "Secret" not in repr(found)
    assert "123456789" not in repr(found)


def test_vendor_names_that_differ_in_spelling_alone_are_doubles(books: Books) -> None:
    books.vendor("009a", "Acme, Inc.")
    books.vendor("009b", "ACME")
    books.vendor("009c", "Beta")
    books.vendor("009d", "Beta", archived=True)
    books.vendor("009e", "")
    books.vendor("009f", "")

    assert duplicate_vendor_names(books.conn, KEY).sample == ("009a", "009b")


def test_account_numbers_are_compared_among_live_accounts_of_one_integration(books: Books) -> None:
    connect(books.conn, "other")
    Books(books.conn, "other").account("0caz", "Elsewhere", number="6000")
    books.account("0ca1", "A", number="6000")
    books.account("0ca2", "B", number="6000", archived=True)
    books.account("0ca3", "C")
    books.account("0ca4", "D")
    assert duplicate_account_numbers(books.conn, KEY).passed

    books.account("0ca5", "E", number=" 6000")
    assert duplicate_account_numbers(books.conn, KEY).sample == ("0ca1", "0ca5")


@pytest.fixture
def pulled(books: Books) -> Books:
    books.pulled("vendors", "accounts", "bills", "vendor_payments", "departments", "funding_accounts")
    return books


def follow(books: Books, entity: str, **options: Any) -> Quality:
    return broken_references(books.conn, KEY, CATALOG[entity], states=entity_states(books.conn, KEY), **options)


def references(books: Books, entity: str) -> tuple[str, ...]:
    return follow(books, entity).sample


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ({}, ()),
        ({"archived": True}, ("00901",)),
        ({"deleted_at": NOW}, ("00901",)),
        (None, ("00901",)),
    ],
)
def test_references_to_what_is_missing_archived_or_deleted_are_found(
    pulled: Books, vendor: dict[str, Any] | None, expected: tuple[str, ...]
) -> None:
    if vendor is not None:
        pulled.vendor("00901", "Acme", **vendor)
    pulled.bill("bills", "00n1", vendor_id="00901")

    assert references(pulled, "bills") == expected


def test_references_from_lines_are_found_and_those_of_dead_bills_are_not(pulled: Books) -> None:
    pulled.bill("bills", "00n1")
    pulled.bill("bills", "00n2", archived=True)
    pulled.line("bill_line_items", 0, bill_id="00n1", id="bli1", classifications_department_id="0de1")
    pulled.line("bill_line_items", 0, bill_id="00n2", id="bli2", classifications_department_id="0de2")

    assert references(pulled, "bills") == ("0de1",)


def test_lists_that_were_never_pulled_are_not_missed(books: Books) -> None:
    books.pulled("bills")
    books.bill("bills", "00n1", vendor_id="00901")

    assert references(books, "bills") == ()


@pytest.mark.parametrize(
    "limits", [(date(2026, 1, 1), None), (None, date(2026, 1, 1))], ids=["cutoff", "history start"]
)
def test_bills_before_the_cutoff_are_rightly_absent_and_archived_ones_are_still_found(
    pulled: Books, limits: tuple[date | None, ...]
) -> None:
    pulled.bill("bills", "00n2", archived=True)
    pulled.bill("vendor_payments", "stp1", bill_id="00n1", archived=None)
    pulled.bill("vendor_payments", "stp2", bill_id="00n2", archived=None)
    assert references(pulled, "vendor_payments") == ("00n1", "00n2")

    assert follow(pulled, "vendor_payments", limits=limits).sample == ("00n2",)


def test_a_funding_source_of_any_kind_is_missed_where_it_is_not_there(pulled: Books) -> None:
    pulled.bill("funding_accounts", "cat01", kind="CARD_ACCOUNT")
    pulled.bill("funding_accounts", "WALLET", kind="WALLET")
    for number, (account, kind) in enumerate(
        [("cat01", "CARD_ACCOUNT"), ("cat02", "CARD_ACCOUNT"), ("WALLET", "WALLET"), ("apc01", "AP_CARD")]
    ):
        pulled.bill("vendor_payments", f"stp{number}", funding_account_id=account, funding_account_type=kind)
    pulled.bill("vendor_payments", "stp9", funding_account_id="bac01", funding_account_type="BANK_ACCOUNT")

    assert references(pulled, "vendor_payments") == ("apc01", "bac01", "cat02")


def test_after_an_ordinary_sync_only_what_it_changed_is_looked_at(pulled: Books) -> None:
    pulled.vendor("00901", "Acme")
    pulled.vendor("00902", "Beta")
    pulled.bill("bills", "00n1", vendor_id="00901")
    pulled.bill("bills", "00n2", vendor_id="00902")
    pulled.bill("bills", "00n3", vendor_id="00903")

    def found(changes: Changes, *known: str) -> tuple[str, ...]:
        return follow(pulled, "bills", changes=changes, known=known).found

    assert found({}) == ()
    assert found({"bills": {"00n2"}, "vendors": {"00901"}}) == ()
    assert found({"bills": {"00n2", "00n3"}}) == found({"bills": None}) == ("00903",)
    vendors = catalog_mirror().table("vendors")
    pulled.conn.execute(update(vendors).where(vendors.c.id == "00902").values(archived=True))
    assert found({"bills": set(), "vendors": {"00901"}}) == ()
    assert found({"bills": set(), "vendors": {"00901", "00902"}}) == found({"vendors": None}) == ("00902",)


def test_what_was_broken_stays_so_until_its_object_is_there(pulled: Books) -> None:
    pulled.vendor("00901", "Acme")
    pulled.vendor("00902", "Beta", archived=True)
    known = ("00901", "00902", "00903")
    assert follow(pulled, "bills", changes={}, known=known).found == ("00902", "00903")


def test_findings_keep_the_time_when_they_were_first_made(books: Books) -> None:
    findings = MeasureFindings(KEY, "bills", "references")
    findings.keep(books.conn, {"00901", "00902"}, NOW)
    MeasureFindings(KEY, "vendors", "references").keep(books.conn, {"00999"}, NOW)
    findings.keep(books.conn, {"00902", "00903"}, LATER)
    f = quality_findings.c
    stored = books.conn.execute(select(f.found, f.found_at).where(f.entity == "bills").order_by(f.found)).all()
    assert [tuple(row) for row in stored] == [("00902", NOW), ("00903", LATER)]
    assert findings.known(books.conn) == {"00902", "00903"}


@pytest.mark.parametrize("entity", CATALOG.names())
def test_references_of_every_entity_can_be_checked(pulled: Books, entity: str) -> None:
    assert follow(pulled, entity).passed


def test_unknown_fields_and_values_are_found(books: Books) -> None:
    assert contract(books.conn, KEY, "bills").passed
    for kind, place, value in (("value", "status", "NEW"), ("field", "extra", "")):
        row = {"integration": KEY, "entity": "bills", "kind": kind, "place": place, "value": value}
        books.conn.execute(insert(contract_findings).values({**row, "first_seen_at": NOW, "last_seen_at": NOW}))

    found = contract(books.conn, KEY, "bills")

    assert (found.passed, found.severity, found.sample) == (False, Severity.WARN, ("extra", "status = NEW"))
    assert contract(books.conn, KEY, "vendors").passed


def test_unknown_values_are_shown_bounded_and_without_personal_data(books: Books) -> None:
    for place, value in (("a", "123-45-6789"), ("b", "x\n" * 1_000)):
        row = {"integration": KEY, "entity": "bills", "kind": "value", "place": place, "value": value}
        books.conn.execute(insert(contract_findings).values({**row, "first_seen_at": NOW, "last_seen_at": NOW}))

    personal, endless = contract(books.conn, KEY, "bills").sample

    assert personal == "a = ***"
    assert endless.startswith("b = x x x")
    assert len(endless) == 100


def run(books: Books, id_: str, **values: Any) -> None:
    row = {
        "id": id_,
        "integration": KEY,
        "entity": "bills",
        "kind": "incremental",
        "status": "complete",
        "started_at": NOW,
    }
    books.conn.execute(insert(sync_runs).values({**row, **values}))


def test_every_object_that_was_fetched_is_accounted_for(books: Books) -> None:
    assert conservation(books.conn, KEY, "bills").passed
    run(books, "r1", fetched=5, inserted=1, updated=1, unchanged=1, skipped_by_cutoff=1, rejected=1)
    good = conservation(books.conn, KEY, "bills")
    assert (good.passed, good.severity) == (True, Severity.ERROR)
    assert good.description == ("5 bills fetched: 1 inserted, 1 updated, 1 unchanged, 1 before the cutoff, 1 rejected")

    run(books, "r2", started_at=LATER, fetched=5, inserted=3)
    bad = conservation(books.conn, KEY, "bills")
    assert (bad.passed, bad.count, bad.sample) == (False, 2, ("r2",))

    run(books, "r3", started_at=LATER + timedelta(hours=1), status="failed", fetched=9)
    assert conservation(books.conn, KEY, "bills") == bad
    run(books, "r4", started_at=LATER + timedelta(hours=2), fetched=1, updated=1)
    assert conservation(books.conn, KEY, "bills").passed
