"""The reference books on examples that were worked out by hand, and on a simulated company."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billcom_assets.sandbox import SandboxServer, Settings
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets_tests import small_company
from billcom_assets_tests.books.reference import (
    ALL_KINDS,
    PAYABLES,
    Application,
    DocumentState,
    Entry,
    Policy,
    ReferenceBooks,
    Snapshot,
    load_snapshot,
)
from billcom_assets_tests.books.reference.snapshot import (
    DIMENSIONS,
    Bill,
    BillObject,
    CreditMemo,
    Document,
    DocumentLine,
    FundingAccount,
    Invoice,
    Item,
    LedgerAccount,
    LedgerObject,
    Party,
    ReceivedPayment,
    Settled,
    VendorPayment,
    VoidRequest,
)
from billcom_assets_tests.books.worked_examples import (
    CLEARING,
    MARCH,
    OTHERS,
    POLICY,
    TODAY,
    at,
    bill,
    credit,
    line,
    money,
    movement,
    payment,
    with_ledger,
    with_object,
    world,
)
from billcom_assets_tests.sync.company import INTEGRATION, Company, let_business_happen


def posted(*documents: Document, policy: Policy = POLICY, cutoff: date | None = None) -> ReferenceBooks:
    return run(ReferenceBooks(), world(*documents), policy=policy, cutoff=cutoff)


def run(
    books: ReferenceBooks,
    snapshot: Snapshot,
    *,
    policy: Policy = POLICY,
    cutoff: date | None = None,
    today: date = TODAY,
    **more: Any,
) -> ReferenceBooks:
    """One run, after which every entry balances in both currencies."""
    books.post(snapshot, policy, cutoff, today, **more)
    assert [entry for entry in books.entries if sum(one.home for one in entry.lines)] == []
    assert [entry for entry in books.entries if sum(one.amount for one in entry.lines)] == []
    return books


def state(books: ReferenceBooks, id_: str) -> DocumentState:
    return next(one for one in books.documents.values() if one.id == id_)


def codes(snapshot: Snapshot, **more: Any) -> set[str]:
    """Why the first document is held."""
    books = run(ReferenceBooks(), snapshot, **more)
    first = state(books, snapshot.documents[0].id)
    assert (first.state == "held") == bool(first.held)
    return set(first.held)


def entries(books: ReferenceBooks, id_: str) -> list[Entry]:
    return [entry for entry in books.entries if entry.document_id == id_]


def lines(books: ReferenceBooks, id_: str) -> list[tuple[str, Decimal]]:
    """Account and home amount of each line of the document's last entry, debits positive."""
    return [(one.account, one.home) for one in entries(books, id_)[-1].lines]


def dates(books: ReferenceBooks, id_: str) -> list[tuple[str, date]]:
    return [(entry.type, entry.posting_date) for entry in entries(books, id_)]


def applied(books: ReferenceBooks) -> list[tuple[str, str, Decimal]]:
    return [(one.document_id, one.settled_id, one.amount) for one in books.applications()]


def balances(books: ReferenceBooks) -> dict[str, Decimal]:
    found = {account: one.balance for account, one in books.trial_balance().items()}
    return {account: balance for account, balance in sorted(found.items()) if balance}


def in_books(**amounts: str | int) -> dict[str, Decimal]:
    """Balances by account, written ``_6000=100``."""
    return {account.removeprefix("_"): money(amount) for account, amount in sorted(amounts.items())}


class TestBills:
    def test_a_bill_of_two_lines_debits_each_and_credits_the_vendor(self) -> None:
        books = posted(bill(amount="100", lines=(line("70"), line("30", "rent"))))
        assert lines(books, "b1") == [("2000", money(-100)), ("6000", money(70)), ("6100", money(30))]
        control, first, second = entries(books, "b1")[0].lines
        assert (control.party, control.ledger_party, first.party) == ("acme", "ACME", None)
        assert (control.source_line, first.source_line, second.source_line) == (None, 0, 1)
        assert state(books, "b1").entry_id == "bills:b1:1"

    def test_negative_lines_swap_sides_and_zero_lines_post_nothing(self) -> None:
        books = posted(bill(amount="80", lines=(line("100"), line("0", None), line("-20", "rent"))))
        entry = entries(books, "b1")[0]
        assert [(one.account, one.debit, one.credit) for one in entry.lines] == [
            ("2000", 0, money(80)),
            ("6000", money(100), 0),
            ("6100", 0, money(20)),
        ]

    def test_a_bill_over_nothing_is_imported_without_an_entry(self) -> None:
        books = posted(bill(amount="0", lines=(line("0"),)))
        assert (state(books, "b1").state, state(books, "b1").entry_id, books.entries) == ("imported", None, [])
        run(books, world(bill(amount="0", lines=(line("0"),), approval_status="ASSIGNED")))
        assert state(books, "b1").state == "imported"
        run(books, world(bill(amount="5", approval_status="ASSIGNED")))
        assert (state(books, "b1").state, state(books, "b1").held) == ("held", frozenset({"NOT_APPROVED"}))
        run(books, world(bill(amount="5")))
        run(books, world(bill(amount="0", lines=(line("0"),))))
        assert (state(books, "b1").state, state(books, "b1").entry_id, balances(books)) == ("imported", None, {})

    def test_a_line_goes_to_its_own_account_then_its_items_then_the_bills(self) -> None:
        given = (line("1", "rent", item="paper"), line("2", None, item="paper"), line("4", None))
        books = posted(bill(amount="7", lines=given, header_account="card"))
        assert lines(books, "b1")[1:] == [("6100", money(1)), ("6000", money(2)), ("2100", money(4))]

    def test_items_and_dimensions_count_only_where_the_ledger_uses_them(self) -> None:
        coded = world(bill(lines=(line("100", item="paper", department="north"),)))
        assert codes(coded) == set()
        used = with_ledger(with_ledger(coded, "items", "I-1", LedgerObject()), "departments", "D-1", LedgerObject())
        assert codes(used) == {"ITEM_UNMAPPED", "CLASSIFICATION_UNMAPPED"}
        mapped = with_object(used, "items", used.objects["items"]["paper"], "I-1")
        mapped = with_object(mapped, "departments", BillObject(id="north"), "D-1")
        posted_line = run(ReferenceBooks(), mapped).entries[0].lines[1]
        assert (posted_line.item, posted_line.department, posted_line.job) == ("I-1", "D-1", None)
        assert codes(replace(used, documents=(bill(),))) == set()
        unused = with_ledger(mapped, "items", "I-1", LedgerObject(active=False))
        assert run(ReferenceBooks(), unused).entries[0].lines[1].item is None

    @pytest.mark.parametrize(
        ("status", "policy", "held"),
        [
            ("APPROVED", "approved", set()),
            ("UNASSIGNED", "approved", {"NOT_APPROVED"}),
            ("UNASSIGNED", "approved_or_unassigned", set()),
            ("ASSIGNED", "approved_or_unassigned", {"NOT_APPROVED"}),
            ("APPROVING", "approved_or_unassigned", {"NOT_APPROVED"}),
            ("DENIED", "approved_or_unassigned", {"DENIED"}),
            (None, "approved_or_unassigned", {"NOT_APPROVED"}),
            ("UNDEFINED", "approved_or_unassigned", {"NOT_APPROVED"}),
        ],
    )
    def test_approval_is_as_the_policy_asks(self, status: str | None, policy: str, held: set[str]) -> None:
        assert codes(world(bill(approval_status=status)), policy=replace(POLICY, approval=policy)) == held

    def test_denied_stands_alone(self) -> None:
        denied = bill("b1", approval_status="DENIED", party=None, date=None, lines=())
        assert codes(world(denied)) == {"DENIED"}
        late = replace(POLICY, closed_through=TODAY, late="hold")
        assert codes(world(bill(approval_status="DENIED")), policy=late) == {"DENIED"}
        assert codes(world(bill(approval_status="DENIED", number="7"), bill("b2", number="7"))) == {"DENIED"}

    def test_all_reasons_are_given_at_once(self) -> None:
        wrong = bill(party="nobody", date=None, approval_status="ASSIGNED", lines=(line("1", "gone"), line("2", None)))
        assert codes(world(wrong)) == {
            "VENDOR_UNMAPPED",
            "DATE_MISSING",
            "NOT_APPROVED",
            "ACCOUNT_UNMAPPED",
            "ACCOUNT_MISSING",
            "AMOUNT_MISMATCH",
        }

    def test_lines_do_not_post_to_control_accounts_and_headers(self) -> None:
        assert codes(with_object(world(bill()), "accounts", BillObject(id="supplies"), "2000")) == {
            "ACCOUNT_NOT_POSTABLE"
        }
        for account in (LedgerAccount(type="NON_POSTING"), LedgerAccount(postable=False)):
            assert codes(with_ledger(world(bill()), "accounts", "6000", account)) == {"ACCOUNT_NOT_POSTABLE"}

    def test_what_is_not_in_use_in_the_ledger_holds(self) -> None:
        gone = LedgerAccount(active=False)
        for list_, id_, found in (
            ("vendors", "ACME", LedgerObject(active=False)),
            ("accounts", "6000", gone),
            ("accounts", "2000", gone),
        ):
            assert codes(with_ledger(world(bill()), list_, id_, found)) == {"LEDGER_INACTIVE"}
        removed = with_object(world(bill()), "accounts", BillObject(id="supplies"), "6999")
        assert codes(removed) == {"LEDGER_INACTIVE"}

    def test_a_setting_that_is_needed_and_missing_holds(self) -> None:
        assert codes(world(bill()), policy=replace(POLICY, accounts_payable=None)) == {"POLICY_MISSING"}
        assert codes(world(bill()), policy=replace(POLICY, accounts_receivable=None)) == set()


