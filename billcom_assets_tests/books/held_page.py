"""Writes ``docs/held-documents.md``: why documents are not in the books, and what to do about it.

python -m billcom_assets_tests.books.held_page
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from billcom_assets.books.held import REASONS
from billcom_assets.mapping.kinds import KINDS as MAPPED

PAGE = Path(__file__).parents[2] / "docs" / "held-documents.md"
KEY = "acme-us"
_CERTAIN = "`billcom mappings suggest acme-us --accept exact` maps what is certain."


class Subject(NamedTuple):
    """What is to blame in an example."""

    kind: str
    names: str


class Explained(NamedTuple):
    """A reason in words."""

    why: str
    to_do: str
    """With ``{command}`` for the one that the error itself names."""
    subject: Subject = Subject("", "")


def _unmapped(why: str, kind: str, name: str) -> Explained:
    to_do = (
        f"{_CERTAIN} For the rest: {{command}}, write each counterpart into its column `ledger_id`, then "
        f"`billcom mappings import acme-us {kind}-mappings.csv`"
    )
    return Explained(why, to_do, Subject(kind, f"{name} (…)"))


_READ_IT = "The next sync reads that and posts it; at once: {command}"

EXPLAINED: dict[str, Explained] = {
    "NOT_APPROVED": Explained(
        "Nobody has approved it in BILL yet, or BILL tells no approval that is known. With the setting "
        "`approval=approved` a document that needs nobody's approval counts as not approved either.",
        "Have it approved in BILL. If documents without an approver are to post: "
        "`billcom policy acme-us set approval=approved_or_unassigned`. " + _READ_IT,
    ),
    "DENIED": Explained(
        "An approver has rejected it in BILL. What was posted before that stays in the books.",
        "Correct it and have it approved, or archive it in BILL: then it is out of scope. " + _READ_IT,
    ),
    "VENDOR_UNMAPPED": _unmapped(
        "The ledger's counterpart of the vendor is not decided, or the vendor was left unmapped by hand.",
        "vendors",
        "Acme Supplies",
    ),
    "CUSTOMER_UNMAPPED": _unmapped(
        "The ledger's counterpart of the customer is not decided, or the customer was left unmapped by hand.",
        "customers",
        "Crescent Ltd",
    ),
    "ACCOUNT_UNMAPPED": _unmapped(
        "A line is charged to an account of BILL's chart whose counterpart in the ledger is not decided. It is "
        "the line's own account, else that of its item, else (bills) that of the whole bill.",
        "accounts",
        "6100 Rent",
    ),
    "ACCOUNT_MISSING": Explained(
        "A line has no account, neither has its item, and the bill as a whole names none.",
        "Choose an account on the line in BILL, or one for the item. " + _READ_IT,
    ),
    "ACCOUNT_NOT_POSTABLE": Explained(
        "What BILL's account is mapped to only sums up other accounts, or is accounts payable, accounts receivable or "
        "a clearing account of the posting policy. A line there would change what the subledger explains.",
        "Map it to the account that the expense belongs to, or choose another account on the line in BILL: {command}",
        Subject("accounts", "2000 Accounts payable (…)"),
    ),
    "ITEM_UNMAPPED": _unmapped(
        "A line names an item, the ledger keeps items, and the counterpart is not decided. Companies whose ledger has "
        "no active items never see this.",
        "items",
        "Consulting",
    ),
    "CLASSIFICATION_UNMAPPED": _unmapped(
        "A line names a department, job, location, class or employee, the ledger keeps such, and the counterpart is "
        "not decided.",
        "departments",
        "Marketing",
    ),
    "FUNDING_ACCOUNT_UNMAPPED": _unmapped(
        "The bank account, card or BILL balance that the money leaves or reaches has no counterpart in the ledger. A "
        "card without one goes by the account that BILL books it on.",
        "funding_accounts",
        "Operating Checking",
    ),
    "PAYMENT_ACCOUNT_UNKNOWN": Explained(
        "BILL names no account for this payment: it was recorded by hand without one, or BILL shows it to other users "
        "only (BILL's v2 API, which knows most of them, is not open to every login: `billcom status acme-us` says so).",
        "Enter the account on the payment in BILL. If the payment belongs elsewhere: "
        '`billcom errors acme-us --ignore 17 --reason "Booked by hand"`. ' + _READ_IT,
    ),
    "REFERENCE_BROKEN": Explained(
        "It names a vendor, account or other object that BILL itself no longer has, and that is not mapped.",
        "Choose another one on the document in BILL. " + _READ_IT,
        Subject("accounts", "00001ACCT"),
    ),
    "STATUS_UNKNOWN": Explained(
        "BILL shows a status of a payment, or a type of a money movement, whose meaning for the books is not known. "
        "Guessing could book money that has not moved.",
        "Look at it in BILL. If it is final there, report the status to whoever maintains this program, and set the "
        'document aside until then: `billcom errors acme-us --ignore 17 --reason "Status reported"`. ' + _READ_IT,
    ),
    "DATE_MISSING": Explained(
        "Without its date nobody can say in which period it counts.", "Enter the date in BILL. " + _READ_IT
    ),
    "AMOUNT_MISMATCH": Explained(
        "The lines do not add up to the document's amount, or the bills that a payment pays not to the payment's. The "
        "entry would not balance.",
        "Correct the amounts in BILL. " + _READ_IT,
    ),
    "CURRENCY_WITHOUT_RATE": Explained(
        "It is in a foreign currency, and BILL has neither an amount in the home currency nor a rate. BILL's rates are "
        "to US dollars: where the home currency is another, every foreign document is held.",
        "A rate that BILL gets later is used. Otherwise book it by hand and set it aside: "
        '`billcom errors acme-us --ignore 17 --reason "Booked by hand at the bank\'s rate"`. ' + _READ_IT,
    ),
    "DUPLICATE_NUMBER": Explained(
        "Another bill of this vendor with the same number is in the books (capitals and spaces make no difference). "
        "Most often it was entered twice.",
        "Entered twice: archive it in BILL, or set it aside with "
        '`billcom errors acme-us --ignore 17 --reason "Entered twice"`. Two real bills: correct the number in BILL. '
        "All of them: {command}",
    ),
    "PERIOD_CLOSED": Explained(
        "It is dated on or before `closed_through` of the posting policy, which says `late=hold`.",
        "Let such documents count on the first open day: {command}. Or move the closing date back, if the period is "
        "open after all: `billcom policy acme-us set closed_through=2025-11-30`",
    ),
    "POLICY_MISSING": Explained(
        "The entry needs an account of the posting policy that is neither set nor found in the ledger.",
        "{command} says what is missing. Set it, such as `billcom policy acme-us set accounts_payable=2000`",
        Subject("", "accounts_payable"),
    ),
    "LEDGER_INACTIVE": Explained(
        "Its mapping, or a setting of the posting policy, leads to an account, vendor or other object of the ledger "
        "that is inactive or gone from the last import.",
        "Activate it in the accounting program and import the list again, such as "
        "`billcom ledger import acme-us --accounts accounts.csv`; or map to another one: {command}",
        Subject("accounts", "6100 Rent (…)"),
    ),
}
"""Every reason of ``held``."""

OUT_OF_SCOPE: dict[str, tuple[str, str]] = {
    "BEFORE_CUTOFF": (
        "dated before the cutoff; what is open of it belongs into the company's own opening balances",
        "when the cutoff moves earlier: `billcom connect acme-us --cutoff 2025-01-01`",
    ),
    "DRAFT": ("a draft in BILL, or a deleted draft", "when it is saved as a real document"),
    "ARCHIVED": ("archived in BILL (as BILL says it: deleted by a user)", "when it is restored"),
    "VOIDED": ("a payment that was voided or cancelled", "never; a void after posting is a reversal"),
    "NOT_PROCESSED": ("a payment that is scheduled, or waits for approval, or is dated later than today", "on its day"),
    "NOT_CONFIRMED": ("a money movement that the bank has not confirmed", "when it is confirmed"),
    "NOT_CLEARING": (
        "a movement between BILL's clearing account and the bank, where payments are booked on the bank directly",
        "with `billcom policy acme-us set payments=clearing`, where BILL's clearing account is to be kept in the books",
    ),
    "DELETED": ("gone from BILL", "never, unless it reappears"),
}
"""Every reason of ``scope``: what it is, and when such a document comes in."""

_SYMPTOMS = (
    (
        "A bill of last year is in BILL and not in the books; `billcom errors acme-us` does not list it",
        "It is dated before the cutoff (`BEFORE_CUTOFF`), which `billcom status acme-us` shows: the company's opening "
        "balances hold it. So are credits and payments dated before it.",
        "Nothing, if the opening balances are right. To bring it in, move the cutoff, and take what comes in out of "
        "the opening balances: `billcom connect acme-us --cutoff 2025-01-01`",
    ),
    (
        "A bill is listed as `NOT_APPROVED`, or as `DENIED`",
        "Approval in BILL is not finished, or was refused. A payment of it posts all the same: the money has moved, "
        "and stands as an advance until the bill is in.",
        "Have it approved in BILL, then `billcom sync acme-us`. Which approvals count is a setting: "
        "`billcom policy acme-us set approval=approved_or_unassigned`",
    ),
    (
        "Bills, credits and payments of one vendor are listed as `VENDOR_UNMAPPED`",
        "Nobody has decided which vendor of the ledger this is.",
        "`billcom mappings suggest acme-us --accept exact`; by hand: `billcom mappings export acme-us --kind vendors "
        "--output vendors-mappings.csv`, then `billcom mappings import acme-us vendors-mappings.csv`",
    ),
    (
        "Payments are listed as `FUNDING_ACCOUNT_UNMAPPED`",
        "The bank account or card that BILL pays from, or the balance at BILL, has no counterpart in the ledger.",
        "`billcom mappings export acme-us --kind funding_accounts --output funding_accounts-mappings.csv`, then "
        "`billcom mappings import acme-us funding_accounts-mappings.csv`",
    ),
    (
        "A payment is listed as `PAYMENT_ACCOUNT_UNKNOWN`",
        "BILL does not say what it was paid from; most often it was recorded by hand as paid outside of BILL.",
        "Enter the account on the payment in BILL, then `billcom sync acme-us`",
    ),
)

_HEAD = """# Why a document is not in the books

