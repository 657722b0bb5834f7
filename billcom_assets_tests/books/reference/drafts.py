"""The entry that a document would make by itself, before anything that it settles is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from billcom_assets_tests.books.reference.charges import adds_up, line_amounts, tax_of
from billcom_assets_tests.books.reference.content import Content, content_of
from billcom_assets_tests.books.reference.entries import Line
from billcom_assets_tests.books.reference.money import ZERO, half_even, home_shares
from billcom_assets_tests.books.reference.paying import cash_parts, paying_account, receiving_account
from billcom_assets_tests.books.reference.policy import Policy
from billcom_assets_tests.books.reference.references import References
from billcom_assets_tests.books.reference.scope import PAYMENT_STATUSES, accepted_void_day
from billcom_assets_tests.books.reference.snapshot import (
    BILLS,
    DIMENSIONS,
    INVOICES,
    WALLET,
    Bill,
    Charged,
    CreditMemo,
    Document,
    Invoice,
    MoneyMovement,
    ReceivedPayment,
    Settled,
    Snapshot,
    VendorCredit,
    VendorPayment,
)

_KNOWN_APPROVALS = ("UNASSIGNED", "ASSIGNED", "APPROVED", "APPROVING", "DENIED")
_POSTABLE_APPROVALS = {"approved": ("APPROVED",), "approved_or_unassigned": ("APPROVED", "UNASSIGNED")}
_DOLLAR = "USD"
_ONLY_CONTROL = 0
"""Where the one control line of a charged document is."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """An amount that the document settles of another one.

    Attributes:
        control: Place of the control line in the draft that carries it.
        position: Place in BILL's list.
        amount: In the document's currency; negative for the opposite of a payment.
        home: The part's own value in the home currency.
        payment: Payment in which a vendor credit was used.
    """

    control: int
    position: int
    settled_kind: str
    settled_id: str
    amount: Decimal
    home: Decimal
    payment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a document would post.

    Attributes:
        document_date: The day it is of.
        dated: Its posting date before cutoff and closed periods are looked at.
        codes: Why it may not post; its lines mean something only without any.
        side: 1 where settlements debit the control account, -1 where they credit it, 0 without a control account.
    """

    document_date: date | None
    dated: date | None
    currency: str
    amount: Decimal
    home_amount: Decimal | None
    lines: tuple[Line, ...]
    parts: tuple[Part, ...]
    side: int
    opposite: bool
    content: Content
    codes: frozenset[str]

    @property
    def makes_an_entry(self) -> bool:
        return any(line.amount or line.home for line in self.lines)


@dataclass
class _Making:
    """A document while its draft is made."""

    document: Any
    snapshot: Snapshot
    policy: Policy
    opposite: bool
    references: References
    booked: Decimal | None = None
    """What it was booked at in the home currency, which stays."""

    @property
    def home_currency(self) -> str:
        return self.policy.home_currency

    @property
    def currency(self) -> str:
        return self.snapshot.currency(self.document) or self.home_currency

    @property
    def amount(self) -> Decimal:
        found: Decimal | None = self.document.amount
        return ZERO if found is None else found

    def home_amount(self) -> Decimal | None:
        """The total in the home currency; None where BILL gives no rate."""
        if self.booked is not None:
            return self.booked
        if self.currency == self.home_currency:
            return self.amount
        if self.home_currency != _DOLLAR:
            return None
        funding: Decimal | None = getattr(self.document, "funding_amount", None)
        if funding is not None:
            return half_even(funding, self.home_currency) if self.amount else ZERO
        rate: Decimal | None = getattr(self.document, "exchange_rate", None)
        return half_even(self.amount * rate, self.home_currency) if rate else None

    def shares(self, amounts: Sequence[Decimal]) -> list[Decimal]:
        """What the parts of the total are in the home currency."""
        if self.currency == self.home_currency:
            return list(amounts)
        rate = getattr(self.document, "exchange_rate", None)
        return home_shares(self.home_amount() or ZERO, amounts, self.amount, self.home_currency, rate=rate)

    def line(self, role: str, account: str, home: Decimal, amount: Decimal, **more: Any) -> Line:
        return Line(role=role, account=account, home=home, currency=self.currency, amount=amount, **more)

    def control(self, setting: str, home: Decimal, amount: Decimal, **more: Any) -> Line:
        account = self.references.setting(setting) if amount else ""
        ledger_party = self.references.party(self.document.party_kind, self.document.party)
        return self.line("control", account, home, amount, party=self.document.party, ledger_party=ledger_party, **more)


