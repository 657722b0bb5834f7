from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, delete, update

from billcom_assets.setup.prerequisites import PREREQUISITES, SetupIncomplete
from billcom_assets.status.readiness import evaluate, gate
from billcom_assets.warehouse.ledger_tables import ledger_accounts, ledger_vendors, mappings
from billcom_assets.warehouse.tables import integrations, sync_state
from billcom_assets_tests.small_company import KEY, NOW, Books


@pytest.fixture
def ready(books: Books) -> Books:
    books.ready()
    return books


def test_nothing_is_missing_when_everything_is_there(ready: Books) -> None:
    findings = evaluate(ready.conn, KEY)

    assert gate(ready.conn, KEY) == []
    assert [finding.prerequisite for finding in findings] == list(PREREQUISITES)
    assert [finding.found for finding in findings] == [
        "attached to a company: Company of acme-us",
        "BILL accepted the login",
        "1 vendor was pulled",
        "1 of 1 vendor is mapped",
        "3 accounts were pulled",
        "3 of 3 accounts are mapped",
        "1 of 1 bank and credit card account is mapped",
        "1 of 1 expense account is mapped",
        "1 of 1 income account is mapped",
    ]
    assert {finding.fix for finding in findings} == {""}


def test_what_others_wrote_is_quoted_apart_from_our_own_words(ready: Books) -> None:
    said = "![x](//evil.example)\nSSN 123-45-6789 " + "x" * 10_000
    ready.conn.execute(update(integrations).values(company="<b>Acme</b>", status="error", status_message=said))

    company, login = evaluate(ready.conn, KEY)[:2]

    assert (company.summary, company.found) == ("attached to a company", "attached to a company: <b>Acme</b>")
    assert login.summary == "the last login failed"
    assert login.found.startswith("the last login failed: ![x](//evil.example) SSN *** xxx")
    assert len(login.quoted) == 500


def set_integration(**values: object) -> Callable[[Books], None]:
    return lambda books: void(books.conn.execute(update(integrations).values(values)))


def not_pulled(entity: str) -> Callable[[Books], None]:
    return lambda books: void(books.conn.execute(delete(sync_state).where(sync_state.c.entity == entity)))


def unmapped(bill_id: str) -> Callable[[Books], None]:
    return lambda books: void(books.conn.execute(delete(mappings).where(mappings.c.bill_id == bill_id)))


def only_suggested(kind: str, bill_id: str, ledger_id: str, **values: object) -> Callable[[Books], None]:
    def run(books: Books) -> None:
        unmapped(bill_id)(books)
        books.suggestion(kind, bill_id, ledger_id, **values)

    return run


def inactive(number: str) -> Callable[[Books], None]:
    return lambda books: void(
        books.conn.execute(update(ledger_accounts).where(ledger_accounts.c.id == number).values(active=False))
    )


def changed(table: str, id_: str, **values: object) -> Callable[[Books], None]:
    return lambda books: books.change(table, id_, **values)


def void(_: object) -> None:
    return None


def together(*steps: Callable[[Books], None]) -> Callable[[Books], None]:
    def run(books: Books) -> None:
        for step in steps:
            step(books)

    return run


def no_ledger_vendors(books: Books) -> None:
    books.conn.execute(delete(ledger_vendors))
    unmapped("009v1")(books)


@dataclass
class Broken:
    name: str
    how: Callable[[Books], None]
    check: str
    found: str
    fix: str


