"""What is open by party, document, line and account, now and on any earlier day."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from billcom_assets.entities.catalog import CATALOG
from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.aging import AGINGS, BUCKETS, PAYABLES, RECEIVABLES, Aging, AgingQuery, By
from billcom_assets.warehouse.catalog_mirror import catalog_mirror as mirror
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests.small_company import KEY, Books
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen
from billcom_assets_tests.sync.truth import stored

NAMES = tuple(name for name, _ in BUCKETS)
Row = Mapping[str, Any]


def rows(warehouse: Warehouse, view: str) -> list[Row]:
    with warehouse.read() as connection:
        return list(connection.execute(text(f"SELECT * FROM {warehouse.qualified(view)}")).mappings().all())


def asked(warehouse: Warehouse, aging: Aging, by: By, as_of: date | None = None, key: str | None = None) -> list[Row]:
    query = AgingQuery(warehouse.mirror, aging, as_of, key).by(by)
    with warehouse.read() as connection:
        return list(connection.execute(query).mappings().all())


def cents(amount: Any) -> Decimal:
    return Decimal(str(amount)).quantize(Decimal("0.01"))


def bucket(due: date | None, day: date) -> str:
    late = (day - due).days if due else 0
    return NAMES[0] if late <= 0 else NAMES[min((late - 1) // 30 + 1, 4)]


# A company that does business ----------------------------------------------------------------------------------------


class Truth:
    """What is open on a day, added up from a company's documents, payments and credits in their own order."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.tables: dict[str, dict[Any, dict[str, Any]]] = {}
        for entity in CATALOG:
            self.tables |= stored(warehouse, entity, INTEGRATION)

    def open(self, aging: Aging, day: date) -> dict[str, tuple[str, Decimal]]:
        """State and open amount by the id of each document."""
        charges, credits = aging.charges, aging.credits
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for charge, amount in self._paid(aging, day):
            paid[charge] += amount
        for use in self.tables[f"{credits.type}_usages"].values():
            charge, credit = use[charges.id_column], use[credits.id_column]
            if self._used_on(aging, use) <= day:
                paid[charge] += use["amount"]
                paid[credit] -= use["amount"]
        found = {}
        for sign, kind, amount in ((1, charges, "amount"), (-1, credits, "amount")):
            for id_, one in self.tables[kind.table].items():
                state = self._state(one)
                if state is None or one[kind.date] > day:
                    continue
                open_amount = sign * one.get(amount, one.get("total_amount")) - paid[id_]
                if open_amount:
                    found[id_] = (state, open_amount)
        return found

    def _state(self, one: dict[str, Any]) -> str | None:
        if one.get("record_status") == "DRAFT":
            return "draft"
        if one["archived"]:
            return None
        return "denied" if one.get("approval_status") == "DENIED" else "open"

    def _paid(self, aging: Aging, day: date) -> Iterator[tuple[str, Decimal]]:
        if aging is PAYABLES:
            for (payment, _), part in self.tables["vendor_payment_bills"].items():
                made = self._made_on(payment)
                if made is not None and made <= day:
                    yield part["bill_id"], part["amount"]
        else:
            for (payment, _), part in self.tables["receivable_payment_invoices"].items():
                if self.tables["receivable_payments"][payment]["status"] == "PAID" and part["payment_date"] <= day:
                    yield part["invoice_id"], part["amount"]

    def _made_on(self, payment: str) -> date | None:
        one = self.tables["vendor_payments"][payment]
        return min(one["process_date"], datetime.now(UTC).date()) if one["status"] == "PAID" else None

    def _used_on(self, aging: Aging, use: dict[str, Any]) -> date:
        made = self._made_on(use["payment_id"]) if use.get("payment_id") else None
        charge = self.tables[aging.charges.table][use[aging.charges.id_column]]
        credit = self.tables[aging.credits.table][use[aging.credits.id_column]]
        return made or max(charge[aging.charges.date], credit[aging.credits.date])


