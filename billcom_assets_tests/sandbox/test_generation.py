from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from decimal import Decimal
from time import process_time
from unittest.mock import Mock

import pytest

from billcom_assets.sandbox import Fault, FaultPlan, Organization, Settings, World
from billcom_assets.sandbox.books import approvals, bills, payments, receivables, vendor_credits
from billcom_assets.sandbox.clock import Clock
from billcom_assets.sandbox.kinds import BILLS, KINDS, kind_at
from billcom_assets.sandbox.settings import EXTENSIBLE
from billcom_assets_tests.sandbox.proof import sums_hold

ID = re.compile(r"[0-9a-z]{3}02[A-Z]{10}[0-9a-z]{5}")
STAMP = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+00:00")


def company(**settings: object) -> Organization:
    return World(Settings(**({"orgs": 1} | settings))).organization()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def usual() -> Organization:
    return company()


@pytest.mark.parametrize("bills", [0, 1, 7, 90, 700])
@pytest.mark.parametrize("seed", [1, 7, 99])
def test_every_sum_of_a_fresh_company_holds(seed: int, bills: int) -> None:
    organization = company(seed=seed, bills=bills)
    sums_hold(organization)
    assert organization.count("bills") == bills


@pytest.mark.parametrize("numbers", ["short", "plain", "padded", "mixed"])
@pytest.mark.parametrize("meaning", ["usd_per_unit", "units_per_usd"])
def test_sums_hold_however_numbers_and_rates_are_written(numbers: str, meaning: str) -> None:
    organization = company(bills=300, numbers=numbers, exchange_rate=meaning)
    sums_hold(organization)
    foreign = [bill for bill in organization.rows("bills") if "exchangeRate" in bill]
    assert foreign
    for bill in foreign:
        rate = bill["exchangeRate"]
        dollars = bill["amount"] * rate if meaning == "usd_per_unit" else bill["amount"] / rate
        assert abs(bill["fundingAmount"] - dollars) <= Decimal("0.005")


def test_amounts_are_printed_in_the_chosen_style() -> None:
    bodies = {
        style: b"".join(row.body for row in company(bills=200, numbers=style).table(BILLS))
        for style in ("short", "plain", "padded", "mixed")
    }
    amounts = {style: re.findall(rb'"(?:paid|due)Amount":(-?[\d.]+)', body) for style, body in bodies.items()}
    assert b"0.0" in amounts["short"]
    assert b"0.00" not in amounts["short"]
    assert b"0" in amounts["plain"]
    assert b"0.00" in amounts["padded"]
    assert all(re.fullmatch(rb"-?\d+\.\d\d", amount) for amount in amounts["padded"])
    assert len({tuple(map(Decimal, map(bytes.decode, found))) for found in amounts.values()}) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_data() -> None:
    def bodies(seed: int) -> list[bytes]:
        world = World(Settings(seed=seed, bills=120))
        return [row.body for one in world.organizations for kind in KINDS for row in one.table(kind)]

    assert bodies(7) == bodies(7)
    assert not set(bodies(7)) & set(bodies(8))


@pytest.mark.parametrize("path", sorted(EXTENSIBLE))
def test_fifty_more_of_one_kind_change_nothing_else(path: str, usual: Organization) -> None:
    larger = company(more={path: 50})
    for kind in KINDS:
        before = {row.id: row.body for row in usual.table(kind)}
        after = {row.id: row.body for row in larger.table(kind)}
        if kind is kind_at(path):
            assert len(after) == len(before) + 50
            assert before.items() <= after.items()
        else:
            assert after == before, kind.path
    assert larger.profile == usual.profile
    sums_hold(larger)


@pytest.mark.parametrize("more", [{"bills": 1}, {"classifications/employees": -1}])
def test_what_cannot_be_more_is_refused(more: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="there can be more of"):
        Settings(more=more)


def test_history_is_made_by_the_operations_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    books = {
        approvals: ("assign_approvers", "decide"),
        bills: ("create_bill", "update_bill", "set_bill_archived"),
        payments: ("pay", "settle_payment", "cancel_payment", "void_payment"),
        vendor_credits: ("create_credit", "apply_credit"),
        receivables: ("create_invoice", "receive", "void_receipt", "create_memo", "apply_memo"),
    }
    made = {name: Mock(wraps=getattr(book, name)) for book, names in books.items() for name in names}
    for book, names in books.items():
        for name in names:
            monkeypatch.setattr(book, name, made[name])
    organization = company()
    for name, path in {
        "create_bill": "bills",
        "pay": "payments",
        "create_credit": "vendor-credits",
        "create_invoice": "invoices",
        "receive": "receivable-payments",
        "create_memo": "credit-memos",
    }.items():
        assert made[name].call_count == organization.count(path)
    assert all(mock.called for mock in made.values())


def test_credentials_are_stable_and_documented() -> None:
    first, second = World(Settings(bills=0)).organizations
    assert (first.id, first.name) == ("00802URSPMCMYDBr41in", "Harbor & Pine Studio LLC")
    assert (first.user.username, first.user.password) == ("admin@harbor-pine-studio-llc.example", "sandbox-password-1")
    assert (first.token.username, first.token.password) == ("sandbox-sync-1", "sandbox-token-1")
    assert (second.id, second.name) == ("00802MRJRMEPYGNooqrm", "Meridian Field Services Inc")
    assert World(Settings(bills=500)).organization().id == first.id


