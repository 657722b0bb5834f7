"""The settings of the posting policy as data: what each decides, what values it takes, and when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from billcom_assets.ledger.account_types import AccountType

DIRECT: Final = "direct"
"""A payment leaves the bank's account at once."""
CLEARING: Final = "clearing"
"""BILL's clearing account stands between a payment and the bank."""
APPROVED: Final = "approved"
APPROVED_OR_UNASSIGNED: Final = "approved_or_unassigned"
NEXT_OPEN_DAY: Final = "next_open_day"
HOLD: Final = "hold"
NONE: Final = "none"
"""Clears a setting."""

CONTROL_TYPES: Final = frozenset({AccountType.ACCOUNTS_PAYABLE, AccountType.ACCOUNTS_RECEIVABLE})
"""Types of the accounts that a subledger explains, party by party."""


class Takes(StrEnum):
    """What a setting is set to."""

    ACCOUNT = "the id, number or name of an account of the ledger"
    CHOICE = "one of a few values"
    DAY = "a date such as 2025-12-31"
    CURRENCY = "the ISO 4217 code of a currency, such as USD"


class Needed(StrEnum):
    """When documents cannot do without a value."""

    ALWAYS = "always"
    WITH_CLEARING = "with payments=clearing"
    ON_USE = "when a document first uses it"
    NEVER = "never"


class Role(StrEnum):
    """What the account of a setting is for; one account can serve in one role only."""

    PAYABLE = "payable"
    RECEIVABLE = "receivable"
    CLEARING = "clearing"
    """Both directions may share one."""
    UNAPPLIED = "unapplied"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the posting policy."""

    name: str
    explanation: str
    """What it decides, in one sentence."""
    takes: Takes
    needed: Needed = Needed.NEVER
    default: str | None = None
    """What holds while nothing is stored; None for nothing."""
    choices: tuple[str, ...] = ()
    role: Role | None = None
    """Of a ledger account."""
    type: AccountType | None = None
    """The type that the account must have; None for any but accounts payable and receivable."""
    account_in_bill: str = ""
    """What the name of BILL's own account for it contains."""
    named_on_payments: bool = False
    """Whether BILL's payments name that account too, which counts for more than what it is called."""
    posted_with: tuple[str, ...] = ()
    """Kinds of documents whose standing entries forbid another value, because old and new ones do not go together."""

    @property
    def words(self) -> str:
        """Its name as people say it."""
        return self.name.replace("_", " ")

    @property
    def may_be_empty(self) -> bool:
        """Whether it can be set to nothing."""
        return self.default is None and self.needed is not Needed.ALWAYS

    @property
    def values(self) -> str:
        """What it can be set to, in words."""
        taken = " or ".join(self.choices) if self.choices else self.takes.value
        return f"{taken}, or {NONE}" if self.may_be_empty else taken


_MONEY = ("vendor_payments", "receivable_payments", "money_movements")
_DOCUMENTS = ("bills", "vendor_credits", "invoices", "credit_memos", *_MONEY)

SETTINGS: Final[dict[str, Setting]] = {
    setting.name: setting
    for setting in (
        Setting(
            "accounts_payable",
            "What the company owes its vendors: bills raise it, payments and vendor credits reduce it.",
            Takes.ACCOUNT,
            Needed.ALWAYS,
            role=Role.PAYABLE,
            type=AccountType.ACCOUNTS_PAYABLE,
        ),
        Setting(
            "accounts_receivable",
            "What customers owe the company: invoices raise it, received payments and credit memos reduce it.",
            Takes.ACCOUNT,
            Needed.ON_USE,
            role=Role.RECEIVABLE,
            type=AccountType.ACCOUNTS_RECEIVABLE,
        ),
        Setting(
            "payments",
            "Where the cash of a payment goes: direct takes it from the bank's account at once, clearing from BILL's "
            "clearing account until the lump sum on the bank statement fills that again.",
            Takes.CHOICE,
            default=DIRECT,
            choices=(DIRECT, CLEARING),
            posted_with=_MONEY,
        ),
        Setting(
            "payables_clearing",
            "Money on its way from the company's bank account to vendors.",
            Takes.ACCOUNT,
            Needed.WITH_CLEARING,
            role=Role.CLEARING,
            account_in_bill="Money Out Clearing",
            named_on_payments=True,
        ),
        Setting(
            "receivables_clearing",
            "Money on its way from customers to the company's bank account.",
            Takes.ACCOUNT,
            Needed.WITH_CLEARING,
            role=Role.CLEARING,
            account_in_bill="Money In Clearing",
        ),
        Setting(
            "unapplied_receipts",
            "Money received from customers that settles no invoice yet.",
            Takes.ACCOUNT,
            Needed.ON_USE,
            role=Role.UNAPPLIED,
        ),
        Setting(
            "exchange_gain_loss",
            "What a bill or invoice in another currency gains or loses between its posting and its settlement.",
            Takes.ACCOUNT,
            Needed.ON_USE,
            role=Role.EXCHANGE,
        ),
        Setting(
            "approval",
            "Which bills may post: those that were approved alone, or also those that nobody has to approve.",
            Takes.CHOICE,
            default=APPROVED_OR_UNASSIGNED,
            choices=(APPROVED, APPROVED_OR_UNASSIGNED),
        ),
        Setting(
            "closed_through",
            "Last day of the closed period: no new entry is dated on it or before.",
            Takes.DAY,
        ),
        Setting(
            "late",
            "What becomes of a document that belongs to the closed period: next_open_day posts it on the day after, "
            "hold keeps it out of the books.",
            Takes.CHOICE,
            default=NEXT_OPEN_DAY,
            choices=(NEXT_OPEN_DAY, HOLD),
        ),
        Setting(
            "home_currency",
            "The currency that the company keeps its books in.",
            Takes.CURRENCY,
            default="USD",
            posted_with=_DOCUMENTS,
        ),
    )
}
"""In the order in which they are shown."""