class TestDuplicateNumbers:
    def test_of_equal_numbers_the_earliest_created_posts(self) -> None:
        first = bill("b2", number=" inv 7", created=at(MARCH))
        second = bill("b1", number="INV7", created=at(MARCH, 13))
        books = posted(second, first)
        assert (state(books, "b2").state, state(books, "b1").held) == ("imported", frozenset({"DUPLICATE_NUMBER"}))

    def test_of_those_created_together_the_lower_id_posts(self) -> None:
        books = posted(bill("b2", number="7"), bill("b1", number="7"))
        assert (state(books, "b1").state, state(books, "b2").held) == ("imported", frozenset({"DUPLICATE_NUMBER"}))

    def test_one_that_may_not_post_is_in_nobodys_way_and_is_a_duplicate_itself(self) -> None:
        books = posted(bill("b1", number="7", approval_status="ASSIGNED"), bill("b2", number="7"))
        assert state(books, "b1").held == {"NOT_APPROVED", "DUPLICATE_NUMBER"}
        assert state(books, "b2").state == "imported"

    def test_without_numbers_and_of_other_vendors_there_are_no_duplicates(self) -> None:
        others = bill("b3", number="7", party="berlin", exchange_rate=money(1)), bill("b4", number="7")
        credits = credit("c1", number="7"), credit("c2", number="7")
        books = posted(bill("b1", number=None), bill("b2", number=" "), *others, *credits)
        assert {one.state for one in books.documents.values()} == {"imported"}

    def test_one_that_stands_comes_before_those_that_were_created_earlier(self) -> None:
        late = bill("b2", number="7", created=at(TODAY))
        books = posted(late)
        run(books, world(bill("b1", number="7"), late))
        assert (state(books, "b1").held, state(books, "b2").held) == (frozenset({"DUPLICATE_NUMBER"}), frozenset())
        run(books, world(bill("b1", number="7"), bill("b2", 90, number="7", created=at(TODAY))))
        assert (state(books, "b1").held, state(books, "b2").held) == (frozenset({"DUPLICATE_NUMBER"}), frozenset())

    def test_one_that_stands_may_take_the_number_of_another_but_not_with_other_content(self) -> None:
        books = posted(bill("b1", number="7"), bill("b2", number="8"))
        run(books, world(bill("b1", number="7"), bill("b2", number="7")))
        assert {one.held for one in books.documents.values()} == {frozenset()}
        run(books, world(bill("b1", number="7"), bill("b2", 90, number="7")))
        assert (state(books, "b1").held, state(books, "b2").held) == (frozenset(), frozenset({"DUPLICATE_NUMBER"}))
        assert (state(books, "b2").state, len(books.entries)) == ("imported", 2)

    def test_a_bill_over_nothing_is_in_nobodys_way(self) -> None:
        nothing = bill("b1", 0, lines=(), number="7")
        assert state(posted(nothing, bill("b2", number="7")), "b2").state == "imported"
        books = posted(bill("b2", number="7"))
        run(books, world(bill("b1", number="7"), bill("b2", 0, lines=(), number="7")))
        assert {one.state for one in books.documents.values()} == {"imported"}
        assert balances(books) == in_books(_2000=-100, _6000=100)

    def test_the_second_posts_when_the_first_has_left(self) -> None:
        books = posted(bill("b1", number="7"), bill("b2", number="7"))
        run(books, world(bill("b1", number="7", archived=True), bill("b2", number="7")))
        assert (state(books, "b1").reason, state(books, "b2").state) == ("ARCHIVED", "imported")


class TestReferences:
    def test_a_merged_vendor_goes_by_the_survivors_mapping_but_its_own_wins(self) -> None:
        merged = with_object(world(bill(party="akme")), "vendors", Party(id="akme", merged_into="akmee", deleted=True))
        merged = with_object(merged, "vendors", Party(id="akmee", merged_into="acme"))
        control = run(ReferenceBooks(), merged).entries[0].lines[0]
        assert (control.party, control.ledger_party) == ("akme", "ACME")
        own = replace(merged, mappings={**merged.mappings, ("vendors", "akme"): "BERLIN"})
        assert run(ReferenceBooks(), own).entries[0].lines[0].ledger_party == "BERLIN"
        left = replace(merged, mappings={**merged.mappings, ("vendors", "akme"): None})
        assert codes(left) == {"VENDOR_UNMAPPED"}
        circle = with_object(merged, "vendors", Party(id="akmee", merged_into="akme"))
        assert codes(circle) == {"VENDOR_UNMAPPED"}

    def test_what_bill_does_not_have_is_a_broken_reference_once_its_list_was_read(self) -> None:
        unknown = world(bill(party="nobody", lines=(line("100", "nothing"),)))
        assert codes(unknown) == {"VENDOR_UNMAPPED", "ACCOUNT_UNMAPPED"}
        assert codes(replace(unknown, pulled=frozenset({"vendors"}))) == {"REFERENCE_BROKEN", "ACCOUNT_UNMAPPED"}
        there = with_object(unknown, "vendors", Party(id="nobody"))
        assert codes(replace(there, pulled=frozenset({"vendors"}))) == {"VENDOR_UNMAPPED", "ACCOUNT_UNMAPPED"}
        assert codes(world(bill(party=None), pulled=frozenset({"vendors"}))) == {"VENDOR_UNMAPPED"}
        deleted = with_object(unknown, "vendors", Party(id="nobody", deleted=True))
        assert codes(replace(deleted, pulled=frozenset({"vendors", "accounts"}))) == {"REFERENCE_BROKEN"}

    def test_what_is_gone_but_mapped_does_not_hold(self) -> None:
        gone = with_object(world(bill()), "vendors", Party(id="acme", deleted=True))
        assert codes(replace(gone, pulled=frozenset({"vendors"}))) == set()