def test_ids_have_their_prefix_and_form_and_no_two_are_equal(usual: Organization) -> None:
    ids = []
    for kind in KINDS:
        for doc in usual.rows(kind.path):
            assert ID.fullmatch(doc["id"]), doc["id"]
            assert doc["id"].startswith(kind.prefix)
            ids += [doc["id"], *(line["id"] for line in doc.get(kind.lines, []) if "id" in line)]
    assert len(ids) == len(set(ids))
    created = [doc["id"] for doc in usual.rows("bills")]
    assert created != sorted(created), "ids must not follow creation order"


def test_times_have_whole_seconds_in_utc_and_run_from_2023_to_the_middle_of_2026(usual: Organization) -> None:
    for kind in KINDS:
        for doc in usual.rows(kind.path):
            assert STAMP.fullmatch(doc["createdTime"])
            assert STAMP.fullmatch(doc["updatedTime"])
            assert "2023-01-02" <= doc["createdTime"] <= doc["updatedTime"] <= "2026-06-30T23:59:59.000+00:00"
    assert min(bill["invoice"]["invoiceDate"] for bill in usual.rows("bills")) < "2023-02"


def test_the_usual_company_has_everything_that_makes_books_hard(usual: Organization) -> None:
    bills, payments = usual.rows("bills"), usual.rows("payments")
    vendors, credits_ = usual.rows("vendors"), usual.rows("vendor-credits")
    assert {"UNPAID", "PAID", "PARTIALLY_PAID", "SCHEDULED"} <= {bill["paymentStatus"] for bill in bills}
    assert {bill["approvalStatus"] for bill in bills} == {"UNASSIGNED", "ASSIGNED", "APPROVING", "APPROVED", "DENIED"}
    assert {"ACTIVE", "INACTIVE", "DRAFT"} <= {bill["recordStatus"] for bill in bills}
    assert {payment["status"] for payment in payments} == {"PAID", "VOID", "CANCELLED", "SCHEDULED", "APPROVING"}
    assert any(len(payment["billPayments"]) > 2 for payment in payments)
    assert any("vendorCredits" in part for payment in payments for part in payment["billPayments"])
    assert {False, True} == {payment["onlinePayment"] for payment in payments}
    assert {credit["status"] for credit in credits_} >= {"NOT_APPLIED", "PARTIALLY_APPLIED", "FULLY_APPLIED"}
    assert {vendor["billCurrency"] for vendor in vendors} == {"USD", "EUR", "CAD"}
    assert max(Counter(vendor["name"] for vendor in vendors).values()) > 1
    archived = {vendor["id"] for vendor in vendors if vendor["archived"]}
    assert any(bill["vendorId"] in archived for bill in bills)
    accounts = usual.rows("classifications/chart-of-accounts")
    assert any("number" not in account["account"] for account in accounts)
    assert max(Counter(account["name"] for account in accounts).values()) > 1
    gone = {account["id"] for account in accounts if account["archived"]}
    assert gone
    lines = [line for bill in bills for line in bill["billLineItems"]]
    assert any("classifications" not in line for line in lines)
    assert any(line["amount"] < 0 for line in lines)
    assert any("parentId" in account for account in accounts)
    assert [bank for bank in usual.rows("funding-accounts/banks") if "chartOfAccountId" not in bank]
    assert len(usual.rows("roles")) == 6
    assert all(usual.rows(kind.path) for kind in KINDS)


def test_many_bills_share_one_creation_or_update_second(usual: Organization) -> None:
    for field in ("createdTime", "updatedTime"):
        assert max(Counter(bill[field] for bill in usual.rows("bills")).values()) > 2


def test_keys_are_documented_ones_and_nothing_is_null(usual: Organization) -> None:
    for kind in KINDS:
        for doc in usual.rows(kind.path):
            assert set(doc) <= set(kind.keys), kind.path
            assert None not in doc.values()


def test_a_company_without_bills_still_has_users_and_accounts() -> None:
    empty = company(bills=0)
    counts = {kind.path: empty.count(kind.path) for kind in KINDS}
    assert counts["/v3/bills"] == counts["/v3/vendors"] == counts["/v3/invoices"] == 0
    assert counts["/v3/users"] == counts["/v3/roles"] == 6


def test_case_twins_are_pairs_that_only_letter_case_tells_apart() -> None:
    organization = company(bills=200, faults=FaultPlan.parse(Fault.CASE_TWIN_IDS))
    sums_hold(organization)
    for path in ("vendors", "bills", "payments", "classifications/chart-of-accounts"):
        ids = [doc["id"] for doc in organization.rows(path)]
        folded = Counter(one.casefold() for one in ids)
        assert len(set(ids)) == len(ids)
        if len(ids) >= 25:
            assert max(folded.values()) == 2, path


def test_a_reading_where_payments_do_not_touch_bills_leaves_older_update_times() -> None:
    touched, untouched = company(bills=300), company(bills=300, payment_touches_bill=False)
    sums_hold(untouched)
    later = [
        (left["updatedTime"], right["updatedTime"])
        for left, right in zip(touched.rows("bills"), untouched.rows("bills"), strict=True)
    ]
    assert all(left >= right for left, right in later)
    assert sum(left > right for left, right in later) > 150


def test_scale_costs_seconds_and_little_memory() -> None:
    tracemalloc.start()
    started = process_time()
    organization = World(Settings(bills=1_500, orgs=1), Clock()).organization()
    spent = process_time() - started
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    objects = sum(organization.count(kind.path) for kind in KINDS)
    assert objects > 4_000
    assert memory / objects < 6_000
    assert spent / objects < 0.005


def test_a_vendor_comes_before_its_first_paper_in_every_company() -> None:
    # Among so many small companies are vendors that give a credit on the day on which they come.
    assert len(World(Settings(bills=3, orgs=120)).organizations) == 120
