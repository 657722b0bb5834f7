"""The posting policy: what is found, what people decide, and what may not be decided."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from billcom_assets.books.held import REASONS
from billcom_assets.books.missing_settings import missing_settings
from billcom_assets.books.policy import (
    PostingPolicy,
    change_policy,
    posting_policy,
    proposed_policy,
    store_found,
)
from billcom_assets.books.policy_report import Source, policy_report
from billcom_assets.books.settings import SETTINGS, Takes
from billcom_assets.ledger.company import keep_books_in
from billcom_assets.warehouse import audit
from billcom_assets.warehouse.books_tables import ledger_entries, posting_policies
from billcom_assets.warehouse.home_currency import home_currency
from billcom_assets.warehouse.integrations import InvalidSetting, UnknownIntegration
from billcom_assets.warehouse.ledger_tables import ledger_accounts
from billcom_assets.warehouse.policy_changes import ACCOUNT_SETTINGS, policy_changes
from billcom_assets.warehouse.tables import integration_errors
from billcom_assets_tests.small_company import ADA, KEY, LATER, NOW, Books

DEFAULTS = PostingPolicy(
    version=0,
    accounts_payable=None,
    accounts_receivable=None,
    payments="direct",
    payables_clearing=None,
    receivables_clearing=None,
    unapplied_receipts=None,
    exchange_gain_loss=None,
    approval="approved_or_unassigned",
    closed_through=None,
    late="next_open_day",
    home_currency="USD",
)
CHART = (
    ("1000", "Checking", "BANK"),
    ("1050", "Money Out", "BANK"),
    ("1060", "Money In", "BANK"),
    ("1200", "Accounts Receivable", "ACCOUNTS_RECEIVABLE"),
    ("2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("2300", "Deposits", "OTHER_CURRENT_LIABILITY"),
    ("7000", "Exchange", "OTHER_INCOME"),
)


@pytest.fixture
def chart(books: Books) -> Books:
    """A ledger in which each account can be meant for one thing."""
    for id_, name, type_ in CHART:
        books.ledger_account(id_, name, type_)
    return books


def policy(books: Books) -> PostingPolicy:
    return posting_policy(books.conn, KEY)


def found(books: Books) -> PostingPolicy:
    return store_found(books.conn, KEY, NOW)


def set_(books: Books, actor: audit.Actor = ADA, **values: str | None) -> tuple[str, ...]:
    """Changes settings; returns what was noted."""
    return change_policy(books.conn, KEY, values, actor, LATER).notes


def refused(books: Books, **values: str | None) -> str:
    before = policy(books)
    with pytest.raises(InvalidSetting) as caught:
        change_policy(books.conn, KEY, values, ADA, LATER)
    assert policy(books) == before
    return str(caught.value)


def rows(books: Books) -> int:
    return books.conn.scalar(select(func.count()).select_from(posting_policies)) or 0


def posted(books: Books, kind: str, sequence: int = 1, reverses: int | None = None) -> None:
    """An entry of a document, or the reversal of one."""
    row: dict[str, Any] = {
        "integration": KEY,
        "id": f"{kind}:1:{sequence}",
        "kind": kind,
        "document_id": "1",
        "sequence": sequence,
        "type": "reversal" if reverses else "posting",
        "reversed_entry_id": f"{kind}:1:{reverses}" if reverses else None,
        "document_date": NOW.date(),
        "posting_date": NOW.date(),
        "memo": "",
        "payload_digest": "",
        "policy_version": 1,
        "posted_at": NOW,
    }
    books.conn.execute(insert(ledger_entries).values(row))


def waiting(books: Books, id_: str, message: str, status: str) -> None:
    """An error of a payment that waits for a setting."""
    row = {"integration": KEY, "entity": "vendor_payments", "record_id": id_, "code": "POLICY_MISSING"}
    said = {"message": message, "next_step": "", "status": status, "first_seen_at": NOW, "last_seen_at": NOW}
    books.conn.execute(insert(integration_errors).values(row | said))


def paid(books: Books, id_: str, account: str | None, *, online: bool = True, **values: Any) -> None:
    books.bill("vendor_payments", id_, chart_of_account_id=account, online_payment=online, **values)


# What is found --------------------------------------------------------------------------------------------------------


def test_before_anything_is_decided_there_are_plain_defaults_and_looking_writes_nothing(chart: Books) -> None:
    assert policy(chart) == DEFAULTS
    assert proposed_policy(chart.conn, KEY).accounts_payable == "2000"
    assert rows(chart) == 0


def test_the_only_account_of_its_type_is_found_and_stored_as_found(chart: Books) -> None:
    chart.ledger_account("2001", "Old payables", "ACCOUNTS_PAYABLE", active=False)
    chart.ledger_account("2002", "All payables", "ACCOUNTS_PAYABLE", postable=False)

    stored = found(chart)

    assert (stored.version, stored.accounts_payable, stored.accounts_receivable) == (1, "2000", "1200")
    assert [(one.setting, one.value, one.origin, one.set_by) for one in policy_changes(chart.conn, KEY)] == [
        ("accounts_payable", "2000", "found", "billcom"),
        ("accounts_receivable", "1200", "found", "billcom"),
    ]


def test_of_two_accounts_nobody_but_a_person_can_tell_which_is_meant(chart: Books) -> None:
    chart.ledger_account("2001", "Payables in euro", "ACCOUNTS_PAYABLE")
    assert found(chart).accounts_payable is None


def test_what_was_found_stays_when_a_second_account_comes_and_when_it_goes_out_of_use(chart: Books) -> None:
    first = found(chart)
    chart.ledger_account("2001", "Payables in euro", "ACCOUNTS_PAYABLE")
    chart.conn.execute(update(ledger_accounts).where(ledger_accounts.c.id == "2000").values(active=False))
    assert found(chart) == first
    assert rows(chart) == 2


def test_what_is_found_later_is_added(books: Books) -> None:
    books.ledger_account("2000", "Accounts Payable", "ACCOUNTS_PAYABLE")
    assert found(books).accounts_receivable is None
    books.ledger_account("1200", "Accounts Receivable", "ACCOUNTS_RECEIVABLE")
    later = found(books)
    assert (later.version, later.accounts_payable, later.accounts_receivable) == (2, "2000", "1200")


@pytest.fixture
def clearing(chart: Books) -> Books:
    """BILL's accounts, each mapped to one of the ledger's."""
    for id_, name, number in (("0ca1", "Checking", "1000"), ("0ca2", "Odd name", "1050"), ("0ca3", "In", "1060")):
        chart.account(id_, name, "BANK")
        chart.mapping("accounts", id_, number)
    return chart


def test_the_account_that_online_payments_name_clears_payables(clearing: Books) -> None:
    paid(clearing, "stp1", "0ca2")
    paid(clearing, "stp2", "0ca2")
    paid(clearing, "stp3", None)
    paid(clearing, "stp4", "0ca1", online=False)
    paid(clearing, "stp5", "0ca3", deleted_at=NOW)
    clearing.account("0ca4", "BILL Money Out Clearing", "BANK")
    clearing.mapping("accounts", "0ca4", "1060")

    assert found(clearing).payables_clearing == "1050"


def test_where_payments_name_several_accounts_the_name_tells_which_one_it_is(clearing: Books) -> None:
    paid(clearing, "stp1", "0ca1")
    paid(clearing, "stp2", "0ca2")
    clearing.change("accounts", "0ca3", name="BILL: MONEY out clearing (1050)")

    assert found(clearing).payables_clearing == "1060"


def test_an_account_that_was_merged_counts_as_the_one_that_is_left(clearing: Books) -> None:
    clearing.account("0ca9", "Older", "BANK", merged_into_id="0ca2", archived=True)
    paid(clearing, "stp1", "0ca9")
    paid(clearing, "stp2", "0ca2")
    assert proposed_policy(clearing.conn, KEY).payables_clearing == "1050"

    paid(clearing, "stp3", "0ca1")
    assert found(clearing).payables_clearing is None


def test_names_are_looked_at_without_case_and_only_those_of_live_accounts(clearing: Books) -> None:
    clearing.change("accounts", "0ca2", name="money OUT clearing")
    clearing.change("accounts", "0ca3", name="Bill.com Money In Clearing")
    clearing.account("0ca4", "Money In Clearing", "BANK", archived=True)
    clearing.account("0ca5", "Money Out Clearing", "BANK", deleted_at=NOW)

    stored = found(clearing)

    assert (stored.payables_clearing, stored.receivables_clearing) == ("1050", "1060")


def test_two_accounts_of_that_name_leave_it_open(clearing: Books) -> None:
    for id_ in ("0ca2", "0ca3"):
        clearing.change("accounts", id_, name="Money In Clearing")
    assert found(clearing).receivables_clearing is None


def test_a_clearing_account_that_is_not_mapped_is_not_found_yet(chart: Books) -> None:
    chart.account("0ca2", "Money Out Clearing", "BANK")
    chart.account("0ca3", "Money In Clearing", "BANK")
    chart.mapping("accounts", "0ca3", None, state="unmapped")
    chart.suggestion("accounts", "0ca2", "1050")
    assert found(chart).payables_clearing is None
    chart.mapping("accounts", "0ca2", "1050")
    stored = found(chart)
    assert (stored.payables_clearing, stored.receivables_clearing) == ("1050", None)


def test_an_account_that_may_not_clear_is_not_found(clearing: Books) -> None:
    clearing.change("accounts", "0ca2", name="Money Out Clearing")
    clearing.conn.execute(update(ledger_accounts).where(ledger_accounts.c.id == "1050").values(postable=False))
    clearing.change("accounts", "0ca3", name="Money In Clearing")
    set_(clearing, exchange_gain_loss="1060")

    stored = found(clearing)

    assert (stored.payables_clearing, stored.receivables_clearing) == (None, None)


def test_what_a_person_decided_is_never_found_otherwise(chart: Books) -> None:
    chart.ledger_account("2001", "Payables in euro", "ACCOUNTS_PAYABLE")
    set_(chart, accounts_payable="2001", accounts_receivable=None)
    set_(chart, accounts_receivable="1200")
    set_(chart, accounts_receivable="none")
    chart.conn.execute(update(ledger_accounts).where(ledger_accounts.c.id == "2001").values(active=False))

    stored = found(chart)

    assert (stored.accounts_payable, stored.accounts_receivable) == ("2001", None)
    assert proposed_policy(chart.conn, KEY) == stored


# What people decide ---------------------------------------------------------------------------------------------------


def test_a_change_makes_a_version_a_history_and_an_entry_in_the_audit_log(chart: Books) -> None:
    found(chart)
    set_(chart, unapplied_receipts="2300", approval="approved")
    set_(chart, approval="approved_or_unassigned")

    now = policy(chart)
    assert (now.version, now.unapplied_receipts, now.approval) == (3, "2300", "approved_or_unassigned")
    history = [
        (one.version, one.setting, one.previous, one.value, one.set_by) for one in policy_changes(chart.conn, KEY)
    ]
    assert history[2:] == [
        (2, "approval", "approved_or_unassigned", "approved", "ada"),
        (2, "unapplied_receipts", None, "2300", "ada"),
        (3, "approval", "approved", "approved_or_unassigned", "ada"),
    ]
    logged = [(one.what, one.subject, one.before, one.after) for one in audit.entries(chart.conn, KEY, limit=10)]
    assert logged == [
        ("posting policy changed", "unapplied_receipts", None, '"2300"'),
        ("posting policy changed", "approval", '"approved_or_unassigned"', '"approved"'),
        ("posting policy changed", "approval", '"approved"', '"approved_or_unassigned"'),
    ]


def test_what_is_set_so_already_changes_nothing(chart: Books) -> None:
    set_(chart, approval="approved", accounts_payable="2000")
    before = rows(chart)
    set_(chart, approval=" APPROVED ", accounts_payable="Accounts Payable", closed_through="none")
    assert rows(chart) == before


def test_a_default_or_a_finding_that_somebody_confirms_is_a_decision(chart: Books) -> None:
    found(chart)
    set_(chart, payments="direct", accounts_payable="2000")
    origins = {one.setting.name: one.source for one in policy_report(chart.conn, KEY).settings}
    assert (origins["payments"], origins["accounts_payable"]) == (Source.DECIDED, Source.DECIDED)
    assert (origins["accounts_receivable"], origins["late"]) == (Source.FOUND, Source.DEFAULT)


@pytest.mark.parametrize("typed", ["L-20", "21", "Accounts Payable", "liabilities:accounts  payable"])
def test_an_account_is_known_by_id_number_full_name_and_plain_name(books: Books, typed: str) -> None:
    books.ledger_account("L", "Liabilities", "OTHER_CURRENT_LIABILITY", postable=False)
    books.ledger_account("L-20", "Accounts Payable", "ACCOUNTS_PAYABLE", number="21", parent_id="L")
    books.ledger_account("L-99", "Accounts payable", "ACCOUNTS_PAYABLE", number="99", active=False)

    changed = change_policy(books.conn, KEY, {"accounts_payable": typed}, ADA, NOW)

    assert (changed.policy.accounts_payable, policy(books).accounts_payable) == ("L-20", "L-20")


def test_a_name_of_several_accounts_is_refused_with_their_ids(chart: Books) -> None:
    chart.ledger_account("2301", "Deposits", "OTHER_CURRENT_LIABILITY")
    said = refused(chart, unapplied_receipts="deposits")
    assert "'deposits' could be several accounts. Give the id of the one you mean: 2300 (Deposits), 2301" in said


REFUSED = {
    "unknown account": ({"accounts_payable": "ID"}, "no account 'ID'. It can be: 2000 Accounts Payable."),
    "another type": ({"accounts_payable": "1000"}, "1000 Checking: it is of the type bank, not accounts payable"),
    "receivable as payable": ({"accounts_payable": "1200"}, "is of the type accounts receivable, not accounts payable"),
    "control account as clearing": (
        {"payables_clearing": "2000"},
        "is of the type accounts payable, which is for that",
    ),
    "control account for receipts": ({"unapplied_receipts": "1200"}, "is of the type accounts receivable"),
    "inactive": ({"exchange_gain_loss": "7001"}, "7001 Gone: it is inactive in the ledger"),
    "header": ({"exchange_gain_loss": "7002"}, "it takes no entries"),
    "header by type": ({"exchange_gain_loss": "7003"}, "it takes no entries"),
    "two purposes": (
        {"payables_clearing": "1050", "unapplied_receipts": "1050"},
        "payables_clearing cannot be 1050 Money Out: unapplied_receipts is that account already",
    ),
    "payments": ({"payments": "clearin"}, "cannot be 'clearin'. Did you mean clearing? It can be direct or clearing."),
    "no payments": ({"payments": "none"}, "payments cannot be empty. It can be direct or clearing."),
    "no accounts payable": ({"accounts_payable": ""}, "accounts_payable cannot be empty"),
    "approval": ({"approval": "all"}, "It can be approved or approved_or_unassigned."),
    "no date": ({"closed_through": "2025-02-30"}, "'2025-02-30'. It can be a date such as 2025-12-31, or none."),
    "a date in another form": ({"closed_through": "20251231"}, "It can be a date such as 2025-12-31, or none."),
    "late": ({"late": "never"}, "late cannot be 'never'. It can be next_open_day or hold."),
    "currency": ({"home_currency": "dollars and cents"}, "It can be the ISO 4217 code of a currency, such as USD."),
    "no currency": ({"home_currency": "none"}, "home_currency cannot be empty"),
    "unknown setting": ({"payment": "direct"}, "There is no setting 'payment'. Did you mean payments? Known are: acc"),
    "all or none": ({"approval": "approved", "late": "never"}, "late cannot be 'never'"),
}


@pytest.mark.parametrize(("values", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_with_what_can(chart: Books, values: dict[str, str], said: str) -> None:
    chart.ledger_account("7001", "Gone", "OTHER_INCOME", active=False)
    chart.ledger_account("7002", "Header", "OTHER_INCOME", postable=False)
    chart.ledger_account("7003", "Statistics", "NON_POSTING")
    assert said in refused(chart, **values)


def test_both_directions_may_share_a_clearing_account_and_purposes_may_change_places(chart: Books) -> None:
    set_(chart, payables_clearing="1050", receivables_clearing="1050", unapplied_receipts="2300")
    set_(chart, unapplied_receipts="7000", exchange_gain_loss="2300")
    assert policy(chart).exchange_gain_loss == "2300"


def test_without_a_chart_of_accounts_the_way_to_one_is_told(books: Books) -> None:
    said = refused(books, accounts_payable="2000")
    assert said.endswith("not loaded yet: billcom ledger import acme-us --accounts accounts.csv")


def test_what_somebody_typed_is_quoted_bounded(chart: Books) -> None:
    said = refused(chart, accounts_payable="\x1b[2J" + "x" * 500)
    assert ("\x1b" in said, "x" * 100 in said) == (False, False)


def test_an_unknown_integration_has_no_policy(chart: Books) -> None:
    for attempt in (
        lambda: posting_policy(chart.conn, "nobody"),
        lambda: store_found(chart.conn, "nobody", NOW),
        lambda: change_policy(chart.conn, "nobody", {"late": "hold"}, ADA, NOW),
    ):
        with pytest.raises(UnknownIntegration):
            attempt()


# What holds for all entries together ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["vendor_payments", "money_movements", "receivable_payments"])
def test_payments_change_only_with_a_repost_once_one_stands(chart: Books, kind: str) -> None:
    posted(chart, "bills")
    posted(chart, kind)

    assert refused(chart, payments="clearing") == (
        "payments cannot change from direct to clearing alone: 1 entry stands that was posted with direct, and the two "
        "do not add up. To post them again with clearing: billcom books acme-us repost --set payments=clearing"
    )

    set_(chart, payments="direct")
    posted(chart, kind, 2, reverses=1)
    set_(chart, payments="clearing")
    posted(chart, kind, 3)
    change_policy(chart.conn, KEY, {"payments": "direct"}, ADA, NOW, reposted=True)
    assert policy(chart).payments == "direct"


def test_another_account_changes_nothing_that_is_posted_and_says_so(chart: Books) -> None:
    assert set_(chart, payables_clearing="1050") == ()
    posted(chart, "bills")
    assert set_(chart, payables_clearing="1060") == (
        "What is posted stays as it is. To see what the change would do to it: billcom books acme-us repost",
    )
    assert set_(chart, late="hold") == ()


def test_a_period_that_is_opened_again_is_told(chart: Books) -> None:
    assert set_(chart, closed_through="2025-12-31") == ()
    assert policy(chart).closed_through == date(2025, 12, 31)
    assert set_(chart, closed_through="2026-01-31") == ()
    assert set_(chart, closed_through="2025-11-30") == (
        "The period from 2025-12-01 to 2026-01-31 is open again: new entries may be dated in it.",
    )
    assert set_(chart, closed_through="none") == (
        "No period is closed any more: the days up to 2025-11-30 are open again for new entries.",
    )
    assert policy(chart).closed_through is None
    (note,) = set_(chart, closed_through=str(LATER.date()))
    assert "is not over yet" in note


def test_a_day_that_has_not_come_is_not_closed(chart: Books) -> None:
    said = refused(chart, closed_through=str(LATER.date() + timedelta(days=1)))
    assert f"that day has not come yet, and new entries would be dated after it. It can be {LATER.date()} or" in said


def test_the_home_currency_is_kept_in_one_place_with_its_history_in_the_policy(chart: Books) -> None:
    set_(chart, home_currency="euro")
    assert (policy(chart).home_currency, home_currency(chart.conn, KEY)) == ("EUR", "EUR")
    keep_books_in(chart.conn, KEY, "CAD", actor=ADA, now=LATER)
    assert (policy(chart).home_currency, policy(chart).version) == ("CAD", 2)
    changes = [(one.previous, one.value, one.set_by) for one in policy_changes(chart.conn, KEY)]
    assert changes == [("USD", "EUR", "ada"), ("EUR", "CAD", "ada")]


def test_the_home_currency_stays_while_entries_stand_in_it(chart: Books) -> None:
    posted(chart, "bills")
    said = refused(chart, home_currency="EUR")
    assert said.endswith("billcom books acme-us repost --set home_currency=EUR")
    with pytest.raises(InvalidSetting, match="cannot change from USD to EUR alone"):
        keep_books_in(chart.conn, KEY, "EUR", actor=ADA, now=LATER)
    assert (home_currency(chart.conn, KEY), rows(chart)) == ("USD", 0)


# What is missing ------------------------------------------------------------------------------------------------------


def missing(books: Books) -> list[tuple[str, str]]:
    found = missing_settings(books.conn, KEY, proposed_policy(books.conn, KEY))
    return [(str(one), one.command) for one in found]


def test_without_a_chart_the_command_is_the_one_that_loads_it(books: Books) -> None:
    assert missing(books) == [("accounts payable is not set", "billcom ledger import acme-us --accounts accounts.csv")]


def test_what_documents_need_is_missing_with_its_command(books: Books) -> None:
    books.ledger_account("6100", "Rent", "EXPENSE")
    payable = ("accounts payable is not set", "billcom policy acme-us set accounts_payable=ID")
    assert missing(books) == [payable]
    set_(books, payments="clearing")
    assert missing(books) == [
        payable,
        ("payables clearing is not set", "billcom policy acme-us set payables_clearing=ID"),
        ("receivables clearing is not set", "billcom policy acme-us set receivables_clearing=ID"),
    ]


def test_what_would_be_found_is_not_missing(chart: Books) -> None:
    assert missing(chart) == []
    stored = missing_settings(chart.conn, KEY, policy(chart))
    assert [str(one) for one in stored] == ["accounts payable is not set"]


def test_what_documents_wait_for_is_missing_too(chart: Books) -> None:
    found(chart)
    message = REASONS["POLICY_MISSING"].cause.format(names="exchange_gain_loss")
    for id_, status in (("stp1", "open"), ("stp2", "open"), ("stp3", "ignored"), ("stp4", "resolved")):
        waiting(chart, id_, message, status)
    assert missing(chart) == [
        (
            "exchange gain loss is not set; 2 documents wait for it",
            "billcom policy acme-us set exchange_gain_loss=ID",
        )
    ]
    chart.ledger_account("7900", "Exchange", "OTHER_EXPENSE")
    set_(chart, exchange_gain_loss="7900")
    assert missing(chart) == []


def test_an_account_that_went_out_of_use_shows_in_the_report(chart: Books) -> None:
    found(chart)
    chart.conn.execute(update(ledger_accounts).where(ledger_accounts.c.id == "2000").values(active=False))
    chart.conn.execute(ledger_accounts.delete().where(ledger_accounts.c.id == "1200"))
    problems = {one.setting.name: one.problem for one in policy_report(chart.conn, KEY).settings if one.problem}
    assert problems == {
        "accounts_payable": "is inactive in the ledger",
        "accounts_receivable": "is not in the ledger any more",
    }


def test_the_policy_has_exactly_the_declared_settings() -> None:
    assert [field.name for field in fields(PostingPolicy)] == ["version", *SETTINGS]
    assert {name for name, one in SETTINGS.items() if one.takes is Takes.ACCOUNT} == ACCOUNT_SETTINGS
    assert all(one.default in one.choices for one in SETTINGS.values() if one.choices)
    assert all(one.explanation.endswith(".") for one in SETTINGS.values())