class TestVendorCredits:
    def test_a_credit_across_two_bills_is_one_entry_and_two_applications(self) -> None:
        unused = Settled(document=None, amount=money(5)), Settled(document="b3", amount=money(0))
        used = (*unused, Settled(document="b1", amount=money(30)), Settled(document="b2", amount=money(20)))
        books = posted(bill("b1", 60), bill("b2", 40), credit(amount=50, usages=used))
        assert lines(books, "c1") == [("2000", money(50)), ("6000", money(-50))]
        assert applied(books) == [("c1", "b1", money(30)), ("c1", "b2", money(20))]
        assert balances(books) == in_books(_2000=-50, _6000=50)

    @pytest.mark.parametrize(
        ("status", "held"),
        [(None, set()), ("UNDEFINED", set()), ("ASSIGNED", {"NOT_APPROVED"}), ("DENIED", {"DENIED"})],
    )
    def test_a_credit_of_which_approval_is_not_known_counts_as_approved(
        self, status: str | None, held: set[str]
    ) -> None:
        assert codes(world(credit(approval_status=status)), policy=replace(POLICY, approval="approved")) == held

    def test_usages_that_were_known_keep_the_value_that_was_booked(self) -> None:
        owed = bill("b1", 100, party="berlin", funding_amount=money(110))
        one = Settled(document="b1", amount=money(25))
        foreign: dict[str, Any] = {"party": "berlin", "exchange_rate": money("1.2")}
        books = posted(owed, credit(amount=50, **foreign, usages=(one,)))
        run(books, world(owed, credit(amount=50, **foreign, usages=(one, one))))
        found = [(used.position, used.own_home_amount, used.home_amount) for used in books.applications()]
        assert found == [(0, money(30), money("27.50")), (1, money(30), money(30))]

    def test_usages_that_come_later_are_applications_without_an_entry(self) -> None:
        foreign: dict[str, Any] = {"party": "berlin", "exchange_rate": money("1.2")}
        owed = bill("b1", 100, party="berlin", funding_amount=money(110))
        books = posted(owed, credit(amount=50, **foreign))
        used = credit(amount=50, **foreign, usages=(Settled(document="b1", amount=money(25)),))
        run(books, world(owed, used))
        (one,) = books.applications()
        assert (one.amount, one.home_amount, one.settled_home_amount) == (money(25), money(30), money(30))
        assert len(books.entries) == 2
        run(books, world(owed, credit(amount=50, **foreign)))
        assert (books.applications(), len(books.entries)) == ([], 2)


class TestVendorPayments:
    def test_a_direct_payment_debits_the_vendor_per_bill_and_credits_the_bank(self) -> None:
        books = posted(payment("p1", 100, ("b1", 60), ("b2", 40)))
        assert lines(books, "p1") == [("2000", money(60)), ("2000", money(40)), ("1000", money(-100))]
        first, second, bank = entries(books, "p1")[0].lines
        assert [(one.settles, one.source_line) for one in (first, second, bank)] == [("b1", 0), ("b2", 1), (None, None)]
        assert (first.ledger_party, bank.ledger_party) == ("ACME", None)
        assert applied(books) == [("p1", "b1", money(60)), ("p1", "b2", money(40))]

    def test_a_payment_that_names_no_bill_is_an_advance(self) -> None:
        books = posted(payment("p1", 100))
        assert (lines(books, "p1"), applied(books)) == ([("2000", money(100)), ("1000", money(-100))], [])

    def test_a_payment_with_a_bill_and_no_parts_pays_that_bill(self) -> None:
        books = posted(payment("p1", 100, bill="b1"))
        assert applied(books) == [("p1", "b1", money(100))]
        assert (entries(books, "p1")[0].lines[0].settles, entries(books, "p1")[0].lines[0].source_line) == ("b1", 0)

    @pytest.mark.parametrize(("part", "held"), [(70, set()), (100, set()), (90, {"AMOUNT_MISMATCH"})])
    def test_a_part_is_cash_with_or_without_the_credit_beside_it(self, part: int, held: set[str]) -> None:
        one = Settled(document="b1", amount=money(part), credits=(money(30),))
        paid = payment("p1", 70, parts=(one,))
        assert codes(world(paid)) == held
        if not held:
            assert applied(posted(paid)) == [("p1", "b1", money(70))]

    @pytest.mark.parametrize(
        ("paid_from", "direct", "clearing"),
        [
            ({}, "1000", "1050"),
            ({"funding_type": None, "funding_id": None, "bank_account": "bank"}, "1000", "1050"),
            ({"funding_type": "CARD_ACCOUNT", "funding_id": "visa"}, "2100", "2100"),
            ({"funding_type": None, "funding_id": None, "card_account": "visa"}, "2100", "2100"),
            ({"funding_type": "WALLET", "funding_id": "WALLET"}, "1020", "1020"),
            ({"funding_type": "WALLET", "funding_id": None}, "1020", "1020"),
            ({"funding_type": None, "funding_id": "visa"}, "2100", "2100"),
            ({"funding_type": None, "funding_id": "bank"}, "1000", "1050"),
            ({"funding_type": "AP_CARD", "funding_id": None}, "PAYMENT_ACCOUNT_UNKNOWN", "PAYMENT_ACCOUNT_UNKNOWN"),
            ({"funding_type": None, "funding_id": None}, "PAYMENT_ACCOUNT_UNKNOWN", "1050"),
            ({"online": False, "account": "cash box", "recorded_account": "rent"}, "1010", "1010"),
            ({"online": False, "recorded_account": "cash box"}, "1010", "1010"),
            ({"online": False}, "PAYMENT_ACCOUNT_UNKNOWN", "PAYMENT_ACCOUNT_UNKNOWN"),
            ({"online": False, "account": "gone"}, "ACCOUNT_UNMAPPED", "ACCOUNT_UNMAPPED"),
            ({"funding_id": "other"}, "FUNDING_ACCOUNT_UNMAPPED", "1050"),
        ],
    )
    def test_the_paying_account(self, paid_from: dict[str, Any], direct: str, clearing: str) -> None:
        for policy, expected in ((POLICY, direct), (CLEARING, clearing)):
            books = posted(payment("p1", 100, **paid_from), policy=policy)
            held = state(books, "p1").held
            assert (held or {lines(books, "p1")[-1][0]}) == {expected}

    def test_only_cards_go_by_the_account_that_they_are_booked_on(self) -> None:
        other = FundingAccount(id="other", account="cash box")
        assert codes(with_object(world(payment(funding_id="other")), "funding_accounts", other)) == {
            "FUNDING_ACCOUNT_UNMAPPED"
        }
        card = replace(other, kind="AP_CARD", account=None)
        assert codes(with_object(world(payment(funding_id="other")), "funding_accounts", card)) == {
            "FUNDING_ACCOUNT_UNMAPPED"
        }

    def test_a_card_with_a_mapping_of_its_own_goes_by_that(self) -> None:
        by_card = payment("p1", 100, funding_type="CARD_ACCOUNT", funding_id="visa")
        mapped = replace(world(by_card), mappings={**world().mappings, ("funding_accounts", "visa"): "1010"})
        assert lines(run(ReferenceBooks(), mapped), "p1")[-1] == ("1010", money(-100))

    def test_without_an_amount_nothing_adds_up(self) -> None:
        for document in (payment(), movement("3", 1), bill()):
            assert codes(world(replace(document, amount=None))) == {"AMOUNT_MISMATCH"}

    @pytest.mark.parametrize("status", [None, "UNDEFINED", "ON_HOLD"])
    def test_a_status_that_is_not_known_holds(self, status: str | None) -> None:
        assert codes(world(payment(status=status))) == {"STATUS_UNKNOWN"}

    def test_clearing_needs_its_account(self) -> None:
        without = replace(CLEARING, payables_clearing=None)
        assert codes(world(payment()), policy=without) == {"POLICY_MISSING"}