Every bill, vendor credit, vendor payment and money movement is in one of three states: **imported** (it is in the
books), **held** (something is to be done first; each reason is an error with its fix) or **out of scope** (nothing is
to be done). `billcom errors acme-us` lists what is held: by reason, with amounts and the command that is next, then
each document with the number (ID) of its first error. In the commands here `acme-us` stands for your integration, and
17 for an ID.

| command | what it does |
|---|---|
| `billcom errors acme-us` | lists what is open; `--all` also what is set aside or closed, `--json` every row |
| `billcom errors acme-us --reason VENDOR_UNMAPPED --kind bills` | only errors of that reason and kind |
| `billcom errors acme-us --retry 17` | posts now what can be posted, and says what became of this document |
| `billcom errors acme-us --ignore 17 --reason "Entered twice"` | sets it aside: it stays held and never posts |
| `billcom errors acme-us --reopen 17` | takes that back |

An error closes by itself: the next sync posts the document when the cause is gone. A document that was set aside
stays so, whatever becomes of its reasons. Decisions are in the audit log. In SQL, the view `held_documents` has a row
for each held document and reason.

## What is asked most often

| what you see | why | what to do |
|---|---|---|
"""
_REASONS = """
## Why a document is held

| reason | what you see | why | what to do |
|---|---|---|---|
"""
_SCOPE = """
## What is out of scope

`ledger_documents.reason` says which. Before the cutoff nothing is kept but what is still open (`opening_documents`).

| reason | what it is | when it comes in |
|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    reasons = [_row(f"`{code}`", _seen(code), EXPLAINED[code].why, _to_do(code)) for code in REASONS]
    scope = [_row(f"`{code}`", *words) for code, words in OUT_OF_SCOPE.items()]
    parts = (_HEAD, _lines(_row(*one) for one in _SYMPTOMS), _REASONS, _lines(reasons), _SCOPE, _lines(scope))
    return "".join(parts)


def _seen(code: str) -> str:
    subject = EXPLAINED[code].subject
    title = MAPPED[subject.kind].title if subject.kind else "setting"
    return REASONS[code].cause.format(names=subject.names, title=title)


def _to_do(code: str) -> str:
    explained = EXPLAINED[code]
    command = REASONS[code].command.format(key=KEY, kind=explained.subject.kind)
    return explained.to_do.format(command=f"`{command}`")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