def draft_of(
    document: Document, snapshot: Snapshot, policy: Policy, *, opposite: bool, booked: Decimal | None = None
) -> Draft:
    """What the document would post under the policy.

    Args:
        document: The document.
        snapshot: What else is known.
        policy: The posting policy.
        opposite: Whether it posts as the opposite of the payment that it was.
        booked: What it was booked at in the home currency, for a document that is posted again with the same content.
    """
    making = _Making(document, snapshot, policy, opposite, References(snapshot, policy), booked)
    day = accepted_void_day(document) if opposite and isinstance(document, VendorPayment) else document.date
    dated = day and (getattr(document, "gl_posting_date", None) or day)
    codes = making.references.codes
    codes |= _common_codes(making)
    side, lines, parts = _MAKERS[type(document)](making)
    home = making.home_amount()
    return Draft(
        document_date=day,
        dated=dated,
        currency=making.currency,
        amount=-making.amount if opposite else making.amount,
        home_amount=-home if opposite and home is not None else home,
        lines=tuple(line.opposite() for line in lines) if opposite else tuple(lines),
        parts=tuple(_opposite(part) for part in parts) if opposite else tuple(parts),
        side=side,
        opposite=opposite,
        content=content_of(document, snapshot, making.currency, home, dated=(opposite, day)),
        codes=frozenset({"DENIED"} if "DENIED" in codes else codes),
    )


def _opposite(part: Part) -> Part:
    return replace(part, amount=-part.amount, home=-part.home)


def _common_codes(making: _Making) -> set[str]:
    codes = set()
    if making.document.date is None:
        codes.add("DATE_MISSING")
    if making.document.amount is None:
        codes.add("AMOUNT_MISMATCH")
    if making.home_amount() is None:
        codes.add("CURRENCY_WITHOUT_RATE")
    return codes


_Made = tuple[int, list[Line], list[Part]]


def _charged(making: _Making, setting: str, sign: int) -> list[Line]:
    """The control line, then a line for each of the document's; ``sign`` is 1 where those are debits."""
    document: Charged = making.document
    if not adds_up(document, making.currency):
        making.references.codes.add("AMOUNT_MISMATCH")
    tax, tax_item = tax_of(document)
    amounts = [*line_amounts(document, making.currency), tax]
    homes = making.shares(amounts)
    total_home = making.home_amount() or ZERO
    lines = [making.control(setting, -sign * total_home, -sign * making.amount)]
    for place, (line, amount, home) in enumerate(zip(document.lines, amounts, homes, strict=False)):
        if amount:
            own = line.account or making.snapshot.fallback_account(document, line.item)
            header = document.header_account if isinstance(document, Bill) else None
            more = making.references.dimensions({column: getattr(line, column) for column in DIMENSIONS})
            account = making.references.line_account(own or header)
            item = making.references.item(line.item)
            lines.append(making.line("line", account, sign * home, sign * amount, item=item, source_line=place, **more))
    if tax:
        account = making.references.line_account(making.snapshot.fallback_account(document, tax_item))
        lines.append(making.line("line", account, sign * homes[-1], sign * tax))
    return lines


def _usages(making: _Making, usages: Sequence[Settled], settled_kind: str) -> list[Part]:
    used = [(place, use) for place, use in enumerate(usages) if use.document is not None and use.amount]
    amounts = [use.amount or ZERO for _, use in used]
    homes = making.shares(amounts)
    return [
        Part(
            control=_ONLY_CONTROL,
            position=place,
            settled_kind=settled_kind,
            settled_id=use.document or "",
            amount=use.amount or ZERO,
            home=home,
            payment=use.payment,
        )
        for (place, use), home in zip(used, homes, strict=False)
    ]


def _approval(making: _Making, *, unknown_is_approved: bool) -> None:
    status = making.document.approval_status
    if status not in _KNOWN_APPROVALS and unknown_is_approved:
        return
    if status == "DENIED":
        making.references.codes.add("DENIED")
    elif status not in _POSTABLE_APPROVALS[making.policy.approval]:
        making.references.codes.add("NOT_APPROVED")