class TestMoneyMovements:
    @pytest.mark.parametrize(
        ("type_", "amount", "policy", "expected"),
        [
            ("1", -500, CLEARING, [("1000", money(-500)), ("1050", money(500))]),
            ("1", 40, CLEARING, [("1000", money(40)), ("1050", money(-40))]),
            ("2", 300, CLEARING, [("1000", money(300)), ("1060", money(-300))]),
            ("3", -70, CLEARING, [("1000", money(-70)), ("1020", money(70))]),
            ("4", 70, POLICY, [("1000", money(70)), ("1020", money(-70))]),
        ],
    )
    def test_a_movement_goes_by_its_sign(
        self, type_: str, amount: int, policy: Policy, expected: list[tuple[str, Decimal]]
    ) -> None:
        assert lines(posted(movement(type_, amount), policy=policy), "m1") == expected

    def test_payment_and_movement_empty_clearing(self) -> None:
        books = posted(bill(), payment("p1", 100, ("b1", 100)), movement("1", -100), policy=CLEARING)
        assert balances(books) == in_books(_1000=-100, _6000=100)

    def test_what_a_movement_may_lack(self) -> None:
        assert codes(world(movement("9", 1))) == {"STATUS_UNKNOWN"}
        assert codes(world(movement("3", 1, bank_account=None))) == {"PAYMENT_ACCOUNT_UNKNOWN"}
        assert codes(world(movement("3", 1, bank_account="other"))) == {"FUNDING_ACCOUNT_UNMAPPED"}
        without_wallet = replace(world(movement("3", 1)), mappings={("funding_accounts", "bank"): "1000"})
        assert codes(without_wallet) == {"FUNDING_ACCOUNT_UNMAPPED"}
        assert codes(world(movement("1", 1)), policy=replace(CLEARING, payables_clearing=None)) == {"POLICY_MISSING"}


class TestScope:
    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            (bill("x", date=date(2026, 1, 31), archived=True, record_status="DRAFT"), "BEFORE_CUTOFF"),
            (bill("x", record_status="DRAFT", archived=True), "DRAFT"),
            (bill("x", record_status="DRAFT_DELETED"), "DRAFT"),
            (bill("x", archived=True, deleted=True), "ARCHIVED"),
            (payment("x", status="VOID"), "VOIDED"),
            (payment("x", status="CANCELLED"), "VOIDED"),
            (payment("x", status="CANCELED", deleted=True), "VOIDED"),
            (payment("x", status="SCHEDULED"), "NOT_PROCESSED"),
            (payment("x", status="APPROVING"), "NOT_PROCESSED"),
            (payment("x", date=TODAY + timedelta(days=1)), "NOT_PROCESSED"),
            (replace(movement("1", 5, status="0"), id="x"), "NOT_CONFIRMED"),
            (replace(movement("3", 5, status="2"), id="x"), "NOT_CONFIRMED"),
            (replace(movement("2", 5), id="x"), "NOT_CLEARING"),
            (credit("x", deleted=True), "DELETED"),
        ],
    )
    def test_a_document_is_out_of_scope_for_the_first_reason_that_applies(
        self, document: Document, reason: str
    ) -> None:
        books = posted(document, cutoff=date(2026, 2, 1))
        one = state(books, "x")
        assert (one.state, one.reason, one.held, books.entries) == ("out_of_scope", reason, frozenset(), [])

    def test_a_payment_of_today_a_bill_of_tomorrow_and_what_is_of_the_day_of_the_cutoff_are_in_scope(self) -> None:
        tomorrow = TODAY + timedelta(days=1)
        books = posted(payment(date=TODAY), bill("b1", date=tomorrow), bill("b2", date=MARCH), cutoff=MARCH)
        assert {one.state for one in books.documents.values()} == {"imported"}

    @pytest.mark.parametrize(
        ("voided", "held_as_made"), [(date(2026, 4, 1), True), (date(2026, 3, 31), False), (None, False)]
    )
    def test_a_payment_before_the_cutoff_that_was_voided_after_it_posts_as_its_opposite(
        self, voided: date | None, *, held_as_made: bool
    ) -> None:
        asked = () if voided is None else (VoidRequest(status="ACCEPTED", updated=at(voided)),)
        void = payment("p1", 100, ("b1", 100), status="VOID", void_requests=asked, updated=at(date(2026, 5, 1)))
        books = posted(void, cutoff=date(2026, 4, 1))
        if not held_as_made:
            assert (state(books, "p1").reason, books.entries) == ("BEFORE_CUTOFF", [])
            return
        assert lines(books, "p1") == [("2000", money(-100)), ("1000", money(100))]
        assert dates(books, "p1") == [("posting", voided)]
        assert applied(books) == [("p1", "b1", money(-100))]
        assert (books.entries[0].amount, books.entries[0].home_amount) == (money(-100), money(-100))
        assert books.applications()[0].home_amount == -100

    def test_a_void_that_was_accepted_of_a_payment_that_still_counts_as_paid_posts_nothing(self) -> None:
        asked = (VoidRequest(status="ACCEPTED", updated=at(date(2026, 4, 2))),)
        still_paid = payment("p1", 100, void_requests=asked)
        books = posted(still_paid, cutoff=date(2026, 4, 1))
        assert (state(books, "p1").reason, books.entries) == ("BEFORE_CUTOFF", [])
        run(books, world(replace(still_paid, status="VOID")), cutoff=date(2026, 4, 1))
        assert lines(books, "p1")[-1] == ("1000", money(100))
        run(books, world(still_paid), cutoff=date(2026, 4, 1))
        assert (state(books, "p1").reason, balances(books)) == ("BEFORE_CUTOFF", {})

    def test_the_opposite_leaves_when_the_cutoff_moves_before_the_payment(self) -> None:
        asked = (VoidRequest(status="ACCEPTED", updated=at(date(2026, 4, 2))),)
        void = world(payment("p1", 100, status="VOID", void_requests=asked))
        books = run(ReferenceBooks(), void, cutoff=date(2026, 4, 1))
        run(books, void, cutoff=date(2026, 5, 1))
        assert len(books.entries) == 1
        run(books, void, cutoff=date(2026, 1, 1))
        assert dates(books, "p1") == [("posting", date(2026, 4, 2)), ("reversal", date(2026, 4, 2))]
        assert state(books, "p1").reason == "VOIDED"
        assert balances(books) == {}