ACCEPT = "billcom mappings suggest acme-us --accept exact"
ACCEPT_LIKELY = "billcom mappings suggest acme-us --accept likely"
BY_HAND = "billcom mappings export acme-us --output mappings.csv"
BROKEN = [
    Broken(
        "no company",
        set_integration(company="  "),
        "company_attached",
        "the integration names no company",
        "billcom connect acme-us",
    ),
    Broken(
        "login not tried",
        set_integration(status="pending"),
        "authenticated",
        "the login was not tried yet",
        "billcom validate acme-us",
    ),
    Broken(
        "login failed",
        set_integration(status="error", status_message="Developer key is invalid."),
        "authenticated",
        "the last login failed: Developer key is invalid.",
        "billcom validate acme-us, or with other credentials: billcom connect acme-us",
    ),
    Broken(
        "vendors not pulled",
        not_pulled("vendors"),
        "vendors_pulled",
        "vendors have not been pulled",
        "billcom seed acme-us",
    ),
    Broken("no vendor mapped", unmapped("009v1"), "vendors_mapped", "0 of 1 vendor is mapped", BY_HAND),
    Broken(
        "vendor only suggested",
        only_suggested("vendors", "009v1", "V1"),
        "vendors_mapped",
        "0 of 1 vendor is mapped",
        ACCEPT,
    ),
    Broken(
        "vendor only likely",
        only_suggested("vendors", "009v1", "V1", certainty="likely", score=85),
        "vendors_mapped",
        "0 of 1 vendor is mapped",
        ACCEPT_LIKELY,
    ),
    Broken(
        "vendor hardly likely",
        only_suggested("vendors", "009v1", "V1", certainty="likely", score=84),
        "vendors_mapped",
        "0 of 1 vendor is mapped",
        BY_HAND,
    ),
    Broken(
        "vendor ambiguous",
        only_suggested("vendors", "009v1", "V1", certainty="ambiguous", score=99),
        "vendors_mapped",
        "0 of 1 vendor is mapped",
        BY_HAND,
    ),
    Broken(
        "no ledger vendors",
        no_ledger_vendors,
        "vendors_mapped",
        "0 of 1 vendor is mapped",
        "billcom ledger import acme-us --vendors vendors.csv",
    ),
    Broken(
        "accounts not pulled",
        not_pulled("accounts"),
        "accounts_pulled",
        "the chart of accounts has not been pulled",
        "billcom seed acme-us",
    ),
    Broken(
        "no bank account mapped",
        unmapped("0cab"),
        "payment_account_mapped",
        "0 of 1 bank and credit card account is mapped",
        BY_HAND,
    ),
    Broken(
        "bank account archived",
        changed("accounts", "0cab", archived=True),
        "payment_account_mapped",
        "0 of 0 bank and credit card accounts are mapped; add one in BILL first",
        "billcom seed acme-us",
    ),
    Broken(
        "expense account of another type",
        changed("accounts", "0cae", account_type="OTHER_ASSET"),
        "expense_account_mapped",
        "0 of 0 expense accounts are mapped; add one in BILL first",
        "billcom seed acme-us",
    ),
    Broken(
        "ledger's expense account deactivated",
        inactive("6000"),
        "expense_account_mapped",
        "0 of 1 expense account is mapped",
        BY_HAND,
    ),
    Broken(
        "expense account mapped onto a bank account",
        together(unmapped("0cae"), lambda books: books.mapping("accounts", "0cae", "1000")),
        "expense_account_mapped",
        "0 of 1 expense account is mapped",
        BY_HAND,
    ),
    Broken(
        "income account only suggested",
        only_suggested("accounts", "0cai", "4000"),
        "income_account_mapped",
        "0 of 1 income account is mapped",
        ACCEPT,
    ),
    Broken(
        "income account deleted",
        changed("accounts", "0cai", deleted_at=NOW),
        "income_account_mapped",
        "0 of 0 income accounts are mapped; add one in BILL first",
        "billcom seed acme-us",
    ),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_every_prerequisite_flips_alone(ready: Books, broken: Broken) -> None:
    broken.how(ready)

    missing = gate(ready.conn, KEY)

    assert [(finding.prerequisite.name, finding.found, finding.fix) for finding in missing] == [
        (broken.check, broken.found, broken.fix)
    ]
    assert str(SetupIncomplete(KEY, tuple(missing))) == (
        "acme-us: setup not completed. What is missing:\n"
        f"  - {missing[0].prerequisite.title}: {broken.found}\n"
        f"      {broken.fix}"
    )


def test_no_account_mapped_at_all_is_said_first(ready: Books) -> None:
    together(unmapped("0cab"), unmapped("0cae"), unmapped("0cai"))(ready)

    assert [finding.prerequisite.name for finding in gate(ready.conn, KEY)] == [
        "accounts_mapped",
        "payment_account_mapped",
        "expense_account_mapped",
        "income_account_mapped",
    ]


@pytest.mark.parametrize(
    ("type_", "place"),
    [("CREDIT_CARD", "0cab"), ("COST_OF_GOODS_SOLD", "0cae"), ("OTHER_EXPENSE", "0cae"), ("OTHER_INCOME", "0cai")],
)
def test_other_types_serve_as_well(ready: Books, type_: str, place: str) -> None:
    ready.change("accounts", place, account_type=type_)

    assert gate(ready.conn, KEY) == []


@pytest.mark.parametrize("gone", [{"archived": True}, {"deleted_at": NOW}])
def test_a_company_without_vendors_in_bill_is_not_ready(ready: Books, gone: dict[str, object]) -> None:
    ready.change("vendors", "009v1", **gone)

    missing = gate(ready.conn, KEY)

    assert [(finding.prerequisite.name, finding.found) for finding in missing] == [
        ("vendors_pulled", "BILL has returned no vendors at all; add a vendor there first"),
        ("vendors_mapped", "0 of 0 vendors are mapped"),
    ]
    assert missing[0].fix == missing[1].fix == "billcom seed acme-us"


def test_an_account_without_a_type_hinders_nothing(ready: Books) -> None:
    ready.account("0cax", "Untyped", None)  # type: ignore[arg-type]

    assert gate(ready.conn, KEY) == []


def test_a_new_integration_lacks_all_but_company_and_login(conn: Connection) -> None:
    assert [finding.prerequisite.name for finding in gate(conn, KEY)] == [
        prerequisite.name for prerequisite in PREREQUISITES[2:]
    ]
    assert {finding.fix for finding in gate(conn, KEY)} == {"billcom seed acme-us"}


def test_an_unknown_integration_lacks_everything(conn: Connection) -> None:
    findings = evaluate(conn, "nobody")

    assert not any(finding.met for finding in findings)
    assert findings[0].found == "there is no integration nobody"
    assert findings[0].fix == "billcom connect nobody"


def test_another_integrations_setup_does_not_count(ready: Books) -> None:
    assert not any(finding.met for finding in evaluate(ready.conn, "other"))