@pytest.fixture
def lively(warehouse: Warehouse) -> tuple[Warehouse, date]:
    """A company with scheduled, voided and cancelled payments, used credits, drafts and denials; and its day."""
    with SandboxServer(Settings(bills=300, orgs=1)) as server:
        company = Company(server)
        let_business_happen(company, 150, 3)
        company.sync(warehouse)
        return warehouse, server.clock.now().date()


def test_every_open_document_of_any_day_is_there_with_what_is_open_on_it(lively: tuple[Warehouse, date]) -> None:
    warehouse, today = lively
    truth = Truth(warehouse)
    states = set()
    for aging in AGINGS:
        for back in (0, 20, 45, 180, 500):
            day = today - timedelta(days=back)
            found = asked(warehouse, aging, By.DOCUMENT, day)
            assert {one["document_id"]: (one["state"], one["open_amount"]) for one in found} == truth.open(aging, day)
            for one in found:
                assert one["bucket"] == bucket(one["due_date"], day)
                assert one["days_overdue"] == (day - one["due_date"]).days
                assert (one["open_amount"] < 0) == (one["document_type"] == aging.credits.type)
                assert one["due_date"] is not None
            states |= {(one["document_type"], one["state"]) for one in found}
    assert states >= {
        *(("bill", "open"), ("bill", "draft"), ("bill", "denied"), ("vendor_credit", "open")),
        ("invoice", "open"),
    }


def test_what_is_open_now_is_what_bill_says_is_due_and_scheduled(lively: tuple[Warehouse, date]) -> None:
    warehouse, today = lively
    tables = Truth(warehouse).tables
    for aging in AGINGS:
        found = {one["document_id"]: one for one in asked(warehouse, aging, By.DOCUMENT)}
        assert any(one["settled_later"] for one in found.values())
        for id_, one in found.items():
            if one["document_type"] == aging.charges.type:
                mirrored = tables[aging.charges.table][id_]
                assert one["open_amount"] == mirrored["due_amount"] + mirrored["scheduled_amount"]
                assert one["settled_later"] == mirrored["scheduled_amount"]
            else:
                mirrored = tables[aging.credits.table][id_]
                assert one["open_amount"] == mirrored["applied_amount"] - mirrored["amount"]
        as_of_today = {one["document_id"]: one["open_amount"] for one in asked(warehouse, aging, By.DOCUMENT, today)}
        assert {id_: one["open_amount"] for id_, one in found.items()} == as_of_today