class TestCurrency:
    def berlin(self, id_: str = "b1", home: str = "110", **more: Any) -> Bill:
        return bill(id_, 100, party="berlin", funding_amount=money(home), **more)

    def paid(self, id_: str, amount: int, home: str, **more: Any) -> VendorPayment:
        return payment(id_, amount, ("b1", amount), party="berlin", funding_amount=money(home), **more)

    def test_a_foreign_bill_keeps_both_amounts_and_its_largest_line_takes_the_rest(self) -> None:
        thirds = (line("33.33"), line("33.33", "rent"), line("33.34", "card"))
        books = posted(self.berlin(home="100.01", lines=thirds))
        # 33.33 % of 100.01 is 33.3333 and 33.34 % is 33.3433: together 100.00, so that the largest line takes a cent.
        assert lines(books, "b1")[1:] == [
            ("6000", money("33.33")),
            ("6100", money("33.33")),
            ("2100", money("33.35")),
        ]
        assert [one.amount for one in entries(books, "b1")[0].lines] == [-100, *(one.amount for one in thirds)]
        assert {one.currency for one in entries(books, "b1")[0].lines} == {"EUR"}

    def test_home_amounts_are_rounded_half_to_even(self) -> None:
        foreign = bill("b1", "0.50", party="berlin", exchange_rate=money("1.25"))
        assert state(posted(foreign), "b1").home_amount == money("0.62")

    def test_a_line_too_small_for_the_home_currency_is_kept_in_its_own(self) -> None:
        books = posted(bill("b1", "1.01", party="berlin", funding_amount=money("0.10"), lines=(line(1), line("0.01"))))
        assert lines(books, "b1") == [("2000", money("-0.10")), ("6000", money("0.10")), ("6000", money(0))]
        assert entries(books, "b1")[0].lines[2].amount == money("0.01")

    def test_without_a_rate_and_where_the_home_currency_is_not_the_dollar_foreign_documents_are_held(self) -> None:
        assert codes(world(bill(party="berlin"))) == {"CURRENCY_WITHOUT_RATE"}
        assert codes(world(self.berlin()), policy=replace(POLICY, home_currency="GBP")) == {"CURRENCY_WITHOUT_RATE"}
        assert codes(world(bill()), policy=replace(POLICY, home_currency="GBP")) == set()
        memo = CreditMemo(id="x", date=MARCH, amount=money(1), party="paris", lines=(line(1, "sales"),))
        assert codes(world(memo)) == {"CURRENCY_WITHOUT_RATE"}

    def test_a_foreign_bill_paid_in_two_parts_leaves_loss_and_gain_and_nothing_owed(self) -> None:
        # 100 EUR are owed at 110 USD. 40 EUR cost 46 and settle 44: a loss of 2. 60 EUR cost 63 and settle 66: a gain.
        books = posted(self.berlin(), self.paid("p1", 40, "46"), self.paid("p2", 60, "63"))
        assert lines(books, "p1") == [("2000", money(44)), ("1000", money(-46)), ("7900", money(2))]
        assert lines(books, "p2") == [("2000", money(66)), ("1000", money(-63)), ("7900", money(-3))]
        assert entries(books, "p1")[0].lines[-1].amount == 0
        assert balances(books) == in_books(_1000=-109, _6000=110, _7900=-1)

    def test_the_last_part_takes_every_cent_that_is_open(self) -> None:
        # 0.01 a third: 33 EUR of 100 at 0.10 USD settle 0.03 twice, the last 34 the 0.04 that are left.
        paid = [self.paid("p1", 33, "0.03"), self.paid("p2", 33, "0.03"), self.paid("p3", 34, "0.04")]
        books = posted(self.berlin(home="0.10"), *paid)
        assert [one.settled_home_amount for one in books.applications()] == [
            money("0.03"),
            money("0.03"),
            money("0.04"),
        ]
        assert balances(books) == in_books(_1000="-0.10", _6000="0.10")

    def test_where_the_payment_was_first_the_bill_takes_the_difference(self) -> None:
        waiting = self.berlin(approval_status="ASSIGNED")
        books = posted(waiting, self.paid("p1", 40, "46"))
        assert lines(books, "p1") == [("2000", money(46)), ("1000", money(-46))]
        run(books, world(self.berlin(), self.paid("p1", 40, "46")))
        # 40 EUR of the bill are worth 44 USD, and 46 were booked.
        assert lines(books, "b1") == [("2000", money(-112)), ("6000", money(110)), ("7900", money(2))]
        assert [(one.home_amount, one.settled_home_amount) for one in books.applications()] == [(money(46), money(44))]
        run(books, world(self.berlin(), self.paid("p1", 40, "46"), self.paid("p2", 60, "63")))
        assert balances(books) == in_books(_1000=-109, _6000=110, _7900=-1)

    def test_when_the_bill_leaves_the_payment_settles_its_own_value_again(self) -> None:
        books = posted(self.berlin(approval_status="ASSIGNED"), self.paid("p1", 40, "46"))
        run(books, world(self.berlin(), self.paid("p1", 40, "46")))
        empty = replace(self.berlin(), amount=money(0), lines=())
        for gone in (self.berlin(archived=True), self.berlin(), empty):
            run(books, world(gone, self.paid("p1", 40, "46")))
            (one,) = books.applications()
            assert (one.home_amount, one.settled_home_amount) == (money(46), money(44 if gone == self.berlin() else 46))
        assert balances(books) == in_books(_1000=-46, _2000=46)

    def test_the_opposite_of_a_payment_counts_with_its_own_value_whichever_is_first(self) -> None:
        asked = (VoidRequest(status="ACCEPTED", updated=at(date(2026, 4, 2))),)
        void = replace(self.paid("p1", 100, "115"), status="VOID", void_requests=asked)
        april = date(2026, 4, 1)
        owed = self.berlin(date=april)
        together = posted(owed, void, cutoff=april)
        assert balances(together) == in_books(_1000=115, _2000=-225, _6000=110)
        one_by_one = posted(void, cutoff=april)
        run(one_by_one, world(owed, void), cutoff=april)
        assert balances(one_by_one) == balances(together)
        run(together, world(owed, void, replace(self.paid("p2", 100, "112"), date=april)), cutoff=april)
        assert lines(together, "p2") == [("2000", money(110)), ("1000", money(-112)), ("7900", money(2))]

    def test_amounts_of_different_currencies_are_not_compared(self) -> None:
        # The vendor went over from euros to francs: the bill stands in the one, the payment is in the other.
        books = posted(self.berlin())
        francs = with_object(world(self.berlin(), self.paid("p1", 100, "120")), "vendors", Party(id="berlin"))
        francs = with_object(francs, "vendors", Party(id="berlin", currency="CHF"), "BERLIN")
        waiting = self.berlin(approval_status="ASSIGNED"), self.paid("p1", 100, "120")
        run(books, replace(francs, documents=waiting))
        assert lines(books, "p1") == [("2000", money(120)), ("1000", money(-120))]
        paid_first = posted(self.paid("p1", 100, "120"))
        changed = self.berlin(), self.paid("p1", 100, "120", status="UNDEFINED")
        run(paid_first, replace(francs, documents=changed))
        assert lines(paid_first, "b1") == [("2000", money(-110)), ("6000", money(110))]

    def test_settling_what_is_not_in_the_books_takes_the_settlements_own_value(self) -> None:
        books = posted(self.paid("p1", 40, "46"))
        assert balances(books) == in_books(_1000=-46, _2000=46)

    def test_a_payment_of_more_than_is_open_settles_the_excess_at_its_own_value(self) -> None:
        books = posted(self.berlin(), self.paid("p1", 120, "144"))
        # 100 EUR take the 110 that are owed, 20 EUR their own 24; 120 of 144 were for the 100: a loss of 10.
        assert lines(books, "p1") == [("2000", money(134)), ("1000", money(-144)), ("7900", money(10))]

    def test_a_credit_settles_foreign_bills_in_its_own_entry(self) -> None:
        used = (Settled(document="b1", amount=money(50)),)
        books = posted(self.berlin(), credit("c1", 50, party="berlin", exchange_rate=money("1.2"), usages=used))
        # 50 EUR of the credit are 60 USD, of the bill 55: the vendor owes 5 more than it took.
        assert lines(books, "c1") == [("2000", money(55)), ("6000", money(-60)), ("7900", money(5))]

    def test_a_difference_needs_its_account_and_no_difference_needs_none(self) -> None:
        without = replace(POLICY, exchange_gain_loss=None)
        books = posted(self.berlin(), self.paid("p1", 40, "46"), self.paid("p2", 60, "66"), policy=without)
        assert state(books, "p1").held == {"POLICY_MISSING"}
        assert state(books, "p2").state == "imported"

    def test_a_changed_rate_of_a_bill_changes_nothing_and_of_a_payment_posts_again(self) -> None:
        books = posted(self.berlin(), self.paid("p1", 100, "110"))
        run(books, world(self.berlin(home="120"), self.paid("p1", 100, "115")))
        assert len(entries(books, "b1")) == 1
        assert lines(books, "p1") == [("2000", money(110)), ("1000", money(-115)), ("7900", money(5))]