def _bill(making: _Making) -> _Made:
    _approval(making, unknown_is_approved=False)
    return 1, _charged(making, "accounts_payable", 1), []


def _vendor_credit(making: _Making) -> _Made:
    _approval(making, unknown_is_approved=True)
    return 1, _charged(making, "accounts_payable", -1), _usages(making, making.document.usages, BILLS)


def _invoice(making: _Making) -> _Made:
    return -1, _charged(making, "accounts_receivable", -1), []


def _credit_memo(making: _Making) -> _Made:
    return -1, _charged(making, "accounts_receivable", 1), _usages(making, making.document.usages, INVOICES)


def _status(making: _Making) -> None:
    if making.document.status not in PAYMENT_STATUSES:
        making.references.codes.add("STATUS_UNKNOWN")


def _vendor_payment(making: _Making) -> _Made:
    payment: VendorPayment = making.document
    _status(making)
    parts = cash_parts(payment)
    if parts is None:
        making.references.codes.add("AMOUNT_MISMATCH")
    unnamed = Settled(document=None, amount=making.amount)
    settled = parts or (unnamed,)
    is_listed = bool(parts)
    lines, made = _settling(making, "accounts_payable", settled, BILLS, 1, is_listed=is_listed)
    money = paying_account(payment, making.references)
    lines.append(making.line("money", money, -(making.home_amount() or ZERO), -making.amount))
    return 1, lines, made


def _received_payment(making: _Making) -> _Made:
    payment: ReceivedPayment = making.document
    _status(making)
    applied = sum((part.amount or ZERO for part in payment.parts), ZERO)
    if applied + (payment.unapplied or ZERO) != making.amount:
        making.references.codes.add("AMOUNT_MISMATCH")
    lines, made = _settling(making, "accounts_receivable", payment.parts, INVOICES, -1, is_listed=True)
    rest, rest_home = making.amount - applied, (making.home_amount() or ZERO) + sum(line.home for line in lines)
    if rest:
        lines.append(making.line("line", making.references.setting("unapplied_receipts"), -rest_home, -rest))
    money = receiving_account(payment, making.references)
    lines.append(making.line("money", money, making.home_amount() or ZERO, making.amount))
    return -1, lines, made


def _settling(
    making: _Making, setting: str, settled: Sequence[Settled], settled_kind: str, sign: int, *, is_listed: bool
) -> tuple[list[Line], list[Part]]:
    """A control line for each document that is paid."""
    amounts = [part.amount or ZERO for part in settled]
    homes = making.shares(amounts)
    lines: list[Line] = []
    parts: list[Part] = []
    making.references.party(making.document.party_kind, making.document.party)
    for place, (part, amount, home) in enumerate(zip(settled, amounts, homes, strict=False)):
        if not amount:
            continue
        source = place if is_listed else None
        if part.document is not None:
            parts.append(
                Part(
                    control=len(lines),
                    position=place,
                    settled_kind=settled_kind,
                    settled_id=part.document,
                    amount=amount,
                    home=home,
                )
            )
        more = {"settles": part.document, "source_line": source}
        lines.append(making.control(setting, sign * home, sign * amount, **more))
    return lines, parts


_CLEARING = {"1": "payables_clearing", "2": "receivables_clearing"}
_WALLET_MOVEMENTS = ("3", "4")


def _movement(making: _Making) -> _Made:
    movement: MoneyMovement = making.document
    references, amount = making.references, making.amount
    if movement.bank_account is None:
        references.codes.add("PAYMENT_ACCOUNT_UNKNOWN")
    bank = references.funding(movement.bank_account) if movement.bank_account is not None else ""
    other = ""
    if movement.type in _CLEARING:
        other = references.setting(_CLEARING[movement.type])
    elif movement.type in _WALLET_MOVEMENTS:
        other = references.wallet(WALLET)
    else:
        references.codes.add("STATUS_UNKNOWN")
    return 0, [making.line("money", bank, amount, amount), making.line("money", other, -amount, -amount)], []


_MAKERS: dict[type[Document], Callable[[_Making], _Made]] = {
    Bill: _bill,
    VendorCredit: _vendor_credit,
    Invoice: _invoice,
    CreditMemo: _credit_memo,
    VendorPayment: _vendor_payment,
    ReceivedPayment: _received_payment,
    MoneyMovement: _movement,
}