def test_parties_lines_accounts_and_views_add_up_to_the_documents(lively: tuple[Warehouse, date]) -> None:
    warehouse, today = lively
    for aging in AGINGS:
        for day in (None, today - timedelta(days=100)):
            documents = asked(warehouse, aging, By.DOCUMENT, day)
            lines = asked(warehouse, aging, By.LINE, day)
            assert totals_by(lines, "document_id") == totals_by(documents, "document_id")
            for by, grouped, key in (
                (By.PARTY, documents, f"{aging.party}_id"),
                (By.ACCOUNT, lines, "chart_of_account_id"),
            ):
                wanted: dict[Any, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
                for one in grouped:
                    names = (one["bucket"], "total") if one["state"] == "open" else (one["state"],)
                    for name in names:
                        wanted[one[key], one["currency"]][name] += one["open_amount"]
                found = {(one[key], one["currency"]): one for one in asked(warehouse, aging, by, day)}
                assert found.keys() == wanted.keys()
                for which, sums in wanted.items():
                    for name in (*NAMES, "total", "draft", "denied"):
                        assert found[which][name] == sums[name], (which, name)

    for aging in AGINGS:
        for by, suffix in ((By.PARTY, ""), (By.DOCUMENT, "_documents"), (By.LINE, "_lines")):
            shown, wanted = rows(warehouse, aging.name + suffix), asked(warehouse, aging, by, key=INTEGRATION)
            amount = "total" if by is By.PARTY else "open_amount"
            assert sorted(cents(one[amount]) for one in shown) == sorted(one[amount] for one in wanted)
            assert shown
    assert asked(warehouse, PAYABLES, By.PARTY, key="another") == []


def totals_by(found: list[Row], key: str) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for one in found:
        sums[one[key]] += one["open_amount"]
    return dict(sums)


# One document at a time ----------------------------------------------------------------------------------------------

DAY = date(2026, 3, 31)


@pytest.fixture
def books(warehouse: Warehouse) -> Iterator[Books]:
    with warehouse.write() as connection:
        yield Books(connection)


def amounts(books: Books, aging: Aging = PAYABLES, day: date | None = DAY) -> dict[str, Decimal]:
    """Open amounts by document, while the books are being written."""
    query = AgingQuery(mirror(), aging, day, KEY).documents()
    return {one["document_id"]: one["open_amount"] for one in books.conn.execute(query).mappings()}


def bill(books: Books, id_: str = "00n1", due: str = "0.00", **values: Any) -> str:
    given = {"due_amount": Decimal(due), "invoice_date": date(2026, 3, 1)} | values
    return books.bill("bills", id_, **given)


def payment(books: Books, of: str, amount: str, **values: Any) -> None:
    given = {"process_date": date(2026, 4, 2), "status": "PAID", "single_status": "CLEARED"} | values
    id_ = books.bill("vendor_payments", f"stp of {of}", **given)
    books.line("vendor_payment_bills", 0, vendor_payment_id=id_, bill_id=of, amount=Decimal(amount))


PAYMENTS = {
    "later": ({}, "40.30"),
    "of a status that nobody knows": ({"status": "NEW", "single_status": None}, "40.30"),
    "on the day": ({"process_date": DAY}, "0.20"),
    "undated": ({"process_date": None}, "0.20"),
    "void": ({"status": "VOID"}, "0.20"),
    "cancelled": ({"status": "CANCELLED"}, "0.20"),
    "failed": ({"single_status": "FUNDING_FAILED_VOIDED"}, "0.20"),
    "scheduled, which is in scheduled_amount": ({"status": "SCHEDULED"}, "0.20"),
    "deleted": ({"deleted_at": datetime(2026, 5, 1, tzinfo=UTC)}, "0.20"),
}


def test_what_a_later_payment_paid_was_open_before(books: Books) -> None:
    for of, (values, _) in PAYMENTS.items():
        bill(books, of, "0.20")
        payment(books, of, "40.10", **values)
    assert amounts(books) == {of: Decimal(wanted) for of, (_, wanted) in PAYMENTS.items()}


def test_what_bill_counts_as_paid_today_is_paid_though_its_date_is_yet_to_come(books: Books) -> None:
    today = datetime.now(UTC).date()
    payment(books, bill(books), "40.10", process_date=today + timedelta(days=9))
    assert amounts(books, day=today) == {}
    assert amounts(books, day=today - timedelta(days=1)) == {"00n1": Decimal("40.10")}


def test_a_scheduled_payment_leaves_the_bill_owed(books: Books) -> None:
    bill(books, scheduled_amount=Decimal("12.30"))
    assert amounts(books, day=None) == amounts(books) == {"00n1": Decimal("12.30")}


EARLIER, LATER = date(2026, 3, 5), date(2026, 4, 2)
USES = {
    "undated": (EARLIER, None, True),
    "in a later payment": (EARLIER, {"process_date": LATER}, False),
    "in an earlier payment": (EARLIER, {"process_date": DAY}, True),
    "in a payment that is not made": (EARLIER, {"process_date": LATER, "status": "SCHEDULED"}, True),
    "of a credit that was not there": (LATER, None, False),
}
"""Day of the credit, the payment that it was used in, and whether it was used."""


def test_a_credit_counts_from_the_payment_that_used_it_or_from_when_both_documents_were_there(books: Books) -> None:
    wanted = {}
    for name, (day, paid, is_used) in USES.items():
        bill_id, credit_id = bill(books, name), f"credit, {name}"
        books.bill("vendor_credits", credit_id, amount=15, applied_amount=Decimal("10.10"), credit_date=day)
        if paid is not None:
            books.bill("vendor_payments", f"payment, {name}", **{"status": "PAID"} | paid)
        use = {"vendor_credit_id": credit_id, "bill_id": bill_id, "payment_id": paid and f"payment, {name}"}
        books.line("vendor_credit_usages", 0, amount=Decimal("10.10"), **use)
        wanted |= {} if is_used else {bill_id: Decimal("10.10")}
        wanted |= {credit_id: Decimal("-4.90") if is_used else Decimal(-15)} if day <= DAY else {}
    assert amounts(books) == wanted


def test_a_credit_that_bill_has_deleted_settles_nothing(books: Books) -> None:
    gone = datetime(2026, 5, 1, tzinfo=UTC)
    books.bill("vendor_credits", "vcr1", amount=5, applied_amount=5, credit_date=LATER, deleted_at=gone)
    books.line("vendor_credit_usages", 0, vendor_credit_id="vcr1", bill_id=bill(books), amount=5)
    assert amounts(books) == {}


def test_receivables_are_settled_by_the_payments_that_the_invoice_shows_and_by_credit_memos(books: Books) -> None:
    books.bill("invoices", "00e1", due_amount=Decimal(1), invoice_date=date(2026, 3, 1))
    books.bill("invoices", "draft", due_amount=Decimal(1), record_status="DRAFT", archived=True)
    books.bill("receivable_payments", "0rp2", payment_date=LATER)
    parts = (("0rp1", "PAID", LATER), ("0rp2", "PAID", None), ("0rp3", "VOID", LATER), ("0rp4", "PAID", EARLIER))
    for position, (id_, status, day) in enumerate(parts):
        paid = {"id": id_, "status": status, "date": day, "amount": Decimal(f"{position + 1}.05")}
        books.line("invoice_payments", position, invoice_id="00e1", **paid)
    for id_, day in (("early", EARLIER), ("late", LATER)):
        books.bill("credit_memos", id_, amount=3, applied_amount=Decimal("0.50"), credit_date=day)
        books.line("credit_memo_usages", 0, credit_memo_id=id_, invoice_id="00e1", amount=Decimal("0.50"))
    assert amounts(books, RECEIVABLES) == {"00e1": Decimal("4.60"), "draft": Decimal(1), "early": Decimal("-2.50")}
    (party,) = books.conn.execute(AgingQuery(mirror(), RECEIVABLES, DAY).parties()).mappings()
    assert (party["documents"], party["total"], party["open_credits"], party["draft"]) == (
        1,
        Decimal("2.10"),
        Decimal("-2.50"),
        Decimal(1),
    )


STATES = {
    "draft": ({"record_status": "DRAFT", "archived": True}, "draft"),
    "denied draft": ({"record_status": "DRAFT", "approval_status": "DENIED"}, "draft"),
    "denied": ({"approval_status": "DENIED"}, "denied"),
    "approved": ({"approval_status": "APPROVED"}, "open"),
    "not said to be archived or not": ({"archived": None}, "open"),
    "undated": ({"invoice_date": None}, "open"),
    "deleted draft": ({"record_status": "DRAFT_DELETED"}, None),
    "archived": ({"archived": True}, None),
    "deleted": ({"deleted_at": datetime(2026, 5, 1, tzinfo=UTC)}, None),
    "draft that is gone": ({"record_status": "DRAFT", "deleted_at": datetime(2026, 5, 1, tzinfo=UTC)}, None),
    "later": ({"invoice_date": date(2026, 4, 1)}, None),
    "settled": ({"due_amount": Decimal(0)}, None),
    "without an amount": ({"due_amount": None}, None),
}


def test_drafts_and_denied_bills_stand_apart_and_what_is_out_of_use_is_left_out(books: Books) -> None:
    for id_, (values, _) in STATES.items():
        bill(books, id_, **{"due_amount": Decimal("7.70")} | values)
    query = AgingQuery(mirror(), PAYABLES, DAY, KEY)
    found = {one["document_id"]: one["state"] for one in books.conn.execute(query.documents()).mappings()}
    assert found == {id_: state for id_, (_, state) in STATES.items() if state}
    (party,) = books.conn.execute(query.parties()).mappings()
    assert (party["documents"], party["total"], party["not_due"]) == (3, Decimal("23.10"), Decimal("23.10"))
    assert (party["draft"], party["denied"]) == (Decimal("15.40"), Decimal("7.70"))


def test_a_document_falls_into_the_bucket_of_its_days(books: Books) -> None:
    today = datetime.now(UTC).date()
    ages = (-1, 0, 1, 30, 31, 60, 61, 90, 91)
    for days in ages:
        bill(books, f"{days}", "12.30", due_date=today - timedelta(days=days))
    bill(books, "no due date", "12.30", due_date=None)
    found = books.conn.execute(AgingQuery(mirror(), PAYABLES).documents()).mappings().all()
    assert {one["document_id"]: (one["days_overdue"], one["bucket"]) for one in found} == {
        **{f"{days}": (days, bucket(today - timedelta(days=days), today)) for days in ages},
        "no due date": (None, "not_due"),
    }


def test_an_open_amount_is_spread_over_the_lines_without_losing_a_cent(books: Books) -> None:
    luck = random.Random(7)
    weights: dict[str, list[int]] = {}
    for number in range(300):
        id_ = f"00n{number:03d}"
        choices = (0, 1, 33, -luck.randint(1, 900), luck.randint(1, 10 ** luck.randint(1, 12)))
        weights[id_] = luck.choices(choices, k=luck.randint(0, 6))
        bill(books, id_, due=str(Decimal(luck.randint(1, 10 ** luck.randint(1, 12))) / 100))
        for position, weight in enumerate(weights[id_]):
            books.line("bill_line_items", position, bill_id=id_, amount=Decimal(weight) / 100)
    lines = defaultdict(list)
    for one in books.conn.execute(AgingQuery(mirror(), PAYABLES).lines()).mappings():
        lines[one["document_id"]].append(one)
    for id_, amount in amounts(books, day=None).items():
        found = sorted(lines[id_], key=lambda one: one["line_position"] or 0)
        assert sum(one["open_amount"] for one in found) == amount
        total = sum(weights[id_])
        if not total:
            assert [one["line_position"] for one in found] == [None]
            continue
        for one, weight in zip(found, weights[id_], strict=True):
            exact = amount * weight / total
            assert abs(one["open_amount"] - exact) <= Decimal("0.01") + abs(exact) * Decimal("1e-12")


def test_lines_of_invoices_weigh_quantity_times_price_and_a_line_without_an_amount_nothing(books: Books) -> None:
    books.bill("invoices", "00e1", due_amount=Decimal("10.01"))
    for position, (quantity, price) in enumerate(((Decimal("2.5"), 2), (None, 5), (3, None))):
        books.line("invoice_line_items", position, invoice_id="00e1", quantity=quantity, price=price)
    found = books.conn.execute(AgingQuery(mirror(), RECEIVABLES).lines()).mappings().all()
    amounts_by_line = {one["line_position"]: one["open_amount"] for one in found}
    assert amounts_by_line == {0: Decimal("5.01"), 1: Decimal("5.00"), 2: Decimal(0)}
    assert {one["currency"] for one in found} == {"USD"}


def test_what_is_owed_on_an_account_is_asked_with_its_name(books: Books) -> None:
    books.account("0ca1", "Rent", number="6100")
    bill(books, due="10.00")
    for position, account in enumerate(("0ca1", None)):
        line = {"amount": Decimal(1), "classifications_chart_of_account_id": account}
        books.line("bill_line_items", position, bill_id="00n1", **line)
    found = books.conn.execute(AgingQuery(mirror(), PAYABLES).accounts()).mappings().all()
    assert {(one["account_number"], one["account_name"], one["total"]) for one in found} == {
        ("6100", "Rent", Decimal(5)),
        (None, None, Decimal(5)),
    }