class TestDates:
    @pytest.mark.parametrize(
        ("given", "day"),
        [
            ({}, MARCH),
            ({"gl_posting_date": date(2026, 4, 1)}, date(2026, 4, 1)),
            ({"gl_posting_date": date(2026, 1, 5)}, date(2026, 2, 1)),
        ],
    )
    def test_the_posting_date_is_bills_or_the_documents_but_not_before_the_cutoff(
        self, given: dict[str, Any], day: date
    ) -> None:
        for document in (bill("x", **given), credit("x", **given)):
            books = posted(document, cutoff=date(2026, 2, 1))
            assert dates(books, "x") == [("posting", day)]
            assert books.entries[0].document_date == MARCH

    def test_a_late_document_posts_on_the_next_open_day_or_is_held(self) -> None:
        closed = replace(POLICY, closed_through=MARCH)
        assert dates(posted(bill(), policy=closed), "b1") == [("posting", date(2026, 3, 16))]
        assert codes(world(bill()), policy=replace(closed, late="hold")) == {"PERIOD_CLOSED"}
        assert codes(world(bill(date=date(2026, 3, 16))), policy=replace(closed, late="hold")) == set()
        assert codes(world(bill(date=None)), policy=replace(closed, late="hold")) == {"DATE_MISSING"}

    def test_a_change_in_a_closed_period_is_booked_on_the_first_open_day_whatever_late_says(self) -> None:
        books = posted(bill())
        closed = replace(POLICY, closed_through=date(2026, 3, 31), late="hold")
        run(books, world(bill(amount="90")), policy=closed)
        assert dates(books, "b1") == [
            ("posting", MARCH),
            ("reversal", date(2026, 4, 1)),
            ("posting", date(2026, 4, 1)),
        ]

    def test_closing_a_period_moves_no_entry(self) -> None:
        books = posted(bill())
        run(books, world(bill()), policy=replace(POLICY, closed_through=date(2026, 3, 31)))
        assert dates(books, "b1") == [("posting", MARCH)]


class TestChanges:
    def test_the_same_again_changes_nothing(self) -> None:
        documents = (bill(), credit(), payment(), movement("1", -5))
        books = posted(*documents, policy=CLEARING)
        before = list(books.entries)
        run(books, world(*documents), policy=CLEARING)
        assert books.entries == before

    @pytest.mark.parametrize(
        "change",
        [
            {"number": "other"},
            {"approval_status": "DENIED"},
            {"updated": at(TODAY)},
            {"header_account": "rent"},
            {"exchange_rate": money(3)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_has_nothing_to_do_with_the_entry_leaves_it_alone(self, change: dict[str, Any]) -> None:
        books = posted(bill())
        run(books, world(bill(**change)))
        assert (len(books.entries), state(books, "b1").state, state(books, "b1").held) == (1, "imported", frozenset())

    @pytest.mark.parametrize(
        "change",
        [
            {"party": "berlin", "exchange_rate": money(1)},
            {"date": date(2026, 3, 16)},
            {"gl_posting_date": date(2026, 3, 20)},
            {"lines": (line(100, "rent"),)},
            {"lines": (line(100, item="paper"),)},
            {"lines": (line(100, department="north"),)},
            {"lines": (line(60), line(40))},
        ],
        ids=str,
    )
    def test_changed_content_is_reversed_where_it_was_and_posted_again(self, change: dict[str, Any]) -> None:
        books = posted(bill())
        changed = bill(**change)
        run(books, world(changed))
        first, reversal, again = entries(books, "b1")
        assert (reversal.reversed_entry_id, reversal.posting_date) == (first.id, first.posting_date)
        assert [one.home for one in reversal.lines] == [-one.home for one in first.lines]
        assert again.id == "bills:b1:3" == state(books, "b1").entry_id
        assert balances(books) == balances(posted(changed))

    def test_a_headers_account_counts_where_a_line_needs_it(self) -> None:
        books = posted(bill(lines=(line(100, None),), header_account="supplies"))
        run(books, world(bill(lines=(line(100, None),), header_account="rent")))
        assert balances(books) == in_books(_2000=-100, _6100=100)
        by_item = posted(bill(lines=(line(100, None, item="paper"),), header_account="supplies"))
        run(by_item, world(bill(lines=(line(100, None, item="paper"),), header_account="rent")))
        assert len(by_item.entries) == 1

    @pytest.mark.parametrize(
        "change",
        [{"online": False, "account": "cash box"}, {"funding_id": "WALLET", "funding_type": "WALLET"}, {"bill": "b2"}],
        ids=str,
    )
    def test_a_payment_follows_its_account_and_parts(self, change: dict[str, Any]) -> None:
        books = posted(payment("p1", 100, bill="b1"))
        run(books, world(payment("p1", 100, **{"bill": "b1"} | change)))
        assert [entry.type for entry in books.entries] == ["posting", "reversal", "posting"]

    def test_a_change_that_may_not_post_waits_beside_the_old_entry(self) -> None:
        books = posted(bill())
        run(books, world(bill(amount=90, approval_status="ASSIGNED")))
        one = state(books, "b1")
        assert (one.state, one.held, one.entry_id) == ("imported", frozenset({"NOT_APPROVED"}), "bills:b1:1")
        run(books, world(bill(approval_status="ASSIGNED")))
        assert (len(books.entries), state(books, "b1").held) == (1, frozenset())
        run(books, world(bill(amount=90)))
        assert balances(books) == in_books(_2000=-90, _6000=90)

    def test_a_movement_that_becomes_one_which_does_not_post_stays_as_it_is(self) -> None:
        books = posted(movement("3", -50))
        run(books, world(movement("1", -50)))
        assert (state(books, "m1").state, len(books.entries)) == ("imported", 1)

    def test_a_new_mapping_counts_when_reposting_is_confirmed(self) -> None:
        books = posted(bill())
        mapped = replace(world(bill()), mappings={**world().mappings, ("accounts", "supplies"): "6100"})
        run(books, mapped)
        assert len(books.entries) == 1
        run(books, mapped, reposting=True)
        assert balances(books) == in_books(_2000=-100, _6100=100)
        run(books, mapped, reposting=True)
        assert len(books.entries) == 3

    def test_going_over_to_direct_payments_takes_movements_out(self) -> None:
        documents = (payment("p1", 100), movement("1", -100))
        books = posted(*documents, policy=CLEARING)
        run(books, world(*documents), policy=POLICY)
        assert len(books.entries) == 2
        run(books, world(*documents), policy=POLICY, reposting=True)
        assert balances(books) == in_books(_1000=-100, _2000=100)
        assert state(books, "m1").reason == "NOT_CLEARING"


class TestLeaving:
    def test_a_voided_payment_is_reversed_on_the_day_of_the_last_accepted_void(self) -> None:
        books = posted(bill(), payment("p1", 100, ("b1", 100)))
        zone = datetime.fromisoformat("2026-04-30T22:00:00-05:00")
        asked = (
            VoidRequest(status="ACCEPTED", updated=zone),
            VoidRequest(status="ACCEPTED", updated=at(date(2026, 4, 2))),
            VoidRequest(status="REJECTED", updated=at(date(2026, 6, 1))),
            VoidRequest(status="ACCEPTED", updated=None),
        )
        run(books, world(bill(), payment("p1", 100, ("b1", 100), status="VOID", void_requests=asked)))
        assert dates(books, "p1") == [("posting", MARCH), ("reversal", date(2026, 5, 1))]
        assert (state(books, "p1").state, state(books, "p1").reason) == ("out_of_scope", "VOIDED")
        assert (balances(books), applied(books)) == (in_books(_2000=-100, _6000=100), [])

    @pytest.mark.parametrize(
        ("void", "day"),
        [
            ({"voided": at(date(2026, 5, 2)), "updated": at(date(2026, 6, 1))}, date(2026, 5, 2)),
            ({"updated": at(date(2026, 6, 1))}, date(2026, 6, 1)),
            ({"updated": at(date(2026, 3, 1))}, MARCH),
            ({}, MARCH),
        ],
    )
    def test_where_no_void_was_accepted_it_is_the_day_of_the_last_change(self, void: dict[str, Any], day: date) -> None:
        books = posted(payment())
        run(books, world(payment(status="VOID", **void)))
        assert dates(books, "p1")[-1] == ("reversal", day)

    def test_a_void_in_a_closed_period_is_reversed_on_the_first_open_day(self) -> None:
        books = posted(payment())
        closed = replace(POLICY, closed_through=date(2026, 4, 30))
        run(books, world(payment(status="VOID", updated=at(date(2026, 4, 2)))), policy=closed)
        assert dates(books, "p1")[-1] == ("reversal", date(2026, 5, 1))

    def test_a_movement_that_the_bank_returned_is_reversed_on_the_day_of_the_change(self) -> None:
        books = posted(movement("1", -50), policy=CLEARING)
        run(books, world(movement("1", -50, status="2", updated=at(date(2026, 3, 18)))), policy=CLEARING)
        assert dates(books, "m1")[-1] == ("reversal", date(2026, 3, 18))

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"archived": True}, "ARCHIVED"),
            ({"record_status": "DRAFT"}, "DRAFT"),
            ({"deleted": True}, "DELETED"),
        ],
    )
    def test_archived_drafted_and_deleted_bills_leave_on_their_own_day(
        self, change: dict[str, Any], reason: str
    ) -> None:
        books = posted(bill())
        run(books, world(bill(updated=at(TODAY), **change)))
        assert dates(books, "b1") == [("posting", MARCH), ("reversal", MARCH)]
        assert (state(books, "b1").reason, balances(books)) == (reason, {})
        run(books, world(bill(updated=at(TODAY), **change)))
        assert len(books.entries) == 2

    def test_a_restored_bill_posts_as_if_for_the_first_time(self) -> None:
        books = posted(bill())
        run(books, world(bill(archived=True)))
        late = replace(POLICY, closed_through=date(2026, 3, 31), late="hold")
        run(books, world(bill()), policy=late)
        assert state(books, "b1").held == {"PERIOD_CLOSED"}
        run(books, world(bill()))
        assert [entry.id for entry in books.entries] == ["bills:b1:1", "bills:b1:2", "bills:b1:3"]
        assert balances(books) == in_books(_2000=-100, _6000=100)

    def test_what_stands_does_not_leave_because_it_would_not_come_in_now(self) -> None:
        books = posted(bill(), payment())
        run(books, world(bill(approval_status="DENIED"), payment(status="SCHEDULED")), policy=CLEARING)
        assert len(books.entries) == 2
        assert {one.state for one in books.documents.values()} == {"imported"}


