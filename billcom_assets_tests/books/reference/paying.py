"""What a payment consists of, and the account that the money leaves or reaches."""

from __future__ import annotations

from dataclasses import replace

from billcom_assets_tests.books.reference.money import ZERO
from billcom_assets_tests.books.reference.references import NOWHERE, References
from billcom_assets_tests.books.reference.snapshot import (
    WALLET,
    FundingAccount,
    ReceivedPayment,
    Settled,
    Snapshot,
    VendorPayment,
)

_BANK = "BANK_ACCOUNT"
_CARD = "CARD_ACCOUNT"


def cash_parts(payment: VendorPayment) -> tuple[Settled, ...] | None:
    """What is paid of each bill, without credits used beside it; None where the parts are not the payment's amount."""
    total = payment.amount or ZERO
    if not payment.parts:
        return (Settled(document=payment.bill, amount=total),) if payment.bill is not None else ()
    if sum(part.amount or ZERO for part in payment.parts) == total:
        return payment.parts
    cash = tuple(replace(part, amount=(part.amount or ZERO) - sum(part.credits)) for part in payment.parts)
    return cash if sum(part.amount or ZERO for part in cash) == total else None


def named_account(payment: VendorPayment) -> tuple[str, str | None]:
    """The account that BILL names for a payment, as its list or funding type and its id."""
    if payment.online is False:
        return "accounts", payment.account or payment.recorded_account
    wallet = WALLET if payment.funding_type == WALLET else None
    if payment.funding_id or wallet:
        return payment.funding_type or "", payment.funding_id or wallet
    if payment.bank_account is not None:
        return _BANK, payment.bank_account
    if payment.card_account is not None:
        return _CARD, payment.card_account
    return payment.funding_type or "", None


def paying_account(payment: VendorPayment, references: References) -> str:
    """The ledger account that a payment to a vendor leaves."""
    type_, id_ = named_account(payment)
    if payment.online is False:
        if id_ is None:
            return _unknown(references)
        return references.account(id_)
    if references.policy.clears and _is_bank_or_nothing(type_, id_, references.snapshot):
        return references.setting("payables_clearing")
    return _unknown(references) if id_ is None else references.funding(id_)


def receiving_account(payment: ReceivedPayment, references: References) -> str:
    """The ledger account that money of a customer reaches."""
    if payment.online is not False and references.policy.clears:
        return references.setting("receivables_clearing")
    id_ = payment.funding_id or (WALLET if payment.funding_type == WALLET else None)
    return _unknown(references) if id_ is None else references.funding(id_)


def _is_bank_or_nothing(type_: str, id_: str | None, snapshot: Snapshot) -> bool:
    if type_:
        return type_ == _BANK
    found = snapshot.find("funding_accounts", id_)
    return not isinstance(found, FundingAccount) or found.kind == _BANK


def _unknown(references: References) -> str:
    references.codes.add("PAYMENT_ACCOUNT_UNKNOWN")
    return NOWHERE