class TestCutoff:
    def test_moved_later_it_reverses_nothing_and_what_stands_goes_on_following_bill(self) -> None:
        books = posted(bill("b1"), bill("b2", approval_status="ASSIGNED"))
        run(books, world(bill("b1", 90), bill("b2")), cutoff=date(2026, 4, 1))
        assert (state(books, "b1").state, state(books, "b2").reason) == ("imported", "BEFORE_CUTOFF")
        assert balances(books) == in_books(_2000=-90, _6000=90)
        run(books, world(bill("b1", 90, archived=True), bill("b2")), cutoff=date(2026, 4, 1))
        assert (state(books, "b1").reason, balances(books)) == ("BEFORE_CUTOFF", {})

    def test_a_payment_that_came_in_before_it_moved_is_not_posted_as_its_opposite(self) -> None:
        books = posted(payment())
        asked = (VoidRequest(status="ACCEPTED", updated=at(date(2026, 5, 2))),)
        void = world(payment(status="VOID", void_requests=asked))
        for _ in range(2):
            run(books, void, cutoff=date(2026, 4, 1))
        assert dates(books, "p1") == [("posting", MARCH), ("reversal", date(2026, 5, 2))]

    def test_moved_earlier_it_brings_in_what_it_opens_up(self) -> None:
        books = posted(bill(), cutoff=date(2026, 4, 1))
        run(books, world(bill()), cutoff=date(2026, 3, 1))
        assert dates(books, "b1") == [("posting", MARCH)]

    def test_a_repost_stays_within_the_cutoff_under_which_the_document_came_in(self) -> None:
        books = posted(bill(), cutoff=date(2026, 3, 1))
        run(books, world(bill(date=date(2026, 2, 1))), cutoff=date(2026, 4, 1))
        assert dates(books, "b1")[1:] == [("reversal", MARCH), ("posting", date(2026, 3, 1))]

    def test_a_restored_document_comes_in_under_the_present_cutoff(self) -> None:
        march, february = date(2026, 3, 1), date(2026, 2, 1)
        early: dict[str, Any] = {"gl_posting_date": date(2026, 2, 10)}
        books = posted(bill(**early), cutoff=march)
        run(books, world(bill(amount=90, **early)), cutoff=february)
        run(books, world(bill(amount=90, archived=True, **early)), cutoff=february)
        run(books, world(bill(amount=90, **early)), cutoff=february)
        assert [day for kind, day in dates(books, "b1") if kind == "posting"] == [march, march, date(2026, 2, 10)]


class TestReceivables:
    def invoice(self, id_: str = "i1", amount: str = "100", **more: Any) -> Invoice:
        usual: dict[str, Any] = {
            "date": MARCH,
            "party": "shop",
            "lines": (DocumentLine(price=money(amount), account="sales"),),
        }
        return Invoice(id=id_, amount=money(amount), **usual | more)

    def received(self, amount: str, applied_to: str, unapplied: str, **more: Any) -> ReceivedPayment:
        parts = (Settled(document="i1", amount=money(applied_to)),) if money(applied_to) else ()
        usual: dict[str, Any] = {
            "date": MARCH,
            "party": "shop",
            "status": "PAID",
            "funding_type": "BANK_ACCOUNT",
            "funding_id": "bank",
        }
        return ReceivedPayment(id="r1", amount=money(amount), parts=parts, unapplied=money(unapplied), **usual | more)

    def test_an_invoice_debits_the_customer_and_credits_lines_and_tax(self) -> None:
        objects = {**world().objects, "items": {"vat": Item(id="vat", sales_account="tax")}}
        sold = (DocumentLine(price=money("19.99"), quantity=money(3), account="sales"),)
        taxed = self.invoice(amount="64.77", lines=sold, tax=money("4.80"), tax_item="vat")
        books = run(ReferenceBooks(), world(taxed, objects=objects))
        assert lines(books, "i1") == [("1100", money("64.77")), ("4000", money("-59.97")), ("2200", money("-4.80"))]
        assert codes(world(taxed)) == {"ACCOUNT_MISSING"}

    def test_what_rounding_leaves_over_goes_to_the_largest_line_and_more_holds(self) -> None:
        sold = tuple(DocumentLine(price=money(price), account="sales") for price in ("0.335", "0.345", "0.345"))
        # Each is rounded up: 0.34 + 0.35 + 0.35 = 1.04, of which BILL says 1.02.
        books = posted(self.invoice(amount="1.02", lines=sold))
        assert [home for _, home in lines(books, "i1")] == [money("1.02"), money("-.34"), money("-.33"), money("-.35")]
        assert codes(world(self.invoice(amount="1.01", lines=sold))) == set()
        taxed = world(self.invoice(amount="1.51", lines=sold, tax=money("0.50"), tax_item="paper"))
        assert lines(run(ReferenceBooks(), taxed), "i1")[2] == ("4000", money("-.32"))
        assert lines(run(ReferenceBooks(), taxed), "i1")[-1] == ("4000", money("-.50"))
        assert codes(world(self.invoice(amount="1.00", lines=sold))) == {"AMOUNT_MISMATCH"}

    def test_a_credit_memo_is_the_opposite_and_settles_invoices(self) -> None:
        memo = CreditMemo(
            id="n1",
            date=MARCH,
            amount=money(30),
            party="shop",
            lines=(line(30, "sales"),),
            usages=(Settled(document="i1", amount=money(30)),),
        )
        books = posted(self.invoice(), memo)
        assert lines(books, "n1") == [("1100", money(-30)), ("4000", money(30))]
        assert applied(books) == [("n1", "i1", money(30))]

    def test_a_received_payment_credits_invoices_and_what_is_unapplied(self) -> None:
        books = posted(self.received("120", "100", "20"))
        assert lines(books, "r1") == [("1100", money(-100)), ("2300", money(-20)), ("1000", money(120))]
        assert codes(world(self.received("120", "100", "10"))) == {"AMOUNT_MISMATCH"}
        assert codes(world(self.received("20", "0", "20", party="nobody"))) == {"CUSTOMER_UNMAPPED"}

    def test_settings_are_needed_only_where_money_goes_to_them(self) -> None:
        without = replace(POLICY, unapplied_receipts=None, accounts_receivable=None)
        assert codes(world(self.received("100", "100", "0")), policy=without) == {"POLICY_MISSING"}
        assert codes(world(self.received("20", "0", "20")), policy=replace(without, unapplied_receipts="2300")) == set()

    @pytest.mark.parametrize(
        ("given", "policy", "account"),
        [
            ({}, POLICY, "1000"),
            ({}, CLEARING, "1060"),
            ({"online": False}, CLEARING, "1000"),
            ({"funding_id": "WALLET", "funding_type": "WALLET"}, POLICY, "1020"),
            ({"funding_id": None, "funding_type": "WALLET"}, POLICY, "1020"),
            ({"funding_id": None, "funding_type": None}, POLICY, "PAYMENT_ACCOUNT_UNKNOWN"),
        ],
    )
    def test_the_receiving_account(self, given: dict[str, Any], policy: Policy, account: str) -> None:
        books = posted(self.received("5", "0", "5", **given), policy=policy)
        assert (state(books, "r1").held or {lines(books, "r1")[-1][0]}) == {account}

    def test_a_status_that_is_not_known_holds(self) -> None:
        assert codes(world(self.received("5", "0", "5", status="ESCHEATED"))) == {"STATUS_UNKNOWN"}


def test_only_the_kinds_that_are_asked_for_are_posted() -> None:
    invoice = Invoice(id="i1", date=MARCH, amount=money(0), party="shop")
    books = run(ReferenceBooks(), world(bill(), invoice), kinds=PAYABLES)
    assert set(books.documents) == {("bills", "b1")}


def mapped_one_to_one(snapshot: Snapshot) -> Snapshot:
    """Every object of BILL's has a ledger counterpart of the same id."""
    mappings = {(entity, id_): id_ for entity, found in snapshot.objects.items() for id_ in found}
    ledger: dict[str, dict[str, LedgerObject]] = {
        entity: dict.fromkeys(snapshot.objects[entity], LedgerObject())
        for entity in ("vendors", "customers", "items", *DIMENSIONS.values())
    }
    accounts = (*snapshot.objects["accounts"], *snapshot.objects["funding_accounts"], *OTHERS)
    return replace(snapshot, mappings=mappings, ledger={**ledger, "accounts": dict.fromkeys(accounts, LedgerAccount())})


@pytest.fixture
def company() -> Iterator[Company]:
    with SandboxServer(Settings(bills=150, orgs=1)) as server:
        yield Company(server)


def loaded(warehouse: Warehouse) -> Snapshot:
    with warehouse.engine.connect() as conn:
        return mapped_one_to_one(load_snapshot(conn, INTEGRATION))


def settled_in_full(books: ReferenceBooks, entry: Entry) -> list[Application]:
    """What settles a bill, if it is all of it."""
    found = [one for one in books.applications() if one.settled == (entry.kind, entry.document_id)]
    return found if sum(one.amount for one in found) == entry.amount else []


def with_gains_in_payables(books: ReferenceBooks) -> dict[str, Decimal]:
    """Balances; the gains of foreign credits that were used after they posted stay in accounts payable anyway."""
    found = balances(books)
    found["2000"] += found.pop("7900")
    return found


def test_of_a_simulated_company_every_document_has_a_state_and_every_entry_balances(
    company: Company, warehouse: Warehouse
) -> None:
    with warehouse.engine.begin() as conn:
        small_company.connect(conn, INTEGRATION)
    company.sync(warehouse)
    books = run(ReferenceBooks(), loaded(warehouse), policy=CLEARING, today=company.server.clock.now().date())
    let_business_happen(company, 200, seed=3)
    company.sync(warehouse)
    snapshot, today = loaded(warehouse), company.server.clock.now().date()
    run(books, snapshot, policy=CLEARING, today=today)
    undisturbed = run(ReferenceBooks(), snapshot, policy=CLEARING, today=today)
    assert {kind for kind, _ in books.documents} == set(ALL_KINDS)
    assert set(books.documents) == {(one.kind, one.id) for one in snapshot.documents}
    assert {one.state for one in books.documents.values()} == {"imported", "held", "out_of_scope"}
    assert with_gains_in_payables(books) == with_gains_in_payables(undisturbed)
    assert len(books.entries) > len(undisturbed.entries)
    standing = undisturbed.standing_entries()
    foreign = [entry for entry in standing.values() if entry.kind == "bills" and entry.currency != "USD"]
    paid = [(entry, found) for entry in foreign if (found := settled_in_full(undisturbed, entry))]
    assert paid
    assert all(sum(one.home_amount for one in found) == entry.home_amount for entry, found in paid)


def test_of_one_integration_objects_mappings_and_the_ledger_are_loaded(books: small_company.Books) -> None:
    small_company.connect(books.conn, "other")
    small_company.Books(books.conn, "other").vendor("009o", "Other")
    books.pulled("vendors")
    books.vendor("009a", "Akme", merged_into_id="009b", deleted_at=small_company.NOW, bill_currency="EUR")
    books.account("0ca1", "Supplies")
    books.ledger_account("6000", "Supplies", postable=False)
    books.ledger("vendors", "V1", "Acme", active=False)
    books.ledger("dimensions", "D1", "North", kind="departments")
    books.mapping("accounts", "0ca1", "6000")
    books.mapping("vendors", "009a", None, state="unmapped")
    void = '[{"status": "ACCEPTED", "updatedTime": "2026-04-30T22:00:00.000-0500"}, {"status": "REJECTED"}]'
    books.bill("vendor_payments", "stp1", vendor_id="009a", amount=Decimal(70), process_date=MARCH, void_info=void)
    used = '[{"id": "vcr1", "amount": 30.5}]'
    part = {"vendor_payment_id": "stp1", "bill_id": "00n1", "amount": Decimal(100), "vendor_credits": used}
    books.line("vendor_payment_bills", 0, **part)
    found = load_snapshot(books.conn, small_company.KEY)
    assert found.objects["vendors"] == {"009a": Party(id="009a", deleted=True, merged_into="009b", currency="EUR")}
    assert found.mappings == {("accounts", "0ca1"): "6000", ("vendors", "009a"): None}
    assert found.ledger["accounts"] == {"6000": LedgerAccount(postable=False)}
    assert found.ledger["vendors"] == {"V1": LedgerObject(active=False)}
    assert found.ledger["departments"] == {"D1": LedgerObject()}
    assert (found.pulled, found.cutoff, found.home_currency) == (frozenset({"vendors"}), None, "USD")
    (paid,) = found.documents
    assert isinstance(paid, VendorPayment)
    accepted = VoidRequest(status="ACCEPTED", updated=datetime(2026, 5, 1, 3, tzinfo=UTC))
    assert paid.void_requests == (accepted, VoidRequest(status="REJECTED", updated=None))
    assert paid.parts == (Settled(document="00n1", amount=money(100), credits=(money("30.5"),)),)
    with pytest.raises(LookupError):
        load_snapshot(books.conn, "nobody")
